//! Versions of TLS that are out of date: whether a server still agrees to them.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};

use crate::collector::Failure;
use crate::snapshot::Snapshot;
use crate::tls::closer::ask;
use crate::tls::flight::Answer;
use crate::tls::hello::Version;
use crate::tls::suites;

crate::metrics! {
    Own as METRICS;
    /// Whether the server agrees to a version of TLS that is out of date; asked at the start and once an hour. Absent
    /// when it did not say, as behind a firewall that drops such a question.
    ACCEPTED = Gauge("probe_tls_legacy_version_accepted", None, ["version"]);
}

/// The versions that are out of date (RFC 7568, RFC 8996).
const VERSIONS: [Version; 3] = [Version::Ssl3, Version::Tls10, Version::Tls11];

/// How long an answer holds: whoever changes their server's configuration sees it within the hour.
const HOLDS: Duration = Duration::from_hours(1);

/// How long the servers' answers may take, all versions together; one that is silent says nothing later either.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is known of a server's old versions.
#[derive(Debug, Default)]
pub struct LegacyVersions {
    known: Mutex<Option<(Instant, Answers)>>,
}

/// For each of [`VERSIONS`], whether it is accepted; `None` when the server did not say.
type Answers = [Option<bool>; VERSIONS.len()];

impl LegacyVersions {
    /// Pushes what is known, which is asked for when there is nothing yet, or it is older than an hour.
    ///
    /// `dial` makes a connection of its own for each version, all at a time. Takes two seconds at most, and no longer than
    /// `patience`: push what else there is to say before, and [keep](Snapshot::keep) it.
    pub async fn report<S, D, F>(&self, dial: D, name: &ServerName<'_>, patience: Duration, out: &mut Snapshot)
    where
        S: AsyncRead + AsyncWrite + Unpin,
        D: Fn() -> F,
        F: Future<Output = Result<S, Failure>>,
    {
        let known = *self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = match known {
            Some((since, answers)) if since.elapsed() < HOLDS => answers,
            _ => {
                let patience = PATIENCE.min(patience).min(out.time_left() / 2);
                let questions = VERSIONS.map(|version| timeout(patience, agrees(dial(), version, name)));
                let mut answers = Answers::default();
                for (answer, came) in answers.iter_mut().zip(join_all(questions).await) {
                    *answer = came.ok().and_then(Result::ok);
                }
                *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), answers));
                answers
            }
        };
        for (version, answer) in VERSIONS.into_iter().zip(answers) {
            if let Some(accepted) = answer {
                out.push(&ACCEPTED, [suites::version(version.number())], accepted);
            }
        }
    }
}

/// Whether a server agrees to a version.
async fn agrees<S>(
    dialled: impl Future<Output = Result<S, Failure>>,
    version: Version,
    name: &ServerName<'_>,
) -> Result<bool, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let suites: Vec<_> = suites::before_1_3().collect();
    Ok(match ask(&mut dialled.await?, version, &suites, name).await? {
        // An older version is what it agreed to, not the one that was asked for.
        Answer::Agreed(flight) => flight.version == version.number(),
        Answer::Refused(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;
    use crate::snapshot::Value;

    /// A `ServerHello` that agrees to this version.
    fn agreeing(version: u16) -> Vec<u8> {
        let [major, minor] = version.to_be_bytes();
        let body = [&[major, minor][..], &[7; 32], &[0, 0xc0, 0x13, 0]].concat();
        let length = u8::try_from(body.len()).unwrap();
        [&[22, 3, 1, 0, length + 4, 2, 0, 0, length][..], &body].concat()
    }

    /// Asks a server that gives these answers, one after the other: `None` hangs up, and an empty one is silence.
    async fn told(versions: &LegacyVersions, answers: &[Option<Vec<u8>>]) -> (String, usize) {
        let asked = Cell::new(0);
        let servers: RefCell<Vec<DuplexStream>> = RefCell::default();
        let dial = async || {
            let answer = &answers[asked.replace(asked.get() + 1)];
            let (client, mut server) = duplex(4096);
            if let Some(answer) = answer {
                server.write_all(answer).await.unwrap();
                servers.borrow_mut().push(server);
            }
            Ok(client)
        };
        let mut out = Snapshot::default();
        versions.report(dial, &ServerName::try_from("shop.example").unwrap(), PATIENCE, &mut out).await;
        let (findings, _, _) = out.finish();
        let mut told = Vec::new();
        for (_, group) in findings.families() {
            for (labels, value) in group.samples() {
                let Value::Number(accepted) = value else { panic!("{value:?}") };
                told.push(format!("{} {accepted}", labels.collect::<String>()));
            }
        }
        (told.join(", "), asked.get())
    }

    #[tokio::test(start_paused = true)]
    async fn old_versions_are_asked_for_once_an_hour_and_silence_is_no_answer() {
        let versions = LegacyVersions::default();
        let refusal = vec![21, 3, 0, 0, 2, 2, 70];
        let first = [Some(refusal), Some(agreeing(0x0301)), Some(Vec::new())];
        assert_eq!(told(&versions, &first).await, ("SSL 3.0 0, TLS 1.0 1".to_owned(), 3));
        assert_eq!(told(&versions, &[]).await, ("SSL 3.0 0, TLS 1.0 1".to_owned(), 0));

        tokio::time::advance(HOLDS).await;
        // A warning is no answer; and who agrees to another version does not agree to this one.
        let warned = [vec![21, 3, 2, 0, 2, 1, 112], agreeing(0x0302)].concat();
        let second = [None, Some(agreeing(0x0300)), Some(warned)];
        assert_eq!(told(&versions, &second).await, ("TLS 1.0 0, TLS 1.1 1".to_owned(), 3));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_waited_for_no_longer_than_there_is_patience() {
        for (patience, lasts) in [(Duration::from_millis(500), Duration::from_millis(500)), (HOLDS, PATIENCE)] {
            let begun = Instant::now();
            let silent = RefCell::<Vec<DuplexStream>>::default();
            let dial = async || {
                let (client, server) = duplex(4096);
                silent.borrow_mut().push(server);
                Ok(client)
            };
            let name = ServerName::try_from("shop.example").unwrap();
            LegacyVersions::default().report(dial, &name, patience, &mut Snapshot::default()).await;
            // The clock of tokio's timers counts whole milliseconds.
            assert_eq!(begun.elapsed().as_millis() / 10, lasts.as_millis() / 10);
        }
    }

    #[tokio::test]
    async fn what_does_not_speak_tls_says_nothing_of_its_versions() {
        let versions = LegacyVersions::default();
        let answers = [&b"HTTP/1.1 400 Bad Request\r\n"[..], &[22, 3, 1, 0, 0], &[22, 3, 1, 0x7f, 0]];
        let answers = answers.map(|answer| Some(answer.to_vec()));
        assert_eq!(told(&versions, &answers).await, (String::new(), 3));
    }
}
