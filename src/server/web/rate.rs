//! How often one client may ask: a bucket of requests for each address, filled by one every interval.
//!
//! exporter-toolkit has one bucket for everybody, which lets any client use up the scraper's share.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::server::peer::Peer;

/// How many addresses are known at a time; above it the one that was quiet for longest is forgotten.
const PEERS: usize = 4_096;

/// The buckets.
pub(super) struct Rate {
    interval: Duration,
    burst: u32,
    buckets: Mutex<HashMap<Peer, Bucket>>,
}

struct Bucket {
    requests: f64,
    asked: Instant,
}

impl Rate {
    /// A limit of `burst` requests at once, and one more each `interval`.
    pub(super) fn new(interval: Duration, burst: u32) -> Self {
        Self { interval, burst, buckets: Mutex::default() }
    }

    /// Whether this client may ask now; if so it has.
    pub(super) fn admits(&self, peer: Peer) -> bool {
        let now = Instant::now();
        let burst = f64::from(self.burst);
        let mut buckets = self.buckets.lock().expect("no code panics while it holds this lock");
        if buckets.len() == PEERS && !buckets.contains_key(&peer) {
            let quietest = buckets.iter().min_by_key(|(_, bucket)| bucket.asked).map(|(peer, _)| *peer);
            quietest.and_then(|peer| buckets.remove(&peer));
        }
        let bucket = buckets.entry(peer).or_insert(Bucket { requests: burst, asked: now });
        let added = now.duration_since(bucket.asked).as_secs_f64() / self.interval.as_secs_f64();
        bucket.requests = (bucket.requests + added).min(burst);
        bucket.asked = now;
        let admitted = bucket.requests >= 1.0;
        if admitted {
            bucket.requests -= 1.0;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_let_through_and_then_one_each_interval() {
        let rate = Rate::new(Duration::from_secs(2), 3);
        let asked = |count| (0..count).filter(|_| rate.admits(Peer::Local)).count();
        assert_eq!(asked(10), 3);
        tokio::time::advance(Duration::from_secs(4)).await;
        assert_eq!(asked(10), 2);
        tokio::time::advance(Duration::from_hours(1)).await;
        assert_eq!(asked(10), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_does_not_use_up_what_is_another_s() {
        let rate = Rate::new(Duration::from_secs(1), 1);
        let peer = |host| Peer::of([192, 0, 2, host].into());
        assert!(rate.admits(peer(1)) && !rate.admits(peer(1)) && rate.admits(peer(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_addresses_is_limited() {
        let rate = Rate::new(Duration::from_secs(1), 1);
        for host in 0..u32::try_from(2 * PEERS).unwrap() {
            rate.admits(Peer::of(std::net::IpAddr::from(host.to_be_bytes())));
        }
        assert_eq!(rate.buckets.lock().unwrap().len(), PEERS);
    }
}
