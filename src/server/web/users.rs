//! Who may come in: users with bcrypt hashes, and what it costs to check a password.
//!
//! A password that was verified is remembered as a keyed hash, so a scraper costs one bcrypt verification and not one a
//! scrape. The key is random and never leaves this process' memory; the password is not kept in any form that can be
//! turned back. Whoever is not remembered waits for a turn: one verification at a time, a short queue, and a shorter
//! one for each client's address, so that guessing passwords takes one thread and delays no scrape.

use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bcrypt::HashParts;
use ring::hmac;
use ring::rand::SystemRandom;
use serde::Deserialize;
use serde::de::{self, Deserializer};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::credentials::credentials;
use crate::server::peer::Peer;

/// The most a hash may cost: 4 s of a processor, which anybody who knows no password can make us spend.
const HIGHEST_COST: u32 = 16;

/// How many verifications wait at a time, and how many of them for one address; above it the answer is 429.
const WAITING: usize = 16;
const WAITING_EACH: usize = 4;

/// A bcrypt hash as the file gives it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Hash(String);

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let cost = HashParts::from_str(&text).map(|parts| parts.get_cost());
        match cost {
            Ok(4..=HIGHEST_COST) => Ok(Self(text)),
            Ok(cost @ 17..=31) => Err(de::Error::custom(format!(
                "a cost of {cost} takes many seconds for each guess of anybody; at most {HIGHEST_COST}\n\
                 make the hash anew: htpasswd -nBC 10 \"\" | tr -d ':\\n'"
            ))),
            // Neither the text nor a part of it: it may be a password.
            _ => Err(de::Error::custom(
                "not a bcrypt hash\nwrite what this prints: htpasswd -nBC 10 \"\" | tr -d ':\\n'",
            )),
        }
    }
}

/// The users of one version of the file, and who of them has shown the password.
pub(super) struct Users {
    hashes: BTreeMap<String, Hash>,
    /// The keyed hash of the last password that was right, by name; so never more entries than users.
    verified: Mutex<HashMap<String, hmac::Tag>>,
}

impl Users {
    pub(super) fn new(hashes: BTreeMap<String, Hash>) -> Self {
        Self { hashes, verified: Mutex::default() }
    }

    /// Takes over who has shown the password to an earlier version, where the hash is the same: while strangers guess, a
    /// scraper would wait long to be verified again.
    pub(super) fn remember(&self, before: &Self) {
        let known = before.verified.lock().expect("no code panics while it holds this lock").clone();
        let same = known.into_iter().filter(|(name, _)| self.hashes.get(name) == before.hashes.get(name));
        self.verified.lock().expect("no code panics while it holds this lock").extend(same);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }
}

/// What became of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Login {
    /// The password is right.
    Right,
    /// There is none, or it is wrong.
    Wrong,
    /// Too many wait to be verified.
    Busy,
}

/// Verifies passwords, for as long as the program runs.
pub(super) struct Doorman {
    key: hmac::Key,
    turn: Semaphore,
    waiting: Mutex<HashMap<Peer, usize>>,
    verifications: AtomicU64,
}

impl Doorman {
    pub(super) fn new() -> Arc<Self> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).expect("the kernel gives random bytes");
        Arc::new(Self { key, turn: Semaphore::new(1), waiting: Mutex::default(), verifications: AtomicU64::new(0) })
    }

    /// How many bcrypt verifications there were.
    pub(super) fn verifications(&self) -> u64 {
        self.verifications.load(Ordering::Relaxed)
    }

    /// Checks the value of an `Authorization` header. A wrong password and an unknown user cost the same: one
    /// verification.
    pub(super) async fn check(self: &Arc<Self>, users: &Arc<Users>, header: Option<&[u8]>, peer: Peer) -> Login {
        let Some((name, password)) = header.and_then(credentials) else { return Login::Wrong };
        let shown = framed(&[name.as_bytes(), &password]);
        if self.remembers(users, &name, &shown) {
            return Login::Right;
        }
        let Some(place) = Place::take(self, peer) else { return Login::Busy };
        let (doorman, users) = (self.clone(), users.clone());
        // A task of its own: a client that goes away must not leave the turn before the verification has ended.
        let verification = async move {
            let _place = place;
            let _turn = doorman.turn.acquire().await.expect("nobody closes it");
            // Others may have shown the same password meanwhile.
            if doorman.remembers(&users, &name, &shown) {
                return Login::Right;
            }
            let (hash, known) = match users.hashes.get(&name) {
                Some(hash) => (hash, true),
                None => (doorman.decoy(&users, &name), false),
            };
            let hash = hash.0.clone();
            doorman.verifications.fetch_add(1, Ordering::Relaxed);
            let right = spawn_blocking(move || bcrypt::verify(password, &hash).unwrap_or(false)).await.unwrap_or(false);
            if !(right && known) {
                return Login::Wrong;
            }
            let tag = hmac::sign(&doorman.key, &shown);
            users.verified.lock().expect("no code panics while it holds this lock").insert(name, tag);
            Login::Right
        };
        #[expect(clippy::disallowed_methods, reason = "it ends by itself, and the stop need not wait for it")]
        tokio::spawn(verification).await.unwrap_or(Login::Wrong)
    }

    /// The hash that an unknown user's password is held against: one of the users' own, always the same for a name,
    /// so that hashes of different costs do not tell who exists either.
    fn decoy<'a>(&self, users: &'a Users, name: &str) -> &'a Hash {
        let bytes: [u8; 8] = hmac::sign(&self.key, name.as_bytes()).as_ref()[..8].try_into().expect("32 bytes");
        let number = usize::from_ne_bytes(bytes) % users.hashes.len();
        users.hashes.values().nth(number).expect("there is a user, or nobody would be asked")
    }

    /// Whether this user has shown the same before; compared in constant time.
    fn remembers(&self, users: &Users, name: &str, shown: &[u8]) -> bool {
        let verified = users.verified.lock().expect("no code panics while it holds this lock");
        verified.get(name).is_some_and(|tag| hmac::verify(&self.key, shown, tag.as_ref()).is_ok())
    }
}

/// These parts, each after its length, so that no two lists of parts are the same bytes.
fn framed(parts: &[&[u8]]) -> Vec<u8> {
    parts.iter().flat_map(|part| [&part.len().to_ne_bytes()[..], part].concat()).collect()
}

/// A place in the queue.
struct Place {
    doorman: Arc<Doorman>,
    peer: Peer,
}

impl Place {
    fn take(doorman: &Arc<Doorman>, peer: Peer) -> Option<Self> {
        let mut waiting = doorman.waiting.lock().expect("no code panics while it holds this lock");
        let ours = waiting.get(&peer).copied().unwrap_or(0);
        if ours == WAITING_EACH || waiting.values().sum::<usize>() == WAITING {
            return None;
        }
        waiting.insert(peer, ours + 1);
        Some(Self { doorman: doorman.clone(), peer })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut waiting = self.doorman.waiting.lock().expect("no code panics while it holds this lock");
        if let Some(ours) = waiting.get_mut(&self.peer) {
            *ours -= 1;
            if *ours == 0 {
                waiting.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use futures_util::future::join_all;

    use super::*;

    /// One user, `alice` with the password `open sesame`.
    fn alice() -> Arc<Users> {
        let hash = Hash(bcrypt::hash("open sesame", 4).unwrap());
        Arc::new(Users::new(BTreeMap::from([("alice".to_owned(), hash)])))
    }

    fn header(name: &str, password: &str) -> Vec<u8> {
        format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}"))).into_bytes()
    }

    async fn check(doorman: &Arc<Doorman>, users: &Arc<Users>, name: &str, password: &str) -> Login {
        doorman.check(users, Some(&header(name, password)), Peer::Local).await
    }

    #[tokio::test]
    async fn an_unknown_user_costs_one_verification_as_a_wrong_password_does() {
        let (doorman, users) = (Doorman::new(), alice());
        for (name, password, verifications) in
            [("alice", "guess", 1), ("mallory", "guess", 2), ("mallory", "open sesame", 3), ("", "", 4)]
        {
            assert_eq!(check(&doorman, &users, name, password).await, Login::Wrong, "{name}");
            assert_eq!(doorman.verifications(), verifications, "{name}");
        }
    }

    #[tokio::test]
    async fn a_verified_login_is_remembered_and_a_wrong_one_is_not() {
        let (doorman, users) = (Doorman::new(), alice());
        for _ in 0..3 {
            assert_eq!(check(&doorman, &users, "alice", "open sesame").await, Login::Right);
        }
        assert_eq!(doorman.verifications(), 1);
        for _ in 0..2 {
            assert_eq!(check(&doorman, &users, "alice", "guess").await, Login::Wrong);
        }
        assert_eq!(doorman.verifications(), 3);
        assert_eq!(check(&doorman, &users, "alice", "open sesame").await, Login::Right);
        assert_eq!(doorman.verifications(), 3);
    }

    #[tokio::test]
    async fn a_new_version_remembers_who_has_the_same_hash_and_nobody_else() {
        let (doorman, before) = (Doorman::new(), alice());
        assert_eq!(check(&doorman, &before, "alice", "open sesame").await, Login::Right);
        let same = Arc::new(Users::new(before.hashes.clone()));
        same.remember(&before);
        assert_eq!(check(&doorman, &same, "alice", "open sesame").await, Login::Right);
        assert_eq!(doorman.verifications(), 1);
        let (other, nobody) = (alice(), Arc::new(Users::new(BTreeMap::new())));
        other.remember(&before);
        nobody.remember(&before);
        assert_eq!(check(&doorman, &other, "alice", "open sesame").await, Login::Right);
        assert_eq!(doorman.verifications(), 2, "another hash, though of the same password");
        assert!(nobody.verified.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_is_no_login_costs_nothing() {
        let (doorman, users) = (Doorman::new(), alice());
        for header in
            [None, Some(&b""[..]), Some(b"Basic"), Some(b"Basic !!!"), Some(b"Basic YWxpY2U="), Some(b"Bearer x")]
        {
            assert_eq!(doorman.check(&users, header, Peer::Local).await, Login::Wrong, "{header:?}");
        }
        assert_eq!(doorman.verifications(), 0);
    }

    #[tokio::test]
    async fn a_crowd_with_the_right_password_is_let_in_by_one_verification() {
        let (doorman, users) = (Doorman::new(), alice());
        let logins = join_all((0..WAITING_EACH).map(|_| check(&doorman, &users, "alice", "open sesame"))).await;
        assert!(logins.iter().all(|login| *login == Login::Right), "{logins:?}");
        assert_eq!(doorman.verifications(), 1);
    }

    #[test]
    fn an_unknown_name_is_always_held_against_the_same_user_s_hash() {
        let hash = |cost| Hash(bcrypt::hash("x", cost).unwrap());
        let users = Users::new((4..8).map(|cost| (cost.to_string(), hash(cost))).collect());
        let doorman = Doorman::new();
        let mut costs = BTreeSet::new();
        for name in (0..100).map(|number| format!("nobody{number}")) {
            let decoy = doorman.decoy(&users, &name).0.clone();
            assert_eq!(doorman.decoy(&users, &name).0, decoy);
            costs.insert(decoy);
        }
        assert_eq!(costs.len(), 4, "each of them stands for some");
    }

    #[tokio::test]
    async fn the_queue_is_short_and_shorter_for_each_address() {
        let (doorman, users) = (Doorman::new(), alice());
        let _turn = doorman.turn.acquire().await.unwrap();
        let peers: Vec<_> = (1..=5).map(|host| Peer::of([192, 0, 2, host].into())).collect();
        let places: Vec<_> =
            peers.iter().flat_map(|peer| (0..=WAITING_EACH).map(|_| Place::take(&doorman, *peer))).collect();
        assert_eq!(places.iter().flatten().count(), WAITING);
        assert!(places[..WAITING_EACH].iter().all(Option::is_some) && places[WAITING_EACH].is_none());
        assert_eq!(check(&doorman, &users, "alice", "open sesame").await, Login::Busy);
        drop(places);
        assert!(doorman.waiting.lock().unwrap().is_empty());
    }
}
