//! What a real Prometheus makes of our pages.

use crate::support::broken::{Answer, Broken};
use crate::support::exporter::Exporter;
use crate::support::prometheus::Prometheus;

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
