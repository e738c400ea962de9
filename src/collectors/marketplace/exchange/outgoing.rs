//! A request as it is sent, and where to.

use hyper::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, HOST, HeaderValue, InvalidHeaderValue, TRANSFER_ENCODING,
};
use hyper::{Method, Uri, Version};

use super::{Fault, Question};
use crate::collectors::marketplace::result::Outcome;

/// A request with everything that is sent but the length of its body, which hyper adds.
///
/// Has no `Debug`: a request is full of secrets.
pub struct Outgoing {
    /// The host, in lower case and as a URL has it: `[::1]`.
    bracketed: String,
    port: u16,
    is_encrypted: bool,
    /// Its path and its query are the URI, and its headers are all there.
    pub request: Question,
}

impl Outgoing {
    /// Takes a question apart into where it goes and what is said there.
    ///
    /// # Errors
    /// `config_error` when its URI is none that can be gone to.
    pub fn new(question: Question) -> Result<Self, Fault> {
        let cannot = |why: &str| Fault::new(Outcome::ConfigError, format!("a request that goes nowhere: {why}"));
        let uri = question.uri();
        let is_encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(cannot("its address begins with neither https:// nor http://")),
        };
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        if authority.contains('@') {
            return Err(cannot("its address has a login in it, which is no part of an address"));
        }
        let bracketed = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| cannot("it names no host"))?;
        let bracketed = bracketed.to_ascii_lowercase();
        // Without a port there may be a colon all the same.
        let port = match authority.get(bracketed.len()..) {
            Some("" | ":") => standard_port(is_encrypted),
            _ => uri.port_u16().ok_or_else(|| cannot("its port is none"))?,
        };
        let mut outgoing = Self { bracketed, port, is_encrypted, request: question };
        outgoing.dress().map_err(|error| cannot(&error.to_string()))?;
        Ok(outgoing)
    }

    fn dress(&mut self) -> Result<(), InvalidHeaderValue> {
        let host = HeaderValue::from_str(&self.authority())?;
        let request = &mut self.request;
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = path.map_or_else(|| Uri::from_static("/"), Uri::from);
        *request.version_mut() = Version::HTTP_11;
        let is_empty = hyper::body::Body::is_end_stream(request.body());
        // A server may refuse to guess that nothing follows (RFC 9110, section 8.6).
        let says_length = is_empty && matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH);
        let headers = request.headers_mut();
        headers.insert(HOST, host);
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.remove(TRANSFER_ENCODING);
        headers.remove(CONTENT_LENGTH);
        if says_length {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        Ok(())
    }

    /// Whether it goes by TLS.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// Where it goes, without path and query: `https://api.example:8443`.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.is_encrypted { "https" } else { "http" }, self.authority())
    }

    /// The host, without brackets.
    pub(super) fn host(&self) -> &str {
        self.bracketed.trim_start_matches('[').trim_end_matches(']')
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// As [`Way::resolve`](super::Way::resolve) names it.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.bracketed, self.port)
    }

    fn authority(&self) -> String {
        if self.port == standard_port(self.is_encrypted) { self.bracketed.clone() } else { self.place() }
    }
}

const fn standard_port(is_encrypted: bool) -> u16 {
    if is_encrypted { 443 } else { 80 }
}
