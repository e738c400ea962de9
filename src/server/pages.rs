//! Pages, each rendered once however many scrapers wait for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::OnceCell;

use super::App;
use crate::exposition::{Format, Page};
use crate::histogram::Histogram;
use crate::process;
use crate::schedule::{self, Outcome, Selection, TIME_BOUNDS, unix_seconds};
use crate::snapshot::Snapshot;

crate::metrics! {
    Own as METRICS;

    /// 1; the version that runs, and the compiler it was built with.
    BUILD = Gauge("vitrin_build_info", None, ["version", "rustc"]);
    /// 1 when the configuration in the file is the one in use, 0 when the last attempt to load it failed.
    RELOADED = Gauge("vitrin_config_last_reload_successful", None, []);
    /// When a configuration was last taken, at the start or by a reload, as Unix time.
    TAKEN = Gauge("vitrin_config_last_reload_success_timestamp_seconds", Seconds, []);
    /// How long scrapes before this one took, from the request to the page.
    SCRAPES = Histogram("vitrin_scrape_duration_seconds", Seconds, []);
}

/// What a page is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum View {
    /// All jobs, and the program itself.
    Whole,
    /// The jobs of some collectors.
    Part,
    /// One job, whose series do not carry its target's name.
    One,
}

/// What makes two pages the same: the runs they show, the view, the format, and whether it is compressed.
type Key = (Vec<u64>, View, Format, bool);

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
        self.scrapes().observe(duration.as_secs_f64());
    }

    /// The page of these outcomes, which are of the selected jobs.
    pub(super) async fn get(
        &self,
        selection: &Selection,
        outcomes: Vec<Arc<Outcome>>,
        app: &App,
        format: Format,
        gzip: bool,
    ) -> Bytes {
        let view = match selection {
            Selection::All => View::Whole,
            Selection::Only(_) | Selection::Without(_) => View::Part,
            Selection::One { .. } => View::One,
        };
        let key = (outcomes.iter().map(|outcome| outcome.id).collect(), view, format, gzip);
        let cell = self.cell(key);
        let render = async || {
            let mut own = Snapshot::unlimited();
            schedule::report(&outcomes, &mut own);
            if view == View::Whole {
                self.report(app, &mut own);
            }
            let own = own.finish().0;
            let page = if view == View::One { Page::of_one(outcomes, own) } else { Page::new(outcomes, own) };
            page.render(format, gzip)
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

    /// Pushes what is to be said of the program itself.
    fn report(&self, app: &App, out: &mut Snapshot) {
        let (successful, taken) = app.running.last_reload();
        out.push(&BUILD, [env!("CARGO_PKG_VERSION"), env!("VITRIN_RUSTC")], true);
        out.push(&RELOADED, [], successful);
        out.push(&TAKEN, [], unix_seconds(taken));
        out.push_histogram(&SCRAPES, [], self.scrapes().clone());
        app.web.report(out);
        app.running.report_state(out);
        app.running.objectives().report(out);
        process::report(out);
    }

    fn scrapes(&self) -> MutexGuard<'_, Histogram> {
        self.scrapes.lock().expect("no code panics while it holds this lock")
    }
}
