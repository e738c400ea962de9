//! The checks at work: each way to spoil a copy of `docker-compose.yml` is noticed.

use std::fs;

use tempfile::TempDir;

use super::model::Model;
use super::{checks, here};
use crate::support::daemon::{copy, folder};

/// What a copy needs beside it to be right.
const FILES: [&str; 8] =
    [".env", "docker-compose.yml", "Dockerfile", "prometheus", "alertmanager", "grafana", "demo", "docs"];

/// What stands there, what takes its place, and what is to be said of it.
const WAYS: [(&str, &str, &str); 31] = [
    // Of what Docker Compose itself finds.
    ("services:\n", "servces:\n", "servces"),
    ("    profiles: [shop]", "    profiles: shop", "profiles"),
    ("*grafana-environment", "*grafana-variables", "unknown anchor"),
    ("${TZ:-UTC}", "${TZ}", "TZ"),
    // Images.
    ("prom/prometheus:v3.5.3", "prom/prometheus:latest", "is no one version"),
    ("prom/prometheus:v3.5.3", "prom/prometheus", "has no tag"),
    ("redis:8.0.6", "redis:8", "is no one version"),
    ("image: vitrin:0.1.0", "image: vitrin:0.0.9", "is not of version"),
    ("  build: .\n", "", "is not built"),
    // Rights.
    ("  read_only: true\n  cap_drop", "  cap_drop", "its root may be written to"),
    ("  cap_drop: [ALL]\n", "", "it keeps capabilities"),
    ("  cap_drop: [ALL]\n", "  cap_drop: [ALL]\n  cap_add: [SYS_TIME]\n", "it has `cap_add`"),
    ("no-new-privileges:true", "no-new-privileges:false", "it may get new privileges"),
    ("  user: \"472:0\"\n", "", "its user is not two numbers"),
    ("user: \"472:0\"", "user: \"0:0\"", "or root"),
    ("  cap_drop: [ALL]\n", "  cap_drop: [ALL]\n  privileged: true\n", "it has `privileged`"),
    ("    user: \"101:101\"\n", "    user: \"101:101\"\n    pid: host\n", "it has `pid`"),
    ("logging: {driver: local}", "logging: {driver: json-file}", "kept without end"),
    ("restart: unless-stopped", "restart: \"no\"", "stays down"),
    // Health.
    ("    test: [CMD, /usr/bin/vitrin, health]\n", "    test: [NONE]\n", "nothing asks for its health"),
    ("  interval: 15s\n", "", "not asked for in time"),
    // Mounts.
    ("- ./demo/compose/vitrin:", "- ./demo/compose/vitrine:", "vitrine is not there"),
    ("./demo/shop:/srv/shop:ro", "./demo/shop:/srv/shop", "may be written to"),
    ("- /proc:/host/proc:", "- /var/run/docker.sock:/host/proc:", "is neither ours nor one of"),
    ("/:/host:ro,rslave", "/:/host:ro", "is not seen"),
    // Addresses.
    ("127.0.0.1:3000:3000", "3000:3000", "is open to others"),
    ("--web.listen-address=127.0.0.1:9090", "--web.listen-address=:9090", "it listens on"),
    ("      GF_SERVER_HTTP_ADDR: 127.0.0.1\n", "", "it listens on"),
    // Secrets.
    ("MARIADB_RANDOM_ROOT_PASSWORD: \"yes\"", "MARIADB_ROOT_PASSWORD: s3cret", "a secret stands in MARIADB_ROOT"),
    (
        "http://demo-prometheus:9090\n",
        "http://admin:s3cret@demo-prometheus:9090\n",
        "a secret stands in PROMETHEUS_URL",
    ),
    // What is kept.
    ("--storage.tsdb.path=/prometheus\n", "--storage.tsdb.path=/data\n", "/data is not kept"),
];

fn shipped() -> TempDir {
    let folder = folder();
    for file in FILES {
        copy(&here().join(file), &folder.path().join(file));
    }
    folder
}

#[test]
fn every_way_to_spoil_it_is_noticed() {
    let folder = shipped();
    let file = folder.path().join("docker-compose.yml");
    let text = fs::read_to_string(&file).unwrap();
    let complaints = || {
        let models = [Model::shop(folder.path()), Model::demo(folder.path())];
        let said = models.into_iter().map(|model| match model {
            Ok(model) => checks::ALL.iter().flat_map(|check| check(&model)).collect(),
            Err(words) => vec![words],
        });
        said.flatten().collect::<Vec<String>>()
    };
    assert_eq!(complaints(), [""; 0]);
    for (from, to, says) in WAYS {
        assert!(text.contains(from), "nothing says {from:?}");
        fs::write(&file, text.replacen(from, to, 1)).unwrap();
        let complaints = complaints();
        let is_noticed = complaints.iter().any(|complaint| complaint.contains(says));
        assert!(is_noticed, "{to:?} for {from:?} was to be noticed as {says:?}, and: {}", complaints.join("\n"));
    }
}
