//! A connection to a Redis: opened, asked, and checked before it is used again.
//!
//! Commands are packed and replies decoded by the `redis` crate; the stream is ours, because a connection must be
//! dropped at a deadline without a task staying behind, and because replies have a limit (see [`super::frame`]).

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use futures_util::FutureExt;
use redis::{Cmd, Value};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::Instant;

use crate::collector::{Failure, Reason};
use crate::config::secret::Secret;
use crate::config::types::Address;
use crate::tls::Settings;

use super::frame::{Frame, Size};
use super::info::Info;
use super::refusal::{Refusal, login_refusal, refusal, server_failure, text};
use super::tls;
use super::url::RedisUrl;

/// How long one connection serves. A new one sees what has changed meanwhile: the password, what the user may do, and
/// the address behind the name after a failover.
const LIFE: Duration = Duration::from_mins(10);

/// What `CLIENT LIST` shows.
const CLIENT_NAME: &str = "vitrin";

/// Where a Redis is, and who we are there.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// The address.
    pub url: RedisUrl,
    /// The ACL user; the server's `default` when absent.
    pub user: Option<String>,
    /// Its password, read again at each connect.
    pub password: Option<Secret>,
    /// How to speak TLS, for a `rediss` address.
    pub tls: Settings,
}

/// What kind of server it is: `redis_mode` of `INFO`, `server_mode` on Valkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Standalone,
    Cluster,
    Sentinel,
}

/// A question that is asked at each scrape: the command, and what it is called in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Question {
    /// The command and the subcommand: what rights are granted for.
    pub(super) command: &'static str,
    /// What follows it.
    pub(super) argument: Option<&'static str>,
}

impl Question {
    fn packed(self) -> Cmd {
        let mut words = self.command.split(' ');
        let mut command = redis::cmd(words.next().unwrap_or_default());
        words.chain(self.argument).for_each(|word| {
            command.arg(word);
        });
        command
    }
}

/// Replies to questions; a question that was not answered is not in it.
pub(super) type Answers = BTreeMap<Question, Value>;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection on which we are logged in.
pub(super) struct Connection {
    stream: Box<dyn Stream>,
    received: BytesMut,
    opened: Instant,
    mode: Mode,
    refused: BTreeMap<&'static str, Refusal>,
}

impl Endpoint {
    /// Connects and logs in.
    ///
    /// # Errors
    /// `connect`, `tls`, `auth`; `permission` when the user may not run `INFO` or a file cannot be read.
    pub(super) async fn connect(&self) -> Result<Connection, Failure> {
        let mut connection = self.open().await.map_err(|failure| failure.context(format!("connecting to {self}")))?;
        connection.log_in(self).await.map_err(|failure| failure.context(format!("logging in to {self}")))?;
        Ok(connection)
    }

    /// Connects, and says nothing of who we are.
    pub(super) async fn open(&self) -> Result<Connection, Failure> {
        let stream = self.stream().await?;
        Ok(Connection {
            stream,
            received: BytesMut::new(),
            opened: Instant::now(),
            mode: Mode::Standalone,
            refused: BTreeMap::new(),
        })
    }

    async fn stream(&self) -> Result<Box<dyn Stream>, Failure> {
        match &self.url.address {
            Address::Unix(path) => Ok(Box::new(UnixStream::connect(path).await.map_err(Failure::io)?)),
            Address::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(Failure::io)?;
                stream.set_nodelay(true).map_err(Failure::io)?;
                if self.url.tls {
                    Ok(Box::new(tls::connect(&self.tls, host, stream).await?))
                } else {
                    Ok(Box::new(stream))
                }
            }
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

impl Connection {
    /// What the server is.
    pub(super) fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether it can be used for another scrape: young enough, open, and with nothing unasked lying in it.
    pub(super) fn is_fresh(&mut self) -> bool {
        let mut byte = [0];
        self.opened.elapsed() < LIFE && self.received.is_empty() && self.stream.read(&mut byte).now_or_never().is_none()
    }

    async fn log_in(&mut self, endpoint: &Endpoint) -> Result<(), Failure> {
        let mut commands = Vec::new();
        if endpoint.user.is_some() || endpoint.password.is_some() {
            let mut auth = redis::cmd("AUTH");
            if let Some(user) = &endpoint.user {
                auth.arg(user);
            }
            // A user without a password (`nopass`) is let in with any.
            auth.arg(endpoint.password.as_ref().map(Secret::reveal).transpose()?.unwrap_or_default());
            commands.push(auth);
        }
        let logs_in = !commands.is_empty();
        commands.push(redis::cmd("CLIENT").arg("SETNAME").arg(CLIENT_NAME).take());
        commands.push(redis::cmd("INFO").arg("server").take());
        let mut replies = self.ask(&commands).await.map_err(|failure| self.hung_up(endpoint, failure))?.into_iter();
        if logs_in && let Some(Value::ServerError(error)) = replies.next() {
            return Err(Failure::message(Reason::Auth, login_refusal(&error)));
        }
        // Whether it could be named does not matter; the last reply is that of INFO.
        let reply = replies.next_back().ok_or_else(|| Failure::message(Reason::Bug, "no reply to INFO"))?;
        let info = text(&reply).map_err(|failure| failure.context("reading INFO"))?;
        let info = Info::parse(&info);
        if info.get("redis_version").is_none() {
            return Err(Failure::message(Reason::Protocol, "an INFO without redis_version, which no Redis gives"));
        }
        self.mode = mode(&info);
        Ok(())
    }

    /// A server that hung up without a word may have expected a TLS handshake.
    fn hung_up(&self, endpoint: &Endpoint, failure: Failure) -> Failure {
        let plain = !endpoint.url.tls && endpoint.url.address.socket().is_none();
        if plain && failure.reason == Reason::Protocol && self.received.is_empty() {
            return failure.context("it hung up; if it speaks TLS, write rediss:// in its url");
        }
        failure
    }

    /// Sends all commands at once and reads a reply to each; an error the server answers with is a reply.
    ///
    /// Dropped before it is ready, the connection is of no further use.
    pub(super) async fn ask(&mut self, commands: &[Cmd]) -> Result<Vec<Value>, Failure> {
        let sent = self.send(commands).await;
        let mut replies = Vec::with_capacity(commands.len());
        let mut size = Size::default();
        while replies.len() < commands.len() {
            match (self.reply(&mut size).await, replies.as_slice()) {
                (Ok(reply), _) => replies.push(reply),
                // A server that is full, or in protected mode, says so once and hangs up.
                (Err(_), [Value::ServerError(error)]) => return Err(server_failure(error)),
                (Err(failure), _) => return Err(sent.err().unwrap_or(failure)),
            }
        }
        Ok(replies)
    }

    async fn send(&mut self, commands: &[Cmd]) -> Result<(), Failure> {
        let mut packed = Vec::new();
        for command in commands {
            command.write_packed_command(&mut packed);
        }
        self.stream.write_all(&packed).await.map_err(broken)?;
        self.stream.flush().await.map_err(broken)
    }

    /// Reads a reply, of several that together are so large by now.
    async fn reply(&mut self, size: &mut Size) -> Result<Value, Failure> {
        let mut frame = Frame::new();
        loop {
            if let Some(length) = frame.length(&self.received)? {
                size.add(length, &frame)?;
                let value = redis::parse_redis_value(&self.received[..length])
                    .map_err(|error| Failure::new(Reason::Protocol, error))?;
                self.received.advance(length);
                return Ok(value);
            }
            if self.stream.read_buf(&mut self.received).await.map_err(broken)? == 0 {
                return Err(Failure::message(Reason::Protocol, "the server closed the connection before it answered"));
            }
        }
    }

    /// Asks all questions that this connection has not been refused an answer to.
    pub(super) async fn answers(&mut self, questions: &[Question]) -> Result<(Answers, Vec<Failure>), Failure> {
        let asked: Vec<Question> =
            questions.iter().copied().filter(|question| !self.refused.contains_key(question.command)).collect();
        let commands: Vec<Cmd> = asked.iter().map(|question| question.packed()).collect();
        let replies = self.ask(&commands).await?;
        let mut answers = Answers::new();
        let mut gaps = Vec::new();
        for (question, reply) in asked.into_iter().zip(replies) {
            match reply {
                Value::ServerError(error) => match refusal(question, &error) {
                    Some(refusal) => drop(self.refused.insert(question.command, refusal)),
                    None => gaps.push(server_failure(&error).context(format!("asking {}", question.command))),
                },
                value => drop(answers.insert(question, value)),
            }
        }
        gaps.extend(self.refused.values().filter_map(|refusal| match refusal {
            Refusal::Denied(message) => Some(Failure::message(Reason::Permission, message.clone())),
            Refusal::Unsupported => None,
        }));
        Ok((answers, gaps))
    }
}

/// What the server is, by its `INFO`.
fn mode(info: &Info<'_>) -> Mode {
    match info.get("redis_mode").or_else(|| info.get("server_mode")) {
        Some("cluster") => Mode::Cluster,
        Some("sentinel") => Mode::Sentinel,
        _ => Mode::Standalone,
    }
}

/// A read or write that did not succeed on an open connection.
fn broken(error: std::io::Error) -> Failure {
    // A server that asks for a client certificate says so after the handshake, when we are already reading.
    if error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).is_some() {
        Failure::new(Reason::Tls, error)
    } else {
        Failure::io(error)
    }
}
