//! What a real Prometheus makes of our pages.

use crate::support::broken::{Answer, Broken};
use crate::support::document::Document;
use crate::support::exporter::Exporter;
use crate::support::prometheus::Prometheus;
use crate::support::redis::RedisServer;

/// Prometheus asks for OpenMetrics first; so that it reads the other format too, that page is handed to it by a server
/// that has nothing else.
#[test]
fn prometheus_takes_both_formats_and_finds_the_same_in_them() {
    // Whatever else runs on this machine may mount a file system or make an interface between two scrapes.
    let exporter = Exporter::start("[host]\nmount_points_exclude = ['/']\ninterfaces_exclude = ['*']\n");
    let text = exporter.get("/metrics", &[]).text();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\r\n";
    let recorded = Broken::tcp(Answer::then_close(Vec::leak(format!("{head}{text}").into_bytes())));
    let prometheus = Prometheus::scraping(&[exporter.address(), recorded.address()]);
    prometheus.expect_all_up();
    let scraped = |job: &str| prometheus.answer(&format!("scrape_samples_scraped{{job=\"{job}\"}}"))[0].1;
    assert!(scraped("target0") > 0.0);
    assert_eq!(scraped("target0"), scraped("target1"));
    assert_eq!(prometheus.answer("vitrin_build_info{job=\"target0\"}")[0].1, 1.0);
}

/// The documented configurations, with the exporter where it is here.
fn scraping(block: &str, exporter: &Exporter) -> Prometheus {
    let document = Document::read("docs/endpoints.md");
    assert_eq!(document.names(), ["collect", "probe"]);
    let jobs = document.with(block, &[("127.0.0.1:22100", &exporter.address().to_string())]);
    let prometheus = Prometheus::start(&format!("global: {{ scrape_interval: 1s, scrape_timeout: 1s }}\n{jobs}"));
    prometheus.expect_all_up();
    prometheus
}

#[test]
fn prometheus_scrapes_the_collectors_that_it_names() {
    let redis = RedisServer::start(&[]);
    let exporter = Exporter::start(&format!("[redis.targets.main]\nurl = \"{}\"\n", redis.url()));
    let prometheus = scraping("collect", &exporter);
    assert_eq!(prometheus.answer("redis_up")[0].1, 1.0);
    assert_eq!(prometheus.query("node_boot_time_seconds"), []);
}

#[test]
fn prometheus_gives_each_target_an_instance_of_its_own() {
    let (cache, sessions) = (RedisServer::start(&[]), RedisServer::start(&[]));
    let exporter = Exporter::start(&format!(
        "[redis.targets.cache]\nurl = \"{}\"\n[redis.targets.sessions]\nurl = \"{}\"\n",
        cache.url(),
        sessions.url()
    ));
    let prometheus = scraping("probe", &exporter);
    prometheus.answer("count(redis_up == 1) == 2");
    let mut up: Vec<_> = prometheus.answer("redis_up == 1").into_iter().map(|(labels, _)| labels).collect();
    up.sort();
    let instances: Vec<_> = up.iter().map(|labels| labels["instance"].as_str()).collect();
    assert_eq!(instances, ["cache", "sessions"]);
    assert!(up.iter().all(|labels| !labels.contains_key("target")), "{up:?}");
}
