//! A request before it is made: made anew each time, with the secrets of that time, or shown to people without them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};

use super::filled::Filled;
use super::time::Moment;
use super::token::AccessToken;
use crate::collector::{Failure, Reason};
use crate::collectors::marketplace::exchange::Question;
use crate::config::secret::Secret;

/// The largest body that is sent, and the longest address.
const BODY_BYTES: usize = 64 << 10;
const URL_BYTES: usize = 8 << 10;

/// What is sent, secrets aside.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Message {
    pub(super) method: Method,
    /// With its query.
    pub(super) url: Filled,
    /// By name in lower case.
    pub(super) headers: BTreeMap<String, Value>,
    pub(super) body: Option<Filled>,
}

/// The value of a header.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A text.
    Text(Filled),
    /// A login by HTTP's basic authentication (RFC 7617).
    Basic { username: Filled, password: Filled },
}

impl Message {
    /// Whether it goes to another machine over http.
    pub(super) fn goes_unencrypted(&self) -> bool {
        let rest = self.url.beginning().strip_prefix("http://");
        let host = rest.and_then(|rest| rest.split(['/', '?']).next());
        host.is_some_and(|host| !["127.", "localhost", "[::1]"].iter().any(|own| host.starts_with(own)))
    }

    /// The request as it is sent now.
    ///
    /// # Errors
    /// When a secret cannot be read or sent, or what it makes cannot be a request. No text of it is in the error.
    pub(super) fn question(&self, token: Option<&AccessToken>, moment: &Moment) -> Result<Question, Failure> {
        let making = |failure: Failure| failure.context("making the request");
        let url = self.url.bytes(token, moment).map_err(making)?;
        let uri = if url.len() > URL_BYTES { None } else { Uri::try_from(url).ok() };
        let body = self.body.as_ref().map(|body| body.bytes(token, moment)).transpose().map_err(making)?;
        let body = body.unwrap_or_default();
        if body.len() > BODY_BYTES {
            return Err(making(Failure::message(Reason::Limit, "its body is larger than 64 KiB")));
        }
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() =
            uri.ok_or_else(|| making(Failure::message(Reason::Limit, "its address is none, or longer than 8 KiB")))?;
        for (name, value) in &self.headers {
            let sent = value.bytes(token, moment).map_err(making)?;
            let wrong = || making(Failure::message(Reason::Auth, format!("the header {name} cannot be sent")));
            let mut sent = HeaderValue::from_bytes(&sent).map_err(|_| wrong())?;
            // So that nobody who prints the request prints it.
            sent.set_sensitive(value.is_secret());
            request.headers_mut().insert(HeaderName::try_from(name).map_err(|_| wrong())?, sent);
        }
        Ok(request)
    }

    /// The same for people: what is a secret is named, not shown.
    pub(super) fn shown(&self, moment: &Moment) -> String {
        let mut text = format!("{} {}\n", self.method, self.url.shown(moment));
        for (name, value) in &self.headers {
            let value = value.shown(moment);
            text.extend([name, ": ", value.as_str(), "\n"]);
        }
        if let Some(body) = &self.body {
            text.extend(["\n", body.shown(moment).as_str(), "\n"]);
        }
        text
    }

    /// The secrets in it.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let headers = self.headers.values().flat_map(Value::texts);
        [&self.url].into_iter().chain(headers).chain(&self.body).flat_map(Filled::secrets)
    }
}

impl Value {
    fn texts(&self) -> Vec<&Filled> {
        match self {
            Self::Text(text) => vec![text],
            Self::Basic { username, password } => vec![username, password],
        }
    }

    fn is_secret(&self) -> bool {
        self.texts().iter().any(|text| text.known().is_none())
    }

    fn bytes(&self, token: Option<&AccessToken>, moment: &Moment) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Text(text) => text.bytes(token, moment),
            Self::Basic { username, password } => {
                let mut login = username.bytes(token, moment)?;
                if login.contains(&b':') {
                    return Err(Failure::message(Reason::Auth, "the user's name has a `:` in it, which ends it"));
                }
                login.push(b':');
                login.extend(password.bytes(token, moment)?);
                Ok(format!("Basic {}", BASE64_STANDARD.encode(login)).into_bytes())
            }
        }
    }

    fn shown(&self, moment: &Moment) -> String {
        match self {
            Self::Text(text) => text.shown(moment),
            Self::Basic { username, password } => {
                format!("Basic base64({}:{})", username.shown(moment), password.shown(moment))
            }
        }
    }
}
