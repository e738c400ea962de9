//! What becomes of a connection.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy, copy_bidirectional};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::sleep;

/// The pace of [`Then::Dribble`].
const BYTE_EVERY: Duration = Duration::from_secs(1);

/// Where a real server is.
#[derive(Clone, Debug)]
pub(crate) enum At {
    /// A port on the loopback address.
    Port(u16),
    /// A socket.
    Socket(PathBuf),
}

/// What becomes of each connection.
#[derive(Clone, Debug)]
pub(crate) enum Manner {
    /// The real server is asked.
    Honest(At),
    /// There is none: nothing listens.
    Refuse,
    /// It is taken, and never a word said; those that are open already fall silent, too.
    Silence,
    /// The real server's answers up to so many bytes of each connection, and then this.
    Cut { server: At, bytes: usize, then: Then },
    /// This is said, once a request has come if `asked`, and then `again` for ever, or the connection closed.
    Say { asked: bool, head: Arc<[u8]>, again: Option<Arc<[u8]>> },
}

/// What follows the part of an answer that came.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Then {
    Close,
    Hang,
    /// A byte a second.
    Dribble,
}

impl Manner {
    /// Treats a connection so, until it ends.
    pub(super) async fn apply(self, stream: &mut TcpStream) -> io::Result<()> {
        match self {
            Self::Honest(At::Port(port)) => {
                copy_bidirectional(stream, &mut TcpStream::connect(("127.0.0.1", port)).await?).await?;
            }
            Self::Honest(At::Socket(path)) => {
                copy_bidirectional(stream, &mut UnixStream::connect(path).await?).await?;
            }
            Self::Refuse => {}
            Self::Silence => heard(stream).await?,
            Self::Cut { server: At::Port(port), bytes, then } => {
                cut(stream, TcpStream::connect(("127.0.0.1", port)).await?, bytes, then).await?;
            }
            Self::Cut { server: At::Socket(path), bytes, then } => {
                cut(stream, UnixStream::connect(path).await?, bytes, then).await?;
            }
            Self::Say { asked, head, again } => {
                if asked && stream.read(&mut [0; 4096]).await? == 0 {
                    return Ok(());
                }
                stream.write_all(&head).await?;
                while let Some(again) = &again {
                    stream.write_all(again).await?;
                }
            }
        }
        Ok(())
    }
}

/// Hears the other side out, and says nothing.
pub(super) async fn heard(stream: &mut TcpStream) -> io::Result<()> {
    while stream.read(&mut [0; 4096]).await? > 0 {}
    Ok(())
}

async fn cut(
    stream: &mut TcpStream,
    server: impl AsyncRead + AsyncWrite + Unpin,
    bytes: usize,
    then: Then,
) -> io::Result<()> {
    let (mut from_client, mut to_client) = stream.split();
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let questions = async {
        copy(&mut from_client, &mut to_server).await?;
        to_server.shutdown().await
    };
    let answers = async {
        let mut part = (&mut from_server).take(bytes as u64);
        let whole = copy(&mut part, &mut to_client).await? < bytes as u64;
        if whole {
            return to_client.shutdown().await;
        }
        match then {
            Then::Close => {}
            Then::Hang => std::future::pending().await,
            Then::Dribble => loop {
                sleep(BYTE_EVERY).await;
                let mut byte = [0];
                from_server.read_exact(&mut byte).await?;
                to_client.write_all(&byte).await?;
            },
        }
        Ok(())
    };
    tokio::select! {
        asked = questions => asked,
        answered = answers => answered,
    }
}
