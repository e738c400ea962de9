//! Other people's parsers: what they take is a page.

use std::io::Write;
use std::process::{Command, Stdio};

use super::daemon::program;

/// Reads a page from standard input with prometheus_client, whose OpenMetrics parser is the strictest there is.
const PROMETHEUS_CLIENT: &str = "
import sys
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics
text = sys.stdin.buffer.read().decode('utf-8')
read = openmetrics if text.endswith('# EOF\\n') else parser
print(sum(len(family.samples) for family in read.text_string_to_metric_families(text)))
";

/// How many samples the parsers of the Python package `prometheus_client` find in a page of either format, or their
/// complaint.
pub(crate) fn prometheus_client(page: &str) -> Result<usize, String> {
    // By its path: another Python that comes first would not see Debian's packages.
    let mut command = Command::new("/usr/bin/python3");
    command.args(["-c", PROMETHEUS_CLIENT]);
    Ok(verdict(command, page)?.trim().parse().expect("it prints a number"))
}

/// What `promtool check metrics` says against a page of text 0.0.4: its linter's remarks too.
pub(crate) fn promtool(page: &str) -> Result<(), String> {
    let mut command = program(&["promtool"]);
    command.args(["check", "metrics"]);
    verdict(command, page).map(drop)
}

fn verdict(mut command: Command, page: &str) -> Result<String, String> {
    let mut judge = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("starting {command:?}: {error}; `make packages` installs it"));
    let mut stdin = judge.stdin.take().expect("piped above");
    // A judge that has seen enough closes its end.
    let complete = stdin.write_all(page.as_bytes()).is_ok();
    drop(stdin);
    let output = judge.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() && complete {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(words)
    }
}

#[cfg(test)]
mod tests {
    use super::{prometheus_client, promtool};

    #[test]
    fn the_judges_are_there_and_strict() {
        let good = "# HELP a H.\n# TYPE a gauge\na 1.0\n";
        assert_eq!(prometheus_client(good), Ok(1));
        assert_eq!(prometheus_client(&format!("{good}# EOF\n")), Ok(1));
        assert_eq!(promtool(good), Ok(()));
        assert!(prometheus_client("# TYPE a counter\na 1\n# EOF\n").is_err());
        assert!(prometheus_client("a{ 1\n").is_err());
        assert!(promtool("a 1\na 1\n").is_err());
    }
}
