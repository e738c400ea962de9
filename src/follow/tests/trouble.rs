//! Paths that lead to nothing, or to what is no log.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::thread;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

use super::super::tracked::{Opened, stamp};
use super::*;

#[test]
fn what_is_not_a_file_is_refused_and_a_log_again_when_it_is_one() {
    let mut desk = Desk::new();
    fs::create_dir(desk.path("access.log")).unwrap();
    let error = |desk: &mut Desk| desk.read().1.join("; ");
    assert_eq!(error(&mut desk), "protocol: following /access.log: a folder, not a file");
    fs::remove_dir(desk.path("access.log")).unwrap();
    mknodat(CWD, desk.path("access.log"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    let other = "protocol: following /access.log: not a file that can be followed, but a pipe, a socket or a device";
    assert_eq!(error(&mut desk), other);
    desk.remove("access.log");
    let _socket = UnixListener::bind(desk.path("access.log")).unwrap();
    assert_eq!(error(&mut desk), other);
    desk.remove("access.log");
    std::os::unix::fs::symlink("/dev/zero", desk.path("access.log")).unwrap();
    assert_eq!(error(&mut desk), other);
    desk.remove("access.log");
    desk.append("access.log", text_of(1));
    assert_eq!(desk.lines(), lines_of(1));
}

#[test]
fn a_log_that_is_missing_is_told_and_is_new_when_it_comes() {
    let mut desk = Desk::following(&["/access.log", "/none/*.log", "/shop-*.log"], Start::End);
    let missing = [
        "connect: looking for /none/*.log in /none: No such file or directory (os error 2)",
        "connect: following /shop-*.log: there is no such file",
        "connect: following /access.log: there is no such file",
    ];
    assert_eq!(desk.read().1, missing);
    desk.append("access.log", text_of(1));
    assert_eq!(desk.read(), (lines_of(1), missing[..2].iter().map(ToString::to_string).collect()));
}

#[test]
fn a_log_that_goes_is_read_to_its_end_and_then_forgotten() {
    let mut desk = Desk::following(&["/*.log"], Start::Beginning);
    desk.append("a.log", text_of(1));
    desk.append("b.log", text_of(2));
    desk.lines();
    desk.append("a.log", text_of(3));
    desk.remove("a.log");
    // It is being rotated, for all that is known.
    assert_eq!(desk.lines(), lines_of(3));
    assert_eq!(desk.counts().files, 2);
    desk.follower.limits.quiet = Duration::ZERO;
    desk.read();
    assert_eq!(desk.lines(), [""; 0]);
    assert_eq!((desk.counts().files, desk.follower.logs.len()), (1, 1));
}

#[test]
fn a_log_that_comes_back_goes_on() {
    let mut desk = Desk::new();
    desk.append("access.log", text_of(1));
    desk.lines();
    desk.rename("access.log", "elsewhere");
    assert_eq!(desk.lines(), [""; 0]);
    desk.append("elsewhere", text_of(2));
    assert_eq!(desk.lines(), lines_of(2));
    desk.rename("elsewhere", "access.log");
    desk.append("access.log", text_of(3));
    assert_eq!(desk.lines(), lines_of(3));
    assert_eq!(desk.counts().rotations, 0);
}

#[test]
fn more_logs_than_the_limit_are_the_last_written_and_told() {
    let mut desk = Desk::following(&["/*.log"], Start::Beginning);
    desk.follower.limits.files = 2;
    for (age, name) in ["a.log", "b.log", "c.log"].into_iter().enumerate() {
        desk.append(name, text_of(age));
        let time = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000 - age as u64);
        fs::File::options().append(true).open(desk.path(name)).unwrap().set_modified(time).unwrap();
    }
    let told = "limit: 3 log files match, of which the 2 written to last are followed".to_owned();
    assert_eq!(desk.read(), ([lines_of(0), lines_of(1)].concat(), vec![told.clone()]));
    assert_eq!(desk.read(), (vec![], vec![told]));
}

#[test]
fn logs_beyond_the_limit_begin_at_their_end_when_their_turn_comes_and_no_more_are_followed_than_it_says() {
    let mut desk = Desk::following(&["/*.log"], Start::End);
    desk.follower.limits.files = 2;
    let write = |desk: &Desk, name: &str, number: usize, age: u64| {
        desk.append(name, text_of(number));
        let time = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000 - age);
        fs::File::options().append(true).open(desk.path(name)).unwrap().set_modified(time).unwrap();
    };
    for (name, number) in [("a.log", 1), ("b.log", 2), ("c.log", 3)] {
        write(&desk, name, number, 100 + number as u64);
    }
    assert_eq!(desk.read().0, [""; 0]);
    // c.log was there before, d.log was not; both are written to last now.
    write(&desk, "c.log", 4, 50);
    write(&desk, "d.log", 5, 40);
    assert_eq!(desk.read().0, lines_of(5));
    assert_eq!(desk.counts().files, 2);
    write(&desk, "c.log", 6, 30);
    assert_eq!(desk.read().0, lines_of(6));
    // After a restart nobody knows what was there before.
    write(&desk, "a.log", 7, 20);
    desk.restart();
    assert_eq!(desk.read().0, [""; 0]);
    assert_eq!(desk.counts().files, 2);
    write(&desk, "a.log", 8, 10);
    assert_eq!(desk.read().0, lines_of(8));
}

/// Does something without root's right to read what is closed to it.
fn without_privileges(act: impl FnOnce() + Send) {
    thread::scope(|scope| {
        let acting = scope.spawn(|| {
            // Capabilities are a thread's own.
            let mut sets = capabilities(None).unwrap();
            sets.effective.remove(CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH);
            set_capabilities(None, sets).unwrap();
            act();
        });
        acting.join().unwrap();
    });
}

#[test]
fn a_log_that_was_closed_to_us_from_the_start_begins_at_its_end_when_it_is_opened() {
    without_privileges(|| {
        let mut desk = Desk::following(&["/access.log"], Start::End);
        desk.append("access.log", text_of(1));
        let path = desk.path("access.log");
        let allow = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        allow(0);
        let denied = "permission: following /access.log: Permission denied (os error 13)".to_owned();
        assert_eq!(desk.read(), (vec![], vec![denied]));
        allow(0o600);
        assert_eq!(desk.lines(), [""; 0]);
        desk.append("access.log", text_of(2));
        assert_eq!(desk.lines(), lines_of(2));
    });
}

#[test]
fn a_rotated_file_that_cannot_be_read_any_more_keeps_nothing_from_the_log() {
    for is_silent in [false, true] {
        let mut desk = Desk::new();
        desk.append("access.log", text_of(1));
        desk.lines();
        desk.rotate("access.log");
        desk.append("access.log", text_of(2));
        assert_eq!(desk.lines(), lines_of(2));
        // A folder can be opened like a file, and not be read: as a file on another machine that has gone stale.
        let older = &mut desk.follower.logs[0].older[0];
        let file = fs::File::open(desk.folder.path()).unwrap();
        let metadata = file.metadata().unwrap();
        if is_silent {
            (older.place.size, older.place.modified) = (metadata.len(), stamp(&metadata));
        }
        older.attach(Opened { file, metadata });
        desk.follower.limits.quiet = Duration::ZERO;
        desk.append("access.log", "new\n");
        let failed = "following /access.log: Is a directory (os error 21)";
        let (lines, failures) = desk.read();
        assert_eq!(lines, ["new"], "silent: {is_silent}");
        assert!(failures.len() == 1 && failures[0].ends_with(failed), "{failures:?}");
        assert_eq!((desk.counts().lost, desk.counts().files), (1, 1));
        assert_eq!(desk.lines(), [""; 0]);
    }
}
