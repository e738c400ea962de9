//! The whole program beside Debian's exporters, on the same servers: whoever changes over must miss nothing.

use crate::support::differential::{Deviations, Differential, lacking};
use crate::support::exporter::Exporter;
use crate::support::peers::Peer;
use crate::support::scrape::Page;
use crate::support::stack::Stack;

/// How much of the dashboard Node Exporter Full must work of what node_exporter gives it on this machine.
const DASHBOARD_PERCENT: usize = 95;

/// What popular dashboards and their alerts query.
const NODE: [&str; 2] = [
    include_str!("../fixtures/dashboards/1860-names.txt"),
    include_str!("../fixtures/dashboards/node-mixin-names.txt"),
];
const MYSQL: [&str; 2] = [
    include_str!("../fixtures/dashboards/14057-names.txt"),
    include_str!("../fixtures/dashboards/mysqld-mixin-names.txt"),
];
const REDIS: [&str; 2] = [
    include_str!("../fixtures/dashboards/763-names.txt"),
    include_str!("../fixtures/dashboards/redis-mixin-names.txt"),
];
const NGINX: [&str; 1] = [include_str!("../fixtures/dashboards/nginx-names.txt")];

/// Says how much there is of what the dashboards find at the peer, and fails when it is too little.
#[expect(clippy::print_stdout, reason = "how much is covered, for whoever runs the test")]
fn dashboards(topic: &str, lists: &[&str], theirs: &Page, ours: &Page) {
    for list in lists {
        let (lacking, live) = lacking(list, theirs, ours);
        println!("{topic}: {} of the {live} names that a dashboard finds at the peer", live - lacking.len());
        assert!(lacking.len() * 100 <= live * (100 - DASHBOARD_PERCENT), "{topic}: lacking {lacking:?}");
    }
}

/// Compares every family of a peer, of which it has this many at least, and what the dashboards ask of it.
fn compare(topic: &str, prefix: &str, families: usize, exporter: &Exporter, peer: &Peer, lists: &[&str]) {
    let (ours, theirs) = (|| exporter.scrape(), || peer.page());
    dashboards(topic, lists, &theirs(), &ours());
    let deviations = Deviations::of(topic);
    Differential { prefix, families, ours: &ours, peer: &theirs, deviations }.check();
}

#[test]
fn the_program_gives_what_mysqld_redis_and_nginx_exporter_give() {
    let stack = Stack::start();
    let exporter = Exporter::start(&stack.configuration());
    compare("mysql", "mysql_", 400, &exporter, &Peer::mysqld(&stack.mysql_client()), &MYSQL);
    compare("redis", "redis_", 100, &exporter, &Peer::redis(&stack.redis_url(), &[]), &REDIS);
    compare("nginx", "nginx_", 8, &exporter, &Peer::nginx(&stack.stub_status()), &NGINX);
}

#[test]
fn the_program_gives_what_node_exporter_gives() {
    compare("host", "node_", 150, &Exporter::start("[host]\nmdadm = true\n"), &Peer::node(), &NODE);
}
