//! An answer of the shop's web server, as far as it says something about security. Bodies and values of cookies are not
//! kept.

use std::collections::BTreeMap;

use hyper::HeaderMap;
use hyper::header::{LOCATION, SET_COOKIE};
use hyper::http::response::Parts;
use serde::{Deserialize, Serialize};
use url::Url;

use super::cookie::Cookie;
use crate::tls::certificate::shown;

/// The headers that are kept. hyper has limited all of them together to 64 KiB.
const HEADERS: [&str; 10] = [
    "content-security-policy",
    "content-security-policy-report-only",
    "referrer-policy",
    "retry-after",
    "server",
    "strict-transport-security",
    "www-authenticate",
    "x-content-type-options",
    "x-frame-options",
    "x-powered-by",
];

/// The most cookies of an answer that are kept.
const COOKIES: usize = 50;

/// What a server answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// Whether it came by HTTPS.
    pub(crate) is_encrypted: bool,
    /// The status.
    pub(crate) status: u16,
    /// What else is of interest, by name in lower case, in the order of the header.
    pub(crate) headers: BTreeMap<String, Vec<String>>,
    /// The cookies that it sets.
    pub(crate) cookies: Vec<Cookie>,
    /// Where it leads.
    pub(crate) leads: Option<Lead>,
}

/// Where a redirect leads, without path and query: they may hold a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lead {
    /// Scheme, host and port: `https://www.shop.example`.
    pub(crate) to: String,
    /// Whether that is HTTPS.
    pub(crate) is_encrypted: bool,
    /// Whether it is the host that was asked.
    pub(crate) is_same_host: bool,
}

impl Answer {
    /// What is kept of an answer to a request for `asked`, and where it leads in full.
    pub(super) fn of(head: &Parts, asked: &Url) -> (Self, Option<Url>) {
        let next = Some(&head.headers)
            .filter(|_| head.status.is_redirection())
            .and_then(|headers| destination(headers, asked));
        let headers = HEADERS.into_iter().filter_map(|name| {
            let values: Vec<_> = values(&head.headers, name).collect();
            (!values.is_empty()).then(|| (name.to_owned(), values))
        });
        let answer = Self {
            is_encrypted: asked.scheme() == "https",
            status: head.status.as_u16(),
            headers: headers.collect(),
            cookies: values(&head.headers, SET_COOKIE.as_str())
                .filter_map(|text| Cookie::parse(&text))
                .take(COOKIES)
                .collect(),
            leads: next.as_ref().map(|next| Lead::of(next, asked)),
        };
        (answer, next)
    }

    /// The values of a header, each line apart.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.get(name).into_iter().flatten().map(String::as_str)
    }

    /// Whether it is a page, and not a refusal or a redirect.
    pub(crate) fn is_page(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Whether a status says that there is no answer now, and nothing of what is asked for: a server that gave up waiting
/// (408), was mistaken for another (421), has had enough of us (425, 429), or is broken (5xx).
pub(super) fn is_no_answer(status: u16) -> bool {
    matches!(status, 408 | 421 | 425 | 429 | 500..)
}

impl Lead {
    fn of(next: &Url, asked: &Url) -> Self {
        let to = Url::parse(&next.origin().ascii_serialization()).ok();
        Self {
            to: to.map_or("elsewhere".to_owned(), |to| shown(to.as_str().trim_end_matches('/'))),
            is_encrypted: next.scheme() == "https",
            is_same_host: next.host() == asked.host(),
        }
    }
}

fn destination(headers: &HeaderMap, asked: &Url) -> Option<Url> {
    let location = headers.get(LOCATION)?.to_str().ok()?;
    asked.join(location).ok()
}

/// The values of a header as text.
pub(super) fn values(headers: &HeaderMap, name: &str) -> impl Iterator<Item = String> {
    headers.get_all(name).into_iter().map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
}

#[cfg(test)]
pub(super) mod tests {
    use hyper::Response;

    use super::*;

    /// What is kept of these lines.
    pub(in crate::collectors::security::outside) fn answered(
        asked: &str,
        status: u16,
        lines: &[(&str, &str)],
    ) -> Answer {
        let response = lines
            .iter()
            .fold(Response::builder().status(status), |response, (name, value)| response.header(*name, *value));
        Answer::of(&response.body(()).unwrap().into_parts().0, &asked.parse().unwrap()).0
    }

    #[test]
    fn where_a_redirect_leads_is_kept_without_what_it_carries() {
        for (location, to, is_encrypted, is_same_host) in [
            ("https://shop.example/?user_token=tr0ub4dor", "https://shop.example", true, true),
            ("https://SHOP.example:443/", "https://shop.example", true, true),
            ("//www.shop.example/", "http://www.shop.example", false, false),
            ("/tr0ub4dor", "http://shop.example", false, true),
            ("https://user:tr0ub4dor@shop.example.evil/", "https://shop.example.evil", true, false),
            ("javascript:tr0ub4dor", "elsewhere", false, false),
        ] {
            let answer = answered("http://shop.example/", 301, &[("location", location)]);
            let lead = answer.leads.clone().unwrap();
            assert_eq!(
                (lead.to.as_str(), lead.is_encrypted, lead.is_same_host),
                (to, is_encrypted, is_same_host),
                "{location}"
            );
            assert!(!serde_json::to_string(&answer).unwrap().contains("tr0ub4dor"), "{location}");
        }
        assert_eq!(answered("http://shop.example/", 301, &[]).leads, None);
        assert_eq!(answered("http://shop.example/", 200, &[("location", "https://shop.example/")]).leads, None);
    }

    #[test]
    fn what_is_no_text_is_no_end() {
        let value = hyper::header::HeaderValue::from_bytes(b"nginx\xff").unwrap();
        let response = Response::builder().header("server", value).body(()).unwrap();
        let (answer, _) = Answer::of(&response.into_parts().0, &"https://shop.example/".parse().unwrap());
        assert_eq!(answer.values("server").collect::<Vec<_>>(), ["nginx\u{fffd}"]);
    }
}
