//! Pages, each rendered once however many scrapers wait for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use bytes::Bytes;
use tokio::sync::OnceCell;

use crate::exposition::{Format, Page};
use crate::process;
use crate::schedule::{self, Outcome};
use crate::snapshot::{Findings, Snapshot};

crate::metrics! {
    Own as METRICS;

    /// 1; the version that runs, and the compiler it was built with.
    BUILD = Gauge("vitrin_build_info", None, ["version", "rustc"]);
    /// 1 when the configuration in the file is the one in use, 0 when the last attempt to load it failed.
    RELOADED = Gauge("vitrin_config_last_reload_successful", None, []);
}

/// What makes two pages the same: the runs they show, the format, and whether it is compressed.
type Key = (Vec<u64>, Format, bool);

/// The pages that somebody waits for; forgotten as soon as nobody does.
#[derive(Default)]
pub(super) struct Pages(Mutex<HashMap<Key, Weak<OnceCell<Bytes>>>>);

impl Pages {
    pub(super) async fn get(&self, outcomes: Vec<Arc<Outcome>>, format: Format, gzip: bool) -> Bytes {
        let key = (outcomes.iter().map(|outcome| outcome.id).collect(), format, gzip);
        let cell = self.cell(key);
        let render = async || {
            let own = own(&outcomes);
            Page::new(outcomes, own).render(format, gzip)
        };
        cell.get_or_init(render).await.clone()
    }

    fn cell(&self, key: Key) -> Arc<OnceCell<Bytes>> {
        let mut pages = self.0.lock().expect("no code panics while it holds this lock");
        pages.retain(|_, cell| cell.strong_count() > 0);
        if let Some(cell) = pages.get(&key).and_then(Weak::upgrade) {
            return cell;
        }
        let cell = Arc::default();
        pages.insert(key, Arc::downgrade(&cell));
        cell
    }
}

/// What the page says of the program itself and of its jobs.
fn own(outcomes: &[Arc<Outcome>]) -> Findings {
    let mut out = Snapshot::default();
    out.push(&BUILD, [env!("CARGO_PKG_VERSION"), env!("VITRIN_RUSTC")], true);
    // A program that runs has loaded its configuration: a bad one ends the start.
    out.push(&RELOADED, [], true);
    schedule::report(outcomes, &mut out);
    process::report(&mut out);
    out.finish().0
}
