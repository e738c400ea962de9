//! A real Prometheus that scrapes what a test starts.

use std::fs;
use std::net::SocketAddr;

use serde_json::Value;

use super::daemon::{Daemon, eventually, folder, free_port, program};
use super::http;
use super::scrape::Labels;

/// A running Prometheus.
pub(crate) struct Prometheus {
    daemon: Daemon,
    address: SocketAddr,
}

/// What Prometheus thinks of a target.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) job: String,
    pub(crate) url: String,
    /// `up`, `down` or `unknown`.
    pub(crate) health: String,
    /// Why it is down; empty when it is not.
    pub(crate) error: String,
}

impl Prometheus {
    /// Starts one that scrapes these `host:port`s every second, each as a job of its own named `target0`, `target1` ...
    pub(crate) fn scraping(targets: &[SocketAddr]) -> Self {
        let job = |(index, target): (usize, &SocketAddr)| {
            format!("  - job_name: target{index}\n    static_configs: [{{ targets: ['{target}'] }}]\n")
        };
        let jobs: String = targets.iter().enumerate().map(job).collect();
        Self::start(&format!("global: {{ scrape_interval: 1s, scrape_timeout: 1s }}\nscrape_configs:\n{jobs}"))
    }

    /// Starts one with this configuration; `{folder}` in it is Prometheus' own folder.
    pub(crate) fn start(config: &str) -> Self {
        Self::start_with(config, &[])
    }

    /// The same with more arguments.
    pub(crate) fn start_with(config: &str, arguments: &[&str]) -> Self {
        Self::begin(SocketAddr::from(([127, 0, 0, 1], free_port())), config, &[], arguments)
    }

    /// Starts one at this address, with more files in its folder.
    pub(crate) fn start_at(address: SocketAddr, config: &str, files: &[(&str, &str)]) -> Self {
        Self::begin(address, config, files, &[])
    }

    fn begin(address: SocketAddr, config: &str, files: &[(&str, &str)], arguments: &[&str]) -> Self {
        let folder = folder();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let here = folder.path().to_str().expect("made of ASCII by the harness");
        let file = folder.path().join("prometheus.yml");
        fs::write(&file, config.replace("{folder}", here)).unwrap();
        let mut command = program(&["prometheus"]);
        command.arg(format!("--config.file={}", file.display()));
        command.arg(format!("--storage.tsdb.path={here}/data"));
        command.arg(format!("--web.listen-address={address}"));
        command.args(arguments);
        let mut daemon = Daemon::start("prometheus", command, folder);
        daemon.wait_until(|| http::ask(address, "GET", "/-/ready", &[]).is_ok_and(|response| response.status == 200));
        Self { daemon, address }
    }

    /// The value of an instant query for each label set.
    pub(crate) fn query(&self, expression: &str) -> Vec<(Labels, f64)> {
        let data = self.data(&format!("/api/v1/query?query={}", encoded(expression)));
        let result = data["result"].as_array().cloned().unwrap_or_default();
        let sample = |sample: &Value| {
            let labels = serde_json::from_value(sample["metric"].clone()).unwrap();
            (labels, sample["value"][1].as_str().unwrap().parse().unwrap())
        };
        result.iter().map(sample).collect()
    }

    /// Waits until the query has a result, and gives it.
    pub(crate) fn answer(&self, expression: &str) -> Vec<(Labels, f64)> {
        let mut result = Vec::new();
        eventually(&format!("a result of {expression}; {:?}", self.targets()), || {
            result = self.query(expression);
            !result.is_empty()
        });
        result
    }

    /// What it has logged that a person should look at.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.daemon.log();
        let levels = ["level=warn", "level=error"];
        log.lines()
            .filter(|line| levels.iter().any(|level| line.to_lowercase().contains(level)))
            .map(str::to_owned)
            .collect()
    }

    /// All targets, in no particular order.
    pub(crate) fn targets(&self) -> Vec<Target> {
        let data = self.data("/api/v1/targets?state=active");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let target = |target: &Value| Target {
            job: text(&target["labels"]["job"]),
            url: text(&target["scrapeUrl"]),
            health: text(&target["health"]),
            error: text(&target["lastError"]),
        };
        data["activeTargets"].as_array().unwrap().iter().map(target).collect()
    }

    /// Waits until every target was scraped, and fails with what Prometheus says of one that is down.
    #[track_caller]
    pub(crate) fn expect_all_up(&self) {
        eventually("every target to be scraped", || self.targets().iter().all(|target| target.health != "unknown"));
        let down: Vec<_> = self.targets().into_iter().filter(|target| target.health != "up").collect();
        assert!(down.is_empty(), "{down:#?}");
    }

    fn data(&self, path: &str) -> Value {
        let response = http::ask(self.address, "GET", path, &[])
            .unwrap_or_else(|error| panic!("{path}: {error}; the log:\n{}", self.daemon.log()));
        let mut answer: Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(answer["status"], "success", "{path}: {answer}");
        answer["data"].take()
    }
}

/// Percent-encodes all but what RFC 3986 calls unreserved.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Prometheus;
    use crate::support::broken::{Answer, Broken, refusing};
    use crate::support::daemon::eventually;

    #[test]
    fn a_page_that_prometheus_takes_can_be_queried_and_one_it_does_not_says_why() {
        let good = Broken::tcp(Answer::then_close(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n\r\nshop_open{door=\"a\"} 1\n",
        ));
        let prometheus = Prometheus::scraping(&[good.address(), refusing()]);
        assert_eq!(prometheus.complaints(), [""; 0]);
        let result = prometheus.answer("shop_open + 41");
        assert_eq!((result[0].0["door"].as_str(), result[0].1), ("a", 42.0));
        prometheus.answer("up == 0");
        let targets = prometheus.targets();
        assert!(targets.iter().any(|target| target.url == format!("http://{}/metrics", good.address())), "{targets:?}");
        let refused = targets.iter().find(|target| target.job == "target1").unwrap();
        assert!(refused.health == "down" && refused.error.contains("refused"), "{targets:?}");
    }

    #[test]
    fn what_prometheus_does_not_like_is_in_its_log() {
        let of_1970 = Broken::tcp(Answer::then_close(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n\r\nshop_open 1\nshop_shut 1 1000\n",
        ));
        let prometheus = Prometheus::scraping(&[of_1970.address()]);
        eventually("a complaint", || !prometheus.complaints().is_empty());
    }
}
