//! The harness: real servers and the real binary, on free loopback ports, in folders that go away.

pub(crate) mod apache;
pub(crate) mod broken;
pub(crate) mod certificates;
pub(crate) mod daemon;
pub(crate) mod differential;
pub(crate) mod dnsmasq;
pub(crate) mod document;
pub(crate) mod exporter;
pub(crate) mod found;
pub(crate) mod fresh;
pub(crate) mod front;
pub(crate) mod generation;
pub(crate) mod http;
pub(crate) mod judges;
pub(crate) mod mariadb;
pub(crate) mod nginx;
pub(crate) mod peers;
pub(crate) mod php_fpm;
pub(crate) mod process;
pub(crate) mod prometheus;
pub(crate) mod proxy;
pub(crate) mod redis;
pub(crate) mod scrape;
pub(crate) mod sight;
pub(crate) mod simulator;
pub(crate) mod soak;
pub(crate) mod stack;
pub(crate) mod storefront;
pub(crate) mod systemd;
pub(crate) mod tls_server;
#[expect(dead_code, reason = "the drills and the tests of the dashboards use a part each")]
pub(crate) mod world;
