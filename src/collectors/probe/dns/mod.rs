//! A probe of a name server: whether it answers, and what.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod message;
mod settings;
mod wire;

use std::fs::File;
use std::io::Read as _;
use std::time::Duration;

use tokio::time::Instant;

use super::ending::{Ending, Trouble};
use super::findings::Findings;
use super::tcp::Place;
use crate::collector::{Failure, Reason};
use crate::snapshot::Snapshot;
use crate::tls::certificate::excerpt;
use message::{Answer, canonical};

pub(crate) use settings::Question;
use settings::Server;
pub(super) use settings::Settings;

/// Where this machine says whom it asks.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// The largest such file that is read.
const FILE_BYTES: u64 = 64 << 10;

/// How many records a message lists, and how much of each: a text may have 64 KiB.
const SHOWN: usize = 8;
const SHOWN_CHARS: usize = 300;

crate::metrics! {
    DropIn as METRICS;
    /// Time of the parts of the last probe of a name server, in seconds: resolve (its own name), connect and request.
    DURATION = Gauge("probe_dns_duration_seconds", Seconds, ["phase"]);
    /// Records in the answer part of the last answer.
    ANSWERS = Gauge("probe_dns_answer_rrs", None, []);
    /// Records in the authority part of the last answer.
    AUTHORITIES = Gauge("probe_dns_authority_rrs", None, []);
    /// Records in the additional part of the last answer.
    ADDITIONAL = Gauge("probe_dns_additional_rrs", None, []);
    /// Whether the name server answered at all, if only with an error, 1 or 0.
    SUCCEEDED = Gauge("probe_dns_query_succeeded", None, []);
    /// Serial number of the zone, where that is asked for (SOA).
    SERIAL = Gauge("probe_dns_serial", None, []);
}

/// What was learned of a name server.
#[derive(Debug, Default)]
pub(super) struct Answered {
    resolve: Option<Duration>,
    connect: Option<Duration>,
    request: Option<Duration>,
    answer: Option<Answer>,
}

impl Settings {
    /// Asks, and holds the answer against what is expected.
    pub(super) async fn probe(&self, found: &mut Findings, deadline: Instant) -> Result<(), Trouble> {
        found.answered = Some(Answered::default());
        let Place { host, port } = self.server()?;
        let begun = Instant::now();
        let addresses = found.resolve(&host, port, self.ip).await?;
        let resolve = begun.elapsed();
        let address = addresses[0];
        let answered = found.answered.get_or_insert_default();
        answered.resolve = Some(resolve);
        let asking = |trouble: Trouble| trouble.context(format!("asking {address} for {}", self.question));
        let answer = wire::ask(&self.question, address, deadline, found).await.map_err(asking)?;
        let checked = self.question.check(&answer, found).map_err(asking);
        found.answered.get_or_insert_default().answer = Some(answer);
        checked
    }

    /// Who is asked.
    fn server(&self) -> Result<Place, Trouble> {
        if let Some(server) = &self.question.server {
            return Ok(server.0.clone());
        }
        let local = |message: String| Trouble::local(Failure::message(Reason::Connect, message));
        let mut text = String::new();
        File::open(RESOLV_CONF)
            .and_then(|file| file.take(FILE_BYTES).read_to_string(&mut text))
            .map_err(|error| local(format!("reading {RESOLV_CONF}: {error}")))?;
        let server = nameserver(&text).ok_or_else(|| local(format!("{RESOLV_CONF} names no server")))?;
        Ok(server.0)
    }
}

/// The first name server of `resolv.conf`.
fn nameserver(text: &str) -> Option<Server> {
    text.lines().find_map(|line| line.trim_start().strip_prefix("nameserver")?.trim().parse().ok())
}

impl Question {
    /// Holds an answer against what is expected.
    fn check(&self, answer: &Answer, found: &mut Findings) -> Result<(), Trouble> {
        if let Some(error) = &answer.error {
            return Err(Trouble::because(Ending::Dns, Reason::Protocol, format!("the answer is {error}")));
        }
        let kind = self.kind.as_str();
        if answer.records.is_empty() {
            return Err(Trouble::new(Ending::Content, format!("there is no {kind} record")));
        }
        let mut expected: Vec<_> = self.expect.0.iter().map(|text| canonical(self.kind, text)).collect();
        expected.sort_unstable();
        found.doing("comparing");
        if expected.is_empty() || expected == answer.records {
            return Ok(());
        }
        let message = format!("the answer is {}, not {}", listed(&answer.records), listed(&expected));
        Err(Trouble::new(Ending::Content, message))
    }
}

fn listed(records: &[String]) -> String {
    let mut listed: Vec<_> =
        records.iter().take(SHOWN).map(|record| format!("`{}`", excerpt(record, SHOWN_CHARS))).collect();
    if records.len() > SHOWN {
        listed.push(format!("{} more", records.len() - SHOWN));
    }
    listed.join(", ")
}

impl Answered {
    /// Turns it into samples.
    pub(super) fn report(&self, out: &mut Snapshot) {
        for (phase, time) in [("resolve", self.resolve), ("connect", self.connect), ("request", self.request)] {
            if let Some(time) = time {
                out.push(&DURATION, [phase], time.as_secs_f64());
            }
        }
        out.push(&SUCCEEDED, [], self.answer.is_some());
        let Some(answer) = &self.answer else { return };
        out.push(&ANSWERS, [], answer.answers);
        out.push(&AUTHORITIES, [], answer.authorities);
        out.push(&ADDITIONAL, [], answer.additional);
        if let Some(serial) = answer.serial {
            out.push(&SERIAL, [], serial);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_server_that_can_be_read_is_asked() {
        let text = "# nameserver 192.0.2.1\nsearch example\n nameserver\t2001:db8::1\nnameserver 192.0.2.2\n";
        assert_eq!(nameserver(text).unwrap().0.to_string(), "[2001:db8::1]:53");
        assert_eq!(nameserver("search example\n"), None);
    }

    #[test]
    fn what_was_answered_is_told_on_one_line_and_not_without_end() {
        let records = [vec!["a\n\u{1b}[2J \"b\"".to_owned()], vec!["x".repeat(1 << 16); 100]].concat();
        let told = listed(&records);
        assert!(told.starts_with("`a\\n\\u{1b}[2J \"b\"`, `xxx") && told.ends_with("…`, 93 more"), "{told:.400}");
        assert!(told.len() < 3_000);
    }
}
