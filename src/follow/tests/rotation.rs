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
