//! A real Prometheus that scrapes over TLS with a password and a certificate; and the document's example.

use std::fs;

use super::{Folder, TLS, hash};
use crate::support::document::Document;
use crate::support::prometheus::Prometheus;

#[test]
fn prometheus_scrapes_with_tls_a_password_and_a_certificate() {
    let mutual = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n  min_version: TLS13\n";
    let users = format!("basic_auth_users:\n  prometheus: {}\n", hash("open-sesame"));
    let folder = Folder::with(&format!("{TLS}{mutual}{users}"));
    let exporter = folder.exporter();
    let path = |name| folder.path(name).display().to_string();
    let prometheus = Prometheus::start(&format!(
        "global: {{ scrape_interval: 1s, scrape_timeout: 1s }}
scrape_configs:
  - job_name: vitrin
    scheme: https
    basic_auth: {{ username: prometheus, password: open-sesame }}
    tls_config: {{ ca_file: {}, cert_file: {}, key_file: {} }}
    static_configs: [{{ targets: ['{}'] }}]
",
        path("ca.pem"),
        path("client.pem"),
        path("client.key"),
        exporter.address(),
    ));
    prometheus.answer("vitrin_web_password_verifications_total >= 1");
    // Several scrapes later it is still the one verification.
    prometheus.answer("count_over_time(up{job=\"vitrin\"}[1m]) >= 4");
    prometheus.expect_all_up();
    let verified = prometheus.answer("vitrin_web_password_verifications_total");
    assert_eq!(verified[0].1, 1.0, "{verified:?}");
    let refused = prometheus.answer("sum(vitrin_web_refused_total)");
    assert_eq!(refused[0].1, 0.0, "{refused:?}\n{}", exporter.log());
}

#[test]
fn the_example_of_the_document_works_as_it_stands() {
    let document = Document::read("docs/web.md");
    let folder = Folder::with("");
    fs::copy(folder.path("server.pem"), folder.path("vitrin.crt")).unwrap();
    fs::copy(folder.path("server.key"), folder.path("vitrin.key")).unwrap();
    fs::copy(folder.path("ca.pem"), folder.path("clients.crt")).unwrap();
    folder.write(document.block("example"));
    let exporter = folder.exporter();
    let client = "--cert {client.pem} --key {client.key}";
    assert_eq!(
        folder.https(exporter.address(), "/metrics", &format!("{client} --user prometheus:change-me")).status,
        200
    );
    assert_eq!(
        folder.https(exporter.address(), "/metrics", &format!("{client} --user prometheus:changed")).status,
        401
    );
    assert_eq!(folder.https(exporter.address(), "/metrics", "--user prometheus:change-me").status, 0);
}
