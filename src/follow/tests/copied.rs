//! copytruncate while somebody writes: what is lost is what nobody has, and nothing is given twice.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::*;

/// How often the log is copied and emptied, and after how many lines.
const COPIES: usize = 60;
const LINES: usize = 300;

/// How many lines are written at most before the follower has its next turn.
const TURN: usize = 200;

/// How far writing, reading and copying are.
#[derive(Default)]
struct Course {
    written: AtomicUsize,
    reads: AtomicUsize,
    over: AtomicBool,
}

impl Course {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Writes numbered lines until nobody copies any more.
    fn write(&self, path: &Path) {
        let mut file = OpenOptions::new().append(true).open(path).unwrap();
        while !self.is_over() {
            let number = self.written.load(Ordering::Relaxed);
            if number > (self.reads.load(Ordering::Relaxed) + 1) * TURN {
                thread::yield_now();
                continue;
            }
            let line = format!("192.0.2.1 - - \"GET /{number:08} HTTP/1.1\" 200 a line of some length end\n");
            file.write_all(line.as_bytes()).unwrap();
            self.written.store(number + 1, Ordering::Release);
        }
    }

    /// Does as logrotate: copies to the end, has the copy written to the disk, and empties.
    fn copy(&self, path: &Path) {
        for number in 0..COPIES {
            let wait = |count: &AtomicUsize, until: usize| {
                while count.load(Ordering::Relaxed) < until {
                    thread::yield_now();
                }
            };
            wait(&self.written, self.written.load(Ordering::Relaxed) + LINES);
            // A look at least at what there is: the first may have begun before.
            wait(&self.reads, self.reads.load(Ordering::Relaxed) + 2);
            let copy = path.with_file_name(format!("access.log-{}", 20_260_000 + number));
            fs::copy(path, &copy).unwrap();
            fs::File::open(copy).unwrap().sync_all().unwrap();
            OpenOptions::new().write(true).open(path).unwrap().set_len(0).unwrap();
        }
        self.over.store(true, Ordering::Release);
    }
}

/// The number of a line that is whole.
fn number_of(line: &str) -> Option<usize> {
    line.strip_prefix("192.0.2.1 - - \"GET /")?.strip_suffix(" HTTP/1.1\" 200 a line of some length end")?.parse().ok()
}

#[test]
fn a_log_that_is_copied_and_emptied_while_it_is_written_loses_what_nobody_has_and_gives_nothing_twice() {
    let mut desk = Desk::new();
    desk.append("access.log", "");
    desk.lines();
    let path = desk.path("access.log");
    let course = Course::default();
    let mut seen = std::collections::BTreeMap::<usize, u32>::new();
    let mut kept = (desk.follower.positions(), seen.clone());
    let mut starts = 0;
    thread::scope(|scope| {
        scope.spawn(|| course.write(&path));
        scope.spawn(|| course.copy(&path));
        for reads in 1_u64.. {
            let is_over = course.is_over();
            desk.follower.read(Instant::now() + Duration::from_mins(1), |line| {
                if let Some(number) = number_of(&String::from_utf8_lossy(line)) {
                    *seen.entry(number).or_default() += 1;
                }
            });
            course.reads.fetch_add(1, Ordering::Relaxed);
            if is_over {
                break;
            }
            if reads % 5 < 2 {
                kept = (desk.follower.positions(), seen.clone());
            }
            if reads % 7 == 0 {
                // Killed: what was done since it was saved has never been.
                seen.clone_from(&kept.1);
                desk.start(Start::End);
                desk.follower.resume(kept.0.clone());
                starts += 1;
            }
        }
    });
    // A copy may end in the middle of a line.
    desk.follower.limits.quiet = Duration::ZERO;
    desk.append("access.log", "the last one\n");
    desk.lines().iter().filter_map(|line| number_of(line)).for_each(|number| *seen.entry(number).or_default() += 1);
    let twice: Vec<_> = seen.iter().filter(|(_, times)| **times > 1).take(9).collect();
    assert_eq!(twice, [], "{:?}, {starts} starts", desk.counts());
    // What is in a copy, or in the log.
    let files =
        fs::read_dir(desk.folder.path()).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let there: Vec<_> = files.flat_map(|text| text.lines().filter_map(number_of).collect::<Vec<_>>()).collect();
    let missed: Vec<_> = there.iter().filter(|number| !seen.contains_key(number)).take(9).collect();
    assert_eq!(missed, [&0; 0], "{:?}, {starts} starts", desk.counts());
    let written = course.written.load(Ordering::Acquire);
    println!(
        "{written} lines, copied and emptied {COPIES} times: {} are in no copy, of which {} were read in time; {} are lost",
        written - there.len(),
        seen.len() - there.len(),
        written - seen.len(),
    );
    assert!(starts > 10 && desk.counts().truncations > COPIES as u64 / 2, "{starts} starts, {:?}", desk.counts());
}
