//! A machine as Debian installs it, with the shop's servers at their defaults, made for one script and gone after it.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::daemon::folder;

/// What scripts there begin with: they end at the first mistake, and can ask the exporter that they have started.
const PRELUDE: &str = r#"
set -eu
# The answer to a GET of the exporter's, without its head.
get() {
  exec 3<>/dev/tcp/127.0.0.1/22100
  printf 'GET %s HTTP/1.0\r\n\r\n' "$1" >&3
  sed '1,/^\r$/d' <&3
  exec 3>&-
}
# Waits until a command succeeds.
eventually() {
  for _ in $(seq 600); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    sleep 0.1
  done
  echo "waited a minute for: $*"
  exit 1
}
metrics_say() { get /metrics | grep -qxF -- "$1"; }
page_says() { get / | grep -qF -- "$1"; }
# Root's shell lines of `vitrin check`, applied as they stand.
apply_what_check_says() {
  vitrin check >/tmp/checked || true
  sed -n 's/^    //p' /tmp/checked >/tmp/lines
  sh -eu /tmp/lines
}
serve() { setpriv --reuid "$1" --regid "$1" --init-groups vitrin >>/tmp/log 2>&1 & }
"#;

/// Fails when it is not root who runs the tests: one that cannot run has failed.
#[track_caller]
pub(crate) fn only_root_can(what: &str) {
    assert!(rustix::process::geteuid().is_root(), "only root can {what}: run the tests as root");
}

/// Runs a script there, as root, and returns what it printed to standard output; it must succeed. Only root can.
#[track_caller]
pub(crate) fn on_a_fresh_machine(script: &str) -> String {
    run(&[], env!("CARGO_BIN_EXE_vitrin"), script, &[])
}

/// The same without the program, with these files in `/root` instead.
#[track_caller]
pub(crate) fn on_a_fresh_machine_with(files: &[&Path], script: &str) -> String {
    run(&[], "none", script, files)
}

/// The same where a systemd is process 1 and has started the servers.
#[track_caller]
pub(crate) fn on_a_booted_machine_with(files: &[&Path], script: &str) -> String {
    run(&["--boot"], "none", script, files)
}

#[track_caller]
fn run(options: &[&str], program: &str, script: &str, files: &[&Path]) -> String {
    only_root_can("make a machine");
    let folder = folder();
    let file = folder.path().join("script");
    fs::write(&file, format!("{PRELUDE}{script}")).unwrap();
    let output = Command::new("tests/fresh-machine")
        .args(options)
        .arg(program)
        .arg(&file)
        .args(files)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (printed, words) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{}\n{printed}\n{words}", output.status);
    printed
}
