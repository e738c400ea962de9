//! What of an account outlives the program: its tokens, its pauses, and when its probes were last made.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use tracing::warn;

use super::super::preset::Account;
use super::super::refusals::Pause;
use super::super::standing::Pauses;
use super::super::tokens;
use super::{NO_PANIC, Running};

/// The number of the form of [`Saved`]; what another version has kept is left alone.
const VERSION: u32 = 1;

/// What outlives the program; the file is its user's alone.
#[derive(Serialize, Deserialize)]
struct Saved {
    version: u32,
    at: SystemTime,
    /// What the account was when it was blocked or refused.
    account: u64,
    throttled: Duration,
    throttles: u32,
    blocked: Duration,
    walls: usize,
    /// By the names of auths and probes.
    refused: Vec<(String, Pause)>,
    forbidden: Vec<(String, Pause)>,
    tokens: Vec<(String, tokens::Saved)>,
    /// When each probe was last made, and the how many-eth it is.
    probes: Vec<(String, SystemTime, u64)>,
}

impl Running {
    /// Goes on from what was kept.
    pub(super) async fn resume(&self) {
        let Some(slot) = self.context.slot.clone() else { return };
        // It waits for whoever has the slot.
        let Ok(Some(claim)) = spawn_blocking(move || slot.claim()).await else { return };
        let saved = claim.load().map_err(anyhow::Error::from).and_then(|bytes| {
            bytes.map(|bytes| serde_json::from_slice::<Saved>(&bytes).map_err(anyhow::Error::from)).transpose()
        });
        match saved {
            Ok(Some(saved)) if saved.version == VERSION => self.restore(saved).await,
            Ok(_) => {}
            Err(error) => {
                warn!("tokens and pauses of a marketplace start anew, what was kept cannot be read: {error:#}");
            }
        }
        *self.claim.lock().expect(NO_PANIC) = Some(claim);
    }

    async fn restore(&self, saved: Saved) {
        // A clock that was put back makes no pause longer.
        let gone = SystemTime::now().duration_since(saved.at).unwrap_or_default();
        let left = |left: Duration| left.saturating_sub(gone);
        // What was refused as it was written before may be taken as it is written now. How much the marketplace can bear
        // is not for the configuration to say.
        let is_same = saved.account == self.mark;
        let of = |all: &[(String, Pause)], name: &str| {
            let (_, pause) = all.iter().find(|(known, _)| is_same && known == name)?;
            let left = left(pause.left);
            (!left.is_zero()).then_some(Pause { left, ..*pause })
        };
        let Account { auths, probes, .. } = &self.account;
        let pauses = Pauses {
            throttled: left(saved.throttled),
            throttles: saved.throttles,
            blocked: if is_same { left(saved.blocked) } else { Duration::ZERO },
            walls: if is_same { saved.walls } else { 0 },
            auths: auths.iter().map(|auth| of(&saved.refused, &auth.name)).collect(),
            forbidden: probes.iter().map(|probe| of(&saved.forbidden, &probe.name)).collect(),
        };
        let auth_of = |probe: usize| self.account.auth(&probes[probe]);
        self.shared().standing.restore(pauses, auth_of, Instant::now());
        for (name, kept) in saved.tokens {
            let index = auths.iter().position(|auth| auth.name == name);
            if let Some(tokens) = index.and_then(|index| self.tokens[index].as_ref()) {
                tokens.restore(kept).await;
            }
        }
        for (name, at, turn) in saved.probes {
            if let Some(index) = probes.iter().position(|probe| probe.name == name) {
                let mut state = self.state(index);
                state.last_run = Some(at);
                state.turn = state.turn.max(turn);
            }
        }
    }

    /// Keeps what must outlive the program, if there is a place for it.
    pub(super) fn save(&self) {
        let claim = self.claim.lock().expect(NO_PANIC);
        let Some(claim) = claim.as_ref() else { return };
        let Account { auths, probes, .. } = &self.account;
        let pauses = self.shared().standing.pauses(Instant::now());
        let named = |name: &String, pause: Option<Pause>| Some((name.clone(), pause?));
        let tokens = auths.iter().zip(&self.tokens);
        let saved = Saved {
            version: VERSION,
            at: SystemTime::now(),
            account: self.mark,
            throttled: pauses.throttled,
            throttles: pauses.throttles,
            blocked: pauses.blocked,
            walls: pauses.walls,
            refused: auths.iter().zip(pauses.auths).filter_map(|(auth, pause)| named(&auth.name, pause)).collect(),
            forbidden: probes
                .iter()
                .zip(pauses.forbidden)
                .filter_map(|(probe, pause)| named(&probe.name, pause))
                .collect(),
            tokens: tokens.filter_map(|(auth, one)| Some((auth.name.clone(), one.as_ref()?.save()))).collect(),
            probes: probes
                .iter()
                .enumerate()
                .filter_map(|(index, probe)| {
                    let state = self.state(index);
                    Some((probe.name.clone(), state.last_run?, state.turn))
                })
                .collect(),
        };
        match serde_json::to_vec(&saved) {
            Ok(bytes) => claim.save(&bytes),
            Err(error) => warn!("tokens and pauses of a marketplace cannot be kept: {error}"),
        }
    }
}

/// A number that is another one when an account is written otherwise; of its secrets nothing is in it.
pub(super) fn mark(account: &Account) -> u64 {
    let mut hasher = DefaultHasher::new();
    // In which secrets are not written out.
    format!("{account:?}").hash(&mut hasher);
    hasher.finish()
}
