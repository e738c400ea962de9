//! What happens to logs while the program does not run.

use super::*;

#[test]
fn it_goes_on_where_it_was() {
    let mut desk = Desk::new();
    desk.append("access.log", text_of(1) + "half of");
    assert_eq!(desk.lines(), lines_of(1));
    desk.append("access.log", " a line\n");
    desk.restart();
    assert_eq!(desk.lines(), ["half of a line"]);
    assert_eq!(desk.counts().lines, 4);
    desk.restart();
    assert_eq!(desk.lines(), [""; 0]);
}

#[test]
fn without_positions_it_begins_at_the_end() {
    let mut desk = Desk::new();
    desk.append("access.log", text_of(1));
    desk.start(Start::End);
    assert_eq!(desk.lines(), [""; 0]);
    desk.append("access.log", text_of(2));
    assert_eq!(desk.lines(), lines_of(2));
}

#[test]
fn logs_that_were_rotated_several_times_meanwhile_are_all_read() {
    let mut desk = Desk::new();
    desk.append("access.log.1", text_of(50));
    desk.append("access.log.2", text_of(51));
    desk.append("access.log", text_of(1));
    assert_eq!(desk.lines(), lines_of(1));
    for number in 2..=5 {
        desk.append("access.log", text_of(number));
        desk.rotate("access.log");
    }
    desk.append("access.log", text_of(6));
    desk.restart();
    assert_eq!(desk.lines(), (2..=6).flat_map(lines_of).collect::<Vec<_>>());
    desk.restart();
    assert_eq!(desk.lines(), [""; 0]);
    assert_eq!((desk.counts().rotations, desk.counts().lost), (4, 0));
}

#[test]
fn a_file_that_was_rotated_out_and_not_finished_is_read_on() {
    let mut desk = Desk::new();
    desk.append("access.log", text_of(1));
    desk.lines();
    desk.rotate("access.log");
    desk.append("access.log", text_of(2));
    assert_eq!(desk.lines(), lines_of(2));
    desk.append("access.log.1", text_of(3));
    desk.restart();
    desk.rotate("access.log");
    desk.append("access.log", text_of(4));
    assert_eq!(desk.lines(), [lines_of(3), lines_of(4)].concat());
}

#[test]
fn logs_that_were_copied_and_emptied_meanwhile_are_all_read() {
    let mut desk = Desk::new();
    desk.append("access.log", text_of(1));
    assert_eq!(desk.lines(), lines_of(1));
    for number in 2..=4 {
        desk.append("access.log", text_of(number));
        desk.copy_and_truncate("access.log", &format!("access.log-2026112{number}"));
    }
    desk.append("access.log", text_of(5));
    desk.restart();
    assert_eq!(desk.lines(), (2..=5).flat_map(lines_of).collect::<Vec<_>>());
    desk.restart();
    assert_eq!(desk.lines(), [""; 0]);
}

#[test]
fn an_empty_log_that_was_filled_copied_and_emptied_meanwhile_is_read_from_the_copies() {
    let mut desk = Desk::new();
    desk.append("access.log", text_of(1));
    assert_eq!(desk.lines(), lines_of(1));
    desk.copy_and_truncate("access.log", "access.log-20261121");
    assert_eq!(desk.lines(), [""; 0]);
    for number in 2..=3 {
        desk.append("access.log", text_of(number));
        desk.copy_and_truncate("access.log", &format!("access.log-2026112{number}"));
    }
    desk.append("access.log", text_of(4));
    // Somebody's copy of the log as it is now has nothing new.
    fs::copy(desk.path("access.log"), desk.path("access.log.bak")).unwrap();
    desk.restart();
    assert_eq!(desk.lines(), (2..=4).flat_map(lines_of).collect::<Vec<_>>());
    desk.restart();
    assert_eq!(desk.lines(), [""; 0]);
    assert_eq!((desk.counts().truncations, desk.counts().lost), (3, 0));
}

#[test]
fn a_log_that_is_copied_and_not_emptied_yet_is_read_once() {
    // How much of what was read before there was when the program ended, and of the copy when it starts again.
    for (before, length) in [(1, 0), (1, 40), (1, usize::MAX), (0, 0), (0, 40), (0, usize::MAX)] {
        let mut desk = Desk::new();
        desk.append("access.log", text_of(1).repeat(before));
        assert_eq!(desk.lines().len(), 3 * before);
        desk.append("access.log", text_of(2));
        desk.copy_and_truncate("access.log", "access.log-20261122");
        desk.append("access.log", text_of(3));
        desk.append("access.log-20261123", &text_of(3)[..length.min(text_of(3).len())]);
        desk.restart();
        assert_eq!(desk.lines(), [lines_of(2), lines_of(3)].concat(), "{before}, {length}");
        desk.append("access.log", text_of(4));
        fs::copy(desk.path("access.log"), desk.path("access.log-20261123")).unwrap();
        desk.truncate("access.log", 0);
        desk.append("access.log", text_of(5));
        assert_eq!(desk.lines(), [lines_of(4), lines_of(5)].concat(), "{before}, {length}");
        assert_eq!((desk.counts().truncations, desk.counts().lost), (2, 0), "{before}, {length}");
    }
}

#[test]
fn an_inode_that_was_given_away_again_is_not_the_log() {
    let mut desk = Desk::new();
    desk.append("access.log", text_of(1));
    assert_eq!(desk.lines(), lines_of(1));
    let mut positions = serde_json::to_value(desk.follower.positions()).unwrap();
    desk.rename("access.log", "access.log.1");
    desk.append("access.log", text_of(2));
    // The new file has the number that the old one had, as ext4 does it when the old one is gone.
    let inode = |name: &str| std::os::unix::fs::MetadataExt::ino(&fs::metadata(desk.path(name)).unwrap());
    positions["logs"][0]["current"]["inode"] = inode("access.log").into();
    desk.remove("access.log.1");
    desk.start(Start::End);
    desk.follower.resume(serde_json::from_value(positions).unwrap());
    assert_eq!(desk.lines(), lines_of(2));
}

#[test]
fn logs_on_another_disk_are_the_same_logs() {
    let mut desk = Desk::new();
    desk.append("access.log", text_of(1));
    assert_eq!(desk.lines(), lines_of(1));
    fs::copy(desk.path("access.log"), desk.path("copy")).unwrap();
    desk.rename("copy", "access.log");
    desk.append("access.log", text_of(2));
    desk.restart();
    assert_eq!(desk.lines(), lines_of(2));
    assert_eq!((desk.counts().rotations, desk.counts().lost), (0, 0));
}

#[test]
fn a_log_that_was_removed_before_it_was_read_is_counted() {
    let mut desk = Desk::new();
    desk.append("access.log", text_of(1));
    desk.lines();
    desk.remove("access.log");
    desk.append("access.log", text_of(2));
    let mut positions = serde_json::to_value(desk.follower.positions()).unwrap();
    positions["logs"][0]["current"]["inode"] = 1.into();
    desk.start(Start::End);
    desk.follower.resume(serde_json::from_value(positions).unwrap());
    assert_eq!(desk.lines(), lines_of(2));
    assert_eq!(desk.counts().lost, 1);
}

#[test]
fn what_another_pattern_finds_begins_at_its_end_and_what_is_not_asked_for_is_dropped() {
    let mut desk = Desk::following(&["/a*.log", "/b.log"], Start::Beginning);
    desk.append("a.log", text_of(1));
    desk.append("b.log", text_of(2));
    desk.append("c.log", text_of(3));
    assert_eq!(desk.lines(), [lines_of(1), lines_of(2)].concat());
    desk.patterns = vec!["/a*.log".to_owned(), "/c.log".to_owned()];
    desk.restart();
    for (number, name) in [(4, "a.log"), (5, "a2.log"), (6, "b.log")] {
        desk.append(name, text_of(number));
    }
    assert_eq!(desk.lines(), [lines_of(4), lines_of(5)].concat());
    desk.append("c.log", text_of(7));
    assert_eq!(desk.lines(), lines_of(7));
}

#[test]
fn a_log_that_rests_is_closed_and_found_again() {
    let mut desk = Desk::new();
    desk.follower.limits.rest = Duration::ZERO;
    desk.append("access.log", text_of(1));
    assert_eq!(desk.lines(), lines_of(1));
    desk.append("access.log", text_of(2));
    assert_eq!(desk.lines(), lines_of(2));
    desk.append("access.log", text_of(3));
    desk.rotate("access.log");
    desk.append("access.log", text_of(4));
    assert_eq!(desk.lines(), [lines_of(3), lines_of(4)].concat());
    desk.append("access.log", text_of(5));
    desk.copy_and_truncate("access.log", "access.log-20261123");
    desk.append("access.log", text_of(6));
    assert_eq!(desk.lines(), [lines_of(5), lines_of(6)].concat());
}
