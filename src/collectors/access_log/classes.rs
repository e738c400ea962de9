//! The closed sets of labels: whatever a log says, there are no more series than these.

macro_rules! class {
    ($(#[$doc:meta])+ $name:ident { $($(#[$variant_doc:meta])+ $variant:ident = $label:literal,)+ }) => {
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])+ $variant,)+
        }

        impl $name {
            /// All there are.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The label's value.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $label,)+
                }
            }

            /// The one with this label.
            #[must_use]
            pub fn of_label(label: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == label)
            }
        }
    };
}
pub(in crate::collectors) use class;

class! {
    /// What kind of page was asked for: the label `route`.
    Route {
        /// The front page.
        Home = "home",
        /// A list of products: of a category, a brand, the new, the cheap.
        Category = "category",
        /// A product.
        Product = "product",
        /// A search.
        Search = "search",
        /// The cart.
        Cart = "cart",
        /// The way to an order: address, shipment, payment, thanks.
        Checkout = "checkout",
        /// A customer's own pages: login, registration, orders, wish list.
        Account = "account",
        /// The administration.
        Admin = "admin",
        /// What programs ask for.
        Api = "api",
        /// What marketplaces and payment services call by themselves.
        MarketplaceWebhook = "marketplace_webhook",
        /// Files: images, styles, scripts, fonts, downloads, robots.txt.
        Static = "static",
        /// Anything a crawler asks for that says that it is one, files left out.
        Bot = "bot",
        /// Everything else.
        Other = "other",
    }
}

class! {
    /// The label `method`.
    Method {
        /// GET.
        Get = "GET",
        /// HEAD.
        Head = "HEAD",
        /// POST.
        Post = "POST",
        /// PUT.
        Put = "PUT",
        /// PATCH.
        Patch = "PATCH",
        /// DELETE.
        Delete = "DELETE",
        /// OPTIONS.
        Options = "OPTIONS",
        /// Any other, and what is not HTTP.
        Other = "other",
    }
}

impl Method {
    /// That of a line.
    #[must_use]
    pub fn of(method: &[u8]) -> Self {
        match method {
            b"GET" => Self::Get,
            b"POST" => Self::Post,
            b"HEAD" => Self::Head,
            b"PUT" => Self::Put,
            b"PATCH" => Self::Patch,
            b"DELETE" => Self::Delete,
            b"OPTIONS" => Self::Options,
            _ => Self::Other,
        }
    }
}

class! {
    /// The label `code`: the class of the status, but for those that mean something by themselves.
    Code {
        /// 100 to 199.
        Informational = "1xx",
        /// 200 to 299.
        Success = "2xx",
        /// 300 to 399.
        Redirect = "3xx",
        /// Who are you?
        Unauthorized = "401",
        /// Not for you.
        Forbidden = "403",
        /// Not there.
        NotFound = "404",
        /// Too often.
        TooMany = "429",
        /// The client went away before nginx could answer.
        ClientClosed = "499",
        /// 400 to 499 otherwise.
        ClientError = "4xx",
        /// The backend did not answer, or not in HTTP.
        BadGateway = "502",
        /// Overloaded, or being mended.
        Unavailable = "503",
        /// The backend did not answer in time.
        GatewayTimeout = "504",
        /// 500 to 599 otherwise.
        ServerError = "5xx",
        /// No status that HTTP knows.
        Other = "other",
    }
}

impl Code {
    /// Whether the shop has failed its client.
    #[must_use]
    pub const fn is_our_fault(self) -> bool {
        matches!(self, Self::BadGateway | Self::Unavailable | Self::GatewayTimeout | Self::ServerError)
    }

    /// That of a status.
    #[must_use]
    pub fn of(status: u16) -> Self {
        match status {
            200..=299 => Self::Success,
            300..=399 => Self::Redirect,
            404 => Self::NotFound,
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            429 => Self::TooMany,
            499 => Self::ClientClosed,
            400..=498 => Self::ClientError,
            502 => Self::BadGateway,
            503 => Self::Unavailable,
            504 => Self::GatewayTimeout,
            500..=599 => Self::ServerError,
            100..=199 => Self::Informational,
            _ => Self::Other,
        }
    }
}

class! {
    /// What a cache did for a request: the label `status`.
    Cache {
        /// It had the answer.
        Hit = "hit",
        /// It had not.
        Miss = "miss",
        /// It was not asked.
        Bypass = "bypass",
        /// It had one that was too old.
        Expired = "expired",
        /// It gave one that was too old, as the backend had none.
        Stale = "stale",
        /// Likewise, as a new one was on its way.
        Updating = "updating",
        /// The backend said that the old one is still true.
        Revalidated = "revalidated",
        /// Something else.
        Other = "other",
    }
}

impl Cache {
    /// That of `$upstream_cache_status` (nginx, "ngx_http_upstream_module"), or of a cache that says it likewise.
    #[must_use]
    pub fn of(status: &[u8]) -> Self {
        match status {
            b"HIT" => Self::Hit,
            b"MISS" => Self::Miss,
            b"BYPASS" => Self::Bypass,
            b"EXPIRED" => Self::Expired,
            b"STALE" => Self::Stale,
            b"UPDATING" => Self::Updating,
            b"REVALIDATED" => Self::Revalidated,
            _ => Self::Other,
        }
    }
}

class! {
    /// What is limited: the label `limit`.
    Limit {
        /// Requests in a time (`limit_req`).
        Requests = "requests",
        /// Connections at a time (`limit_conn`).
        Connections = "connections",
    }
}

class! {
    /// What a limit did with a request: the label `outcome`.
    Limited {
        /// Nothing.
        Passed = "passed",
        /// It had to wait.
        Delayed = "delayed",
        /// It was turned away.
        Rejected = "rejected",
        /// It would have had to wait, were the limit not on trial.
        DelayedDryRun = "delayed_dry_run",
        /// It would have been turned away, likewise.
        RejectedDryRun = "rejected_dry_run",
    }
}

impl Limited {
    /// That of `$limit_req_status` or `$limit_conn_status`; `None` when there is no limit, or no word that nginx knows.
    #[must_use]
    pub fn of(status: &[u8]) -> Option<Self> {
        Some(match status {
            b"PASSED" => Self::Passed,
            b"DELAYED" => Self::Delayed,
            b"REJECTED" => Self::Rejected,
            b"DELAYED_DRY_RUN" => Self::DelayedDryRun,
            b"REJECTED_DRY_RUN" => Self::RejectedDryRun,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_the_code_of_its_class_or_its_own() {
        for status in 0..=u16::MAX {
            let code = Code::of(status).as_str();
            let own = status.to_string();
            let class = format!("{}xx", status / 100);
            let expected = match status {
                401 | 403 | 404 | 429 | 499 | 502 | 503 | 504 => &own,
                100..=599 => &class,
                _ => "other",
            };
            assert_eq!(code, expected, "{status}");
        }
    }

    #[test]
    fn a_label_names_one_thing() {
        assert!(Route::ALL.iter().all(|route| Route::of_label(route.as_str()) == Some(*route)));
        assert_eq!(Route::of_label("basket"), None);
        assert_eq!(
            (Method::of(b"GET"), Method::of(b"get"), Method::of(b"")),
            (Method::Get, Method::Other, Method::Other)
        );
    }
}
