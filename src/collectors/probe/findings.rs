//! What a probe has learned so far, which stays true when it fails.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::time::Instant;

use super::certificates::Found;
use super::dns::Answered;
use super::ending::{Ending, Trouble};
use super::handshake::Encrypted;
use super::http::Visited;
use crate::net::connect::{self, Family, is_private};
use crate::net::threads::Threads;
use crate::snapshot::Snapshot;
use crate::tls::inspection::Inspection;

crate::metrics! {
    DropIn as METRICS;
    /// Time that the last probe took to look up the address of what it probes, in seconds; next to nothing for an IP address.
    LOOKUP = Gauge("probe_dns_lookup_time_seconds", Seconds, []);
    /// Version of the Internet Protocol that the last probe was made over, 4 or 6.
    PROTOCOL = Gauge("probe_ip_protocol", None, []);
    /// A number made of the IP address that the last probe went to, which is another when the address is another.
    ADDRESS = Gauge("probe_ip_addr_hash", None, []);
    /// Whether the last probe failed since what was answered has not the words it should have, or has those it should not, 1 or 0.
    FAILED_DUE_TO_REGEX = Gauge("probe_failed_due_to_regex", None, []);
}

/// What a probe has learned so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    threads: Threads,
    lookup: Option<Duration>,
    address: Option<IpAddr>,
    /// Whether it was the words that were not as expected; `None` for probes of what has no words.
    words: Option<bool>,
    /// What it is at, for whoever asks why it is not done yet.
    doing: String,
    pub(super) visited: Option<Visited>,
    pub(super) answered: Option<Answered>,
    /// What came of the last handshake, and of the certificates that it showed.
    pub(super) inspection: Option<Inspection>,
    /// The certificates on disk.
    pub(super) files: Option<Found>,
    /// Where the server that was configured speaks TLS.
    pub(super) encrypted: Option<Encrypted>,
}

impl Findings {
    /// Nothing yet, for a target with these threads.
    pub(super) fn of(threads: Threads) -> Self {
        Self { threads, ..Self::default() }
    }

    /// Looks up a name, whose first address counts as the one that is probed until another is connected to.
    pub(super) async fn resolve(&mut self, host: &str, port: u16, family: Family) -> Result<Vec<SocketAddr>, Trouble> {
        self.doing(format!("looking up `{host}`"));
        let begun = Instant::now();
        let found = connect::resolve(host, port, family, &self.threads).await;
        *self.lookup.get_or_insert_default() += begun.elapsed();
        let addresses = found.map_err(Trouble::of_a_name)?;
        self.address = addresses.first().map(SocketAddr::ip);
        let place = addresses.first().map_or_else(String::new, ToString::to_string);
        self.doing(format!("connecting to {place}"));
        Ok(addresses)
    }

    /// Says what is being done.
    pub(super) fn doing(&mut self, what: impl Into<String>) {
        self.doing = what.into();
    }

    /// Notes the address that was connected to.
    pub(super) fn reached(&mut self, address: IpAddr) {
        self.address = Some(address);
    }

    /// Notes that words are expected.
    pub(super) fn expects_words(&mut self) {
        self.words.get_or_insert(false);
    }

    /// Notes that it is the words that are not as expected.
    pub(super) fn fail_by_words(&mut self) {
        self.words = Some(true);
    }

    /// That the time is over.
    pub(super) fn late(&self, limit: Duration) -> Trouble {
        Trouble::new(Ending::Timeout, format!("{}: not done within {limit:?}", self.doing))
    }

    /// Turns it into samples.
    pub(super) fn report(&mut self, out: &mut Snapshot) {
        if let Some(lookup) = self.lookup {
            out.push(&LOOKUP, [], lookup.as_secs_f64());
        }
        if let Some(address) = self.address {
            let address = address.to_canonical();
            out.push(&PROTOCOL, [], if address.is_ipv4() { 4_u8 } else { 6 });
            out.push(&ADDRESS, [], hash(address));
        }
        if let Some(failed) = self.words {
            out.push(&FAILED_DUE_TO_REGEX, [], failed);
        }
        if let Some(visited) = &self.visited {
            visited.report(out);
        }
        if let Some(inspection) = &self.inspection {
            inspection.report(out);
        }
        if let Some(answered) = &self.answered {
            answered.report(out);
        }
        if let Some(files) = self.files.take() {
            files.report(out);
        }
    }
}

/// FNV-1a of the address' bytes, as blackbox_exporter makes it.
fn hash(address: IpAddr) -> u32 {
    let bytes = match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Those of the addresses that a redirect may lead to.
pub(super) fn public(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    addresses.into_iter().filter(|address| !is_private(address.ip())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_an_address_is_that_of_blackbox_exporter() {
        // What it shows for a page at this address.
        assert_eq!(hash("127.0.0.1".parse().unwrap()), 3_668_918_509);
    }
}
