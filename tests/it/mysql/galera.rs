//! A node of a Galera cluster, beside mysqld_exporter.

use std::time::Duration;

use tokio::time::timeout;

use crate::support::daemon::free_port;
use crate::support::differential::{Deviations, Differential};
use crate::support::exporter::Exporter;
use crate::support::generation::Generation;
use crate::support::mariadb::{Database, is_mariadb};
use crate::support::peers::Peer;

/// The library that makes a MariaDB a node, as the server sees its path.
const PROVIDER: &str = "/usr/lib/galera/libgalera_smm.so";

/// What a node of a cluster is started with, which this one founds.
fn options(port: u16) -> Vec<String> {
    let inner = free_port();
    [
        "--wsrep-on=ON".to_owned(),
        format!("--wsrep-provider={PROVIDER}"),
        "--wsrep-cluster-address=gcomm://".to_owned(),
        "--wsrep-node-address=127.0.0.1".to_owned(),
        format!("--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:{port};ist.recv_addr=127.0.0.1:{inner};gcache.size=8M"),
        "--binlog-format=ROW".to_owned(),
        "--innodb-autoinc-lock-mode=2".to_owned(),
        "--performance-schema=ON".to_owned(),
    ]
    .to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_shows_what_mysqld_exporter_shows() {
    // MySQL has no Galera; its distributions are builds of their own.
    if !is_mariadb() {
        return;
    }
    let installed = Generation::under_test().root().join(PROVIDER.trim_start_matches('/'));
    assert!(installed.exists(), "{} is not there; mariadb-server brings it", installed.display());
    let options = options(free_port());
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    let node = Database::start(&options);
    let ready = async { while node.ask("SHOW GLOBAL STATUS LIKE 'wsrep_ready'").await[0][1] != "ON" {} };
    timeout(Duration::from_mins(1), ready).await.expect("the node forms its cluster");
    super::make_account(&node).await;
    let socket = node.socket();
    let password = node.daemon.folder().join("password");
    let exporter = Exporter::start(&format!(
        "[mysql.targets.main]\naddress = '{}'\nuser = 'vitrin'\npassword = {{ file = '{}' }}\n",
        socket.display(),
        password.display()
    ));
    let peer = Peer::mysqld(&format!("user=vitrin\npassword=secret\nsocket={}", socket.display()));
    let page = exporter.scrape();
    for (name, value) in [
        ("mysql_global_status_wsrep_cluster_size", 1.0),
        ("mysql_global_status_wsrep_ready", 1.0),
        ("mysql_global_status_wsrep_connected", 1.0),
        ("mysql_global_status_wsrep_cluster_status", 1.0),
        ("mysql_galera_gcache_size_bytes", f64::from(8 << 20)),
    ] {
        assert_eq!(page.number(name, &[]), value, "{name}");
    }
    let (ours, theirs) = (|| exporter.scrape(), || peer.page());
    for (prefix, families) in [("mysql_galera_", 5), ("mysql_global_status_wsrep_", 40)] {
        let deviations = Deviations::of("mysql");
        Differential { prefix, families, ours: &ours, peer: &theirs, deviations }.check();
    }
}
