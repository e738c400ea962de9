//! What a marketplace answers, before anything is done to it on its way.

use bytes::Bytes;
use hyper::StatusCode;
use serde_json::Value;

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
    /// Why it is no answer of the marketplace's: for the log.
    pub(super) objection: Option<String>,
}

/// The status of what no preset may send (RFC 2324, section 2.3.2): no marketplace answers it.
pub(super) const OBJECTION: StatusCode = StatusCode::IM_A_TEAPOT;

/// The wall that some put in front of their servers: a page for people.
const WALL: &str = "<!DOCTYPE html><html><head><title>Page Not Available</title></head><body><h1>Page Not \
                    Available</h1><p>Your request was blocked. Reference: simulated.</p></body></html>";

/// The page that a marketplace shows instead of everything.
const MAINTENANCE: &str = "<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>We will be back \
                           soon</h1></body></html>";

impl Reply {
    /// An answer of this type.
    pub(super) fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, headers: vec![header("content-type", content_type)], body: body.into(), objection: None }
    }

    /// One without a body.
    pub(super) fn empty(status: u16) -> Self {
        Self { headers: Vec::new(), ..Self::new(status, "", "") }
    }

    /// JSON.
    pub(super) fn json(status: u16, value: &Value) -> Self {
        Self::new(status, "application/json; charset=utf-8", value.to_string())
    }

    /// XML.
    pub(super) fn xml(status: u16, body: &str) -> Self {
        let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{body}");
        Self::new(status, "text/xml; charset=utf-8", body)
    }

    /// Plain text.
    pub(super) fn text(status: u16, body: &str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", body.to_owned())
    }

    /// A wall's page.
    pub(super) fn wall(status: u16) -> Self {
        Self::new(status, "text/html; charset=utf-8", WALL)
    }

    /// A page that says that nothing works now.
    pub(super) fn maintenance(status: u16) -> Self {
        Self::new(status, "text/html; charset=utf-8", MAINTENANCE)
    }

    /// Our own answer to what no preset may send.
    pub(super) fn objection(why: impl Into<String>) -> Self {
        let why = why.into();
        Self { objection: Some(why.clone()), ..Self::text(OBJECTION.as_u16(), &format!("vitrin simulate: {why}\n")) }
    }

    /// The same with one header more.
    #[must_use]
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push(header(name, value));
        self
    }

    /// The same with this header in place of those of its name.
    #[must_use]
    pub(super) fn replacing(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.with(name, value)
    }

    /// The value of a header.
    #[cfg(test)]
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Its body as JSON, or null.
    #[cfg(test)]
    pub(super) fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

fn header(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
