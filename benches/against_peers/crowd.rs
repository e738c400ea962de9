//! What two hundred scrapes at the same time cost in memory.

use std::fs;
use std::sync::Barrier;
use std::thread;

use crate::contender::Contender;
use crate::support::process;

/// How many come at once, and how often.
pub(crate) const SCRAPERS: usize = 200;
pub(crate) const WAVES: usize = 3;

/// How an exporter fared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crowd {
    /// Scrapes that were answered with 200 and not by `…_up 0`.
    pub(crate) answered: usize,
    /// How far the resident memory rose above what it was before, at its peak; bytes. Not known of a process that ended.
    pub(crate) growth: Option<u64>,
}

/// Sends the crowd.
pub(crate) fn at(contender: &Contender) -> Crowd {
    let pid = contender.pid();
    let before = process::rss_bytes(pid);
    // proc_pid_clear_refs(5): the peak begins anew.
    fs::write(format!("/proc/{pid}/clear_refs"), "5").unwrap();
    let mut answered = 0;
    for _ in 0..WAVES {
        let barrier = Barrier::new(SCRAPERS);
        answered += thread::scope(|scope| {
            let scrapers = [(); SCRAPERS].map(|()| {
                scope.spawn(|| {
                    barrier.wait();
                    gave_data(contender)
                })
            });
            scrapers.into_iter().filter_map(|scraper| scraper.join().ok()).filter(|gave| *gave).count()
        });
    }
    let growth = process::peak_bytes(pid).map(|peak| peak.saturating_sub(before));
    Crowd { answered, growth }
}

fn gave_data(contender: &Contender) -> bool {
    let Ok(response) = contender.scrape() else { return false };
    let text = String::from_utf8_lossy(&response.body);
    response.status == 200 && !text.lines().any(|line| line.starts_with("mysql_up 0") || line.starts_with("redis_up 0"))
}
