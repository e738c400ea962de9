//! The error logs of FPM and PHP: a stream of the logs that FPM's configuration and ours name, counted by what they say.

mod counts;
#[expect(unreachable_pub, reason = "the macro is also for classes that are public")]
mod entry;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod kind;
mod line;
mod logs;
mod reader;
mod remedy;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::time::MissedTickBehavior;

use super::config::Config;
use super::source::Reading;
use crate::collector::{Collector, Context, Failure, Paths, Reason};
use crate::follow;
use crate::metric::Catalogue;
use crate::remedy::{Complaints, Remedy, Service};
use crate::snapshot::Snapshot;
use reader::{Reader, Told};

/// How often logs are looked at when nobody scrapes, so that one that is rotated away is read before it is compressed.
const EVERY: Duration = Duration::from_secs(5);

/// How long such a look may take; a scrape waits for it.
const LOOK: Duration = Duration::from_millis(200);

/// How much of a scrape's time reading may take; what is then left is read by the next.
const SHARE: f64 = 0.7;

/// Watches the error logs of one FPM master.
#[derive(Debug)]
pub struct PhpFpmErrors {
    config: Config,
    paths: Paths,
    reader: Arc<Mutex<Reader>>,
}

impl Collector for PhpFpmErrors {
    const NAME: &'static str = "php_fpm_errors";
    const METRICS: &'static [Catalogue] = &[Catalogue::List(counts::METRICS)];
    type Config = Config;

    fn wanted(config: &Config) -> bool {
        config.errors
    }

    fn new(config: &Config, context: &Context) -> Self {
        let reader = Arc::new(Mutex::new(Reader::new(config.clone(), context)));
        if context.serving {
            context.tasks.spawn(keep_reading(reader.clone(), context.clone()));
        }
        Self { config: config.clone(), paths: context.paths.clone(), reader }
    }

    async fn collect(&self, out: &mut Snapshot) -> Result<(), Failure> {
        let until = Instant::now() + out.time_left().min(Self::TIMEOUT).mul_f64(SHARE);
        // Locked by whoever reads, so that reads which hang do not pile up.
        let mut reader = self.reader.clone().lock_owned().await;
        let read = tokio::task::spawn_blocking(move || reader.read_and_save(until)).await;
        let Told { counts, followed, mut failures, is_anything_named } =
            read.map_err(|panic| Failure::new(Reason::Bug, panic))??;
        if followed.files == 0 && !failures.is_empty() {
            return Err(failures.remove(0));
        }
        for failure in failures {
            out.gap(failure);
        }
        // Of errors that go to syslog we know nothing; zeros would say that there are none.
        if is_anything_named {
            counts.report(out);
            follow::report("php", &followed, out);
        }
        Ok(())
    }

    async fn remedies(&self, _run: Complaints<'_>, service: &Service) -> Vec<Remedy> {
        let (config, root, service) = (self.config.clone(), self.paths.root.clone(), service.clone());
        let look = move || {
            let mut reading = None;
            let Ok(configuration) = config.source.read(&root, &mut reading) else { return Vec::new() };
            let main = reading.as_ref().map(Reading::main);
            remedy::remedies(&configuration, main, &config, &root, &service)
        };
        tokio::task::spawn_blocking(look).await.unwrap_or_default()
    }
}

/// Looks at the logs until the collector is stopped, and then lets go of its state.
async fn keep_reading(reader: Arc<Mutex<Reader>>, context: Context) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while context.stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let mut reader = reader.clone().lock_owned().await;
        // What is wrong is told by the next scrape, which will see it, too.
        tokio::task::spawn_blocking(move || reader.read(Instant::now() + LOOK).is_ok()).await.ok();
    }
    let mut reader = reader.lock_owned().await;
    tokio::task::spawn_blocking(move || reader.stop()).await.ok();
}
