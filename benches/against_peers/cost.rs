//! What scraping one exporter costs.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::support::http::Connection;
use crate::support::process;

/// Scrapes after which a fresh process has reached its working size.
const WARM_UP: usize = 20;

/// Rounds, of which the median counts, and scrapes in each: the kernel counts processor time in hundredths of a second,
/// so that a round must hold many.
const ROUNDS: usize = 3;
const SCRAPES: usize = 200;

/// What a person with `curl` asks for, and what Prometheus does.
pub(crate) const PLAIN: &[(&str, &str)] = &[];
pub(crate) const PROMETHEUS: &[(&str, &str)] = &[
    (
        "Accept",
        "application/openmetrics-text;version=1.0.0;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,\
         text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    ),
    ("Accept-Encoding", "gzip"),
    ("X-Prometheus-Scrape-Timeout-Seconds", "10"),
];

/// The cost of one exporter, of ours or of a peer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// Resident memory after the warm-up, and the part of it that no file backs; bytes.
    pub(crate) rss: u64,
    pub(crate) anonymous: u64,
    pub(crate) plain: Scrape,
    pub(crate) gzip: Scrape,
}

/// The cost of one scrape.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scrape {
    /// Processor time of the exporter.
    pub(crate) cpu: Duration,
    /// Time from request to the last byte: median, and the 99th percentile.
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// Size of the body.
    pub(crate) bytes: usize,
}

impl Cost {
    /// Measures the exporter at this address, which has just been started.
    pub(crate) fn of(address: SocketAddr, pid: u32) -> io::Result<Self> {
        let mut connection = Connection::open(address)?;
        for _ in 0..WARM_UP {
            scrape(&mut connection, PROMETHEUS)?;
        }
        let (rss, anonymous) = (process::rss_bytes(pid), process::anonymous_bytes(pid));
        let plain = Scrape::of(&mut connection, pid, PLAIN)?;
        let gzip = Scrape::of(&mut connection, pid, PROMETHEUS)?;
        Ok(Self { rss, anonymous, plain, gzip })
    }

    /// What several cost that are all scraped; the percentiles are of the slowest.
    pub(crate) fn sum(costs: impl IntoIterator<Item = Self>) -> Self {
        costs.into_iter().fold(Self::default(), |sum, cost| Self {
            rss: sum.rss + cost.rss,
            anonymous: sum.anonymous + cost.anonymous,
            plain: sum.plain.with(cost.plain),
            gzip: sum.gzip.with(cost.gzip),
        })
    }
}

impl Scrape {
    fn of(connection: &mut Connection, pid: u32, headers: &[(&str, &str)]) -> io::Result<Self> {
        let mut spent = Vec::new();
        let mut waits = Vec::new();
        let mut bytes = 0;
        for _ in 0..ROUNDS {
            let before = process::cpu(pid);
            for _ in 0..SCRAPES {
                let begun = Instant::now();
                bytes = scrape(connection, headers)?;
                waits.push(begun.elapsed());
            }
            spent.push(process::cpu(pid).saturating_sub(before));
        }
        spent.sort();
        waits.sort();
        let scrapes = u32::try_from(SCRAPES).expect("a few hundred");
        let [p50, p99] = [waits.len() / 2, waits.len() * 99 / 100].map(|index| waits[index]);
        Ok(Self { cpu: spent[ROUNDS / 2] / scrapes, p50, p99, bytes })
    }

    fn with(self, other: Self) -> Self {
        Self {
            cpu: self.cpu + other.cpu,
            p50: self.p50.max(other.p50),
            p99: self.p99.max(other.p99),
            bytes: self.bytes + other.bytes,
        }
    }
}

/// One scrape; gives the size of the body.
fn scrape(connection: &mut Connection, headers: &[(&str, &str)]) -> io::Result<usize> {
    let response = connection.ask("GET", "/metrics", headers)?;
    match response.status {
        200 => Ok(response.body.len()),
        status => Err(io::Error::other(format!("answered {status}"))),
    }
}
