//! What an account has to show: on the page, in the log, and to who asks once.

use std::collections::BTreeSet;
use std::time::SystemTime;

use super::super::explain;
use super::super::metrics as names;
use super::super::preset::{Documented, Probe, Role};
use super::super::result::Outcome;
use super::super::standing::AuthState;
use super::super::tally::{Making, epoch};
use super::super::tokens;
use super::Running;
use crate::collector::{Failure, Reason};
use crate::snapshot::Snapshot;

impl Running {
    /// Shows all of it.
    pub(in super::super) fn report(&self, out: &mut Snapshot) {
        let now = SystemTime::now();
        let marketplace = self.account.marketplace.as_str();
        out.push(&names::OBJECTIVE, [marketplace], self.account.objective.as_secs_f64());
        for (index, probe) in self.account.probes.iter().enumerate() {
            let state = self.state(index);
            let making = Making {
                interval: state.pace.interval(),
                clamped: probe.pace.clamped.is_some(),
                budget: probe.pace.budget,
                circuit: state.pace.circuit(),
            };
            if let Some(at) = state.last_run {
                out.push(&names::LAST_RUN, [marketplace, &probe.name], epoch(at));
            }
            state.counts.report([marketplace, &probe.name], making, now, out);
        }
        for expiry in &self.account.expiries {
            out.push(&names::CREDENTIAL_EXPIRY, [marketplace, expiry.credential.as_str()], expiry.at);
        }
        let tokens = self.tokens.iter().flatten();
        tokens::report(marketplace, tokens, &self.token_tally, out);
        let shared = self.shared();
        if !self.account.auths.is_empty() {
            for state in AuthState::ALL {
                let is_it = shared.standing.state() == state;
                out.push(&names::AUTH_STATE, [marketplace, state.as_str()], is_it);
            }
        }
        shared.limits.report(marketplace, out);
        let mut told = BTreeSet::new();
        for Documented { bucket, limit } in self.account.probes.iter().filter_map(|probe| probe.documented.as_ref()) {
            if told.insert(bucket) {
                out.push(&names::LIMIT, [marketplace, bucket, "documented"], limit.requests.0);
                if !shared.limits.has_window(bucket) {
                    out.push(&names::WINDOW, [marketplace, bucket], limit.per.0.as_secs_f64());
                }
            }
        }
    }

    /// What there is to complain of: the account is down when the probe that shows its credentials fails; when another one
    /// does, something is missing.
    pub(in super::super) fn complain(&self, out: &mut Snapshot) -> Result<(), Failure> {
        let mut down = None;
        let state = self.shared().standing.state();
        let is_asked = |probe: &Probe| probe.role == Role::Auth;
        let decides = self.account.probes.iter().position(is_asked).unwrap_or(0);
        for (index, probe) in self.account.probes.iter().enumerate() {
            let (trouble, is_known) = {
                let state = self.state(index);
                (state.trouble.clone(), state.counts.last().is_some())
            };
            if index == decides && !is_known {
                down = before_the_start(state);
            }
            let Some((outcome, reason, why)) = trouble else { continue };
            let failure = Failure::message(reason, format!("the probe `{}`: {outcome}: {why}", probe.name));
            // Too many requests are answered, too: the marketplace is there, and knows us.
            if index == decides && outcome != Outcome::RateLimited {
                down = Some(failure);
            } else {
                out.gap(failure);
            }
        }
        down.map_or(Ok(()), Err)
    }

    /// What the answers were taken for, and whether all of them were good.
    pub(in super::super) fn explained(&self) -> (String, bool) {
        let mut lines = Vec::new();
        let mut is_good = true;
        for (index, probe) in self.account.probes.iter().enumerate() {
            let state = self.state(index);
            is_good &= state.counts.last() == Some(Outcome::Ok);
            if state.explained.is_empty() {
                lines.push(format!("  the probe `{}`: not made, for what came before it", probe.name));
            }
            lines.extend(state.explained.iter().cloned());
        }
        (explain::text(&lines), is_good)
    }
}

/// What there is to complain of when nothing was asked yet, since an earlier run was told not to.
fn before_the_start(state: AuthState) -> Option<Failure> {
    let (reason, what) = match state {
        AuthState::Ok | AuthState::Unknown => return None,
        AuthState::Expired | AuthState::Rejected => (Reason::Auth, "the credentials were refused"),
        AuthState::Forbidden => (Reason::Permission, "the credentials may do nothing of what is asked for"),
        AuthState::Blocked => (Reason::Permission, "a wall was in the way"),
    };
    Some(Failure::message(reason, format!("{what} before the start, and nothing was tried since")))
}
