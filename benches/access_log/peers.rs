//! The others: mtail and GoAccess, as Debian has them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Cost;
use crate::support::daemon::{folder, free_port};
use crate::support::generation::Generation;
use crate::support::process;

/// Requests by method and code, bytes, and both times: less than we count, which tells pages and hosts apart, too.
const PROGRAM: &str = r#"
counter requests_total by method, code
counter response_bytes_total by method
histogram request_seconds by method buckets 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10
histogram upstream_seconds by method buckets 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10
/^(?P<client>\S+) \S+ (?P<user>\S+) \[(?P<date>[^\]]+)\] "(?P<method>[A-Z]+) (?P<target>\S+) (?P<protocol>[^"]*)" (?P<code>\d{3}) (?P<bytes>\d+) "(?P<referer>[^"]*)" "(?P<agent>[^"]*)" (?P<time>\d+\.\d+) "(?P<upstream>[^"]*)"/ {
  requests_total[$method][$code]++
  response_bytes_total[$method] += $bytes
  request_seconds[$method] = $time
  $upstream =~ /^(?P<backend>\d+\.\d+)$/ {
    upstream_seconds[$method] = $backend
  }
}
"#;

/// mtail, reading the log once.
pub(crate) fn mtail(log: &Path, lines: u64) -> Cost {
    let folder = folder();
    let program = folder.path().join("requests.mtail");
    fs::write(&program, PROGRAM).unwrap();
    let mut command = Generation::installed().program(&["mtail"]);
    command.args(["--one_shot", "--one_shot_format", "json", "--port", &free_port().to_string()]);
    command.arg("--progs").arg(&program).arg("--logs").arg(log);
    let (cpu, said) = run(&mut command);
    assert!(said.contains("requests_total"), "mtail has counted nothing: {said}");
    Cost { lines, cpu }
}

/// GoAccess, writing its report as JSON.
pub(crate) fn goaccess(log: &Path, lines: u64) -> Cost {
    let folder = folder();
    let report = folder.path().join("report.json");
    let mut command = Generation::installed().program(&["goaccess"]);
    command.arg(log).args(["--no-global-config", "--no-progress", "--date-format=%d/%b/%Y", "--time-format=%T"]);
    command.arg(r#"--log-format=%h - %e [%d:%t %^] "%r" %s %b "%R" "%u" %T "%^""#).arg("-o").arg(&report);
    let (cpu, _) = run(&mut command);
    let report: serde_json::Value = serde_json::from_slice(&fs::read(&report).unwrap()).unwrap();
    assert_eq!(report["general"]["total_requests"], lines, "GoAccess has not read every line");
    assert_eq!(report["general"]["failed_requests"], 0, "GoAccess has not understood every line");
    Cost { lines, cpu }
}

/// The processor's time of a program that has to end well, and what it printed.
fn run(command: &mut Command) -> (Duration, String) {
    let ours = std::process::id();
    let before = process::cpu_of_children(ours);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
    (process::cpu_of_children(ours).saturating_sub(before), said)
}
