//! Pages, each rendered once however many scrapers wait for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::OnceCell;

use crate::exposition::{Format, Page};
use crate::histogram::Histogram;
use crate::process;
use crate::schedule::{self, Outcome, TIME_BOUNDS};
use crate::snapshot::{Findings, Snapshot};

crate::metrics! {
    Own as METRICS;

    /// 1; the version that runs, and the compiler it was built with.
    BUILD = Gauge("vitrin_build_info", None, ["version", "rustc"]);
    /// 1 when the configuration in the file is the one in use, 0 when the last attempt to load it failed.
    RELOADED = Gauge("vitrin_config_last_reload_successful", None, []);
    /// How long scrapes before this one took, from the request to the page.
    SCRAPES = Histogram("vitrin_scrape_duration_seconds", Seconds, []);
}

/// What makes two pages the same: the runs they show, the format, and whether it is compressed.
type Key = (Vec<u64>, Format, bool);

/// All pages.
pub(super) struct Pages {
    /// The pages that somebody waits for; forgotten as soon as nobody does.
    wanted: Mutex<HashMap<Key, Weak<OnceCell<Bytes>>>>,
    /// How long it took until they were there, in seconds.
    scrapes: Mutex<Histogram>,
}

impl Default for Pages {
    fn default() -> Self {
        Self { wanted: Mutex::default(), scrapes: Mutex::new(Histogram::observing(&TIME_BOUNDS)) }
    }
}

impl Pages {
    /// Counts a scrape that has its page.
    pub(super) fn count_scrape(&self, duration: Duration) {
        self.scrapes.lock().expect("no code panics while it holds this lock").observe(duration.as_secs_f64());
    }

    pub(super) async fn get(&self, outcomes: Vec<Arc<Outcome>>, format: Format, gzip: bool) -> Bytes {
        let key = (outcomes.iter().map(|outcome| outcome.id).collect(), format, gzip);
        let cell = self.cell(key);
        let render = async || {
            let own = self.own(&outcomes);
            Page::new(outcomes, own).render(format, gzip)
        };
        cell.get_or_init(render).await.clone()
    }

    fn cell(&self, key: Key) -> Arc<OnceCell<Bytes>> {
        let mut pages = self.wanted.lock().expect("no code panics while it holds this lock");
        pages.retain(|_, cell| cell.strong_count() > 0);
        if let Some(cell) = pages.get(&key).and_then(Weak::upgrade) {
            return cell;
        }
        let cell = Arc::default();
        pages.insert(key, Arc::downgrade(&cell));
        cell
    }

    /// What the page says of the program itself and of its jobs.
    fn own(&self, outcomes: &[Arc<Outcome>]) -> Findings {
        let mut out = Snapshot::unlimited();
        out.push(&BUILD, [env!("CARGO_PKG_VERSION"), env!("VITRIN_RUSTC")], true);
        // A program that runs has loaded its configuration: a bad one ends the start.
        out.push(&RELOADED, [], true);
        let scrapes = self.scrapes.lock().expect("no code panics while it holds this lock").clone();
        out.push_histogram(&SCRAPES, [], scrapes);
        schedule::report(outcomes, &mut out);
        process::report(&mut out);
        out.finish().0
    }
}
