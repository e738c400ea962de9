//! How large PHP's workers are, by what everybody may see of them in procfs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::machine::beginning;

/// The most processes that are looked at, and how long that may take.
const LOOKED_AT: usize = 100_000;
const TIME: Duration = Duration::from_secs(2);

/// The most of each file that is read.
const FILE_BYTES: u64 = 16 << 10;

/// How many workers a pool may have, how long each may work, and how large they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Workers {
    /// `pm.max_children`; `None` when it cannot be told.
    pub(crate) most: Option<u64>,
    /// `request_terminate_timeout` in seconds, 0 for never; `None` when it cannot be told.
    pub(crate) terminate_timeout: Option<u64>,
    /// The memory of each that runs now, in bytes, without what they share with each other.
    pub(crate) sizes: Vec<u64>,
    /// The most that one of them shares with the others, OPcache for most of it.
    pub(crate) shared: u64,
    /// The machine's memory, in bytes.
    pub(crate) machine: Option<u64>,
}

impl Workers {
    /// What 95 of 100 workers stay within, by those that run now; `None` when none does.
    pub(super) fn usual(&self) -> Option<u64> {
        let mut sizes = self.sizes.clone();
        sizes.sort_unstable();
        // The nearest rank.
        sizes.get((sizes.len() * 95).div_ceil(100).checked_sub(1)?).copied()
    }
}

/// The workers that run, by their pools: the memory of each that is its own, and what it shares.
pub(super) fn running(proc: &Path) -> BTreeMap<String, Vec<(u64, u64)>> {
    let begun = Instant::now();
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let Ok(entries) = fs::read_dir(proc) else { return found };
    let ids = entries.take(LOOKED_AT).filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    for id in ids.take_while(|_| begun.elapsed() < TIME) {
        if let Some((pool, size)) = worker(&proc.join(id.to_string())) {
            found.entry(pool).or_default().push(size);
        }
    }
    found
}

/// The pool and the size of a worker, `php-fpm: pool www`; it may end while we look.
fn worker(folder: &Path) -> Option<(String, (u64, u64))> {
    beginning(&folder.join("comm"), FILE_BYTES).ok()?.starts_with("php-fpm").then_some(())?;
    let title = beginning(&folder.join("cmdline"), FILE_BYTES).ok()?;
    let pool = title.strip_prefix("php-fpm: pool ")?.trim_end_matches(['\0', ' ']).to_owned();
    Some((pool, size(&beginning(&folder.join("status"), FILE_BYTES).ok()?)?))
}

/// What is a process' own, and what it shares (`proc_pid_status(5)`).
///
/// Each worker maps OPcache's memory: counted for each of them, 50 workers with 256 MiB of it would be 12 GiB that nobody
/// takes.
pub(super) fn size(status: &str) -> Option<(u64, u64)> {
    let (all, shared) = (kilobytes(status, "VmRSS:")?, kilobytes(status, "RssShmem:").unwrap_or(0));
    Some((all.saturating_sub(shared), shared))
}

/// The machine's memory.
pub(super) fn memory(proc: &Path) -> Option<u64> {
    kilobytes(&beginning(&proc.join("meminfo"), FILE_BYTES).ok()?, "MemTotal:").filter(|bytes| *bytes > 0)
}

pub(super) fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn workers_are_told_by_their_titles_and_measured_without_what_they_share() {
        let proc = tempfile::tempdir().unwrap();
        let process = |id: &str, comm: &str, title: &str| {
            let folder = proc.path().join(id);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("comm"), comm).unwrap();
            fs::write(folder.join("cmdline"), title).unwrap();
            fs::write(folder.join("status"), "Name:\tx\nVmRSS:\t   40960 kB\nRssShmem:\t    8192 kB\n").unwrap();
        };
        process("10", "php-fpm8.2\n", "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)\0\0");
        process("11", "php-fpm8.2\n", "php-fpm: pool www\0\0\0");
        process("12", "bash\n", "php-fpm: pool www");
        fs::write(proc.path().join("meminfo"), "MemTotal:       16384 kB\nMemFree: 1 kB\n").unwrap();
        let workers = running(proc.path());
        assert_eq!(workers, BTreeMap::from([("www".to_owned(), vec![(32 << 20, 8 << 20)])]));
        assert_eq!(memory(proc.path()), Some(16 << 20));
    }

    #[test]
    fn the_usual_size_is_what_95_of_100_stay_within() {
        let workers = |sizes: Vec<u64>| Workers { sizes, ..Workers::default() }.usual();
        assert_eq!(workers(vec![]), None);
        assert_eq!(workers(vec![7]), Some(7));
        assert_eq!(workers((1..=100).rev().collect()), Some(95));
        assert_eq!(workers((1..=20).collect()), Some(19));
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String) {
            size(&text);
            kilobytes(&format!("VmRSS:{text}"), "VmRSS:");
        }
    }
}
