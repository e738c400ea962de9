//! What stands in front of a real server and can be told, while it runs, to do everything wrong.

mod manner;

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::time::sleep;

use super::daemon::{eventually, free_port};
use manner::heard;
pub(crate) use manner::{At, Manner, Then};

/// How long until a port is tried again that something else has just now.
const PORT_PAUSE: Duration = Duration::from_millis(20);

/// A port in front of a server; it is let go when this is dropped.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) port: u16,
    orders: watch::Sender<Order>,
    state: Arc<State>,
}

/// A manner, and the how manieth it is.
#[derive(Clone, Debug)]
struct Order {
    number: usize,
    manner: Manner,
}

/// What has become of the orders.
#[derive(Debug, Default)]
struct State {
    /// The last order that is kept by whoever listens.
    kept: AtomicUsize,
    /// The open connections, by the order they were taken under.
    open: Mutex<BTreeMap<usize, usize>>,
}

impl Front {
    /// Listens, unless it is to refuse.
    pub(crate) fn start(manner: Manner) -> Self {
        let port = free_port();
        let (orders, received) = watch::channel(Order { number: 1, manner });
        let state = Arc::new(State::default());
        runtime().spawn(keep(port, received, Arc::clone(&state)));
        let front = Self { port, orders, state };
        front.wait_until_kept(1);
        front
    }

    /// Behaves so from now on. Connections that are open are closed, or fall silent with the rest.
    pub(crate) fn turn(&self, manner: Manner) {
        let silent = matches!(manner, Manner::Silence);
        let number = self.orders.borrow().number + 1;
        self.orders.send_replace(Order { number, manner });
        self.wait_until_kept(number);
        let older = || self.state.open().range(..number).next().is_some();
        eventually("connections to be closed", || silent || !older());
    }

    fn wait_until_kept(&self, number: usize) {
        eventually("the front to listen", || self.state.kept.load(Ordering::Relaxed) >= number);
    }

    /// How many connections are open.
    pub(crate) fn open(&self) -> usize {
        self.state.open().values().sum()
    }
}

impl State {
    fn open(&self) -> MutexGuard<'_, BTreeMap<usize, usize>> {
        self.open.lock().expect("no code panics while it holds this lock")
    }

    fn count(&self, number: usize) {
        *self.open().entry(number).or_default() += 1;
    }

    fn discount(&self, number: usize) {
        let mut open = self.open();
        let left = open.get(&number).map_or(0, |count| count - 1);
        if left == 0 {
            open.remove(&number)
        } else {
            open.insert(number, left)
        };
    }
}

/// What all fronts of the test run run in.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap())
}

/// Keeps the port until the front is dropped.
async fn keep(port: u16, mut orders: watch::Receiver<Order>, state: Arc<State>) {
    let mut listener = None;
    loop {
        let Order { number, manner } = orders.borrow_and_update().clone();
        listener = match (manner, listener) {
            (Manner::Refuse, _) => None,
            (_, None) => Some(listen(port).await),
            (_, listening) => listening,
        };
        state.kept.store(number, Ordering::Relaxed);
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = orders.changed() => if changed.is_err() {
                return;
            },
            accepted = accepted => {
                let (stream, _) = accepted.unwrap();
                let (orders, state) = (orders.clone(), Arc::clone(&state));
                state.count(number);
                runtime().spawn(async move {
                    // The other side hanging up is how most of these conversations end.
                    serve(stream, number, orders).await.ok();
                    state.discount(number);
                });
            }
        }
    }
}

async fn listen(port: u16) -> TcpListener {
    loop {
        // A connection that is only just ending may be in the way for a moment.
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)).await {
            return listener;
        }
        sleep(PORT_PAUSE).await;
    }
}

/// One connection, until either side ends it or there is another order.
async fn serve(mut stream: TcpStream, number: usize, mut orders: watch::Receiver<Order>) -> io::Result<()> {
    let order = orders.borrow_and_update().clone();
    if order.number == number {
        tokio::select! {
            ended = order.manner.apply(&mut stream) => return ended,
            changed = orders.changed() => if changed.is_err() {
                return Ok(());
            },
        }
    }
    if !matches!(orders.borrow().manner, Manner::Silence) {
        return Ok(());
    }
    tokio::select! {
        gone = heard(&mut stream) => gone,
        _ = orders.changed() => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::time::Duration;

    use super::{At, Front, Manner, Then};
    use crate::support::broken::{Answer, Broken};
    use crate::support::daemon::eventually;

    /// All that comes of a connection.
    fn all(front: &Front) -> Vec<u8> {
        let mut stream = TcpStream::connect(("127.0.0.1", front.port)).unwrap();
        stream.write_all(b"?").unwrap();
        let mut all = Vec::new();
        // A connection that is reset has said what it has said.
        stream.read_to_end(&mut all).ok();
        all
    }

    #[test]
    fn a_front_is_as_honest_as_it_is_told_to_be() {
        let server = Broken::tcp(Answer::then_close(b"an answer"));
        let server = At::Port(server.address().port());
        let front = Front::start(Manner::Honest(server.clone()));
        assert_eq!(all(&front), b"an answer");
        front.turn(Manner::Refuse);
        assert!(TcpStream::connect(("127.0.0.1", front.port)).is_err());
        front.turn(Manner::Cut { server, bytes: 4, then: Then::Close });
        assert_eq!(all(&front), b"an a");
    }

    #[test]
    fn open_connections_fall_silent_or_are_closed() {
        let server = Broken::tcp(Answer::then_silence(b"a"));
        let honest = Manner::Honest(At::Port(server.address().port()));
        let front = Front::start(honest.clone());
        let mut stream = TcpStream::connect(("127.0.0.1", front.port)).unwrap();
        stream.write_all(b"?").unwrap();
        stream.read_exact(&mut [0; 1]).unwrap();
        front.turn(Manner::Silence);
        stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        assert!(stream.read(&mut [0; 1]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
        assert_eq!(front.open(), 1);
        front.turn(honest);
        stream.set_read_timeout(None).unwrap();
        assert_eq!(stream.read(&mut [0; 1]).unwrap_or_default(), 0);
        eventually("the connection to be gone", || front.open() == 0);
    }
}
