//! A long life in short: scrapes back to back while the servers fail in every way, one after the other.
//!
//! An *episode* is one fault of one server: it begins, is seen by some scrapes, ends, and its server must come back
//! while all others are never missed. What is held against the exporter is in [`watch`].

mod shop;
mod watch;

use std::fmt::{self, Display};
use std::time::{Duration, Instant};

use super::exporter::Exporter;
use super::proxy::Fault;
use super::scrape::Page;
use shop::{Backend, Shop};
use watch::Watch;

/// How many of them see the fault; a hang takes the time that a run may, so fewer do.
const FAULTY: usize = 5;
const HUNG: usize = 2;

/// The least scrapes of one episode, and after how many of them all is as it was before it.
const EPISODE: usize = 16;
const SETTLED: usize = 12;

/// How many episodes lie between two reloads.
const RELOAD: usize = 3;

/// What Prometheus would say that a scrape may take, in seconds.
const LIMIT: &str = "5";

/// What happens to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// Something between us and it.
    Between(Fault),
    /// It is replaced by a fresh one, whose counters begin at 0.
    Restart,
    /// Its password changes, and our file only later.
    Password,
}

impl Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Between(Fault::None) => "nothing",
            Self::Between(Fault::Refuse) => "refuses",
            Self::Between(Fault::Hang) => "hangs",
            Self::Between(Fault::Garbage) => "talks garbage",
            Self::Between(Fault::Cut) => "breaks off",
            Self::Between(Fault::Corrupt) => "lies",
            Self::Restart => "restarts",
            Self::Password => "changes its password",
        })
    }
}

/// All troubles of all servers, in the order in which they come.
fn troubles() -> Vec<(Backend, Trouble)> {
    let between = [Fault::Refuse, Fault::Hang, Fault::Garbage, Fault::Cut, Fault::Corrupt].map(Trouble::Between);
    let of = |trouble: Trouble| {
        let able = move |backend: &Backend| trouble != Trouble::Password || backend.has_password();
        Backend::ALL.into_iter().filter(able).map(move |backend| (backend, trouble))
    };
    between.into_iter().chain([Trouble::Restart, Trouble::Password]).flat_map(of).collect()
}

/// How many scrapes it takes at least to see each trouble of each server once.
pub(crate) fn round() -> usize {
    troubles().len() * EPISODE
}

/// What came of a soak.
#[derive(Debug)]
pub(crate) struct Soak {
    /// Scrapes that were made.
    pub(crate) scrapes: usize,
    /// How long they took.
    pub(crate) took: Duration,
    /// Times that the configuration was read again meanwhile.
    pub(crate) reloads: usize,
    /// Each trouble that was seen: how often, how often the server was reported down, and the most scrapes it took to be
    /// up again.
    pub(crate) episodes: Vec<Episode>,
    /// What was watched all the time.
    pub(crate) watch: Watch,
}

/// One trouble of one server, over all its episodes.
#[derive(Debug)]
pub(crate) struct Episode {
    name: String,
    times: usize,
    down: usize,
    slowest: usize,
}

impl Soak {
    /// Makes so many scrapes. Panics at the end when a promise was broken, with all that were.
    pub(crate) fn run(scrapes: usize) -> Self {
        let mut shop = Shop::start();
        let exporter = Exporter::start(&shop.configuration());
        let troubles = troubles();
        let episodes = troubles.iter().map(|(backend, trouble)| Episode {
            name: format!("{} {trouble}", backend.collector()),
            times: 0,
            down: 0,
            slowest: 0,
        });
        let mut soak =
            Self { scrapes, took: Duration::ZERO, reloads: 0, episodes: episodes.collect(), watch: Watch::default() };
        warm_up(&exporter);
        let begun = Instant::now();
        for episode in 0..scrapes.div_ceil(EPISODE) {
            let index = episode % troubles.len();
            let (backend, trouble) = troubles[index];
            if episode % RELOAD == RELOAD - 1 {
                exporter.hang_up();
                soak.reloads += 1;
            }
            soak.episode(index, backend, trouble, &mut shop, &exporter);
        }
        soak.took = begun.elapsed();
        soak.watch.settle(scrapes);
        let log = exporter.log();
        let log = log.get(log.len().saturating_sub(4_000)..).unwrap_or_default();
        assert!(soak.watch.complaints.is_empty(), "{}\nthe end of the log:\n{log}", soak.watch.complaints.join("\n"));
        soak
    }

    fn episode(&mut self, index: usize, backend: Backend, trouble: Trouble, shop: &mut Shop, exporter: &Exporter) {
        let faulty = match trouble {
            Trouble::Between(Fault::Hang) => HUNG,
            Trouble::Restart => 1,
            _ => FAULTY,
        };
        // What a liar told is no measure for what it says later; what has restarted begins anew.
        let forgets = matches!(trouble, Trouble::Restart | Trouble::Between(Fault::Corrupt));
        shop.begin(backend, trouble);
        let (mut was_down, mut recovered) = (false, None);
        for scrape in 0..EPISODE {
            if scrape == faulty {
                shop.end(backend, trouble);
            }
            let is_text = scrape % 2 == 0;
            let page = page(exporter, is_text);
            let is_up = shop::is_up(&page, backend);
            was_down |= !is_up && scrape < faulty;
            if is_up && scrape >= faulty {
                recovered.get_or_insert(scrape - faulty);
            }
            if !is_up && recovered.is_some() {
                self.watch.complain(format!("{} went down again, {scrape} scrapes in", self.episodes[index].name));
            }
            let exempt = Some(backend).filter(|_| recovered.is_none());
            for other in Backend::ALL.into_iter().filter(|other| *other != backend && !shop::is_up(&page, *other)) {
                self.watch.complain(format!("{} is down while {}", other.collector(), self.episodes[index].name));
            }
            if forgets && exempt.is_some() {
                self.watch.forget(backend.prefix());
            }
            self.watch.look(&page, exempt.filter(|_| forgets).map(Backend::prefix));
            if scrape >= SETTLED {
                self.watch.weigh(exporter);
            }
        }
        let episode = &mut self.episodes[index];
        episode.times += 1;
        episode.down += usize::from(was_down);
        match recovered {
            Some(scrapes) => episode.slowest = episode.slowest.max(scrapes),
            None => self.watch.complain(format!("{}: it did not come back", self.episodes[index].name)),
        }
        // A lie may be one that we cannot see, and a restart one that we do not notice.
        if !was_down && !forgets {
            self.watch.complain(format!("{}: it was never reported down", self.episodes[index].name));
        }
    }
}

/// The first scrapes, which make the connections and let each timer run once.
fn warm_up(exporter: &Exporter) {
    for _ in 0..EPISODE {
        page(exporter, true);
    }
}

/// A scrape as Prometheus makes it, in one of the two formats, read strictly.
fn page(exporter: &Exporter, is_text: bool) -> Page {
    let accept = if is_text { "text/plain; version=0.0.4" } else { "application/openmetrics-text; version=1.0.0" };
    exporter.page("/metrics", &[("X-Prometheus-Scrape-Timeout-Seconds", LIMIT), ("Accept", accept)])
}

/// The figures as Markdown.
impl Display for Soak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} scrapes in {:.0} s, with {} reloads; each answered with 200 and a page that keeps every rule.\n",
            self.scrapes,
            self.took.as_secs_f64(),
            self.reloads
        )?;
        writeln!(f, "{}", self.watch)?;
        writeln!(f, "| trouble | times | reported down | most scrapes until it was up again |\n|---|--:|--:|--:|")?;
        for Episode { name, times, down, slowest } in self.episodes.iter().filter(|episode| episode.times > 0) {
            writeln!(f, "| {name} | {times} | {down} | {slowest} |")?;
        }
        Ok(())
    }
}
