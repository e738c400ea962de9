//! What each number of the business is called, and which label it has.

use super::Number;
use super::rules::{Business, Unit};

impl Business {
    /// All of them, in the order of their names.
    pub const ALL: [Self; 10] = [
        Self::AccountSuspendedListings,
        Self::AuthCredentialExpiryTimestampSeconds,
        Self::Listings,
        Self::ListingsWithErrors,
        Self::OrderNewestTimestampSeconds,
        Self::OrdersOpen,
        Self::QuotaLimit,
        Self::QuotaUsed,
        Self::SellerRating,
        Self::Value,
    ];

    /// The metric's name on the page.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccountSuspendedListings => "marketplace_account_suspended_listings",
            Self::AuthCredentialExpiryTimestampSeconds => "marketplace_auth_credential_expiry_timestamp_seconds",
            Self::Listings => "marketplace_listings",
            Self::ListingsWithErrors => "marketplace_listings_with_errors",
            Self::OrderNewestTimestampSeconds => "marketplace_order_newest_timestamp_seconds",
            Self::OrdersOpen => "marketplace_orders_open",
            Self::QuotaLimit => "marketplace_quota_limit",
            Self::QuotaUsed => "marketplace_quota_used",
            Self::SellerRating => "marketplace_seller_rating",
            Self::Value => "marketplace_value",
        }
    }

    /// Its label beside `marketplace`, which a preset gives it.
    #[must_use]
    pub const fn label(self) -> Option<&'static str> {
        match self {
            Self::AccountSuspendedListings => Some("site"),
            Self::AuthCredentialExpiryTimestampSeconds => Some("credential"),
            Self::Listings => Some("status"),
            Self::ListingsWithErrors | Self::OrderNewestTimestampSeconds | Self::OrdersOpen => None,
            Self::QuotaLimit | Self::QuotaUsed => Some("quota"),
            Self::SellerRating => Some("rating"),
            Self::Value => Some("name"),
        }
    }

    /// Whether it is a time.
    pub(super) const fn is_time(self) -> bool {
        matches!(self, Self::AuthCredentialExpiryTimestampSeconds | Self::OrderNewestTimestampSeconds)
    }
}

impl Number {
    /// The value of its one label beside `marketplace`; nothing when its metric has none.
    #[must_use]
    pub fn label(&self) -> &str {
        self.metric.label().and_then(|label| self.labels.get(label)).map_or("", String::as_str)
    }
}

impl Unit {
    /// Whether it says a time.
    pub(super) const fn is_time(self) -> bool {
        matches!(self, Self::EpochSeconds | Self::EpochMs | Self::Rfc3339)
    }

    /// What is said of a value that is not written like this.
    pub(super) const fn lacking(self) -> &'static str {
        match self {
            Self::Number => "no number",
            Self::Bool => "neither true nor false",
            Self::EpochSeconds => "no count of seconds since 1970 to a time of this century or the next",
            Self::EpochMs => "no count of milliseconds since 1970 to a time of this century or the next",
            Self::Rfc3339 => "no time with its zone, of this century or the next",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::marketplace::metrics::METRICS;

    #[test]
    fn each_number_is_a_declared_metric_with_the_label_it_names() {
        for business in Business::ALL {
            let desc = METRICS.iter().find(|desc| desc.name == business.name()).unwrap();
            let labels: Vec<&str> = ["marketplace"].into_iter().chain(business.label()).collect();
            assert_eq!(desc.labels, labels, "{}", business.name());
            assert_eq!(desc.name.ends_with("_timestamp_seconds"), business.is_time(), "{}", business.name());
            // What a preset calls it is the rest of the name.
            let written = format!("\"{}\"", business.name().strip_prefix("marketplace_").unwrap());
            assert_eq!(serde_json::from_str::<Business>(&written).unwrap(), business);
        }
    }
}
