//! Numbers that scripts leave in files, as `node_exporter`'s textfile collector takes them: backups, cron jobs, whatever
//! else nobody exports. A file that is older than it may be is withheld and counted: a number from a script that died is
//! worse than none.

mod config;
mod folder;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod names;
mod report;
mod text;

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

pub use config::Config;

use crate::collector::{Collector, Context, Failure};
use crate::collectors::host::errand::Errand;
use crate::metric::Catalogue;
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// 1 when the folder or a file in it could not be read, or a file was refused; 0 when not.
    SCRAPE_ERROR = Gauge("node_textfile_scrape_error", None, []);
    /// When a file that could be read was last written, as Unix time; also that of a file which is too old to show.
    MTIME = Gauge("node_textfile_mtime_seconds", Seconds, ["file"]);
}

crate::metrics! {
    Own as OWN;
    /// Files of the textfile folder by what became of them: shown, stale (older than its `max_age`), or refused as something in it is wrong or it cannot be read.
    FILES = Gauge("vitrin_textfile_files", None, ["state"]);
    /// Metrics in files that are not shown, as Vitrin has the name itself or another file gave it another type.
    REFUSED = Gauge("vitrin_textfile_refused_families", None, []);
}

/// Reads the files at each scrape.
pub struct Textfile {
    config: Config,
    folder: PathBuf,
    errand: Errand,
}

impl Collector for Textfile {
    const NAME: &'static str = "textfile";
    const METRICS: &'static [Catalogue] = &[Catalogue::List(METRICS), Catalogue::List(OWN)];
    const TIMEOUT: Duration = Duration::from_secs(2);
    type Config = Config;

    fn new(config: &Config, _: &Context) -> Self {
        let folder = config.folder.clone().unwrap_or_default();
        Self { config: config.clone(), folder, errand: Errand::new("textfile") }
    }

    async fn collect(&self, out: &mut Snapshot) -> Result<(), Failure> {
        let (folder, config) = (self.folder.clone(), self.config.clone());
        // A folder on a dead network mount hangs whoever reads it.
        let read = move || folder::files(&folder, &config, SystemTime::now());
        let read = self.errand.run(Self::TIMEOUT, read).await.flatten();
        match read {
            Ok(files) => {
                report::report(files, &self.config, out);
                Ok(())
            }
            Err(failure) => {
                out.push(&SCRAPE_ERROR, [], 1.0);
                out.keep();
                Err(failure.context(format!("reading the folder {}", self.folder.display())))
            }
        }
    }
}
