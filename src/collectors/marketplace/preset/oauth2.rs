//! `oauth2`: how an access token is asked for, and what of the answer is the token (RFC 6749).

use std::time::Duration;

use serde_json::Value as Json;

use super::message::Message;
use super::time::Moment;
use super::token::{AccessToken, Token};
use crate::collector::{Failure, Reason};
use crate::collectors::marketplace::exchange::Question;
use crate::collectors::marketplace::judge::rules::Rules;
use crate::config::types::Period;

/// How access tokens are had.
#[derive(Clone, Debug, PartialEq)]
pub struct OAuth2 {
    /// How long the request may take.
    pub timeout: Duration,
    /// The least time from one request for a token to the next with the same credentials, whatever happens.
    pub min_interval: Duration,
    /// How an answer is judged before it is read: `ok`, `auth_error`, `rate_limited` or what else comes in the way.
    pub rules: Rules,
    pub(super) message: Message,
    /// JSON pointers; the first that leads to something counts.
    pub(super) token: Vec<String>,
    pub(super) expires_in: Vec<String>,
    pub(super) default_expires_in: Duration,
    pub(super) refresh_early: Duration,
}

impl OAuth2 {
    /// The request for a token, as it is sent now.
    ///
    /// # Errors
    /// When a secret cannot be read, or cannot be sent: it is empty, or has a line break in it.
    pub fn question(&self, moment: &Moment) -> Result<Question, Failure> {
        self.message.question(None, moment).map_err(|failure| failure.context("asking for an access token"))
    }

    /// The same for people, without secrets.
    #[must_use]
    pub fn shown(&self, moment: &Moment) -> String {
        self.message.shown(moment)
    }

    /// The token in the body of an answer that is good.
    ///
    /// # Errors
    /// `protocol`, when there is none. Nothing of the body is in the error.
    pub fn read(&self, body: &[u8]) -> Result<Token, Failure> {
        let reading = |failure: Failure| failure.context("reading the answer to the request for a token");
        let wrong = |what: &str| reading(Failure::message(Reason::Protocol, what.to_owned()));
        let body: Json = serde_json::from_slice(body).map_err(|_| wrong("it is no JSON"))?;
        let token = self.token.iter().find_map(|pointer| body.pointer(pointer)?.as_str());
        let token = token.ok_or_else(|| wrong(&format!("there is no text at {}", self.token.join(" or "))))?;
        let expires_in = self.expires_in.iter().find_map(|pointer| seconds(body.pointer(pointer)?));
        Ok(Token {
            access_token: AccessToken::new(token.to_owned()).map_err(reading)?,
            expires_in: expires_in.unwrap_or(self.default_expires_in),
        })
    }

    /// How long after it was given a token that lives so long is replaced.
    #[must_use]
    pub fn refresh_after(&self, expires_in: Duration) -> Duration {
        expires_in.saturating_sub(self.refresh_early.min(expires_in / 10))
    }
}

/// A number of seconds, also as text: a token that lives for less than one is none, and a year is the most.
fn seconds(value: &Json) -> Option<Duration> {
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    let good = number.is_finite() && number >= 1.0;
    good.then(|| Duration::try_from_secs_f64(number).map_or(Period::LONGEST, |life| life.min(Period::LONGEST)))
}
