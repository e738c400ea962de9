//! Leaky buckets: what a client may do how often before it is an incident, and the bounded table of who did.
//!
//! A bucket takes `capacity` events and loses one every `leak`; one more is an incident. Sizes are those that CrowdSec
//! publishes for the same scenarios. Times are the log's own, in whole seconds.

#[cfg(test)]
mod tests;

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
    /// A client's bucket is in one of the places of its set.
    places: Vec<Bucket>,
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
        Self { size, places: Vec::new(), held: Vec::new(), evictions: 0 }
    }

    /// Pours an event of `client` into its bucket; `what` tells it from others.
    pub(super) fn pour(&mut self, client: u64, now: i64, what: u64) -> Poured {
        let now = seconds(now);
        let place = self.place(client, now);
        let Size { capacity, leak, distinct } = self.size;
        let bucket = &mut self.places[place];
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
        self.places.iter().filter(|bucket| bucket.until > now).count()
    }

    /// How many clients were forgotten too early, for want of room.
    pub(super) fn evictions(&self) -> u64 {
        self.evictions
    }

    /// Gives memory back when nobody is left whose bucket holds anything.
    pub(super) fn rest(&mut self, now: i64) {
        let now = seconds(now);
        let leak = self.size.leak;
        if self.places.iter().all(|bucket| is_empty(bucket, leak, now)) {
            self.places = Vec::new();
            self.held = Vec::new();
        }
    }

    /// Where the client's bucket stands: its own, an empty one, or the one that was longest not used.
    fn place(&mut self, client: u64, now: u32) -> usize {
        loop {
            let sets = self.places.len() / WAYS;
            if sets > 0 {
                #[expect(clippy::cast_possible_truncation, reason = "only the lowest bits count")]
                let first = (client as usize & (sets - 1)) * WAYS;
                let set = &mut self.places[first..first + WAYS];
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
        let sets = (self.places.len() / WAYS * 2).max(FEWEST_SETS);
        let before = std::mem::replace(&mut self.places, vec![Bucket::default(); sets * WAYS]);
        let held = std::mem::replace(&mut self.held, vec![0; sets * WAYS * room]);
        for (from, bucket) in before.into_iter().enumerate() {
            if !is_empty(&bucket, self.size.leak, now) {
                let to = self.place(bucket.client, now);
                self.places[to] = bucket;
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
