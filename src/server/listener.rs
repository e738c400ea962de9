//! Where connections come from: addresses of our own, or sockets that systemd holds open for us.

use std::io;
use std::net::SocketAddr;

use listenfd::ListenFd;
use rustix::net::sockopt::set_tcp_user_timeout;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tracing::debug;

use super::peer::Peer;

/// How many milliseconds a client may leave what it was sent unread, or be gone without a word, before its connection is given up;
/// longer than a scraper stays quiet for a reason.
const UNREAD_TIMEOUT_MS: u32 = 20_000;

/// A listening socket.
#[derive(Debug)]
pub enum Listener {
    /// On an address of the network.
    Tcp(TcpListener),
    /// On a path; only systemd hands us such a one.
    Unix(UnixListener),
}

/// A connection.
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Listener {
    /// Listens on the first of these addresses that can be had.
    ///
    /// # Errors
    /// When none can.
    pub async fn bind(addresses: &[SocketAddr]) -> io::Result<Self> {
        TcpListener::bind(addresses).await.map(Self::Tcp)
    }

    /// The sockets that systemd passed to this process (sd_listen_fds(3)); their names do not matter.
    ///
    /// # Errors
    /// When one of them is not a listening stream socket.
    pub fn inherited() -> io::Result<Vec<Self>> {
        let mut passed = ListenFd::from_env();
        let mut listeners = Vec::new();
        for index in 0..passed.len() {
            if let Ok(Some(listener)) = passed.take_tcp_listener(index) {
                listener.set_nonblocking(true)?;
                listeners.push(Self::Tcp(TcpListener::from_std(listener)?));
            } else if let Ok(Some(listener)) = passed.take_unix_listener(index) {
                listener.set_nonblocking(true)?;
                listeners.push(Self::Unix(UnixListener::from_std(listener)?));
            } else {
                let number = index + 1;
                return Err(io::Error::other(format!("number {number} is neither a TCP nor a Unix stream socket")));
            }
        }
        Ok(listeners)
    }

    /// Where it listens, as a person reads it: `http://127.0.0.1:22100`, `unix:/run/vitrin.sock`.
    #[must_use]
    pub fn url(&self, scheme: &str) -> String {
        match self {
            Self::Tcp(listener) => match listener.local_addr() {
                Ok(address) => format!("{scheme}://{address}"),
                Err(error) => format!("an address that cannot be told: {error}"),
            },
            Self::Unix(listener) => {
                let address = listener.local_addr();
                let path = address.as_ref().ok().and_then(|address| address.as_pathname());
                format!("unix:{}", path.map_or("(no path)".into(), |path| path.to_string_lossy()))
            }
        }
    }

    pub(super) async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                tune(&stream);
                Ok((Stream::Tcp(stream), Peer::of(address.ip())))
            }
            Self::Unix(listener) => Ok((Stream::Unix(listener.accept().await?.0), Peer::Local)),
        }
    }
}

fn tune(stream: &TcpStream) {
    // The kernel counts this, also while the client's window is full: hyper has no limit on writing.
    if let Err(error) = set_tcp_user_timeout(stream, UNREAD_TIMEOUT_MS) {
        debug!("limiting how long a client may not read: {error}");
    }
    // A page's last bytes would wait for the client to acknowledge those before them.
    if let Err(error) = stream.set_nodelay(true) {
        debug!("sending without delay: {error}");
    }
}
