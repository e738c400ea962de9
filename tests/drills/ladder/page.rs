//! A page of faults, in the place of vitrin's: what is wrong with which shop, as a script says it.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// The page's rules, written as the shipped ones are. The shops' names come with the page: one scrape shows them all.
pub(super) const RULES: &str = r#"
groups:
- name: drill
  interval: 30s
  rules:
  - alert: DrillSlow
    expr: label_replace(sum by (case, account) (drill_fault{kind="slow"}), "shop", "$1", "case", "(.+)")
    labels: {level: "1", severity: critical, component: marketplace, symptom: "true", case: ""}
    annotations: {summary: an interface is slow}
  - alert: DrillDiskFills
    expr: label_replace(sum by (case) (drill_fault{kind="disk"}), "shop", "$1", "case", "(.+)")
    labels: {level: "1", severity: warning, component: host, case: ""}
    annotations: {summary: a disk fills}
  - alert: DrillConflict
    expr: label_replace(sum by (case) (drill_fault{kind="conflict"}), "shop", "$1", "case", "(.+)")
    labels: {level: "2", severity: critical, component: deployments, case: ""}
    annotations: {summary: two teams change one thing}
  - alert: DrillDatabaseDown
    expr: label_replace(sum by (case) (drill_fault{kind="database"}), "shop", "$1", "case", "(.+)")
    labels: {level: "3", severity: critical, component: mysql, cause: "true", case: ""}
    annotations: {summary: the database is down}
"#;

/// What is wrong: a kind of fault, the shop it is in, and of several at once, which.
pub(super) type Fault = (&'static str, &'static str, usize);

/// The running page.
#[derive(Clone, Default)]
pub(super) struct Page {
    faults: Arc<Mutex<BTreeSet<Fault>>>,
}

impl Page {
    /// Serves it on a port; returns that.
    pub(super) fn serve(&self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let faults = self.faults.clone();
        thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                // Whatever is asked, up to the empty line, the answer is the page.
                let lines = BufReader::new(&stream).lines().map_while(Result::ok);
                lines.take_while(|line| !line.is_empty()).for_each(drop);
                let faults = faults.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let line = |(kind, shop, which): Fault| {
                    format!("drill_fault{{kind=\"{kind}\",case=\"{shop}\",account=\"{which}\"}} 1\n")
                };
                let page: String = faults.into_iter().map(line).collect();
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\n\r\n";
                // A Prometheus that was killed does not read to the end.
                stream.write_all(format!("{head}{page}").as_bytes()).ok();
            }
        });
        port
    }

    /// A fault begins or ends.
    pub(super) fn set(&self, fault: Fault, there: bool) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        if there {
            faults.insert(fault)
        } else {
            faults.remove(&fault)
        };
    }
}
