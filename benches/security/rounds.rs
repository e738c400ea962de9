//! What rounds cost: the processor's time of two programs that differ in nothing else.

use std::ops::{Add, Div, Sub};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::daemon::eventually;
use crate::support::exporter::Exporter;
use crate::support::process;
use crate::support::storefront::Storefront;

/// How often there is a round.
const OFTEN: Duration = Duration::from_mins(1);

/// What nobody, as whom both programs run, sees of PHP-FPM: all but its log.
const PHP: &str = "[php_fpm.targets.main]\n";

/// The processor's time of a program, and of what it has run that has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spent {
    pub(crate) itself: Duration,
    pub(crate) children: Duration,
}

impl Spent {
    fn of(pid: u32) -> Self {
        Self { itself: process::cpu(pid), children: process::cpu_of_children(pid) }
    }
}

impl Add for Spent {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { itself: self.itself + other.itself, children: self.children + other.children }
    }
}

/// What counts in ticks may be less by one.
impl Sub for Spent {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            itself: self.itself.saturating_sub(other.itself),
            children: self.children.saturating_sub(other.children),
        }
    }
}

impl Div<u32> for Spent {
    type Output = Self;

    fn div(self, count: u32) -> Self {
        Self { itself: self.itself / count, children: self.children / count }
    }
}

/// What it costs root to write the facts once.
pub(crate) fn facts(shop: &Storefront) -> Duration {
    let ours = std::process::id();
    let before = process::cpu_of_children(ours);
    let file = shop.facts().display().to_string();
    let written = shop.says_to_root(&["facts", "--out", &file, "--group", "www-data"]);
    assert!(written.status.success(), "{written:?}");
    process::cpu_of_children(ours).saturating_sub(before)
}

/// Two programs, the second of which looks at security, too.
pub(crate) struct Pair([Exporter; 2]);

impl Pair {
    /// Both have been scraped, and there is a score.
    pub(crate) fn start(shop: &Storefront) -> Self {
        let servers = shop.servers().replace(PHP, &format!("{PHP}errors = false\n"));
        let pair = [servers.clone(), servers + &shop.security("")].map(|config| shop.exporter(&config));
        eventually("the first score", || {
            let [_, page] = pair.each_ref().map(Exporter::scrape);
            page.samples("security_score").next().is_some()
        });
        Self(pair)
    }

    /// What the second has spent so far that the first has not.
    pub(crate) fn more(&self) -> Spent {
        let [without, with] = self.0.each_ref().map(|exporter| Spent::of(exporter.pid()));
        with - without
    }

    pub(crate) fn into_exporters(self) -> [Exporter; 2] {
        self.0
    }
}

/// What each of so many rounds costs, in the order of time.
#[expect(clippy::print_stderr, reason = "how far it has come")]
#[expect(clippy::disallowed_methods, reason = "what a minute costs takes a minute")]
pub(crate) fn watch(pair: &Pair, count: usize) -> Vec<Spent> {
    // A round falls into the midst of a minute that is looked at.
    thread::sleep(OFTEN / 2);
    let (mut until, mut before) = (Instant::now(), pair.more());
    let rounds = (1..=count).map(|round| {
        until += OFTEN;
        thread::sleep(until.saturating_duration_since(Instant::now()));
        let now = pair.more();
        let spent = now - before;
        before = now;
        eprintln!("round {round} of {count}: {spent:?}");
        spent
    });
    rounds.collect()
}
