//! `vitrin simulate`: the marketplaces, on free ports, and a client that reaches them under their own names.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Output};

use serde_json::Value;

use super::daemon::{Daemon, folder};
use super::http::{self, Response};

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_vitrin");

/// What a client says of an answer: the status, and when each phase was over, in seconds.
const REPORT: &str =
    "\n%{http_code} %{time_connect} %{time_appconnect} %{time_pretransfer} %{time_starttransfer} %{time_total}";

/// Running marketplaces.
pub(crate) struct Simulator {
    daemon: Daemon,
    listens: SocketAddr,
    control: SocketAddr,
}

/// What a client saw.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The exit code of curl: 0 when all went well.
    pub(crate) code: i32,
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: String,
    /// Seconds of connecting, of TLS, until the first byte, and until the last.
    pub(crate) tls: f64,
    pub(crate) processing: f64,
    pub(crate) transfer: f64,
}

impl Simulator {
    /// Starts them with this scenario, and the credentials in a folder of their own.
    pub(crate) fn start(scenario: &str) -> Self {
        let folder = folder();
        let file = folder.path().join("scenario.toml");
        std::fs::write(&file, scenario).unwrap();
        let mut command = Command::new(PROGRAM);
        command.args(["simulate", "--listen=127.0.0.1:0", "--control=127.0.0.1:0", "--scenario"]).arg(file);
        command.arg("--folder").arg(folder.path().join("simulated"));
        let mut daemon = Daemon::start("vitrin simulate", command, folder);
        let log = daemon.folder().join("log");
        let mut found = None;
        daemon.wait_until(|| {
            let log = std::fs::read_to_string(&log).unwrap();
            found =
                after(&log, "marketplaces: listening on https://").zip(after(&log, "control: listening on http://"));
            found.is_some()
        });
        let (listens, control) = found.expect("waited for above");
        Self { daemon, listens, control }
    }

    /// The folder of the authority and the credentials.
    pub(crate) fn folder(&self) -> PathBuf {
        self.daemon.folder().join("simulated")
    }

    /// Where the marketplaces listen.
    pub(crate) fn listens(&self) -> SocketAddr {
        self.listens
    }

    /// Where it is told what goes wrong.
    pub(crate) fn controlled(&self) -> SocketAddr {
        self.control
    }

    /// A configuration that watches all of them.
    pub(crate) fn configuration(&self) -> String {
        self.control("GET", "/vitrin.toml").text()
    }

    /// Asks the other port.
    pub(crate) fn control(&self, method: &str, path: &str) -> Response {
        http::ask(self.control, method, path, &[]).unwrap()
    }

    /// Adds steps to the scenario, which count from now; gives the answer.
    pub(crate) fn script(&self, steps: &str) -> Response {
        let mut connection = http::Connection::open(self.control).unwrap();
        let head =
            format!("POST /script HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n", self.control, steps.len());
        connection.send((head + steps).as_bytes()).unwrap();
        connection.answer("POST").unwrap()
    }

    /// Begins anew.
    pub(crate) fn reset(&self) {
        assert_eq!(self.control("POST", "/reset").status, 200);
    }

    /// The requests that came, of one marketplace.
    pub(crate) fn requests(&self, marketplace: &str) -> Vec<Value> {
        let answer = self.control("GET", &format!("/requests?marketplace={marketplace}"));
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// What it has said.
    pub(crate) fn log(&self) -> String {
        self.daemon.log()
    }

    /// Ends it; gives its exit status and its whole log.
    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        let status = self.daemon.end();
        (status, self.daemon.log())
    }

    /// Asks for a URL under the name of a marketplace's server, which it believes to be reached.
    pub(crate) fn ask(&self, url: &str, arguments: &[&str]) -> Seen {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--include", "--http1.1", "--noproxy", "*", "--write-out", REPORT]);
        curl.args(["--max-time", "60", "--user-agent", "100001 - SelfIntegration"]);
        curl.arg("--connect-to").arg(format!("::{}", self.listens));
        curl.arg("--cacert").arg(self.folder().join("ca.pem"));
        Seen::of(&curl.args(arguments).arg(url).output().expect("`make packages` installs curl"))
    }
}

impl Seen {
    fn of(output: &Output) -> Self {
        // A body may be no text, and be missing.
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (answer, report) = text.rsplit_once('\n').unwrap_or_else(|| panic!("{output:?}"));
        let numbers: Vec<f64> = report.split(' ').map(|number| number.parse().unwrap()).collect();
        let [status, connect, tls, sent, first, last] = numbers[..] else { panic!("{output:?}") };
        let (headers, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "curl prints three digits")]
        let status = status as u16;
        Self {
            code: output.status.code().unwrap(),
            status,
            headers: headers.to_ascii_lowercase(),
            body: body.to_owned(),
            tls: tls - connect,
            processing: first - sent,
            transfer: last - first,
        }
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The address after these words, on a line that is whole.
fn after(log: &str, words: &str) -> Option<SocketAddr> {
    let (line, _) = log.split_once(words)?.1.split_once('\n')?;
    line.split(' ').next()?.parse().ok()
}
