//! Files that are renamed away for a new one.

use super::*;

#[test]
fn a_rotated_log_is_read_to_its_end_and_then_the_new_one() {
    let mut desk = Desk::new();
    desk.append("access.log", text_of(1));
    assert_eq!(desk.lines(), lines_of(1));
    desk.append("access.log", text_of(2));
    desk.rotate("access.log");
    desk.append("access.log", text_of(4));
    // nginx goes on with the old file until it is told to open its logs again.
    desk.append("access.log.1", text_of(3));
    assert_eq!(desk.lines(), [lines_of(2), lines_of(3), lines_of(4)].concat());
    desk.append("access.log.1", text_of(5));
    desk.append("access.log", text_of(6));
    assert_eq!(desk.lines(), [lines_of(5), lines_of(6)].concat());
    assert_eq!((desk.counts().rotations, desk.counts().truncations, desk.counts().lost), (1, 0, 0));
}

#[test]
fn files_that_came_and_went_between_two_looks_are_read_in_their_order() {
    let mut desk = Desk::new();
    desk.append("access.log", text_of(1));
    assert_eq!(desk.lines(), lines_of(1));
    for number in 2..=6 {
        desk.append("access.log", text_of(number));
        desk.rotate("access.log");
    }
    desk.append("access.log", text_of(7));
    assert_eq!(desk.lines(), (2..=7).flat_map(lines_of).collect::<Vec<_>>());
    assert_eq!((desk.counts().rotations, desk.counts().lost), (5, 0));
}

#[test]
fn half_a_line_at_the_end_of_a_finished_file_is_a_line_by_itself() {
    let mut desk = Desk::new();
    desk.follower.limits.quiet = Duration::ZERO;
    desk.append("access.log", "whole\nhal");
    assert_eq!(desk.lines(), ["whole"]);
    desk.rotate("access.log");
    // As long as nothing has taken its place, its end may come.
    desk.append("access.log", "");
    assert_eq!(desk.lines(), [""; 0]);
    desk.append("access.log.1", "f, and mo");
    desk.append("access.log", "new\n");
    assert_eq!(desk.lines(), ["half, and mo", "new"]);
}

#[test]
fn lines_that_come_late_to_a_file_that_was_done_with_are_given() {
    let mut desk = Desk::new();
    desk.follower.limits.quiet = Duration::ZERO;
    desk.append("access.log", text_of(1));
    desk.lines();
    desk.rotate("access.log");
    desk.append("access.log", text_of(2));
    assert_eq!(desk.lines(), lines_of(2));
    assert_eq!(desk.counts().files, 1);
    desk.append("access.log.1", text_of(3));
    desk.follower.logs[0].surveyed = None;
    assert_eq!(desk.lines(), lines_of(3));
    desk.follower.logs[0].surveyed = None;
    assert_eq!(desk.lines(), [""; 0]);
}

#[test]
fn old_logs_that_somebody_unpacks_or_copies_are_not_given() {
    let mut desk = Desk::new();
    desk.append("access.log.1", text_of(8));
    desk.append("access.log", text_of(1));
    assert_eq!(desk.lines(), lines_of(1));
    desk.append("access.log.2", text_of(9));
    fs::copy(desk.path("access.log"), desk.path("access.log.bak")).unwrap();
    desk.follower.logs[0].surveyed = None;
    assert_eq!(desk.lines(), [""; 0]);
    desk.rotate("access.log");
    desk.append("access.log", text_of(2));
    assert_eq!(desk.lines(), lines_of(2));
}

#[test]
fn a_log_under_two_names_is_read_once() {
    let mut desk = Desk::following(&["/access.log", "/*.log", "/hard.log", "/acc*"], Start::Beginning);
    desk.append("access.log", text_of(1));
    fs::hard_link(desk.path("access.log"), desk.path("hard.log")).unwrap();
    std::os::unix::fs::symlink("access.log", desk.path("soft.log")).unwrap();
    assert_eq!(desk.lines(), lines_of(1));
    desk.restart();
    desk.append("access.log", text_of(2));
    assert_eq!(desk.lines(), lines_of(2));
    assert_eq!(desk.counts().files, 1);
}

#[test]
fn a_link_that_leads_elsewhere_is_a_rotation() {
    let mut desk = Desk::new();
    let link = |to: &str| {
        std::os::unix::fs::symlink(to, desk.path("new")).unwrap();
        desk.rename("new", "access.log");
    };
    desk.append("monday", text_of(1));
    link("monday");
    assert_eq!(Desk::lines(&mut desk), lines_of(1));
    let link = |desk: &Desk, to: &str| {
        std::os::unix::fs::symlink(to, desk.path("new")).unwrap();
        desk.rename("new", "access.log");
    };
    desk.append("monday", text_of(2));
    link(&desk, "tuesday");
    desk.append("tuesday", text_of(3));
    assert_eq!(desk.lines(), [lines_of(2), lines_of(3)].concat());
}

#[test]
fn a_log_behind_a_link_is_rotated_where_the_link_leads() {
    let mut desk = Desk::new();
    fs::create_dir(desk.path("data")).unwrap();
    std::os::unix::fs::symlink("data/shop.log", desk.path("access.log")).unwrap();
    desk.append("data/shop.log", text_of(1));
    assert_eq!(desk.lines(), lines_of(1));
    desk.rotate("data/shop.log");
    desk.append("data/shop.log", text_of(2));
    desk.rotate("data/shop.log");
    desk.append("data/shop.log", text_of(3));
    assert_eq!(desk.lines(), [lines_of(2), lines_of(3)].concat());
}

#[test]
fn what_a_glob_finds_of_rotated_files_is_not_read_again() {
    let mut desk = Desk::following(&["/*.log*"], Start::Beginning);
    desk.append("access.log", text_of(1));
    assert_eq!(desk.lines(), lines_of(1));
    desk.rotate("access.log");
    desk.append("access.log", text_of(2));
    desk.append("access.log.2.gz", "not text");
    assert_eq!(desk.lines(), lines_of(2));
    desk.copy_and_truncate("access.log", "access.log-20261123");
    desk.append("access.log", text_of(3));
    assert_eq!(desk.lines(), lines_of(3));
    desk.restart();
    assert_eq!(desk.lines(), [""; 0]);
}

#[test]
fn a_log_that_is_compressed_at_once_is_read_while_it_is_open_and_lost_when_it_never_was() {
    let mut desk = Desk::new();
    desk.append("access.log", text_of(1));
    assert_eq!(desk.lines(), lines_of(1));
    desk.append("access.log", text_of(2));
    let compress = |desk: &Desk, name: &str, later: u64| {
        let time = fs::metadata(desk.path(name)).unwrap().modified().unwrap() + Duration::from_secs(later);
        fs::write(desk.path(&format!("{name}.gz")), "compressed").unwrap();
        fs::File::options().append(true).open(desk.path(&format!("{name}.gz"))).unwrap().set_modified(time).unwrap();
        desk.remove(name);
    };
    desk.rotate("access.log");
    compress(&desk, "access.log.1", 0);
    desk.append("access.log", text_of(3));
    assert_eq!(desk.lines(), [lines_of(2), lines_of(3)].concat());
    assert_eq!(desk.counts().lost, 0);
    // Twice at once, the second time with another name, as with dates.
    desk.rename("access.log", "access.log-20261122");
    compress(&desk, "access.log-20261122", 0);
    desk.append("access.log", text_of(4));
    desk.rename("access.log", "access.log-20261123");
    compress(&desk, "access.log-20261123", 5);
    desk.append("access.log", text_of(5));
    assert_eq!(desk.lines(), lines_of(5));
    assert_eq!(desk.counts().lost, 1);
}

#[test]
fn a_log_that_is_rotated_a_thousand_times_keeps_few_files_open() {
    let mut desk = Desk::new();
    desk.append("access.log", "");
    desk.lines();
    for number in 0..1000 {
        desk.append("access.log", format!("{number}\n"));
        desk.rename("access.log", "access.log.1");
        desk.append("access.log", "");
        assert_eq!(desk.lines(), [number.to_string()]);
    }
    assert!(desk.counts().files <= 40, "{:?}", desk.counts());
    assert!(serde_json::to_vec(&desk.follower.positions()).unwrap().len() < 20_000);
}

#[test]
fn logs_that_were_rotated_away_are_read_while_nobody_has_begun_a_new_one() {
    let mut desk = Desk::new();
    desk.append("access.log", text_of(1));
    assert_eq!(desk.lines(), lines_of(1));
    desk.rotate("access.log");
    desk.append("access.log", text_of(2));
    desk.rotate("access.log");
    desk.follower.logs[0].surveyed = None;
    assert_eq!(desk.lines(), lines_of(2));
    desk.append("access.log", text_of(3));
    assert_eq!(desk.lines(), lines_of(3));
    assert_eq!(desk.counts().rotations, 2);
}
