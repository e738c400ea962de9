//! What fits, what does not, and how much room it takes.

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
    assert_eq!(
        poured(trigger, times.map(|time| (time, 0))),
        [Poured::Incident, Poured::Over, Poured::Over, Poured::Incident]
    );
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
        assert_eq!(buckets.places.len(), CLIENTS);
        assert_eq!(buckets.places.capacity(), CLIENTS);
        assert!(buckets.held.len() <= CLIENTS * 3);
        assert!(buckets.evictions() >= 100_000 - CLIENTS as u64, "{}", buckets.evictions());
        buckets.rest(1009);
        assert_eq!(buckets.places.len(), CLIENTS);
        buckets.rest(1010);
        assert_eq!(buckets.places.capacity(), 0);
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
    assert_eq!(poured(FAILURES, [(9000, 0), (9000, 0), (9000, 0), (9000, 0), (9000, 0), (5000, 0)])[5], Poured::Fits);
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
