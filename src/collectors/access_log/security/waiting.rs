//! Logins that are answered alike for good and bad: they wait for what the client asks for next.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::super::line::Line;
use super::super::route::argument;
use super::labels::{FollowUp, Outcome, Realm};

/// How many logins wait at most. A guesser who tries a hundred a second has 1,500 of them waiting.
const LOGINS: usize = 4096;

/// A login that lies so many seconds ahead of the log was written before the clock was set back.
const AHEAD: i64 = 3600;

impl FollowUp {
    /// Who logs in.
    pub(super) fn realm(self) -> Realm {
        match self {
            Self::OpencartAdmin => Realm::Admin,
            Self::OpencartCustomer | Self::MagentoCustomer => Realm::Customer,
        }
    }

    /// What it means that nothing follows. Magento can be told to send customers back to where they came from.
    fn silence(self) -> Outcome {
        match self {
            Self::OpencartAdmin | Self::OpencartCustomer => Outcome::Failure,
            Self::MagentoCustomer => Outcome::Unresolved,
        }
    }

    /// What a request shows about a login before it. `opencart` is OpenCart's route, empty when there is none.
    pub(super) fn of(line: &Line<'_>, path: &[u8], query: &[u8], opencart: &[u8]) -> Option<(Self, Outcome)> {
        let has = |name| argument(query, name, |token| !token.is_empty()).unwrap_or(false);
        if line.status != 200 {
            return None;
        }
        if has(b"customer_token") {
            return Some((Self::OpencartCustomer, Outcome::Success));
        }
        if line.method != b"GET" {
            return None;
        }
        if opencart == b"common/dashboard" && has(b"user_token") {
            return Some((Self::OpencartAdmin, Outcome::Success));
        }
        let path = path.strip_suffix(b"/").unwrap_or(path);
        if path.ends_with(b"/customer/account") || path.ends_with(b"/customer/account/index") {
            return Some((Self::MagentoCustomer, Outcome::Success));
        }
        path.ends_with(b"/customer/account/login").then_some((Self::MagentoCustomer, Outcome::Failure))
    }
}

/// Logins that wait, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting(VecDeque<Waiter>);

/// A login that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiter {
    /// Whose.
    pub(super) client: u64,
    /// What for.
    pub(super) follow_up: FollowUp,
    /// Since when, in seconds since 1970.
    pub(super) since: i64,
}

impl Waiting {
    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lets a login wait. When too many do, the oldest is given up.
    pub(super) fn push(&mut self, waiter: Waiter) -> Option<Waiter> {
        let given_up = if self.0.len() >= LOGINS { self.0.pop_front() } else { None };
        self.0.push_back(waiter);
        given_up
    }

    /// The last login of a client's that waited for this; those before it still wait, for nothing.
    pub(super) fn resolve(&mut self, client: u64, follow_up: FollowUp, now: i64, within: i64) -> Option<Waiter> {
        let in_time = |since: i64| (0..=within).contains(&now.saturating_sub(since));
        let is_it = |waiter: &Waiter| waiter.client == client && waiter.follow_up == follow_up && in_time(waiter.since);
        let place = self.0.iter().rposition(is_it)?;
        self.0.remove(place)
    }

    /// The oldest login, when it has waited too long, and what that means.
    pub(super) fn late(&mut self, now: i64, within: i64) -> Option<(Waiter, Outcome)> {
        let waited = now.saturating_sub(self.0.front()?.since);
        if waited > within {
            return self.0.pop_front().map(|waiter| (waiter, waiter.follow_up.silence()));
        }
        if waited < -AHEAD { self.0.pop_front().map(|waiter| (waiter, Outcome::Unresolved)) } else { None }
    }

    /// What is kept over a restart.
    pub(super) fn saved(&self) -> Vec<SavedWaiter> {
        let saved = |waiter: &Waiter| (waiter.client, waiter.follow_up.as_str().to_owned(), waiter.since);
        self.0.iter().map(saved).collect()
    }

    /// Goes on from what was kept; what this version does not know waits no longer.
    pub(super) fn restored(saved: Vec<SavedWaiter>) -> Self {
        let waiter = |(client, follow_up, since): SavedWaiter| {
            FollowUp::of_label(&follow_up).map(|follow_up| Waiter { client, follow_up, since })
        };
        Self(saved.into_iter().filter_map(waiter).take(LOGINS).collect())
    }
}

/// The hash of a client, the label of what its login waits for, and since when.
pub(super) type SavedWaiter = (u64, String, i64);

/// The logins that wait, and the key that their clients' hashes are made with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct SavedWaiting {
    pub(super) key: [u8; 16],
    pub(super) logins: Vec<SavedWaiter>,
}
