//! A log that is closed, and one whose lines say too little.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};

use super::{Check, NOBODY};
use crate::support::document::Document;
use crate::support::fresh::only_root_can;

/// A check of a log with this line, in a folder that everybody may enter.
fn check(line: &str, more: &str) -> Check {
    let check = Check::of(&format!("[access_log.targets.main]\nfiles = ['{{folder}}/shop.log']\n{more}"));
    fs::set_permissions(check.file("."), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(check.file("shop.log"), line.repeat(3)).unwrap();
    check
}

const COMBINED: &str = "192.0.2.7 - - [23/Nov/2026:03:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"Mozilla/5.0\"\n";

#[test]
fn a_log_that_is_closed_to_us_is_opened_by_its_group() {
    only_root_can("give files away");
    // As Debian's logs are given to `adm`; nobody is in it.
    let check = check(COMBINED, "");
    let log = check.file("shop.log");
    fs::set_permissions(&log, fs::Permissions::from_mode(0o640)).unwrap();
    let adm = group("adm");
    chown(&log, None, Some(adm)).unwrap();
    let checked = check.run();
    assert_eq!(checked.code, Some(1), "{}", checked.text);
    let script = checked.script();
    let expected = format!(
        "usermod --append --groups adm {NOBODY}\n\
         ! systemctl --quiet is-active vitrin 2>/dev/null || systemctl restart vitrin\n"
    );
    assert_eq!(script, expected, "{}", checked.text);
    // `setfacl` opens it, too, if it is installed; the modes of others do anyway.
    let lists = format!("  | setfacl --modify user:{NOBODY}:r {}\n", log.display());
    assert!(checked.text.contains(&lists), "{}", checked.text);
    fs::set_permissions(&log, fs::Permissions::from_mode(0o644)).unwrap();
    let after = check.run();
    assert_eq!(after.code, Some(0), "{}", after.text);
}

/// The number of a group of this machine.
fn group(name: &str) -> u32 {
    let groups = fs::read_to_string("/etc/group").unwrap();
    let line = groups.lines().find(|line| line.split(':').next() == Some(name)).unwrap();
    line.split(':').nth(2).unwrap().parse().unwrap()
}

#[test]
fn a_format_that_says_too_little_is_no_error_and_the_better_one_is_that_of_the_document() {
    let check = check(COMBINED, "");
    let checked = check.run();
    assert_eq!((checked.code, checked.script().as_str()), (Some(0), ""), "{}", checked.text);
    let lines: Vec<_> = checked.text.lines().filter_map(|line| line.strip_prefix("  | ")).collect();
    let begin = lines.iter().position(|line| line.starts_with("log_format ")).expect("a format is shown");
    let document = Document::read("docs/access-log.md");
    let log = check.file("shop.log").display().to_string();
    let block = document.with("recommended", &[("/var/log/nginx/access.log", &log)]);
    let shown: Vec<_> = lines[begin..].iter().filter(|line| !line.starts_with("Then")).copied().collect();
    assert_eq!(shown[..block.lines().count()], block.lines().collect::<Vec<_>>());
}

#[test]
fn lines_of_another_format_are_named_by_their_field_and_not_shown() {
    let canary = "192.0.2.7 - canary-7f3a [23/Nov/2026:03:00:00 +0000] GET /canary-7f3a?token=canary-7f3a 200 5\n";
    let check = check(canary, "");
    let checked = check.run();
    assert_eq!(checked.code, Some(1), "{}", checked.text);
    assert!(checked.text.contains("3 of 3 new lines are not of this format"), "{}", checked.text);
    assert!(!checked.text.contains("canary-7f3a"), "{}", checked.text);
}
