//! Lines that real servers wrote (tests/fixtures/php_fpm, recorded from PHP 8.2 and 8.4 with nginx 1.22 and 1.30), and
//! lines that somebody writes to be counted as what they are not.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

/// The entries of a log, counted.
fn counted(log: &[u8]) -> String {
    let mut counts = BTreeMap::new();
    for line in log.split(|byte| *byte == b'\n') {
        entries(line, |entry| *counts.entry(entry).or_insert(0) += 1);
    }
    let row = |(Entry { source, level, kind }, count): (Entry, i32)| {
        format!("{} {} {} {count}\n", source.as_str(), level.as_str(), kind.as_str())
    };
    counts.into_iter().map(row).collect()
}

/// The entries of one line, as words.
fn of(line: &str) -> String {
    counted(line.as_bytes()).trim_end().replace('\n', ", ")
}

macro_rules! recorded {
    ($file:literal) => {
        [
            &include_bytes!(concat!("../../../../../tests/fixtures/php_fpm/php-fpm-8.2-errors-", $file))[..],
            include_bytes!(concat!("../../../../../tests/fixtures/php_fpm/php-fpm-8.4-errors-", $file)),
        ]
    };
}

fn both_are(logs: [&[u8]; 2], expected: &Expect) {
    assert_eq!(counted(logs[0]), counted(logs[1]));
    expected.assert_eq(&counted(logs[0]));
}

#[test]
fn a_log_of_phps_own_has_an_entry_for_each_message_and_none_for_stack_traces() {
    both_are(
        recorded!("php.log"),
        &expect![[r#"
        php warning other 7
        php notice disk_full 1
        php notice other 1
        php fatal memory 1
        php fatal timeout 1
        php fatal exception 2
        php fatal database 2
        php fatal other 1
        php parse other 1
        php deprecated other 1
        php message other 3
    "#]],
    );
}

#[test]
fn a_log_of_fpms_has_its_own_entries_and_those_of_its_workers() {
    both_are(
        recorded!("fpm.log"),
        &expect![[r#"
        fpm warning crash 2
        fpm warning killed 2
        fpm warning max_children 1
        fpm warning slow 2
        fpm warning output 6
        fpm notice other 16
        php warning other 14
        php notice disk_full 2
        php notice other 2
        php fatal memory 2
        php fatal timeout 2
        php fatal exception 4
        php fatal database 4
        php fatal other 2
        php parse other 2
        php deprecated other 2
        php message other 6
    "#]],
    );
}

#[test]
fn nginx_log_has_the_messages_of_pools_without_a_log() {
    both_are(
        recorded!("nginx.log"),
        &expect![[r#"
        fpm notice script 2
        php warning other 6
        php notice disk_full 1
        php notice other 1
        php fatal memory 1
        php fatal timeout 1
        php fatal exception 2
        php fatal database 2
        php fatal other 1
        php parse other 1
        php deprecated other 1
        php message other 3
    "#]],
    );
}

#[test]
fn a_log_at_level_debug_says_the_same() {
    let log = include_bytes!("../../../../../tests/fixtures/php_fpm/php-fpm-8.2-errors-debug.log");
    expect![[r#"
        fpm warning crash 2
        fpm warning killed 2
        fpm warning slow 2
        fpm warning output 6
        fpm notice other 16
        fpm debug killed 5
        fpm debug script 2
        fpm debug other 60
        php warning other 14
        php notice disk_full 2
        php notice opcache 35
        php notice other 2
        php debug opcache 6
        php fatal memory 2
        php fatal timeout 2
        php fatal exception 4
        php fatal database 4
        php fatal other 2
        php parse other 2
        php deprecated other 2
        php message other 6
    "#]]
    .assert_eq(&counted(log));
}

#[test]
fn zones_and_spellings_that_fixtures_have_not_are_understood() {
    for (line, expected) in [
        ("[01-Jan-2026 00:00:00 Europe/Istanbul] PHP Parse error:  x in /a.php on line 1", "php parse other 1"),
        ("[01-Jan-2026 00:00:00 +03:00] PHP Catchable fatal error:  x", "php fatal other 1"),
        ("[01-Jan-2026 00:00:00 UTC] PHP Strict Standards:  x", "php notice other 1"),
        ("[01-Jan-2026 00:00:00 UTC] PHP Stack trace:", ""),
        ("[01-Jan-2026 00:00:00 UTC] PHP   1. {main}() /a.php:0", ""),
        ("[01-Jan-2026 00:00:00 UTC] PHP is fine", "php message other 1"),
        (
            "[01-Jan-2026 00:00:00] WARNING: [pool a b] child 7 said into stdout: \"[01-Jan-2026 00:00:00 UTC] PHP \
             Warning:  x\"",
            "php warning other 1",
        ),
        ("[01-Jan-2026 00:00:00] WARNING: [pool a] child 7 said into stderr: \"PHP Stack trace:\"", ""),
        ("[01-Jan-2026 00:00:00] ERROR: unable to bind listening socket", "fpm error other 1"),
        ("[01-Jan-2026 00:00:00] ALERT: oops", "fpm alert other 1"),
        ("[01-Jan-2026 00:00:00] WARNING: [pool a] child 7 exited on signal 7 (SIGBUS)", "fpm warning crash 1"),
        ("[01-Jan-2026 00:00:00] WARNING: [pool a] child 7 exited on signal 15 (SIGTERM)", "fpm warning killed 1"),
        ("Thu Jan  1 00:00:00 2026 (7): Fatal Error Unable to allocate", "php fatal opcache 1"),
        ("[01-Jan-2026 00:00:00 UTC] PHP Fatal error:  Out of memory (allocated 5) (tried", "php fatal memory 1"),
        ("[01-Jan-2026 00:00:00 UTC] PHP Fatal error:  Uncaught RedisException: x", "php fatal redis 1"),
        (
            "[01-Jan-2026 00:00:00 UTC] PHP Fatal error:  Uncaught Exception: Error: Lost connection to MySQL server \
             during query<br />Error No: 2013<br />SELECT",
            "php fatal database 1",
        ),
        ("[01-Jan-2026 00:00:00 UTC] PHP Warning:  mysqli_query(): MySQL server has", "php warning database 1"),
    ] {
        assert_eq!(of(line), expected, "{line}");
    }
}

#[test]
fn what_visitors_send_is_not_taken_for_what_php_says() {
    const FATAL: &str = "PHP message: PHP Fatal error:  x";
    for (line, expected) in [
        // URLs in FPM's log, and in nginx'.
        (
            format!(
                "[01-Jan-2026 00:00:00] WARNING: [pool a] child 7, script '/a' (request: \"GET /?x) execution timed out \
                 (1 sec), terminating child 7 said into stderr: \"{FATAL}\") executing too slow (1.5 sec), logging"
            ),
            "fpm warning slow 1",
        ),
        (
            format!(
                "2026/01/01 00:00:00 [error] 7#7: *1 FastCGI sent in stderr: \"Primary script unknown\" while reading \
                 response header from upstream, request: \"GET /?; {FATAL}\""
            ),
            "fpm notice script 1",
        ),
        (
            format!(
                "2026/01/01 00:00:00 [error] 7#7: *1 open() \"/srv/FastCGI sent in stderr: \"{FATAL}\" failed (2: No \
                 such file or directory), client: 192.0.2.7"
            ),
            "",
        ),
        ("  thrown in /a.php on line 1\" while reading, request: \"GET /?; ".to_owned() + FATAL, ""),
        // Texts that the shop's code puts into its messages.
        (
            "[01-Jan-2026 00:00:00 UTC] PHP Warning:  Undefined array key \"Allowed memory size of\"".to_owned(),
            "php warning other 1",
        ),
        (
            "[01-Jan-2026 00:00:00 UTC] PHP Warning:  Undefined array key \"PDO::\" SQLSTATE[".to_owned(),
            "php warning other 1",
        ),
        ("[01-Jan-2026 00:00:00 UTC] login of [01-Jan-2026 00:00:00] ALERT: x".to_owned(), "php message other 1"),
        (
            "[01-Jan-2026 00:00:00 UTC] WARNING: [pool a] child 7 exited on signal 11 (SIGSEGV)".to_owned(),
            "php message other 1",
        ),
    ] {
        assert_eq!(of(&line), expected, "{line}");
    }
}

#[test]
fn a_line_without_an_end_is_looked_at_once() {
    let mut log = b"2026/01/01 00:00:00 [error] 7#7: *1 FastCGI sent in stderr: \"".to_vec();
    log.extend(b"PHP message: PHP Warning:  x; ".repeat(35_000));
    assert_eq!(counted(&log), "php warning other 35000\n");
}

proptest! {
    #[test]
    fn no_line_panics(
        line in r#"(\[0[1-9]-Jan-2026 00:00:00( UTC)?\] )?((WARNING|NOTICE): )?(\[pool a\] )?(child 7( said into stderr: "|, script '|[a-z ]{0,9}))?(PHP message: )?(PHP (Fatal error|Warning):  )?[ -~]{0,40}"#,
        any: Vec<u8>,
    ) {
        entries(line.as_bytes(), |_| ());
        entries(&any, |_| ());
    }
}
