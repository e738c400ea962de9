//! The thread that reads the logs of one target.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::config::Config;
use super::format::{Format, Unparsed};
use super::route::Routes;
use super::security::{self, Signals, Surroundings};
use super::tally::{Tally, saved};
use crate::collector::{Context, Failure, Reason};
use crate::config::objectives::Objectives;
use crate::follow::{self, Follower, Limits, Positions, Progress, Start};
use crate::snapshot::Snapshot;
use crate::state::{Claim, Slot};

/// How often the logs are looked at between scrapes. What is lost when a log is truncated is what was written since.
const POLL: Duration = Duration::from_millis(250);

/// For how long at a time a log is read before a scrape gets its turn.
const SLICE: Duration = Duration::from_millis(50);

/// How much time a scrape may use for catching up; what is left then is for its answer.
const SHARE: f64 = 0.7;

/// For how long a scrape may make it read on, however long it would wait.
const LONGEST: Duration = Duration::from_secs(5);

/// What is read of a log's end by who wants to know once how things are.
const SAMPLE: u64 = 256 << 10;

/// A scrape's wish: to be told what was counted.
pub(super) struct Asked {
    /// What it is told in.
    pub(super) snapshot: Snapshot,
    /// Where it waits.
    pub(super) answer: oneshot::Sender<Answer>,
}

/// The snapshot, filled, and what there is to complain of.
pub(super) type Answer = (Snapshot, Result<(), Failure>);

/// Starts the thread, which ends when nobody can ask it any more or when the collector is stopped.
pub(super) fn start(config: &Config, context: &Context) -> Sender<Asked> {
    let (sender, asked) = channel();
    let (config, context) = (config.clone(), context.clone());
    // Without the thread the channel is closed, which is what a scrape then says.
    drop(
        thread::Builder::new().name("access-log".to_owned()).spawn(move || Reader::new(&config, &context).run(&asked)),
    );
    sender
}

/// What has been read, and what it came to.
struct Reader {
    logs: Follower,
    error_logs: Follower,
    counting: Counting,
    slot: Option<Slot>,
    claim: Option<Claim>,
    stop: CancellationToken,
    has_error_logs: bool,
    /// Lines that were not understood when the last scrape was told.
    told: Lines,
}

/// What is done with each line.
struct Counting {
    format: Format,
    routes: Routes,
    tally: Tally,
    signals: Signals,
    lines: Lines,
    /// Where the last line that was not understood stopped making sense.
    unparsed: Option<Unparsed>,
}

/// How many lines there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Lines {
    parsed: u64,
    unparsed: u64,
}

/// The `log` label of access logs.
const ACCESS: &str = "access";

/// What stands in the agent of Vitrin's own probes.
const OWN_AGENT: &str = "vitrin-probe";

/// What is kept over a restart: where we are in the logs, together with what was counted up to there.
#[derive(Serialize, Deserialize)]
struct Saved {
    version: u32,
    logs: Positions,
    error_logs: Positions,
    lines: Lines,
    tally: saved::Tally,
    signals: security::Saved,
}

/// The number of the form of [`Saved`]; what another version has kept is left alone.
const VERSION: u32 = 1;

impl Reader {
    fn new(config: &Config, context: &Context) -> Self {
        let follower = |files: &[String]| {
            let start = if context.serving { Start::End } else { Start::Sample(SAMPLE) };
            Follower::new(&context.paths.root, files.to_vec(), start, Limits::default())
        };
        Self {
            logs: follower(&config.files),
            error_logs: follower(&config.error_files),
            counting: Counting::new(config),
            slot: context.slot.clone(),
            claim: None,
            stop: context.stop.clone(),
            has_error_logs: !config.error_files.is_empty(),
            told: Lines::default(),
        }
    }

    fn run(mut self, asked: &Receiver<Asked>) {
        self.resume();
        let mut is_behind = true;
        while !self.stop.is_cancelled() {
            match asked.recv_timeout(if is_behind { Duration::ZERO } else { POLL }) {
                Ok(asked) => self.answer(asked),
                Err(RecvTimeoutError::Timeout) => is_behind = self.read(Instant::now() + SLICE).more,
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.save();
        // Whoever comes after us may go on from here, while scrapes that began before are told how far we came.
        self.claim = None;
        while let Ok(Asked { mut snapshot, answer }) = asked.recv() {
            self.report(&mut snapshot);
            answer.send((snapshot, Ok(()))).ok();
        }
    }

    /// Reads on, and tells what it has come to.
    fn answer(&mut self, Asked { mut snapshot, answer }: Asked) {
        let time = snapshot.time_left().min(LONGEST).mul_f64(SHARE);
        let progress = self.read(Instant::now() + time);
        if !progress.more
            && let Ok(now) = SystemTime::now().duration_since(UNIX_EPOCH)
        {
            self.counting.signals.advance(now.as_secs().cast_signed());
        }
        self.save();
        self.report(&mut snapshot);
        let result = self.complaints(progress, &mut snapshot);
        // A scrape that did not wait is not told.
        answer.send((snapshot, result)).ok();
    }

    /// Counts what was written since; at most until then.
    fn read(&mut self, until: Instant) -> Progress {
        let counting = &mut self.counting;
        let mut progress = self.logs.read(until, |line| counting.count(line));
        let errors = self.error_logs.read(until, |line| counting.signals.see_error(line));
        progress.more |= errors.more;
        progress.failures.extend(errors.failures);
        progress
    }

    /// Goes on from what was kept.
    fn resume(&mut self) {
        self.claim = self.slot.as_ref().and_then(Slot::claim);
        let Some(claim) = &self.claim else { return };
        let saved = claim.load().map_err(anyhow::Error::from).and_then(|bytes| {
            bytes.map(|bytes| serde_json::from_slice::<Saved>(&bytes).map_err(anyhow::Error::from)).transpose()
        });
        match saved {
            Ok(Some(saved)) if saved.version == VERSION => self.restore(saved),
            Ok(None) => {}
            Ok(Some(Saved { version, .. })) => {
                warn!(
                    "the counts of the access log start at zero: they were kept in form {version}, this is {VERSION}"
                );
            }
            Err(error) => warn!("the counts of the access log start at zero, what was kept cannot be read: {error:#}"),
        }
    }

    fn restore(&mut self, saved: Saved) {
        self.logs.resume(saved.logs);
        self.error_logs.resume(saved.error_logs);
        self.told = saved.lines;
        self.counting.lines = saved.lines;
        self.counting.tally.restore(&saved.tally);
        self.counting.signals.restore(saved.signals);
    }

    /// Keeps what is known, if there is a place for it.
    fn save(&self) {
        let Some(claim) = &self.claim else { return };
        let saved = Saved {
            version: VERSION,
            logs: self.logs.positions(),
            error_logs: self.error_logs.positions(),
            lines: self.counting.lines,
            tally: self.counting.tally.save(),
            signals: self.counting.signals.save(),
        };
        match serde_json::to_vec(&saved) {
            Ok(bytes) => claim.save(&bytes),
            Err(error) => warn!("the counts of the access log cannot be kept: {error}"),
        }
    }

    fn report(&self, out: &mut Snapshot) {
        // Of a log that was never seen nothing is known: zeros would say that nobody came.
        let seen = self.logs.counts();
        if seen.files == 0 && seen.bytes == 0 {
            return;
        }
        let Counting { tally, signals, lines, .. } = &self.counting;
        tally.report(out);
        signals.report(out);
        follow::report_lines(ACCESS, [("parsed", lines.parsed), ("unparsed", lines.unparsed)], out);
        follow::report(ACCESS, self.logs.counts(), out);
        if self.has_error_logs {
            follow::report("server_errors", self.error_logs.counts(), out);
        }
    }

    /// What there is to complain of; all that was counted stays on the page.
    fn complaints(&mut self, progress: Progress, out: &mut Snapshot) -> Result<(), Failure> {
        out.keep();
        let told = std::mem::replace(&mut self.told, self.counting.lines);
        let new = |now: u64, before: u64| now.saturating_sub(before);
        let parsed = new(self.told.parsed, told.parsed);
        let unparsed = new(self.told.unparsed, told.unparsed);
        if unparsed > parsed
            && let Some(reason) = self.counting.unparsed
        {
            let reason = self.counting.format.explain(reason);
            let message = format!("{unparsed} of {} new lines are not of this format: {reason}", parsed + unparsed);
            out.gap(Failure::message(Reason::Protocol, message));
        }
        let mut failures = progress.failures.into_iter();
        if self.logs.counts().files == 0
            && let Some(failure) = failures.next()
        {
            return Err(failure);
        }
        failures.for_each(|failure| out.gap(failure));
        Ok(())
    }
}

impl Counting {
    fn new(config: &Config) -> Self {
        let objective = config.objective.unwrap_or(Objectives::default().http_latency).0;
        let hosts = config.vhosts.iter().map(|(host, label)| (host.as_str(), label.as_str()));
        Self {
            format: config.format.clone(),
            routes: config.routes.clone(),
            tally: Tally::new(&config.vhost, hosts, u64::try_from(objective.as_micros()).unwrap_or(u64::MAX)),
            signals: Signals::new(
                &config.security,
                Surroundings {
                    shops: &config.shops,
                    has_error_log: !config.error_files.is_empty(),
                    own_agent: Some(OWN_AGENT),
                },
            ),
            lines: Lines::default(),
            unparsed: None,
        }
    }

    #[inline]
    fn count(&mut self, line: &[u8]) {
        match self.format.parse(line) {
            Ok(line) => {
                let route = self.routes.route(&line);
                self.tally.count(&line, route);
                self.signals.see(&line, route);
                self.lines.parsed += 1;
            }
            Err(unparsed) => {
                self.unparsed = Some(unparsed);
                self.lines.unparsed += 1;
            }
        }
    }
}
