//! A server that says what it is told to, which is wrong, to whoever comes; `front.rs` stands before a real one.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::net::{self, AddressFamily, SocketType};

use super::daemon::{folder, free_port};

/// How often a connection looks whether the server is being stopped, and the pace of [`Answer::dribble`].
const TICK: Duration = Duration::from_millis(50);

/// What no protocol knows, and no text either.
pub(crate) const GARBAGE: &[u8] = b"\xff\xfe\x00\x80garbage\r\n\r\n\x01\x02 42 \xc3\x28\n";

/// What happens on each connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    /// Sent first.
    head: &'static [u8],
    /// Whether a request is waited for before that. MySQL's server speaks first, most others second.
    listens: bool,
    then: Then,
}

#[derive(Clone, Copy, Debug)]
enum Then {
    Close,
    Hang,
    Flood { bytes: &'static [u8], total: u64 },
    Dribble,
}

impl Answer {
    /// Accepts and never says a word.
    pub(crate) const fn silence() -> Self {
        Self { head: b"", listens: false, then: Then::Hang }
    }

    /// Accepts and closes at once.
    pub(crate) const fn close() -> Self {
        Self { head: b"", listens: false, then: Then::Close }
    }

    /// Says `head` and then nothing more.
    pub(crate) const fn then_silence(head: &'static [u8]) -> Self {
        Self { head, listens: true, then: Then::Hang }
    }

    /// Says `head` and closes: an answer broken off, or a whole one.
    pub(crate) const fn then_close(head: &'static [u8]) -> Self {
        Self { head, listens: true, then: Then::Close }
    }

    /// Says what no protocol knows, and closes.
    pub(crate) const fn garbage() -> Self {
        Self::then_close(GARBAGE)
    }

    /// Says `head` and then `bytes` over and over until there were `total` of them.
    pub(crate) const fn flood(head: &'static [u8], bytes: &'static [u8], total: u64) -> Self {
        Self { head, listens: true, then: Then::Flood { bytes, total } }
    }

    /// Says `head` and then the same bytes again for ever.
    pub(crate) const fn endless(head: &'static [u8], bytes: &'static [u8]) -> Self {
        Self::flood(head, bytes, u64::MAX)
    }

    /// Says `head` a byte at a time, 20 a second, so that no read times out and no answer ends.
    pub(crate) const fn dribble(head: &'static [u8]) -> Self {
        Self { head, listens: true, then: Then::Dribble }
    }

    /// The same without waiting for a request, as MySQL's server does.
    pub(crate) const fn unasked(self) -> Self {
        Self { listens: false, ..self }
    }

    fn give(self, stream: &mut dyn Stream, stop: &AtomicBool) -> std::io::Result<()> {
        if self.listens {
            while !stop.load(Ordering::Relaxed) && !stream.heard()? {}
        }
        if matches!(self.then, Then::Dribble) {
            for byte in self.head {
                if stop.load(Ordering::Relaxed) {
                    return Ok(());
                }
                say(stream, std::slice::from_ref(byte), stop)?;
                stream.heard()?;
            }
        } else {
            say(stream, self.head, stop)?;
        }
        match self.then {
            Then::Close => return Ok(()),
            Then::Flood { bytes, total } => {
                let chunk = bytes.repeat((64 << 10) / bytes.len() + 1);
                let mut left = total;
                while left > 0 && !stop.load(Ordering::Relaxed) {
                    let length = usize::try_from(left).map_or(chunk.len(), |left| left.min(chunk.len()));
                    say(stream, &chunk[..length], stop)?;
                    left -= length as u64;
                }
                return Ok(());
            }
            Then::Hang | Then::Dribble => {}
        }
        while !stop.load(Ordering::Relaxed) {
            stream.heard()?;
        }
        Ok(())
    }
}

/// Writes all of it, however slowly it is read.
fn say(stream: &mut dyn Stream, mut bytes: &[u8], stop: &AtomicBool) -> std::io::Result<()> {
    while !bytes.is_empty() && !stop.load(Ordering::Relaxed) {
        match stream.write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A TCP or Unix connection.
trait Stream: Write {
    /// Reads for one tick at most; says whether anything came, and fails when the other side is gone.
    fn heard(&mut self) -> std::io::Result<bool>;
}

fn heard(read: std::io::Result<usize>) -> std::io::Result<bool> {
    match read {
        Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(false),
        Err(error) => Err(error),
    }
}

impl Stream for TcpStream {
    fn heard(&mut self) -> std::io::Result<bool> {
        heard(self.read(&mut [0; 4096]))
    }
}

impl Stream for UnixStream {
    fn heard(&mut self) -> std::io::Result<bool> {
        heard(self.read(&mut [0; 4096]))
    }
}

/// The server; it ends with its last connection when dropped.
#[derive(Debug)]
pub(crate) struct Broken {
    at: At,
    stop: Arc<AtomicBool>,
    connections: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
    _folder: Option<tempfile::TempDir>,
}

#[derive(Clone, Debug)]
enum At {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Broken {
    /// On a free loopback port.
    pub(crate) fn tcp(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = At::Tcp(listener.local_addr().unwrap());
        Self::serve(at, None, answer, move || {
            let stream = listener.accept().unwrap().0;
            stream.set_read_timeout(Some(TICK)).unwrap();
            stream.set_write_timeout(Some(TICK)).unwrap();
            Box::new(stream)
        })
    }

    /// On a Unix socket.
    pub(crate) fn unix(answer: Answer) -> Self {
        let folder = folder();
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        Self::serve(At::Unix(path), Some(folder), answer, move || {
            let stream = listener.accept().unwrap().0;
            stream.set_read_timeout(Some(TICK)).unwrap();
            stream.set_write_timeout(Some(TICK)).unwrap();
            Box::new(stream)
        })
    }

    fn serve(
        at: At,
        folder: Option<tempfile::TempDir>,
        answer: Answer,
        accept: impl Fn() -> Box<dyn Stream + Send> + Send + 'static,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let connections = Arc::new(AtomicUsize::new(0));
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&connections));
        let thread = std::thread::spawn(move || {
            std::thread::scope(|scope| {
                loop {
                    let mut stream = accept();
                    if stopped.load(Ordering::Relaxed) {
                        return;
                    }
                    counted.fetch_add(1, Ordering::Relaxed);
                    let stopped = &stopped;
                    // The other side hanging up is how most of these conversations end.
                    scope.spawn(move || answer.give(stream.as_mut(), stopped).ok());
                }
            });
        });
        Self { at, stop, connections, thread: Some(thread), _folder: folder }
    }

    /// Where it listens; of a TCP server.
    pub(crate) fn address(&self) -> SocketAddr {
        match &self.at {
            At::Tcp(address) => *address,
            At::Unix(path) => panic!("a Unix socket, {}, has no address", path.display()),
        }
    }

    /// Its socket; of a Unix server.
    pub(crate) fn path(&self) -> &Path {
        match &self.at {
            At::Unix(path) => path,
            At::Tcp(address) => panic!("{address} has no path"),
        }
    }

    /// How many connections it has accepted.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Broken {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // A connection of our own ends the wait for one.
        let woken = match &self.at {
            At::Tcp(address) => TcpStream::connect(address).is_ok(),
            At::Unix(path) => UnixStream::connect(path).is_ok(),
        };
        let ended = self.thread.take().map(JoinHandle::join);
        // Do not hide the failure of a test behind one of ours.
        if !std::thread::panicking() {
            assert!(woken && ended.is_some_and(|thread| thread.is_ok()), "the broken server broke");
        }
    }
}

/// A loopback address that refuses connections for as long as the tests run: bound, so that nobody else gets it, and
/// not listened on.
pub(crate) fn refusing() -> SocketAddr {
    static HELD: Mutex<Vec<OwnedFd>> = Mutex::new(Vec::new());
    let socket = net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    let address = std::iter::repeat_with(|| SocketAddr::from(([127, 0, 0, 1], free_port())))
        .take(100)
        .find(|address| net::bind(&socket, address).is_ok())
        .expect("not all ports are taken");
    HELD.lock().unwrap().push(socket);
    address
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    use super::{Answer, Broken, GARBAGE, refusing};

    #[test]
    fn a_flood_is_as_long_as_it_was_ordered() {
        let server = Broken::tcp(Answer::flood(b"head", b"ab", 1_000_001).unasked());
        let mut all = Vec::new();
        TcpStream::connect(server.address()).unwrap().read_to_end(&mut all).unwrap();
        assert_eq!((all.len(), &all[..6], server.connections()), (1_000_005, b"headab".as_slice(), 1));
    }

    #[test]
    fn silence_is_heard_on_a_unix_socket_too() {
        let server = Broken::unix(Answer::silence());
        let mut stream = UnixStream::connect(server.path()).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        assert!(stream.read(&mut [0; 1]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
    }

    #[test]
    fn a_dribble_comes_byte_by_byte() {
        let server = Broken::tcp(Answer::dribble(b"abc").unasked());
        let mut stream = TcpStream::connect(server.address()).unwrap();
        let mut buffer = [0; 8];
        assert_eq!(stream.read(&mut buffer).unwrap(), 1);
    }

    #[test]
    fn garbage_is_said_to_whoever_asks() {
        let server = Broken::tcp(Answer::garbage());
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(b"?").unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        assert_eq!(all, GARBAGE);
    }

    #[test]
    fn the_refusing_address_refuses() {
        assert!(TcpStream::connect(refusing()).is_err());
    }
}
