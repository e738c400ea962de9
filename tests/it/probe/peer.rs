//! Side by side with `blackbox_exporter`, on the same pages, ports and names: each family it shows, with labels and values.

use std::collections::BTreeMap;

use crate::support::certificates::Certificates;
use crate::support::daemon::free_port;
use crate::support::differential::{Deviations, Differential};
use crate::support::dnsmasq::Dnsmasq;
use crate::support::exporter::Exporter;
use crate::support::nginx::Nginx;
use crate::support::peers::Peer;

/// What is neither the same nor a deviation, of a target with these keys and the same one under this module.
fn differences(keys: &str, module: &str, target: &str, families: usize) -> BTreeMap<String, String> {
    let exporter = Exporter::start(&format!("[probe.targets.main]\n{keys}\nevery = '1s'\n"));
    let peer = Peer::blackbox(&format!("  {module}\n"));
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("module", "ours")
        .append_pair("target", target)
        .finish();
    let (ours, peer) = (|| exporter.scrape(), || peer.page_at(&format!("/probe?{query}")));
    let deviations = Deviations::of("probe");
    Differential { prefix: "probe_", families, ours: &ours, peer: &peer, deviations }.problems()
}

#[test]
fn a_page_looks_the_same() {
    let nginx = Nginx::start(
        "location = / { return 302 /shop; }\n\
         location = /shop { default_type text/html; add_header Last-Modified 'Mon, 02 Nov 2026 10:00:00 GMT';\n\
         return 200 'Sepetim'; }",
    );
    let url = format!("http://127.0.0.1:{}/", nginx.port);
    let found = differences(&format!("http = '{url}'"), "ours: { prober: http }", &url, 14);
    assert_eq!(found, BTreeMap::new());
}

#[test]
fn a_page_by_tls_looks_the_same() {
    let certificates = Certificates::of("DNS:localhost");
    let [authority, certificate, key] =
        ["ca.pem", "server.pem", "server.key"].map(|name| certificates.file(name).display().to_string());
    let port = free_port();
    // Of several suites each client would take the one that it likes best.
    let _nginx = Nginx::beside(&format!(
        "server {{\nlisten 127.0.0.1:{port} ssl http2;\nssl_certificate {certificate};\nssl_certificate_key {key};\n\
         ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;\n\
         location / {{ default_type text/html; return 200 'Sepetim'; }}\n}}"
    ));
    let url = format!("https://localhost:{port}/");
    let keys = format!("http = '{url}'\nip = '4'\ntls.ca_file = '{authority}'");
    let module = format!(
        "ours: {{ prober: http, http: {{ preferred_ip_protocol: ip4, tls_config: {{ ca_file: '{authority}' }} }} }}"
    );
    assert_eq!(differences(&keys, &module, &url, 17), BTreeMap::new());
}

#[test]
fn a_port_and_a_name_look_the_same() {
    let names = Dnsmasq::start(&["host-record=shop.example,203.0.113.7"]);
    let address = format!("127.0.0.1:{}", names.port);
    assert_eq!(differences(&format!("tcp = '{address}'"), "ours: { prober: tcp }", &address, 6), BTreeMap::new());
    let keys = format!("dns = {{ server = '{address}', name = 'shop.example' }}");
    let module = "ours: { prober: dns, dns: { query_name: shop.example, query_type: A } }";
    assert_eq!(differences(&keys, module, &address, 9), BTreeMap::new());
}
