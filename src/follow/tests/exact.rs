//! Each line once, whatever happens at the same time: writers, rotation, and a program that is killed again and again.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::*;

const WRITERS: usize = 4;
const LINES: usize = 50_000;

/// After how many lines the log is rotated, and how many are written at most before the follower has its next turn:
/// however slow the machine is, several rotations fall between two looks, and many looks into the test.
const ROTATION: usize = 200;
const TURN: usize = 700;

/// How far writers and reader are.
#[derive(Default)]
struct Course {
    written: AtomicUsize,
    reads: AtomicUsize,
}

impl Course {
    fn written(&self) -> usize {
        self.written.load(Ordering::Relaxed)
    }

    /// Writes numbered lines to a file that it opens for a few of them and keeps open past a rotation, as nginx does
    /// until it is told.
    fn write(&self, path: &Path, writer: usize) {
        let mut number = 0;
        while number < LINES {
            while self.written() > (self.reads.load(Ordering::Relaxed) + 1) * TURN {
                thread::yield_now();
            }
            let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
            for _ in 0..(number % 7 + 1).min(LINES - number) {
                // In one piece, as nginx and Apache do.
                let line = format!("192.0.2.{writer} - - \"GET /{writer}/{number} HTTP/1.1\" 200 17\n");
                file.write_all(line.as_bytes()).unwrap();
                number += 1;
                self.written.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Renames as logrotate does, by turns with numbers and with dates.
    fn rotate(&self, folder: &Path, dates: bool) {
        let (mut rotations, mut before) = (0, 0);
        while self.written() < WRITERS * LINES {
            if self.written() < before + ROTATION {
                thread::yield_now();
                continue;
            }
            before = self.written();
            rotations += 1;
            if dates {
                let name = format!("access.log-{}", 20_260_000 + rotations);
                fs::rename(folder.join("access.log"), folder.join(name)).ok();
                continue;
            }
            for number in (1..rotations).rev() {
                let name = |number: usize| folder.join(format!("access.log.{number}"));
                fs::rename(name(number), name(number + 1)).ok();
            }
            fs::rename(folder.join("access.log"), folder.join("access.log.1")).ok();
        }
    }
}

/// What a collector keeps: how often each line was seen, together with how far it came.
#[derive(Clone)]
struct Kept {
    positions: String,
    seen: Vec<u8>,
}

fn run(dates: bool) {
    let mut desk = Desk::new();
    desk.follower.limits.quiet = Duration::from_millis(50);
    desk.follower.limits.survey = Duration::from_millis(20);
    assert_eq!(desk.read().0, [""; 0]);
    let folder = desk.folder.path().to_owned();
    let (course, over) = (Course::default(), AtomicBool::new(false));
    let mut seen = vec![0; WRITERS * LINES];
    let save = |desk: &Desk, seen: &[u8]| Kept {
        positions: serde_json::to_string(&desk.follower.positions()).unwrap(),
        seen: seen.to_vec(),
    };
    let mut kept = save(&desk, &seen);
    let mut starts = 0;
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (path, course) = (folder.join("access.log"), &course);
                scope.spawn(move || course.write(&path, writer))
            })
            .collect();
        scope.spawn(|| course.rotate(&folder, dates));
        scope.spawn(|| {
            for writer in writers {
                writer.join().unwrap();
            }
            over.store(true, Ordering::Release);
        });
        let mut last_words = None;
        for reads in 1_u64.. {
            let is_over = over.load(Ordering::Acquire);
            // Also stopped in the middle.
            let until = Instant::now() + Duration::from_micros(if is_over { 1_000_000 } else { reads * 7919 % 3000 });
            desk.follower.read(until, |line| seen[place_of(line)] += 1);
            course.reads.fetch_add(1, Ordering::Relaxed);
            if reads % 5 < 2 {
                kept = save(&desk, &seen);
            }
            if reads % 7 == 0 && !is_over {
                // Killed: what was done since it was saved has never been.
                seen.clone_from(&kept.seen);
                desk.start(Start::End);
                desk.follower.resume(serde_json::from_str(&kept.positions).unwrap());
                starts += 1;
            }
            if is_over {
                let since = *last_words.get_or_insert_with(Instant::now);
                if seen.iter().all(|times| *times > 0) || since.elapsed() > Duration::from_secs(30) {
                    break;
                }
            }
        }
    });
    let wrong: Vec<_> = seen.iter().enumerate().filter(|(_, times)| **times != 1).take(9).collect();
    assert_eq!(wrong, [], "{:?}, {} starts", desk.counts(), starts);
    assert_eq!(desk.counts().lines, (WRITERS * LINES) as u64);
    assert_eq!((desk.counts().truncations, desk.counts().lost), (0, 0));
    assert!(starts > 10 && desk.counts().rotations > 20, "{starts} starts, {:?}", desk.counts());
}

/// Which of all lines it is.
fn place_of(line: &[u8]) -> usize {
    let line = str::from_utf8(line).unwrap();
    let mut numbers = line.split(['/', ' ']).filter_map(|word| word.parse::<usize>().ok());
    let (writer, number) = (numbers.next().unwrap(), numbers.next().unwrap());
    writer * LINES + number
}

#[test]
fn each_line_is_counted_once_under_rotation_by_date_and_when_the_program_is_killed_again_and_again() {
    run(true);
}

#[test]
fn each_line_is_counted_once_under_rotation_by_number_and_when_the_program_is_killed_again_and_again() {
    run(false);
}
