//! The real program, on a free port.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use rustix::process::Signal;
use tempfile::TempDir;

use super::daemon::{Daemon, copy, folder};
use super::http::{self, Response};
use super::process;
use super::scrape::Page;

/// What the log line of a server that is ready holds, before its address.
const LISTENING: &str = "listening on http";

/// The name of its configuration, in its folder.
const CONFIGURATION: &str = "vitrin.toml";

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_vitrin");

/// What the unit that is shipped sets for it.
pub(crate) fn environment() -> Vec<(String, String)> {
    let unit = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/vitrin.service")).unwrap();
    let set = unit.lines().filter_map(|line| line.strip_prefix("Environment=")?.split_once('='));
    set.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A running exporter.
pub(crate) struct Exporter {
    daemon: Daemon,
    address: SocketAddr,
}

impl Exporter {
    /// Starts it with this configuration and waits until it listens.
    pub(crate) fn start(config: &str) -> Self {
        Self::start_with(config, &[])
    }

    /// The same with more arguments. `{folder}` in configuration and arguments is the exporter's own folder.
    pub(crate) fn start_with(config: &str, arguments: &[&str]) -> Self {
        Self::launch(Command::new(PROGRAM), folder(), config, arguments)
    }

    /// Starts it without a configuration: it looks for itself what there is.
    pub(crate) fn start_without_configuration(arguments: &[&str]) -> Self {
        assert!(!Path::new(vitrin::config::DEFAULT_FILE).exists(), "this machine has a configuration of its own");
        let mut command = Command::new(PROGRAM);
        command.arg("--web.listen-address=127.0.0.1:0").args(arguments);
        Self::listening(command, folder())
    }

    /// The same as another user, with one group: the numbers of both. Only root can.
    pub(crate) fn start_as(user: (u32, u32), config: &str) -> Self {
        Self::start_as_with(user, config, &[])
    }

    /// The same with more arguments.
    pub(crate) fn start_as_with((user, group): (u32, u32), config: &str, arguments: &[&str]) -> Self {
        let folder = folder();
        // The build may lie where that user cannot go.
        let program = folder.path().join("vitrin");
        copy(Path::new(PROGRAM), &program);
        let mut command = Command::new(program);
        command.uid(user).gid(group);
        Self::launch(command, folder, config, arguments)
    }

    /// Starts it by this command, which takes more arguments: another user's, in another place.
    pub(crate) fn start_by(command: Command, config: &str) -> Self {
        Self::launch(command, folder(), config, &[])
    }

    fn launch(mut command: Command, folder: TempDir, config: &str, arguments: &[&str]) -> Self {
        let here = |text: &str| text.replace("{folder}", folder.path().to_str().expect("made of ASCII by the harness"));
        let file = folder.path().join(CONFIGURATION);
        fs::write(&file, here(config)).unwrap();
        command.arg("--web.listen-address=127.0.0.1:0").arg("--config.file").arg(&file);
        command.args(arguments.iter().map(|argument| here(argument)));
        Self::listening(command, folder)
    }

    fn listening(mut command: Command, folder: TempDir) -> Self {
        let log = folder.path().join("log");
        // What one test keeps, another does not find.
        command.envs(environment()).env("STATE_DIRECTORY", folder.path().join("state"));
        let mut daemon = Daemon::start("vitrin", command, folder);
        let mut address = None;
        daemon.wait_until(|| {
            address = bound(&String::from_utf8_lossy(&fs::read(&log).unwrap()));
            address.is_some()
        });
        Self { daemon, address: address.expect("waited for above") }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.daemon.pid()
    }

    /// One GET on a connection of its own.
    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        http::ask(self.address, "GET", path, headers)
            .unwrap_or_else(|error| panic!("GET {path}: {error}; the log:\n{}", self.daemon.log()))
    }

    /// Replaces its configuration; it does not know until it reloads.
    pub(crate) fn configure(&self, config: &str) {
        fs::write(self.configuration(), config).unwrap();
    }

    /// Where its configuration is.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.daemon.folder().join(CONFIGURATION)
    }

    /// Sends it SIGHUP.
    pub(crate) fn hang_up(&self) {
        self.daemon.signal(Signal::HUP);
    }

    /// A scrape as `curl` makes it, read strictly.
    pub(crate) fn scrape(&self) -> Page {
        self.page("/metrics", &[])
    }

    /// A scrape as Prometheus makes it, which must be over within `seconds`.
    pub(crate) fn scrape_within(&self, seconds: f64) -> Page {
        self.page("/metrics", &[("X-Prometheus-Scrape-Timeout-Seconds", &seconds.to_string())])
    }

    /// The page that is answered to this GET; it must be 200 and keep every rule.
    #[track_caller]
    pub(crate) fn page(&self, path: &str, headers: &[(&str, &str)]) -> Page {
        let response = self.get(path, headers);
        let text = response.text();
        assert_eq!(response.status, 200, "{text}");
        Page::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    /// How many file descriptors it has open.
    pub(crate) fn fds(&self) -> usize {
        process::descriptors(self.pid())
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        self.daemon.log()
    }

    /// Ends it as systemd does; gives its exit status and its whole log.
    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        let status = self.daemon.end();
        (status, self.daemon.log())
    }
}

/// The address in the log of an exporter that listens.
fn bound(log: &str) -> Option<SocketAddr> {
    let (_, after) = log.split_once(LISTENING)?;
    // The line may be only half written, so its end is waited for.
    let (line, _) = after.split_once('\n')?;
    let line = line.trim_start_matches('s').strip_prefix("://")?;
    line.split(|c: char| c.is_whitespace() || c == '"' || c == '/' || c == '\u{1b}').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::bound;

    #[test]
    fn the_address_is_found_in_text_and_json_logs() {
        let address = "127.0.0.1:4711".parse().ok();
        assert_eq!(bound("INFO vitrin: listening on http://127.0.0.1:4711\n"), address);
        assert_eq!(bound("INFO listening on http://127.0.0.1:4711/metrics targets=3\n"), address);
        assert_eq!(bound("{\"message\":\"listening on http://127.0.0.1:4711\",\"level\":\"INFO\"}\n"), address);
        assert_eq!(bound("INFO vitrin: listening on https://127.0.0.1:4711\n"), address);
        assert_eq!(bound("INFO vitrin: listening on http://127.0.0.1:47"), None);
    }
}
