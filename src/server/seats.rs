//! Room for connections: a limited number at a time, and whose turn it is to go when there are more.
//!
//! A newcomer is never kept waiting by those who only sit: when all seats are taken, one who is not being answered
//! gives up theirs. First goes who shares an address with the most others, from eight on, then who was never let in with a request,
//! then who has been quiet for longest. So somebody who opens connections and says nothing, or says it a byte a minute,
//! pushes out themselves and not the scraper.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::peer::Peer;

/// How many connections one address may have before they count against it: a few scrapers behind one address are no
/// crowd, and must not go before strangers who come from many addresses, one connection each.
const FEW: usize = 8;

/// All seats.
pub(super) struct Seats {
    number: usize,
    taken: Mutex<Taken>,
    /// A seat has become free, or who sits there idle.
    changed: Notify,
}

#[derive(Default)]
struct Taken {
    next: u64,
    sitters: HashMap<u64, Sitter>,
}

struct Sitter {
    peer: Peer,
    /// Whether a request is being answered.
    busy: bool,
    /// Whether one ever was let in: not refused for want of a password, for example.
    welcome: bool,
    /// Since when it is as it is.
    since: Instant,
    leave: CancellationToken,
}

impl Seats {
    pub(super) fn new(number: usize) -> Arc<Self> {
        Arc::new(Self { number, taken: Mutex::default(), changed: Notify::new() })
    }

    /// A seat, and whether somebody had to leave for it; waits only while everybody is being answered.
    pub(super) async fn take(self: &Arc<Self>, peer: Peer) -> (Seat, bool) {
        loop {
            let changed = self.changed.notified();
            if let Some(taken) = self.try_take(peer) {
                return taken;
            }
            changed.await;
        }
    }

    fn try_take(self: &Arc<Self>, peer: Peer) -> Option<(Seat, bool)> {
        let mut taken = self.lock();
        let full = taken.sitters.len() >= self.number;
        if full {
            let leaving = taken.next_to_leave()?;
            if let Some(sitter) = taken.sitters.remove(&leaving) {
                sitter.leave.cancel();
            }
        }
        let id = taken.next;
        taken.next += 1;
        let leave = CancellationToken::new();
        let sitter = Sitter { peer, busy: false, welcome: false, since: Instant::now(), leave: leave.clone() };
        taken.sitters.insert(id, sitter);
        Some((Seat { seats: self.clone(), id, leave }, full))
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().expect("no code panics while it holds this lock")
    }
}

impl Taken {
    fn next_to_leave(&self) -> Option<u64> {
        let mut alike: HashMap<Peer, usize> = HashMap::new();
        for sitter in self.sitters.values() {
            *alike.entry(sitter.peer).or_default() += 1;
        }
        let idle = self.sitters.iter().filter(|(_, sitter)| !sitter.busy);
        let order = |(id, sitter): &(&u64, &Sitter)| {
            let alone = usize::MAX - alike[&sitter.peer].max(FEW);
            (alone, sitter.welcome, sitter.since, **id)
        };
        idle.min_by_key(order).map(|(id, _)| *id)
    }
}

/// One connection's seat, free again when this is dropped.
pub(super) struct Seat {
    seats: Arc<Seats>,
    id: u64,
    /// Cancelled when somebody else has taken the seat.
    pub(super) leave: CancellationToken,
}

impl Seat {
    /// Says that a request is being answered, until what this gives is dropped; `None` when the seat is lost.
    pub(super) fn busy(&self) -> Option<Busy<'_>> {
        let mut taken = self.seats.lock();
        let sitter = taken.sitters.get_mut(&self.id)?;
        sitter.busy = true;
        Some(Busy(self))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.lock().sitters.remove(&self.id);
        self.seats.changed.notify_waiters();
    }
}

/// A request that is being answered.
pub(super) struct Busy<'a>(&'a Seat);

impl Busy<'_> {
    /// Says that the request was let in.
    pub(super) fn is_welcome(&self) {
        if let Some(sitter) = self.0.seats.lock().sitters.get_mut(&self.0.id) {
            sitter.welcome = true;
        }
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        if let Some(sitter) = self.0.seats.lock().sitters.get_mut(&self.0.id) {
            (sitter.busy, sitter.since) = (false, Instant::now());
        }
        self.0.seats.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use tokio::time::advance;

    use super::*;

    fn peer(host: u8) -> Peer {
        Peer::of([192, 0, 2, host].into())
    }

    /// Seats that are all taken, a second after each other, from these addresses.
    async fn full(hosts: &[u8]) -> (Arc<Seats>, Vec<Seat>) {
        let seats = Seats::new(hosts.len());
        let mut taken = Vec::new();
        for host in hosts {
            taken.push(seats.take(peer(*host)).await.0);
            advance(Duration::from_secs(1)).await;
        }
        (seats, taken)
    }

    fn who_left(taken: &[Seat]) -> Vec<usize> {
        (0..taken.len()).filter(|index| taken[*index].leave.is_cancelled()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_been_quiet_for_longest_leaves() {
        let (seats, taken) = full(&[1, 1, 1]).await;
        drop(taken.iter().map(|seat| seat.busy().unwrap()).collect::<Vec<_>>());
        advance(Duration::from_secs(1)).await;
        drop(taken[0].busy());
        let (_newcomer, made_room) = seats.take(peer(1)).await;
        assert!(made_room);
        assert_eq!(who_left(&taken), [1]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_never_let_in_leaves_before_who_was() {
        let (seats, taken) = full(&[1, 1, 1, 1]).await;
        for seat in &taken[..2] {
            seat.busy().unwrap().is_welcome();
        }
        drop(taken[3].busy());
        let _newcomers = [seats.take(peer(1)).await, seats.take(peer(1)).await];
        assert_eq!(who_left(&taken), [2, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_with_many_connections_pushes_out_its_own() {
        let hosts: Vec<_> = std::iter::once(9).chain(std::iter::repeat_n(1, FEW + 1)).collect();
        let (seats, taken) = full(&hosts).await;
        let _newcomer = seats.take(peer(2)).await;
        assert_eq!(who_left(&taken), [1]);
        assert!(taken[1].busy().is_none(), "the seat is lost");
    }

    #[tokio::test(start_paused = true)]
    async fn strangers_of_many_addresses_do_not_push_out_a_scraper_that_has_two_connections() {
        let (seats, taken) = full(&[1, 1, 2, 3]).await;
        for seat in &taken[..2] {
            seat.busy().unwrap().is_welcome();
        }
        let _newcomers = [seats.take(peer(4)).await, seats.take(peer(5)).await];
        assert_eq!(who_left(&taken), [2, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_leaves_while_being_answered() {
        let (seats, taken) = full(&[1, 1]).await;
        let (first, _second) = (taken[0].busy(), taken[1].busy());
        let mut newcomer = Box::pin(seats.take(peer(2)));
        assert!(newcomer.as_mut().now_or_never().is_none());
        drop(first);
        let (_seat, made_room) = newcomer.await;
        assert!(made_room);
        assert_eq!(who_left(&taken), [0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_seat_that_is_given_back_is_free() {
        let (seats, mut taken) = full(&[1, 1]).await;
        taken.pop();
        let (_seat, made_room) = seats.take(peer(2)).await;
        assert!(!made_room);
        assert_eq!(who_left(&taken), [0; 0]);
    }
}
