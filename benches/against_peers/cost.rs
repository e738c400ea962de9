//! What scraping costs the exporters themselves, all scraped in turn.

use std::io;
use std::time::{Duration, Instant};

use crate::contender::Contender;
use crate::support::http::Connection;
use crate::support::process;

/// A way to ask for a page.
pub(crate) struct Form {
    pub(crate) name: &'static str,
    headers: &'static [(&'static str, &'static str)],
}

/// How people and Prometheus ask; memory is looked at after the first.
pub(crate) const FORMS: [Form; 4] = [
    Form {
        name: "As Prometheus 2.42 asks: OpenMetrics if there is any, gzip",
        headers: &[
            (
                "Accept",
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            ),
            ("Accept-Encoding", "gzip"),
            ("X-Prometheus-Scrape-Timeout-Seconds", "10"),
        ],
    },
    Form {
        name: "As Prometheus asks that wants native histograms: protobuf if there is any, gzip",
        headers: &[
            (
                "Accept",
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,\
                 application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            ),
            ("Accept-Encoding", "gzip"),
            ("X-Prometheus-Scrape-Timeout-Seconds", "10"),
        ],
    },
    Form { name: "Text 0.0.4, gzip", headers: &[("Accept", "text/plain;version=0.0.4"), ("Accept-Encoding", "gzip")] },
    Form { name: "Text 0.0.4, plain, as curl asks", headers: &[] },
];

/// The cost of one exporter.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// Resident memory after the scrapes of the first form, and the part of it that no file backs; bytes.
    pub(crate) rss: u64,
    pub(crate) anonymous: u64,
    /// One for each of [`FORMS`].
    pub(crate) scrapes: [Scrape; FORMS.len()],
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

/// The cost of each, scraped one after the other, round after round.
#[expect(clippy::print_stderr, reason = "how far it has come")]
pub(crate) fn of(contenders: &[Contender], rounds: usize) -> Vec<Cost> {
    let mut costs = vec![Cost::default(); contenders.len()];
    for (index, form) in FORMS.iter().enumerate() {
        eprintln!("{rounds} scrapes of each. {}", form.name);
        for (cost, scrape) in costs.iter_mut().zip(scrapes(contenders, form, rounds)) {
            cost.scrapes[index] = scrape;
        }
        if index == 0 {
            for (cost, contender) in costs.iter_mut().zip(contenders) {
                cost.rss = process::rss_bytes(contender.pid());
                cost.anonymous = process::anonymous_bytes(contender.pid());
            }
        }
    }
    costs
}

fn scrapes(contenders: &[Contender], form: &Form, rounds: usize) -> Vec<Scrape> {
    let mut connections: Vec<_> = contenders.iter().map(|each| Connection::open(each.address()).unwrap()).collect();
    let mut waits = vec![Vec::with_capacity(rounds); contenders.len()];
    let mut bytes = vec![0; contenders.len()];
    let cpu = || contenders.iter().map(|contender| process::cpu(contender.pid())).collect::<Vec<_>>();
    let before = cpu();
    for _ in 0..rounds {
        for (index, connection) in connections.iter_mut().enumerate() {
            let begun = Instant::now();
            let answer = scrape(connection, form.headers);
            waits[index].push(begun.elapsed());
            bytes[index] = answer.unwrap_or_else(|error| panic!("{}: {error}", contenders[index].name));
        }
    }
    let after = cpu();
    let rounds = u32::try_from(rounds).expect("a few thousand");
    let spent = before.into_iter().zip(after).map(|(before, after)| after.saturating_sub(before) / rounds);
    let times = waits.into_iter().map(|mut waits| {
        waits.sort();
        [50, 99].map(|percent| waits[(waits.len() * percent / 100).min(waits.len() - 1)])
    });
    let all = spent.zip(times).zip(bytes);
    all.map(|((cpu, [p50, p99]), bytes)| Scrape { cpu, p50, p99, bytes }).collect()
}

/// One scrape; gives the size of the body.
fn scrape(connection: &mut Connection, headers: &[(&str, &str)]) -> io::Result<usize> {
    let response = connection.ask("GET", "/metrics", headers)?;
    match response.status {
        200 => Ok(response.body.len()),
        status => Err(io::Error::other(format!("answered {status}"))),
    }
}

impl Cost {
    /// What several cost that are all scraped; the percentiles are of the slowest.
    pub(crate) fn sum<'a>(costs: impl IntoIterator<Item = &'a Self>) -> Self {
        costs.into_iter().fold(Self::default(), |sum, cost| Self {
            rss: sum.rss + cost.rss,
            anonymous: sum.anonymous + cost.anonymous,
            scrapes: std::array::from_fn(|form| sum.scrapes[form].with(cost.scrapes[form])),
        })
    }
}

impl Scrape {
    fn with(self, other: Self) -> Self {
        Self {
            cpu: self.cpu + other.cpu,
            p50: self.p50.max(other.p50),
            p99: self.p99.max(other.p99),
            bytes: self.bytes + other.bytes,
        }
    }
}
