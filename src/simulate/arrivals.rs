//! Connections as they come in, so many at once.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::lines::Lines;

/// How long no connection is taken after one could not be.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where connections come in, and what is to be known for it.
pub(super) struct Arrivals {
    pub(super) listener: TcpListener,
    /// How many are open at once; the next one waits.
    pub(super) most: usize,
    pub(super) lines: Lines,
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
}

impl Arrivals {
    /// Takes connections until told to stop, each into a task of its own.
    pub(super) async fn attend<F: Future<Output = ()> + Send + 'static>(
        self,
        attend: impl Fn(TcpStream, SocketAddr) -> F,
    ) {
        let seats = Arc::new(Semaphore::new(self.most));
        loop {
            let arrival = async {
                let seat = seats.clone().acquire_owned().await;
                (seat, self.listener.accept().await)
            };
            match self.stop.run_until_cancelled(arrival).await {
                None => return,
                Some((seat, Ok((stream, client)))) => {
                    let attended = attend(stream, client);
                    let stop = self.stop.clone();
                    self.tasks.spawn(async move {
                        stop.run_until_cancelled(attended).await;
                        drop(seat);
                    });
                }
                Some((_, Err(error))) => {
                    self.lines.say(format!("taking a connection: {error}"));
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}
