//! What stands between the exporter and a server, and does to their talk what networks, firewalls and dying machines do.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often an idle connection looks whether something has changed.
const TICK: Duration = Duration::from_millis(20);

/// After how many bytes an answer is broken off.
const CUT_BYTES: usize = 60;

/// Every how many bytes one is changed.
const CORRUPT_EVERY: usize = 97;

/// What happens to connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// They are closed at once.
    Refuse,
    /// They stay open, and nothing goes through them.
    Hang,
    /// They are answered with what no protocol knows.
    Garbage,
    /// Answers break off.
    Cut,
    /// Answers come whole, with a byte changed here and there.
    Corrupt,
}

/// Where a server is.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Port(u16),
    Socket(PathBuf),
}

#[derive(Debug)]
struct State {
    fault: Fault,
    to: Place,
    /// Rises with every change, which ends the connections from before; but for a hang, which keeps them.
    era: u64,
    stopped: bool,
}

/// A proxy on a port of its own.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    state: Arc<Mutex<State>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// A proxy that leads to this server, without a fault.
    pub(crate) fn to(place: Place) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State { fault: Fault::None, to: place, era: 0, stopped: false }));
        let shared = state.clone();
        let thread = thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                if locked(&shared).stopped {
                    return;
                }
                let state = shared.clone();
                // The two at its ends know best when a connection is over, and why.
                thread::spawn(move || connection(&client, &state).ok());
            }
        });
        Self { port, state, thread: Some(thread) }
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// From now on this happens.
    pub(crate) fn set(&self, fault: Fault) {
        let mut state = locked(&self.state);
        state.fault = fault;
        state.era += 1;
    }

    /// From now on it leads there.
    pub(crate) fn lead_to(&self, place: Place) {
        let mut state = locked(&self.state);
        state.to = place;
        state.era += 1;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        {
            let mut state = locked(&self.state);
            state.stopped = true;
            state.fault = Fault::Refuse;
            state.era += 1;
        }
        // A connection of our own ends the wait for one.
        TcpStream::connect(("127.0.0.1", self.port)).ok();
        self.thread.take().map(JoinHandle::join);
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connection(client: &TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let (fault, to, era) = {
        let state = locked(state);
        (state.fault, state.to.clone(), state.era)
    };
    client.set_read_timeout(Some(TICK))?;
    client.set_nodelay(true)?;
    match fault {
        Fault::Refuse => return Ok(()),
        Fault::Garbage => return (&mut &*client).write_all(b"\xff\xfe\x00\x80garbage\r\n\r\n\x01\x02 42 \xc3\x28\n"),
        Fault::Hang => {
            while stays(state, era) {
                if matches!((&mut &*client).read(&mut [0; 64]), Ok(0)) {
                    break;
                }
            }
            return Ok(());
        }
        Fault::None | Fault::Cut | Fault::Corrupt => {}
    }
    match to {
        Place::Port(port) => {
            let server = TcpStream::connect(("127.0.0.1", port))?;
            server.set_read_timeout(Some(TICK))?;
            server.set_nodelay(true)?;
            both_ways((client, &server), || server.shutdown(Shutdown::Both), client, state, fault, era)
        }
        Place::Socket(path) => {
            let server = UnixStream::connect(path)?;
            server.set_read_timeout(Some(TICK))?;
            both_ways((client, &server), || server.shutdown(Shutdown::Both), client, state, fault, era)
        }
    }
}

/// Passes bytes on in both directions until one end closes or the era does.
fn both_ways<S>(
    (client, server): (&TcpStream, &S),
    close: impl Fn() -> std::io::Result<()> + Sync,
    end: &TcpStream,
    state: &Mutex<State>,
    fault: Fault,
    era: u64,
) -> std::io::Result<()>
where
    S: Sync,
    for<'a> &'a S: Read + Write,
{
    let close_both = || {
        close().ok();
        end.shutdown(Shutdown::Both).ok();
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            pass_on(client, server, Fault::None, state, era).ok();
            close_both();
        });
        let answered = pass_on(server, client, fault, state, era);
        close_both();
        answered
    })
}

fn pass_on(
    mut from: impl Read,
    mut to: impl Write,
    fault: Fault,
    state: &Mutex<State>,
    era: u64,
) -> std::io::Result<()> {
    let mut passed = 0;
    let mut buffer = [0; 16 << 10];
    while stays(state, era) {
        let length = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => length,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(error) => return Err(error),
        };
        let bytes = &mut buffer[..length];
        if fault == Fault::Corrupt {
            let damaged =
                bytes.iter_mut().enumerate().filter(|(at, _)| (passed + at) % CORRUPT_EVERY == CORRUPT_EVERY - 1);
            damaged.for_each(|(_, byte)| *byte ^= 0x11);
        }
        let left = if fault == Fault::Cut { CUT_BYTES.saturating_sub(passed) } else { length };
        // Bytes that were read before a hang are held back, too.
        while locked(state).fault == Fault::Hang && stays(state, era) {
            pause();
        }
        to.write_all(&bytes[..length.min(left)])?;
        passed += length;
        if left < length {
            return Ok(());
        }
    }
    Ok(())
}

/// Whether connections of this era go on.
fn stays(state: &Mutex<State>, era: u64) -> bool {
    let state = locked(state);
    state.era == era || state.fault == Fault::Hang
}

#[expect(clippy::disallowed_methods, reason = "what hangs has nothing to wait for")]
fn pause() {
    thread::sleep(TICK);
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use super::{Fault, Place, Proxy};

    /// A server that says back, a hundred times, what it is told first.
    fn parrot() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut word = [0; 4];
                if stream.read_exact(&mut word).is_ok() {
                    stream.write_all(&word.repeat(100)).ok();
                }
            }
        });
        port
    }

    fn told(proxy: &Proxy) -> Vec<u8> {
        let mut stream = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
        let mut answer = Vec::new();
        if stream.write_all(b"word").is_ok() {
            stream.read_to_end(&mut answer).ok();
        }
        answer
    }

    #[test]
    fn each_fault_is_what_its_name_says() {
        let proxy = Proxy::to(Place::Port(parrot()));
        let whole = b"word".repeat(100);
        assert_eq!(told(&proxy), whole);
        proxy.set(Fault::Refuse);
        assert_eq!(told(&proxy), b"");
        proxy.set(Fault::Cut);
        assert_eq!(told(&proxy), whole[..60]);
        proxy.set(Fault::Corrupt);
        let corrupt = told(&proxy);
        assert_eq!((corrupt.len(), corrupt.iter().zip(&whole).filter(|(a, b)| a != b).count()), (400, 4));
        proxy.set(Fault::Garbage);
        assert!(told(&proxy).starts_with(b"\xff\xfe"));
        proxy.set(Fault::None);
        assert_eq!(told(&proxy), whole);
    }

    #[test]
    fn a_hang_ends_with_the_connection() {
        let proxy = Proxy::to(Place::Port(parrot()));
        proxy.set(Fault::Hang);
        let answer = thread::scope(|scope| {
            let asked = scope.spawn(|| told(&proxy));
            proxy.set(Fault::None);
            asked.join().unwrap()
        });
        // Whether it was there before the hang ended or came after it.
        assert!(answer.is_empty() || answer.len() == 400);
    }
}
