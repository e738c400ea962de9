//! Leaky buckets: what a client may do how often before it is an incident, and the bounded table of who did.
//!
//! A bucket takes `capacity` events and loses one every `leak`; one more is an incident. Sizes are those that CrowdSec
//! publishes for the same scenarios. Times are the log's own, in whole seconds.

/// A client's bucket stands in one of so many places, found by its hash.
const WAYS: usize = 4;

/// Sets of ways at the beginning, and at most: a table knows 16,384 clients. When there are more, those seen last stay.
const FEWEST_SETS: usize = 16;
const MOST_SETS: usize = 4096;

/// For how long a client must have been quiet, in seconds, before what it does is another incident.
pub(super) const QUIET: u32 = 300;

/// A clock that goes back by more, in seconds, was set: what was known from before counts no longer.
const SET_BACK: u32 = 3600;

/// What a bucket takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// How many events fit.
    pub(super) capacity: u16,
    /// How the bucket gets empty again.
    pub(super) leak: Leak,
    /// Whether the same thing again is no event.
    pub(super) distinct: bool,
}

/// How a bucket gets empty.
#[derive(Clone, Copy, Debug)]
pub(super) enum Leak {
    /// By one event each so many milliseconds.
    Each(u32),
    /// At once, so many seconds after it got its first.
    After(u32),
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Poured {
    /// It fits, or is none.
    Fits,
    /// One too many.
    Over,
    /// The first that is too many since the client was quiet: an incident.
    Incident,
}

/// The buckets of all clients for one kind of thing.
#[derive(Clone, Debug)]
pub(super) struct Buckets {
    size: Size,
    buckets: Vec<Bucket>,
    /// What each bucket holds, when it tells events apart.
    held: Vec<u32>,
    evictions: u64,
}

/// One client's. A place that nobody has is one that is empty.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    client: u64,
    /// When it was last poured into; for [`Leak::After`], first. Seconds since 1970.
    at: u32,
    /// Until when the client is over its limit. Seconds since 1970; 0 when it never was.
    until: u32,
    /// What is in it: milliseconds of leaking, or a number of events.
    level: u32,
    /// How many different things were poured in since it was empty.
    different: u32,
}

impl Buckets {
    /// No client has a bucket yet.
    pub(super) fn new(size: Size) -> Self {
        Self { size, buckets: Vec::new(), held: Vec::new(), evictions: 0 }
    }

    /// Pours an event of `client` into its bucket; `what` tells it from others.
    pub(super) fn pour(&mut self, client: u64, now: i64, what: u64) -> Poured {
        let now = seconds(now);
        let place = self.place(client, now);
        let Size { capacity, leak, distinct } = self.size;
        let bucket = &mut self.buckets[place];
        leaked(bucket, leak, now);
        if distinct {
            let room = usize::from(capacity);
            let held = &mut self.held[place * room..][..room];
            #[expect(clippy::cast_possible_truncation, reason = "a part of a hash tells few things apart well enough")]
            let what = what as u32;
            let known = held.len().min(bucket.different as usize);
            if held[..known].contains(&what) {
                return Poured::Fits;
            }
            held[bucket.different as usize % room] = what;
            bucket.different = bucket.different.saturating_add(1);
        }
        let (one, most) = match leak {
            Leak::Each(leak) => (leak, leak * u32::from(capacity)),
            Leak::After(_) => (1, u32::from(capacity)),
        };
        if bucket.level + one <= most {
            bucket.level += one;
            return Poured::Fits;
        }
        let was_quiet = bucket.until <= now;
        bucket.until = now.saturating_add(QUIET);
        if was_quiet { Poured::Incident } else { Poured::Over }
    }

    /// How many clients are over their limit.
    pub(super) fn over(&self, now: i64) -> usize {
        let now = seconds(now);
        self.buckets.iter().filter(|bucket| bucket.until > now).count()
    }

    /// How many clients were forgotten too early, for want of room.
    pub(super) fn evictions(&self) -> u64 {
        self.evictions
    }

    /// Gives memory back when nobody is left whose bucket holds anything.
    pub(super) fn rest(&mut self, now: i64) {
        let now = seconds(now);
        let leak = self.size.leak;
        if self.buckets.iter().all(|bucket| is_empty(bucket, leak, now)) {
            self.buckets = Vec::new();
            self.held = Vec::new();
        }
    }

    /// Where the client's bucket stands: its own, an empty one, or the one that was longest not used.
    fn place(&mut self, client: u64, now: u32) -> usize {
        loop {
            let sets = self.buckets.len() / WAYS;
            if sets > 0 {
                #[expect(clippy::cast_possible_truncation, reason = "only the lowest bits count")]
                let first = (client as usize & (sets - 1)) * WAYS;
                let set = &mut self.buckets[first..first + WAYS];
                if let Some(own) = set.iter().position(|bucket| bucket.client == client) {
                    return first + own;
                }
                let leak = self.size.leak;
                let free = set.iter().position(|bucket| is_empty(bucket, leak, now));
                let oldest = || (0..WAYS).min_by_key(|way| set[*way].at.max(set[*way].until.saturating_sub(QUIET)));
                let taken = free.or_else(|| if sets == MOST_SETS { oldest() } else { None });
                if let Some(way) = taken {
                    self.evictions += u64::from(free.is_none());
                    set[way] = Bucket { client, at: now, ..Bucket::default() };
                    return first + way;
                }
            }
            self.grow(now);
        }
    }

    /// Twice the room. What stood in one set parts into two, so that each has room for its own.
    fn grow(&mut self, now: u32) {
        let room = if self.size.distinct { usize::from(self.size.capacity) } else { 0 };
        let sets = (self.buckets.len() / WAYS * 2).max(FEWEST_SETS);
        let before = std::mem::replace(&mut self.buckets, vec![Bucket::default(); sets * WAYS]);
        let held = std::mem::replace(&mut self.held, vec![0; sets * WAYS * room]);
        for (from, bucket) in before.into_iter().enumerate() {
            if !is_empty(&bucket, self.size.leak, now) {
                let to = self.place(bucket.client, now);
                self.buckets[to] = bucket;
                self.held[to * room..][..room].copy_from_slice(&held[from * room..][..room]);
            }
        }
    }
}

/// Times before 1970 and after 2106 are no server's.
fn seconds(time: i64) -> u32 {
    u32::try_from(time.max(0)).unwrap_or(u32::MAX)
}

/// Lets out what leaked since the last time. A log is not quite in order: a line from before leaks nothing.
fn leaked(bucket: &mut Bucket, leak: Leak, now: u32) {
    if bucket.at.saturating_sub(now) > SET_BACK {
        *bucket = Bucket { client: bucket.client, ..Bucket::default() };
    }
    let passed = now.saturating_sub(bucket.at);
    match leak {
        Leak::Each(_) => {
            bucket.level = bucket.level.saturating_sub(passed.saturating_mul(1000));
            bucket.at = bucket.at.max(now);
        }
        Leak::After(window) if passed >= window => bucket.level = 0,
        Leak::After(_) => {}
    }
    if bucket.level == 0 {
        bucket.different = 0;
        bucket.at = now;
    }
}

fn is_empty(bucket: &Bucket, leak: Leak, now: u32) -> bool {
    let mut bucket = *bucket;
    leaked(&mut bucket, leak, now);
    bucket.level == 0 && bucket.until <= now
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CLIENTS: usize = MOST_SETS * WAYS;
    const FAILURES: Size = Size { capacity: 5, leak: Leak::Each(10_000), distinct: false };
    const PAGES: Size = Size { capacity: 3, leak: Leak::Each(10_000), distinct: true };
    const IDS: Size = Size { capacity: 60, leak: Leak::After(60), distinct: true };

    /// What becomes of events at these times.
    fn poured(size: Size, events: impl IntoIterator<Item = (i64, u64)>) -> Vec<Poured> {
        let mut buckets = Buckets::new(size);
        events.into_iter().map(|(time, what)| buckets.pour(7, time, what)).collect()
    }

    #[test]
    fn what_fits_is_no_incident_and_one_more_is() {
        assert_eq!(poured(FAILURES, [(0, 0); 5]), [Poured::Fits; 5]);
        assert_eq!(poured(FAILURES, [(0, 0); 6])[5], Poured::Incident);
        assert_eq!(poured(FAILURES, [(0, 0), (0, 0), (0, 0), (0, 0), (0, 0), (9, 0)])[5], Poured::Incident);
        assert_eq!(poured(FAILURES, [(0, 0), (0, 0), (0, 0), (0, 0), (0, 0), (10, 0)])[5], Poured::Fits);
    }

    #[test]
    fn a_bucket_without_room_takes_nothing() {
        let trigger = Size { capacity: 0, leak: Leak::Each(1000), distinct: false };
        assert_eq!(poured(trigger, [(0, 0)]), [Poured::Incident]);
    }

    #[test]
    fn six_mistakes_within_a_minute_are_human() {
        assert_eq!(poured(FAILURES, [0, 11, 22, 33, 44, 55].map(|time| (time, 0))), [Poured::Fits; 6]);
    }

    #[test]
    fn the_same_page_again_is_no_event() {
        assert_eq!(poured(PAGES, [(0, 1); 100]), [Poured::Fits; 100]);
        assert_eq!(poured(PAGES, [(0, 1), (0, 2), (0, 3), (0, 2), (0, 1)]), [Poured::Fits; 5]);
        assert_eq!(poured(PAGES, [(0, 1), (0, 2), (0, 3), (0, 4)])[3], Poured::Incident);
        // An hour later, it is one again.
        let times = [0, 0, 0, 3600, 3600, 3600, 3600];
        let pages = [1, 2, 3, 1, 2, 3, 4];
        assert_eq!(poured(PAGES, times.into_iter().zip(pages))[6], Poured::Incident);
    }

    #[test]
    fn a_window_ends_a_minute_after_its_first_event() {
        let ids = |count: u64, last: i64| (0..count).map(move |id| (if id + 1 == count { last } else { 0 }, id));
        assert!(poured(IDS, ids(60, 59)).iter().all(|poured| *poured == Poured::Fits));
        assert_eq!(poured(IDS, ids(61, 59))[60], Poured::Incident);
        assert_eq!(poured(IDS, ids(61, 60))[60], Poured::Fits);
    }

    #[test]
    fn it_is_one_incident_until_the_client_was_quiet() {
        let quiet = i64::from(QUIET);
        let trigger = Size { capacity: 0, leak: Leak::Each(1000), distinct: false };
        let times = [0, quiet - 1, 2 * quiet - 2, 3 * quiet - 2];
        use Poured::{Incident, Over};
        assert_eq!(poured(trigger, times.map(|time| (time, 0))), [Incident, Over, Over, Incident]);
    }

    #[test]
    fn who_is_over_the_limit_is_so_for_five_minutes() {
        let mut buckets = Buckets::new(Size { capacity: 0, leak: Leak::Each(1000), distinct: false });
        for client in 1..=3 {
            buckets.pour(client, 1000, 0);
            buckets.pour(client, 1000, 0);
        }
        assert_eq!((buckets.over(1000), buckets.over(1299), buckets.over(1300)), (3, 3, 0));
    }

    #[test]
    fn a_hundred_thousand_clients_need_no_more_room_than_the_table_has() {
        for size in [FAILURES, PAGES] {
            let mut buckets = Buckets::new(size);
            for client in 0..100_000_u64 {
                buckets.pour(client.wrapping_mul(0x9e37_79b9_7f4a_7c15), 1000, client);
            }
            assert_eq!(buckets.buckets.len(), CLIENTS);
            assert_eq!(buckets.buckets.capacity(), CLIENTS);
            assert!(buckets.held.len() <= CLIENTS * 3);
            assert!(buckets.evictions() >= 100_000 - CLIENTS as u64, "{}", buckets.evictions());
            buckets.rest(1009);
            assert_eq!(buckets.buckets.len(), CLIENTS);
            buckets.rest(1010);
            assert_eq!(buckets.buckets.capacity(), 0);
        }
    }

    #[test]
    fn clients_do_not_fill_each_others_buckets() {
        let mut buckets = Buckets::new(FAILURES);
        let clients = (0..4000_u64).map(|client| client.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect::<Vec<_>>();
        for _ in 0..5 {
            assert!(clients.iter().all(|client| buckets.pour(*client, 5, 0) == Poured::Fits));
        }
        assert_eq!(buckets.evictions(), 0);
        assert!(clients.iter().all(|client| buckets.pour(*client, 5, 0) == Poured::Incident));
        assert_eq!(buckets.over(5), 4000);
    }

    #[test]
    fn a_clock_that_was_set_back_starts_anew() {
        assert_eq!(
            poured(FAILURES, [(9000, 0), (9000, 0), (9000, 0), (9000, 0), (9000, 0), (5000, 0)])[5],
            Poured::Fits
        );
    }

    proptest! {
        #[test]
        fn no_more_fits_than_the_bucket_has_room_for(
            times in prop::collection::vec(0_i64..200, 1..80), capacity in 0_u16..8, leak in 1_u32..20,
        ) {
            let mut times = times;
            times.sort_unstable();
            let size = Size { capacity, leak: Leak::Each(leak * 1000), distinct: false };
            let fitting = poured(size, times.iter().map(|time| (*time, 0))).iter().filter(|p| **p == Poured::Fits).count();
            let passed = u64::try_from(times[times.len() - 1] - times[0]).unwrap();
            prop_assert!(fitting as u64 <= u64::from(capacity) + passed / u64::from(leak) + 1);
        }

        #[test]
        fn no_time_panics(events in prop::collection::vec((any::<i64>(), any::<u64>(), any::<u64>()), 0..60)) {
            for size in [FAILURES, PAGES, IDS] {
                let mut buckets = Buckets::new(size);
                for (time, client, what) in &events {
                    buckets.pour(*client, *time, *what);
                    prop_assert!(buckets.over(*time) <= events.len());
                }
            }
        }
    }
}
