//! What a server that hangs or is gone can do to a scrape: nothing but lose its own samples.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use crate::support::broken::refusing;
use crate::support::daemon::{eventually, folder, turn};
use crate::support::exporter::Exporter;
use crate::support::http::Connection;
use crate::support::scrape::Page;
use crate::support::stack::Stack;

/// What Prometheus may say that a scrape can take; without a word, the answer comes as if it were 10 s.
const LIMITS: [Option<f64>; 4] = [Some(1.0), Some(3.0), Some(10.0), None];
const DEFAULT_LIMIT: f64 = 10.0;

/// How many scrapes must leave no file descriptor behind, from how many connections, and how many more may be open
/// after them than after the first few: what is being asked at that moment.
const SCRAPES: usize = 1_000;
const CLIENTS: usize = 4;
const SLACK: usize = 8;

fn up(page: &Page, collector: &str) -> f64 {
    page.number("vitrin_up", &[("collector", collector), ("target", "main")])
}

fn timeouts(page: &Page, collector: &str) -> f64 {
    let labels = [("collector", collector), ("target", "main"), ("reason", "timeout")];
    page.number("vitrin_collect_failures_total", &labels)
}

/// The families that do not start with this, and are there at any time: threads are not, when ours is the only one.
fn others<'a>(page: &'a Page, prefix: &str) -> BTreeSet<&'a str> {
    let all = page.names().into_iter().filter(|name| !name.starts_with("mysql_info_schema_processlist_"));
    all.filter(|name| !name.starts_with(prefix)).collect()
}

#[test]
fn a_hung_server_costs_its_own_samples_and_comes_back() {
    let _turn = turn();
    let stack = Stack::start();
    let exporter = Exporter::start(&stack.configuration());
    // The first scrape joins the first runs of the timers, whose connections show up in MySQL's list of processes.
    exporter.scrape();
    let healthy = exporter.scrape();
    for (collector, prefix, server) in stack.servers() {
        assert_eq!(up(&healthy, collector), 1.0, "{collector}; the log:\n{}", exporter.log());
        server.hang();
        let scrape = |limit: Option<f64>| {
            let header = limit.map(|limit| ("X-Prometheus-Scrape-Timeout-Seconds", limit.to_string()));
            let headers: Vec<_> = header.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let begun = Instant::now();
            let answer = exporter.get("/metrics", &headers);
            let took = begun.elapsed();
            (limit, Page::parse(&answer.text()).unwrap(), took)
        };
        let answers: Vec<_> = std::thread::scope(|scope| {
            let scrapes = LIMITS.map(|limit| scope.spawn(move || scrape(limit)));
            scrapes.into_iter().map(|scrape| scrape.join().unwrap()).collect()
        });
        server.resume();
        for (limit, page, took) in answers {
            let limit = limit.unwrap_or(DEFAULT_LIMIT);
            assert!(
                took < Duration::from_secs_f64(limit),
                "{collector} hung, limit {limit} s: answered after {took:?}"
            );
            assert_eq!(up(&page, collector), 0.0, "{collector} hung, limit {limit} s");
            let lost: Vec<_> = others(&healthy, prefix).difference(&others(&page, prefix)).copied().collect();
            assert!(lost.is_empty(), "{collector} hung, limit {limit} s: lost {lost:?}");
            for (other, ..) in stack.servers().into_iter().filter(|(name, ..)| *name != collector) {
                assert_eq!(up(&page, other), 1.0, "{other} while {collector} hung");
            }
        }
        let mut page = exporter.scrape();
        eventually(&format!("{collector} to be up again; the log:\n{}", exporter.log()), || {
            page = exporter.scrape();
            up(&page, collector) == 1.0
        });
        assert!(timeouts(&page, collector) > timeouts(&healthy, collector), "{collector}");
    }
}

/// Scrapes many times over a few connections, each within the shortest limit there is; gives the number of open file
/// descriptors early on and after it all.
fn descriptors(exporter: &Exporter) -> (usize, usize) {
    let rounds = |scrapes: usize| {
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(move || {
                    let mut connection = Connection::open(exporter.address()).unwrap();
                    for _ in 0..scrapes / CLIENTS {
                        let limit = [("X-Prometheus-Scrape-Timeout-Seconds", "0.6")];
                        assert_eq!(connection.ask("GET", "/metrics", &limit).unwrap().status, 200);
                    }
                });
            }
        });
        exporter.fds()
    };
    (rounds(SCRAPES / 10), rounds(SCRAPES))
}

#[test]
fn a_thousand_scrapes_of_hung_servers_leave_no_descriptor_behind() {
    let stack = Stack::start();
    let exporter = Exporter::start(&stack.configuration());
    stack.servers().into_iter().for_each(|(.., server)| server.hang());
    let (early, late) = descriptors(&exporter);
    stack.servers().into_iter().for_each(|(.., server)| server.resume());
    assert!(late <= early + SLACK, "{early} descriptors early, {late} after {SCRAPES} scrapes");
}

#[test]
fn a_thousand_scrapes_of_nobody_leave_no_descriptor_behind() {
    let folder = folder();
    let here = folder.path().display();
    let pool = "[shop]\nuser = www-data\npm = static\npm.max_children = 1\npm.status_path = /status\n";
    let pool = format!("[global]\nerror_log = {here}/log\n{pool}listen = {here}/nobody\n");
    fs::write(folder.path().join("php-fpm.conf"), pool).unwrap();
    let exporter = Exporter::start(&format!(
        "[mysql.targets.main]\naddress = '{}'\nuser = 'nobody'\n[redis.targets.main]\nurl = 'redis://{}'\n\
         [nginx.targets.main]\nurl = 'http://{}/'\n[php_fpm.targets.main]\nconfiguration = '{here}/php-fpm.conf'\n",
        refusing(),
        refusing(),
        refusing(),
    ));
    let page = exporter.scrape();
    for collector in ["mysql", "redis", "nginx", "php_fpm"] {
        let labels = [("collector", collector), ("target", "main"), ("reason", "connect")];
        let refused = page.number("vitrin_collect_failures_total", &labels);
        assert!(up(&page, collector) == 0.0 && refused > 0.0, "{collector}; the log:\n{}", exporter.log());
    }
    let (early, late) = descriptors(&exporter);
    assert!(late <= early + SLACK, "{early} descriptors early, {late} after {SCRAPES} scrapes");
}
