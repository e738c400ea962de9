//! Each line is counted once, whatever happens to the log and to the program.

use std::convert::Infallible;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::LOG;
use crate::support::daemon::{Ending, eventually, folder};
use crate::support::exporter::Exporter;
use crate::support::scrape::Page;

const WRITERS: usize = 4;
const LINES: usize = 1_000_000;

/// How often the program is killed; as many parts of the lines are written between.
const KILLS: usize = 10;

/// How far writing may go, how far it is, how often the log was rotated, and whether nobody needs more.
#[derive(Default)]
struct Course {
    over: AtomicBool,
    allowed: AtomicUsize,
    written: AtomicUsize,
    rotations: AtomicUsize,
}

impl Course {
    fn written(&self) -> usize {
        self.written.load(Ordering::Acquire)
    }

    fn rotations(&self) -> usize {
        self.rotations.load(Ordering::Acquire)
    }

    /// Writes a writer's share, and looks for the log by its name every hundred lines.
    fn write(&self, log: &Path, writer: usize) {
        for hundred in 0..LINES / WRITERS / 100 {
            while self.written() >= self.allowed.load(Ordering::Acquire) {
                if self.over.load(Ordering::Relaxed) {
                    return;
                }
                thread::yield_now();
            }
            let mut file = OpenOptions::new().create(true).append(true).open(log).unwrap();
            for line in 0..100 {
                let line = format!(
                    "192.0.2.{writer} - - [23/Nov/2026:03:00:00 +0000] \"GET /p{hundred}/{line} HTTP/1.1\" 200 512 \"-\" \
                     \"curl/8\"\n"
                );
                file.write_all(line.as_bytes()).unwrap();
            }
            self.written.fetch_add(100, Ordering::Release);
        }
    }

    /// Renames the log every second, until nobody is there to say that it is over.
    fn rotate(&self, log: &Path, over: &Receiver<Infallible>) {
        while over.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
            let name = format!("access.log-{}", 20_261_123 + self.rotations());
            // While nobody has written, there is none.
            if fs::rename(log, log.with_file_name(name)).is_ok() {
                self.rotations.fetch_add(1, Ordering::Release);
            }
        }
    }
}

/// How many requests were counted.
fn counted(page: &Page) -> f64 {
    page.samples("shop_http_requests_total").map(|series| series.value).sum()
}

#[test]
fn a_million_lines_are_counted_exactly_under_rotation_while_the_program_is_killed_ten_times() {
    let place = folder();
    let log = place.path().join("access.log");
    fs::write(&log, "").unwrap();
    let start = || {
        let (state, log) = (place.path().join("state"), log.display());
        Exporter::start(&format!(
            "state_dir = {state:?}\n[host]\nenabled = false\n[access_log.targets.main]\nfiles = [\"{log}\"]\n"
        ))
    };
    let mut exporter = start();
    eventually("the log to be followed", || exporter.scrape().get("vitrin_log_files", &LOG) == Some(1.0));
    let course = Course::default();
    let (over, is_over) = channel();
    thread::scope(|scope| {
        let (course, log) = (&course, &log);
        let _ending = (Ending(&course.over), over);
        scope.spawn(move || course.rotate(log, &is_over));
        for writer in 0..WRITERS {
            scope.spawn(move || course.write(log, writer));
        }
        for part in 1..=KILLS {
            let rotations = course.rotations();
            course.allowed.store(LINES / KILLS * part, Ordering::Release);
            // Somewhere in the middle of a part, of which some was counted and kept and some was not.
            eventually("half of the part to be written", || {
                course.written() > LINES / KILLS * part - LINES / KILLS / 2
            });
            let before = counted(&exporter.scrape());
            drop(std::mem::replace(&mut exporter, start()));
            let mut after = None;
            eventually("a page that knows the log", || {
                let page = exporter.scrape();
                after = page.samples("shop_http_requests_total").next().map(|_| counted(&page));
                after.is_some()
            });
            assert!(before > 0.0 && after >= Some(before), "{before} lines before it was killed, and {after:?} after");
            eventually("a rotation", || course.rotations() > rotations);
        }
        eventually("all to be written", || course.written() == LINES);
    });
    let mut page = exporter.scrape();
    eventually("all to be counted", || {
        page = exporter.scrape();
        counted(&page) >= 1_000_000.0
    });
    assert_eq!(counted(&page), 1_000_000.0);
    assert_eq!(page.number("vitrin_log_truncations_total", &LOG), 0.0);
    assert_eq!(page.number("vitrin_log_files_lost_total", &LOG), 0.0);
    let rotations = page.number("vitrin_log_rotations_total", &LOG);
    // The last one may have been when there was nothing left to write: then no new log has taken its place.
    let made = u32::try_from(course.rotations()).map(f64::from).unwrap();
    assert!(made >= 10.0 && rotations + 1.0 >= made, "{rotations} of {made} rotations");
}
