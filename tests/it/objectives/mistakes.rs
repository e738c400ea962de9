//! `[objectives]` as people get it wrong: place, value and way out.

use std::fmt::Write as _;
use std::path::Path;

use expect_test::expect;

/// Keys of the table, each with a mistake.
const MISTAKES: &[&str] = &[
    "http_consistency = 20",
    "query_time = '0s'",
    "security_score = 120",
    "security_score = 0",
    "security_score = '98 %'",
    "latency = '100ms'",
    "slo.uptime.ratio = 0.9995",
    "slo.error.ratio = 0.999",
    "slo.errors = 0.999",
    "slo.errors.objective = 0.999",
    "slo.errors.ratio = 99.9",
    "slo.errors.ratio = 1",
    "slo.errors.ratio = '99.9 %'",
    "slo.errors.min_bad_events = 0",
    "slo.errors.min_bad_events = 2.5",
    "thresholds = 0.9",
    "thresholds.HostDiskFul = 0.9",
    "thresholds.MySQLDown = 1",
    "thresholds.HostDiskFull = 92",
    "thresholds.HostDiskFull = 1.0",
    "thresholds.HostDiskFull = inf",
    "thresholds.HostDiskFull = nan",
    "thresholds.HostDiskFull = '92 %'",
    "thresholds.HostDiskFull = true",
    "thresholds.HostDiskFull = { value = 0.9 }",
    "thresholds.HostClockSkewed = 0",
    "thresholds.HostClockSkewed = -1.5",
    "thresholds.HostClockSkewed = 'soon'",
    "thresholds.CertificateExpires = '3 days'",
    "thresholds.CertificateExpires = 0",
    "thresholds.PhpFpmQueueing = -1",
];

#[test]
fn each_mistake_says_what_to_write() {
    let mut said = String::new();
    for keys in MISTAKES {
        let text = format!("[objectives]\n{keys}\n");
        let problem = vitrin::config::parse(Path::new("vitrin.toml"), &text).map(drop).unwrap_err().to_string();
        writeln!(said, "{problem}").unwrap();
    }
    expect![[r#"
        vitrin.toml:2:20: objectives.http_consistency: `20` is not a length of time
          hint: write "250ms", "2s", "5m" or "1h"
        vitrin.toml:2:14: objectives.query_time: `0s` is not a length of time
          hint: write "250ms", "2s", "5m" or "1h"
        vitrin.toml:2:18: objectives.security_score: `120` is not a number of points of 100
          hint: write a number above 0 and up to 100, for example 98
        vitrin.toml:2:18: objectives.security_score: `0` is not a number of points of 100
          hint: write a number above 0 and up to 100, for example 98
        vitrin.toml:2:18: objectives.security_score: `98 %` is not a number of points of 100
          hint: write a number above 0 and up to 100, for example 98
        vitrin.toml:2:1: objectives: unknown key `latency`
          hint: known here: http_latency, http_consistency, query_time, security_score, slo, thresholds
        vitrin.toml:2:5: objectives.slo.uptime: unknown service level objective `uptime`
          hint: known here: availability, errors
        vitrin.toml:2:5: objectives.slo.error: unknown service level objective `error`
          hint: did you mean `errors`?
        vitrin.toml:2:14: objectives.slo.errors: invalid type: floating point `0.999`, expected a table with `ratio` and `min_bad_events`
          hint: a table is written [redis.targets.main], a key url = "redis://127.0.0.1:6379"
        vitrin.toml:2:12: objectives.slo.errors: unknown key `objective`
          hint: known here: ratio, min_bad_events
        vitrin.toml:2:20: objectives.slo.errors.ratio: `99.9` is not a part of a whole
          hint: write 0.999 for 99.9 %
        vitrin.toml:2:20: objectives.slo.errors.ratio: `1` is not between 0 and 1
          hint: write a part of a whole, for example 0.9995
        vitrin.toml:2:20: objectives.slo.errors.ratio: `99.9 %` is not a number
          hint: write a part of a whole, for example 0.9995
        vitrin.toml:2:29: objectives.slo.errors.min_bad_events: `0` is not a number of events
          hint: write a whole number from 1 on, for example 4
        vitrin.toml:2:29: objectives.slo.errors.min_bad_events: `2.5` is not a number of events
          hint: write a whole number from 1 on, for example 4
        vitrin.toml:2:14: objectives.thresholds: invalid type: floating point `0.9`, expected a table of alerts and their numbers
          hint: a table is written [redis.targets.main], a key url = "redis://127.0.0.1:6379"
        vitrin.toml:2:12: objectives.thresholds.HostDiskFul: no alert `HostDiskFul` compares with a number
          hint: did you mean `HostDiskFull`?
        vitrin.toml:2:12: objectives.thresholds.MySQLDown: no alert `MySQLDown` compares with a number
          hint: docs/objectives.md lists the alerts whose number can be changed
        vitrin.toml:2:27: objectives.thresholds.HostDiskFull: `92` is not a part of a whole
          hint: write 0.92 for 92 %
        vitrin.toml:2:27: objectives.thresholds.HostDiskFull: `1` is not between 0 and 1
          hint: write a part of a whole, for example 0.92
        vitrin.toml:2:27: objectives.thresholds.HostDiskFull: `inf` is not between 0 and 1
          hint: write a part of a whole, for example 0.92
        vitrin.toml:2:27: objectives.thresholds.HostDiskFull: `NaN` is not between 0 and 1
          hint: write a part of a whole, for example 0.92
        vitrin.toml:2:27: objectives.thresholds.HostDiskFull: `92 %` is not a number
          hint: write a part of a whole, for example 0.92
        vitrin.toml:2:27: objectives.thresholds.HostDiskFull: `true` is not a number
          hint: write a part of a whole, for example 0.92
        vitrin.toml:2:27: objectives.thresholds.HostDiskFull: invalid type: map, expected a number
          hint: a table is written [redis.targets.main], a key url = "redis://127.0.0.1:6379"
        vitrin.toml:2:30: objectives.thresholds.HostClockSkewed: `0` is not a length of time of at most a year
          hint: write seconds, for example 0.5, or "250ms", "2s", "5m" or "1h"
        vitrin.toml:2:30: objectives.thresholds.HostClockSkewed: `-1.5` is not a length of time of at most a year
          hint: write seconds, for example 0.5, or "250ms", "2s", "5m" or "1h"
        vitrin.toml:2:30: objectives.thresholds.HostClockSkewed: `soon` is not a length of time
          hint: write "250ms", "2s", "5m" or "1h"
        vitrin.toml:2:33: objectives.thresholds.CertificateExpires: `3 days` is not a number
          hint: write days, for example 3
        vitrin.toml:2:33: objectives.thresholds.CertificateExpires: `0` is not a number of days of at most ten years
          hint: write days, for example 3
        vitrin.toml:2:29: objectives.thresholds.PhpFpmQueueing: `-1` is not a number from 0 on
          hint: write a number, for example 5
    "#]].assert_eq(&said);
}

#[test]
fn a_query_of_the_operators_cannot_take_the_name_of_an_objective() {
    let text = "[mysql.targets.main]\naddress = '127.0.0.1:3306'\nuser = 'vitrin'\n\
                [mysql.queries.time]\nsql = 'SELECT 1 AS objective_seconds'\nvalues = ['objective_seconds']\n";
    let problem = vitrin::config::parse(Path::new("vitrin.toml"), text).map(drop).unwrap_err().to_string();
    expect![[r#"
        vitrin.toml:1:2: mysql: mysql_query_time_objective_seconds is taken
          hint: give the query or its column another name"#]]
    .assert_eq(&problem);
}
