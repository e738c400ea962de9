//! A request, read whole.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::header::{AUTHORIZATION, HOST, HeaderMap, USER_AGENT};
use hyper::http::request::Parts;

/// A request as a marketplace sees it.
#[derive(Clone, Debug, Default)]
pub(super) struct Ask {
    pub(super) method: String,
    /// The server that is asked, without its port, in lower case.
    pub(super) host: String,
    pub(super) path: String,
    /// As it was written.
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Ask {
    /// A request of these parts; `server` is whom TLS was agreed with, where it was.
    pub(super) fn new(parts: Parts, server: Option<&str>, body: Bytes) -> Self {
        let named = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        let host = parts.uri.host().or(named).or(server).map(bare).unwrap_or_default();
        Self {
            method: parts.method.as_str().to_owned(),
            host,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
            body,
        }
    }

    /// The value of a header that is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What it calls itself; `None` when it does not.
    pub(super) fn user_agent(&self) -> Option<&str> {
        self.header(USER_AGENT.as_str()).filter(|agent| !agent.is_empty())
    }

    /// User and password of Basic authentication.
    pub(super) fn basic(&self) -> Option<(String, String)> {
        basic(self.header(AUTHORIZATION.as_str())?)
    }

    /// The token of Bearer authentication.
    pub(super) fn bearer(&self) -> Option<&str> {
        self.header(AUTHORIZATION.as_str())?.strip_prefix("Bearer ")
    }

    /// The query's names and values.
    pub(super) fn queries(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }

    /// The value of one name of the query.
    pub(super) fn queried(&self, name: &str) -> Option<String> {
        self.queries().into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The names and values of a body that is a form.
    pub(super) fn form(&self) -> BTreeMap<String, String> {
        form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// A body of JSON.
    pub(super) fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The text of the first element of this name in a body of XML, with no prefix and no attribute.
    pub(super) fn element(&self, name: &str) -> Option<String> {
        let text = std::str::from_utf8(&self.body).ok()?;
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (value, _) = rest.split_once(&format!("</{name}>"))?;
        let plain = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
        Some(plain.iter().fold(value.to_owned(), |value, (written, meant)| value.replace(written, meant)))
    }
}

/// User and password in a header of Basic authentication.
pub(super) fn basic(header: &str) -> Option<(String, String)> {
    let pair = String::from_utf8(STANDARD.decode(header.strip_prefix("Basic ")?).ok()?).ok()?;
    pair.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

/// A host without its port, in lower case.
pub(super) fn bare(host: &str) -> String {
    let host = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or_default(),
    };
    host.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_in_lower_case_without_a_port() {
        for (written, host) in [
            ("API.ebay.com", "api.ebay.com"),
            ("api.ebay.com:22143", "api.ebay.com"),
            ("127.0.0.1:80", "127.0.0.1"),
            ("[::1]:80", "::1"),
        ] {
            assert_eq!(bare(written), host);
        }
    }

    #[test]
    fn credentials_in_a_body_of_xml_are_read_as_they_were_meant() {
        let ask = Ask { body: "<auth><appKey>a&amp;lt;&lt;</appKey></auth>".into(), ..Ask::default() };
        assert_eq!(ask.element("appKey").unwrap(), "a&lt;<");
        let qualified = Ask { body: "<sch:appKey>a</sch:appKey>".into(), ..Ask::default() };
        assert_eq!(qualified.element("appKey"), None);
    }
}
