//! Files that are emptied while in use.

use std::io::{Seek as _, SeekFrom};

use super::*;

#[test]
fn a_log_that_was_copied_and_emptied_is_read_from_its_new_beginning_and_nothing_twice() {
    let mut desk = Desk::new();
    desk.append("access.log", text_of(1));
    assert_eq!(desk.lines(), lines_of(1));
    desk.copy_and_truncate("access.log", "access.log.1");
    desk.append("access.log", text_of(2));
    assert_eq!(desk.lines(), lines_of(2));
    assert_eq!((desk.counts().truncations, desk.counts().rotations, desk.counts().lost), (1, 0, 0));
}

#[test]
fn what_was_written_between_the_last_look_and_the_copy_is_read_from_the_copy() {
    let mut desk = Desk::new();
    desk.append("access.log", text_of(1));
    assert_eq!(desk.lines(), lines_of(1));
    for number in [2, 4, 6] {
        desk.append("access.log", text_of(number));
        desk.copy_and_truncate("access.log", &format!("access.log-2026112{number}"));
        desk.append("access.log", text_of(number + 1));
        assert_eq!(desk.lines(), [lines_of(number), lines_of(number + 1)].concat());
    }
    assert_eq!(desk.counts().truncations, 3);
}

#[test]
fn a_log_that_was_emptied_and_is_longer_by_now_is_known_to_be_another() {
    let mut desk = Desk::new();
    desk.append("access.log", text_of(1));
    assert_eq!(desk.lines(), lines_of(1));
    desk.truncate("access.log", 0);
    let many: Vec<_> = (2..50).flat_map(lines_of).collect();
    desk.append("access.log", many.join("\n") + "\n");
    assert_eq!(desk.lines(), many);
    assert_eq!(desk.counts().truncations, 1);
}

#[test]
fn a_log_that_was_cut_in_the_middle_gives_nothing_twice() {
    let mut desk = Desk::new();
    let text: String = (1..40).map(text_of).collect();
    desk.append("access.log", &text);
    assert_eq!(desk.lines().len(), 117);
    desk.truncate("access.log", text.len() as u64 - 100);
    assert_eq!(desk.lines(), [""; 0]);
    desk.append("access.log", "\nnew\n");
    assert_eq!(desk.lines(), ["", "new"]);
    assert_eq!(desk.counts().truncations, 1);
}

#[test]
fn a_writer_that_keeps_its_place_leaves_a_hole_that_is_no_line() {
    let mut desk = Desk::new();
    let mut writer = fs::File::create(desk.path("access.log")).unwrap();
    writer.write_all(text_of(1).as_bytes()).unwrap();
    assert_eq!(desk.lines(), lines_of(1));
    desk.truncate("access.log", 0);
    writer.write_all(text_of(2).as_bytes()).unwrap();
    assert_eq!(desk.lines(), lines_of(2));
    writer.seek(SeekFrom::Current(100_000)).unwrap();
    writer.write_all(b"behind a small hole\n").unwrap();
    assert_eq!(desk.lines(), ["behind a small hole"]);
    assert_eq!((desk.counts().truncations, desk.counts().too_long), (1, 0));
}

#[test]
fn a_line_of_a_megabyte_is_counted_and_the_next_is_given() {
    let mut desk = Desk::new();
    desk.append("access.log", "before\n");
    for _ in 0..16 {
        desk.append("access.log", "x".repeat(64 << 10));
        desk.read();
    }
    desk.restart();
    desk.append("access.log", "x\nafter\n");
    assert_eq!(desk.lines(), ["after"]);
    assert_eq!((desk.counts().lines, desk.counts().too_long), (2, 1));
    assert!(desk.follower.buffer.len() <= BUFFER);
}

#[test]
fn an_emptied_log_stays_quiet_until_it_is_written_to() {
    let mut desk = Desk::new();
    desk.append("access.log", text_of(1));
    desk.lines();
    desk.truncate("access.log", 0);
    assert_eq!(desk.lines(), [""; 0]);
    assert_eq!(desk.lines(), [""; 0]);
    assert_eq!(desk.counts().truncations, 1);
    desk.append("access.log", text_of(1));
    assert_eq!(desk.lines(), lines_of(1));
    assert_eq!(desk.counts().truncations, 1);
}

#[test]
fn a_log_that_an_editor_has_replaced_gives_nothing_twice() {
    for runs in [true, false] {
        let mut desk = Desk::new();
        desk.append("access.log", (1..40).map(text_of).collect::<String>());
        assert_eq!(desk.lines().len(), 117);
        let unread = if runs { 50..52 } else { 0..0 };
        desk.append("access.log", unread.clone().map(text_of).collect::<String>());
        // As `sed -i` does it: a copy without some lines, behind the first kilobyte, takes the log's name.
        let edited = fs::read_to_string(desk.path("access.log")).unwrap().replace(&text_of(30), "");
        desk.append("edited", edited);
        desk.rename("edited", "access.log");
        if !runs {
            desk.restart();
        }
        assert_eq!(desk.lines(), unread.flat_map(lines_of).collect::<Vec<_>>(), "runs: {runs}");
        desk.append("access.log", text_of(60));
        assert_eq!(desk.lines(), lines_of(60), "runs: {runs}");
        assert_eq!(desk.counts().lost, 0);
    }
}
