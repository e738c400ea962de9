//! Following real files, with what happens to logs done to them.

mod copied;
mod exact;
mod restart;
mod rotation;
mod trouble;
mod truncation;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;

use tempfile::{TempDir, tempdir};

use super::*;

/// A folder with logs, and what follows them.
struct Desk {
    folder: TempDir,
    patterns: Vec<String>,
    follower: Follower,
}

/// As a rule nobody waits in these tests for a file to fall silent.
fn limits() -> Limits {
    Limits { quiet: Duration::from_hours(1), survey: Duration::from_hours(1), ..Limits::default() }
}

impl Desk {
    /// Follows `access.log`, from its beginning.
    fn new() -> Self {
        Self::following(&["/access.log"], Start::Beginning)
    }

    fn following(patterns: &[&str], start: Start) -> Self {
        let folder = tempdir().unwrap();
        let patterns: Vec<_> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        let follower = Follower::new(folder.path(), patterns.clone(), start, limits());
        Self { folder, patterns, follower }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes to the end of a file, which is made if need be.
    fn append(&self, name: &str, text: impl AsRef<[u8]>) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        file.write_all(text.as_ref()).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    /// As logrotate does: `access.log.1` becomes `access.log.2`, and so on.
    fn rotate(&self, name: &str) {
        for number in (1..100).rev() {
            let from = self.path(&format!("{name}.{number}"));
            if from.exists() {
                fs::rename(from, self.path(&format!("{name}.{}", number + 1))).unwrap();
            }
        }
        self.rename(name, &format!("{name}.1"));
    }

    /// As logrotate does it with copytruncate.
    fn copy_and_truncate(&self, name: &str, copy: &str) {
        fs::copy(self.path(name), self.path(copy)).unwrap();
        self.truncate(name, 0);
    }

    fn truncate(&self, name: &str, length: u64) {
        OpenOptions::new().write(true).open(self.path(name)).unwrap().set_len(length).unwrap();
    }

    /// All lines that there are to read, and what could not be read.
    fn read(&mut self) -> (Vec<String>, Vec<String>) {
        let mut lines = Vec::new();
        let until = Instant::now() + Duration::from_mins(1);
        let progress = self.follower.read(until, |line| lines.push(String::from_utf8_lossy(line).into_owned()));
        assert!(!progress.more);
        let folder = self.folder.path().to_str().unwrap();
        let told = |failure: &Failure| format!("{}: {failure}", failure.reason.as_str()).replace(folder, "");
        (lines, progress.failures.iter().map(told).collect())
    }

    /// The lines that there are to read, where nothing is wrong.
    #[track_caller]
    fn lines(&mut self) -> Vec<String> {
        let (lines, failures) = self.read();
        assert_eq!(failures, [""; 0]);
        lines
    }

    fn counts(&self) -> &Counts {
        self.follower.counts()
    }

    /// The program ends, and starts again from what was saved last: as text, as it would be kept.
    fn restart(&mut self) {
        let saved = serde_json::to_vec(&self.follower.positions()).unwrap();
        self.start(Start::End);
        self.follower.resume(serde_json::from_slice(&saved).unwrap());
    }

    /// The program starts and knows nothing.
    fn start(&mut self, start: Start) {
        self.follower = Follower::new(self.folder.path(), self.patterns.clone(), start, self.follower.limits.clone());
    }
}

/// A text of some lines that no other number has; longer than what tells a file from another.
fn lines_of(number: usize) -> Vec<String> {
    (0..3)
        .map(|line| format!("192.0.2.{number} - - [23/Nov/2026:03:00:{number:02} +0000] \"GET /{number}/{line}\""))
        .collect()
}

fn text_of(number: usize) -> String {
    lines_of(number).join("\n") + "\n"
}

#[test]
fn what_is_appended_is_given_line_by_line() {
    let mut desk = Desk::new();
    desk.append("access.log", b"one\r\ntwo\n\xff\n");
    assert_eq!(desk.lines(), ["one", "two", "\u{fffd}"]);
    assert_eq!(desk.lines(), [""; 0]);
    desk.append("access.log", "thr");
    assert_eq!(desk.lines(), [""; 0]);
    assert_eq!(desk.counts().behind, 3);
    desk.append("access.log", "ee\nfour\n");
    assert_eq!(desk.lines(), ["three", "four"]);
    let Counts { lines, bytes, behind, files, last_line, .. } = *desk.counts();
    assert_eq!((lines, bytes, behind, files), (5, 22, 0, 1));
    assert!(last_line.is_some());
}

#[test]
fn at_the_first_start_what_was_there_is_not_given_and_a_line_being_written_is() {
    let mut desk = Desk::following(&["/*.log"], Start::End);
    desk.append("access.log", "old\nhalf of a li");
    desk.append("other.log", "old\n");
    assert_eq!(desk.lines(), [""; 0]);
    desk.append("access.log", "ne\n");
    desk.append("later.log", "all of a new file\n");
    assert_eq!(desk.lines(), ["half of a line", "all of a new file"]);
}

#[test]
fn a_sample_begins_with_a_whole_line() {
    for (bytes, expected) in
        [(0, vec![]), (1, vec![]), (2, vec!["c"]), (4, vec!["c"]), (6, vec!["bb", "c"]), (99, vec!["aaaa", "bb", "c"])]
    {
        let mut desk = Desk::following(&["/access.log"], Start::Sample(bytes));
        desk.append("access.log", "aaaa\nbb\nc\n");
        assert_eq!(desk.lines(), expected, "{bytes}");
    }
}

#[test]
fn reading_stops_when_time_is_over_and_goes_on_where_it_was() {
    let mut desk = Desk::new();
    let line = "x".repeat(99) + "\n";
    desk.append("access.log", line.repeat(10_000));
    let mut given = 0_u64;
    let mut calls = 0;
    loop {
        let progress = desk.follower.read(Instant::now(), |_| given += 1);
        calls += 1;
        assert_eq!(desk.counts().behind, (10_000 - given) * 100);
        if !progress.more {
            break;
        }
    }
    assert_eq!((given, calls), (10_000, 4));
}

#[test]
fn a_hole_is_jumped_over_however_large_it_is() {
    let mut desk = Desk::new();
    let file = fs::File::create(desk.path("access.log")).unwrap();
    file.set_len(10 << 30).unwrap();
    desk.append("access.log", "after a hole of ten gigabytes\n");
    assert_eq!(desk.lines(), ["after a hole of ten gigabytes"]);
    assert_eq!(desk.follower.buffer.capacity(), BUFFER);
}
