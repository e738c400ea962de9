//! A probe of an account, with all that it needs to be made and judged.

use std::sync::Arc;
use std::time::Duration;

use super::message::Message;
use super::pace::Pace;
use super::schema::{DocumentedLimit, Role};
use super::time::Moment;
use super::token::AccessToken;
use crate::collector::Failure;
use crate::collectors::marketplace::exchange::Question;
use crate::collectors::marketplace::judge::rules::Rules;

/// One probe.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// The label `probe`.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Which of the account's auths it is made with; `None` without any.
    pub auth: Option<String>,
    /// How often it is made, and why not more often.
    pub pace: Pace,
    /// Whether its preset or its own table says how often.
    pub has_interval: bool,
    /// How long it may take.
    pub timeout: Duration,
    /// What the marketplace documents of how often it may be made.
    pub documented: Option<Documented>,
    /// How its answer is judged. As the message, it is the same for all who know of the account.
    pub rules: Arc<Rules>,
    pub(super) message: Arc<Message>,
}

/// A limit that the marketplace documents, and what it is called.
#[derive(Clone, Debug, PartialEq)]
pub struct Documented {
    /// The label `bucket`.
    pub bucket: String,
    /// The limit.
    pub limit: DocumentedLimit,
}

impl Probe {
    /// Whether credentials go to another machine as anybody on the way can read them.
    pub(crate) fn shows_credentials_to_all(&self) -> bool {
        self.auth.is_some() && self.message.goes_unencrypted()
    }

    /// The request as it is sent now. It needs an access token when its auth is `oauth2`, and secrets are read anew.
    ///
    /// # Errors
    /// When a secret cannot be read, or cannot be sent: it is empty, or has a line break in it; when there is no token.
    pub fn question(&self, token: Option<&AccessToken>, moment: &Moment) -> Result<Question, Failure> {
        self.message.question(token, moment)
    }

    /// The same for people: `[secret name]`, `[token]` and `[uuid]` in the place of what these are.
    #[must_use]
    pub fn shown(&self, moment: &Moment) -> String {
        self.message.shown(moment)
    }
}
