//! What a real Prometheus makes of our pages.

use crate::support::document::Document;
use crate::support::exporter::Exporter;
use crate::support::prometheus::Prometheus;
use crate::support::redis::RedisServer;

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
