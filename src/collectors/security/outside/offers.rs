//! What versions of TLS and what cipher suites a server agrees to: twelve questions, each on a connection of its own.
//!
//! A server is asked for one thing at a time, since of several it picks the best. What its configuration says is not
//! asked: Debian's nginx is told to speak TLS 1.0, and OpenSSL, which it is linked to, does not.

use std::io;
use std::sync::Arc;

use rustls::Error;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout_at;
use tokio_rustls::TlsConnector;

use super::encryption::Offers;
use super::groups::Group;
use super::visitor::{Missed, Silence, Visitor, anybody, unknown};
use crate::collector::{Failure, Reason};
use crate::collectors::security::verdict::{Cause, Known, Unknown};
use crate::tls::closer::say_hello;
use crate::tls::flight::{Answer, Wanted, read};
use crate::tls::hello::Version;

/// What a server says to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// Yes, in this version.
    Agrees(u16),
    /// No.
    Refuses,
    /// Nothing, and is gone.
    HangsUp,
}

/// Asks for versions and suites, at most once a day. Where two questions in a row are met by silence, the rest is not
/// asked.
///
/// # Errors
/// `unreachable` when nobody listens there. What else fails is told with its question.
pub(crate) async fn ask_versions_and_suites(visitor: &Visitor) -> Known<Offers> {
    let all: Vec<u16> = Group::ALL.iter().rev().flat_map(|group| group.suites()).copied().collect();
    let mut old = Vec::new();
    let mut silence = Silence::default();
    for version in [Version::Ssl3, Version::Tls10, Version::Tls11] {
        let mut closed = None;
        let question = async {
            visitor.question(version, &all).await.map_err(|missed| {
                if let Missed::Closed(unknown) = &missed {
                    closed = Some(unknown.clone());
                }
                missed.unknown()
            })
        };
        let reply = silence.unless(question).await;
        if let Some(unknown) = closed {
            return Err(unknown);
        }
        old.push(reply.map(|reply| match reply {
            // Another version is not the one that was asked for.
            Reply::Agrees(agreed) if agreed != version.number() => Reply::Refuses,
            reply => reply,
        }));
    }
    let mut groups = Vec::new();
    for group in Group::ALL {
        let question = async { visitor.question(Version::Tls12, group.suites()).await.map_err(Missed::unknown) };
        groups.push(silence.unless(question).await);
    }
    let newest = silence.unless(async { visitor.newest().await.map_err(Missed::unknown) }).await;
    Ok(Offers::of(&old, &groups, &newest))
}

impl Offers {
    /// Whether some of it did not come, and may the next time.
    pub(crate) fn is_silent(&self) -> bool {
        self.versions.iter().chain(&self.suites).any(|known| known.as_ref().is_err_and(Unknown::is_silence))
    }

    /// The same, with what was known before of all that nobody answered now.
    pub(crate) fn held(mut self, before: Option<&Self>) -> Self {
        let Some(before) = before else { return self };
        let pairs = self.versions.iter_mut().zip(&before.versions).chain(self.suites.iter_mut().zip(&before.suites));
        for (now, before) in pairs {
            if now.as_ref().is_err_and(Unknown::is_silence) && before.is_ok() {
                now.clone_from(before);
            }
        }
        self
    }

    pub(super) fn of(old: &[Known<Reply>], groups: &[Known<Reply>], newest: &Known<Reply>) -> Self {
        let mut all = old.iter().chain(groups).chain([newest]);
        // Servers of some makes hang up on what they do not speak. Who says yes to something is there, and says no by it.
        let is_there = all.any(|reply| matches!(reply, Ok(Reply::Agrees(_))));
        let said = |reply: Option<&Known<Reply>>| match reply {
            Some(Ok(Reply::Agrees(_))) => Ok(true),
            Some(Ok(Reply::Refuses)) => Ok(false),
            Some(Ok(Reply::HangsUp)) if is_there => Ok(false),
            Some(Ok(Reply::HangsUp)) => Err(Unknown::new(Cause::Unparsable, "the server hangs up on every question")),
            Some(Err(unknown)) => Err(unknown.clone()),
            None => Err(Unknown::new(Cause::Unreachable, "not asked")),
        };
        let suites = std::array::from_fn(|at| said(groups.get(at)));
        let is_1_2 = |reply: &Known<Reply>| *reply == Ok(Reply::Agrees(Version::Tls12.number()));
        let unsaid = suites.iter().find_map(|said: &Known<bool>| said.as_ref().err());
        let tls12 = match unsaid {
            _ if groups.iter().any(is_1_2) => Ok(true),
            Some(unknown) => Err(unknown.clone()),
            None => Ok(false),
        };
        Self { versions: [said(old.first()), said(old.get(1)), said(old.get(2)), tls12, said(Some(newest))], suites }
    }
}

impl Visitor {
    /// Asks for a version of before TLS 1.3 with one of these suites.
    async fn question(&self, version: Version, suites: &[u16]) -> Result<Reply, Missed> {
        let until = self.until();
        let mut stream = self.connect(&self.home, until).await?;
        let ask = async { old_reply(&mut stream, version, suites, &self.name()?).await };
        Ok(timeout_at(until, ask).await.map_err(|_| self.late("asking for a version of TLS"))??)
    }

    /// Asks for TLS 1.3.
    async fn newest(&self) -> Result<Reply, Missed> {
        let until = self.until();
        let stream = self.connect(&self.home, until).await?;
        let client = anybody(&[&rustls::version::TLS13])?;
        let connecting = TlsConnector::from(Arc::new(client)).connect(self.name()?, stream);
        match timeout_at(until, connecting).await.map_err(|_| self.late("asking for TLS 1.3"))? {
            Ok(_) => Ok(Reply::Agrees(0x0304)),
            Err(error) => new_reply(error).map_err(Missed::Unknown),
        }
    }
}

async fn old_reply(
    stream: &mut TcpStream,
    version: Version,
    suites: &[u16],
    name: &ServerName<'_>,
) -> Result<Reply, Failure> {
    if let Err(failure) = say_hello(stream, version, suites, name).await {
        return if failure.reason == Reason::Protocol { Ok(Reply::HangsUp) } else { Err(failure) };
    }
    match stream.peek(&mut [0]).await {
        Ok(0) => return Ok(Reply::HangsUp),
        Err(error) if is_hanging_up(&error) => return Ok(Reply::HangsUp),
        Err(error) => return Err(Failure::io(error)),
        Ok(_) => {}
    }
    reply(read(stream, Wanted::Choice).await?, suites)
}

/// What an answer is to the question for these suites.
pub(super) fn reply(answer: Answer, suites: &[u16]) -> Result<Reply, Failure> {
    match answer {
        Answer::Agreed(flight) if suites.contains(&flight.suite) => Ok(Reply::Agrees(flight.version)),
        Answer::Agreed(_) => Err(Failure::message(Reason::Protocol, "the server picks a suite that was not offered")),
        Answer::Refused(_) => Ok(Reply::Refuses),
    }
}

/// What a client that speaks TLS 1.3 alone has met.
fn new_reply(error: io::Error) -> Known<Reply> {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::AlertReceived(_) | Error::PeerIncompatible(_)) => Ok(Reply::Refuses),
        Some(other) => Err(Unknown::new(Cause::Unparsable, format!("asking for TLS 1.3: {other}"))),
        None if is_hanging_up(&error) => Ok(Reply::HangsUp),
        None => Err(unknown(&Failure::io(error).context("asking for TLS 1.3"))),
    }
}

fn is_hanging_up(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(error.kind(), Kind::UnexpectedEof | Kind::ConnectionReset | Kind::BrokenPipe | Kind::ConnectionAborted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers(old: [Reply; 3], groups: [Reply; 8], newest: Reply) -> Offers {
        Offers::of(&old.map(Ok), &groups.map(Ok), &Ok(newest))
    }

    #[test]
    fn who_hangs_up_on_every_question_has_answered_none() {
        let silent = offers([const { Reply::HangsUp }; 3], [const { Reply::HangsUp }; 8], Reply::HangsUp);
        assert!(silent.versions.iter().chain(&silent.suites).all(Result::is_err));
        let modern = offers([const { Reply::HangsUp }; 3], [const { Reply::HangsUp }; 8], Reply::Agrees(0x0304));
        assert_eq!(modern.versions.map(Result::unwrap), [false, false, false, false, true]);
    }

    #[test]
    fn suites_of_an_old_version_are_no_tls_1_2() {
        let mut groups = [const { Reply::Refuses }; 8];
        groups[Group::Rc4 as usize] = Reply::Agrees(0x0301);
        let old = [Reply::Refuses, Reply::Agrees(0x0301), Reply::Refuses];
        let found = offers(old, groups, Reply::Refuses);
        assert_eq!(found.versions.clone().map(Result::unwrap), [false, true, false, false, false]);
        assert_eq!(found.group(Group::Rc4), &Ok(true));
    }

    #[test]
    fn silence_takes_back_nothing_and_an_answer_does() {
        let said = |said: Known<bool>| Offers {
            versions: std::array::from_fn(|_| said.clone()),
            suites: std::array::from_fn(|_| said.clone()),
        };
        let unknown = |cause| Err(Unknown::new(cause, "x"));
        for (before, now, kept) in [
            (Ok(true), unknown(Cause::Timeout), Ok(true)),
            (Ok(true), unknown(Cause::Unreachable), Ok(true)),
            (Ok(true), unknown(Cause::Unparsable), unknown(Cause::Unparsable)),
            (Ok(true), Ok(false), Ok(false)),
            (unknown(Cause::Unparsable), unknown(Cause::Timeout), unknown(Cause::Timeout)),
        ] {
            assert_eq!(said(now).held(Some(&said(before))), said(kept));
        }
        assert_eq!(said(Ok(false)).held(None), said(Ok(false)));
        // Each by itself.
        let mut half = said(Ok(false));
        half.versions[1] = unknown(Cause::Timeout);
        let held = half.held(Some(&said(Ok(true))));
        assert_eq!(held.versions.map(Result::unwrap), [false, true, false, false, false]);
    }

    #[test]
    fn what_was_not_answered_is_not_known() {
        let late = Err(Unknown::new(Cause::Timeout, "late"));
        let refuses = || Ok(Reply::Refuses);
        let mut groups = [const { Ok(Reply::Refuses) }; 8];
        groups[3] = late.clone();
        let found = Offers::of(&[refuses(), late.clone(), refuses()], &groups, &refuses());
        assert!(found.versions[1].is_err() && found.versions[3].is_err() && found.suites[3].is_err());
        groups[7] = Ok(Reply::Agrees(0x0303));
        assert_eq!(Offers::of(&[refuses(), late, refuses()], &groups, &refuses()).versions[3], Ok(true));
    }
}
