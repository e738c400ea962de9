//! The `access_log` collector: what servers write, counted by the program.

mod document;
mod exactness;
mod routes;
mod signals;
mod traffic;

use std::path::Path;

use crate::support::daemon::eventually;
use crate::support::exporter::Exporter;
use crate::support::scrape::Page;

/// An exporter that follows a log and nothing else, with more settings of its target.
fn following(log: &Path, settings: &str) -> Exporter {
    let exporter = Exporter::start(&configuration(log, settings));
    eventually("the log to be followed", || exporter.scrape().get("vitrin_log_files", &LOG) == Some(1.0));
    exporter
}

/// Its configuration.
fn configuration(log: &Path, settings: &str) -> String {
    format!(
        "state_dir = \"{{folder}}/state\"\n[host]\nenabled = false\n[access_log.targets.main]\nfiles = [\"{}\"]\n{settings}",
        log.display()
    )
}

/// The labels of what is said of the log of the target `main`.
const LOG: [(&str, &str); 2] = [("log", "access"), ("target", "main")];

/// The requests of a route, by method and code.
fn requests(page: &Page, route: &str) -> Vec<(String, f64)> {
    let of_route = page.samples("shop_http_requests_total").filter(|series| series.labels["route"] == route);
    let counted = of_route.filter(|series| series.value > 0.0);
    counted.map(|series| (format!("{} {}", series.labels["method"], series.labels["code"]), series.value)).collect()
}
