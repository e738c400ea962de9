//! The same file, for node_exporter and for us: the same clients get in, and the same answer for all others.

use std::process::Command;

use super::{Folder, TLS, hash};
use crate::support::daemon::program;
use crate::support::peers::Peer;

/// What clients of these tests come with.
const CLIENTS: [&str; 6] = [
    "",
    "--user alice:open-sesame",
    "--user alice:guess",
    "--user mallory:open-sesame",
    "--cert {client.pem} --key {client.key}",
    "--cert {client.pem} --key {client.key} --user alice:open-sesame --tlsv1.2 --tls-max 1.2",
];

/// Whether node_exporter knows what came into the format after Debian 12's version 1.5.
fn is_new() -> bool {
    let mut version = program(&["prometheus-node-exporter"]);
    let output = Command::output(version.arg("--version")).unwrap();
    !String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).contains("version 1.5.")
}

/// Starts both with the file and holds their answers to all clients against each other.
fn same(config: &str) {
    let folder = Folder::with(config);
    let (node, exporter) = (Peer::node_with(&[folder.flag()]), folder.exporter());
    let encrypted = config.contains("tls_server_config");
    for client in CLIENTS {
        let ask = |address| {
            let answer = if encrypted {
                folder.https(address, "/metrics", client)
            } else {
                folder.http(address, "/metrics", client)
            };
            let head = answer.text.split("\r\n\r\n").next().unwrap_or_default().to_ascii_lowercase();
            // Go's own answers of errors say `nosniff` without being told.
            let set = |line: &&str| {
                let known = ["x-frame", "x-xss", "strict-", "content-security", "x-content"];
                known[..if answer.status == 200 { 5 } else { 4 }].iter().any(|start| line.starts_with(start))
            };
            let mut headers: Vec<_> = head.lines().filter(set).map(str::to_owned).collect();
            headers.sort();
            (answer.status, headers)
        };
        assert_eq!(ask(exporter.address()), ask(node.address()), "{client:?} with\n{config}\n{}", exporter.log());
    }
}

fn users() -> String {
    format!("basic_auth_users:\n  alice: {}\n  bob: {}\n", hash("open-sesame"), hash("bob"))
}

#[test]
fn users_and_headers() {
    let headers = "http_server_config:\n  http2: true\n  headers:\n    X-Frame-Options: deny\n    \
                   X-Content-Type-Options: nosniff\n    X-XSS-Protection: '1; mode=block'\n    \
                   Content-Security-Policy: \"default-src 'self'\"\n    Strict-Transport-Security: max-age=31536000\n";
    same(&users());
    same(&format!("{TLS}{headers}{}", users()));
}

#[test]
fn client_certificates() {
    let authority = "  client_ca_file: ca.pem\n";
    for (policy, authority) in [
        ("NoClientCert", ""),
        ("RequestClientCert", ""),
        ("RequireAnyClientCert", ""),
        ("VerifyClientCertIfGiven", authority),
        ("RequireAndVerifyClientCert", authority),
    ] {
        same(&format!("{TLS}  client_auth_type: {policy}\n{authority}{}", users()));
    }
}

#[test]
fn versions_and_suites() {
    same(&format!("{TLS}  min_version: TLS13\n"));
    same(&format!("{TLS}  max_version: TLS12\n  prefer_server_cipher_suites: false\n"));
    // Old and foreign ones among them, as files that people have do.
    same(&format!(
        "{TLS}  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA]\n  \
         curve_preferences: [CurveP256, CurveP521]\n  min_version: TLS10\n"
    ));
}

#[test]
fn what_newer_versions_added() {
    if !is_new() {
        // The old one refuses such a file; the run against the newest servers compares.
        let folder = Folder::with(&format!("{}rate_limit: {{ interval: 1s, burst: 20 }}\n", users()));
        let mut command = program(&["prometheus-node-exporter"]);
        let output = command.args([folder.flag(), "--web.listen-address=127.0.0.1:0".to_owned()]).output().unwrap();
        assert!(!output.status.success());
        return;
    }
    same(&format!("{}rate_limit: {{ interval: 1h, burst: 3 }}\n", users()));
    let names = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n  client_allowed_sans: ";
    same(&format!("{TLS}{names}[spiffe://shop/prometheus]\n"));
    same(&format!("{TLS}{names}[somebody.example]\n"));
}
