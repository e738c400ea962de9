//! A small client of MySQL's protocol, which believes nothing that it has not seen.
//!
//! Drivers take memory for as many columns as an answer announces, and keep the description of each that comes: whoever
//! is at the other end (the server or, without TLS, anyone between) can fill the memory so, or end the process. Here
//! each packet, list and text has a limit, and no memory is taken by announced counts. What we do not need (several
//! statements in one, files, compression) is not there.

mod answer;
mod auth;
mod binary;
mod bytes;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzz;
mod login;
mod packets;
mod rsa;
mod tls;

use std::fmt;

use futures_util::FutureExt;
use tokio::net::{TcpStream, UnixStream};

use super::config::Config;
use super::rows::Rows;
use crate::collector::{Failure, Reason};
use crate::config::types::Address;
use answer::Protocol;
use bytes::Bytes;
use packets::{Packets, Stream};

/// The first byte of a command.
mod command {
    pub(super) const QUIT: u8 = 0x01;
    pub(super) const QUERY: u8 = 0x03;
    pub(super) const PREPARE: u8 = 0x16;
    pub(super) const EXECUTE: u8 = 0x17;
    pub(super) const CLOSE: u8 = 0x19;
}

/// The largest answer to a statement's being prepared, columns apart.
const PREPARED_BYTES: usize = 64 << 10;

/// A connection on which we are logged in.
pub(super) struct Client {
    packets: Packets,
    id: u32,
    /// A question was asked and its answer not read to the end: also while it is read, so that a reader that is
    /// dropped halfway leaves it so.
    broken: bool,
}

impl Client {
    /// Connects and logs in.
    pub(super) async fn connect(config: &Config) -> Result<Self, Failure> {
        Self::greeted(config, &mut String::new()).await
    }

    /// The same; the version that the server greets with is left in `version`, also when it does not let us in.
    pub(super) async fn greeted(config: &Config, version: &mut String) -> Result<Self, Failure> {
        let stream: Box<dyn Stream> = match &config.address {
            Address::Unix(path) => Box::new(UnixStream::connect(path).await.map_err(Failure::io)?),
            Address::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(Failure::io)?;
                stream.set_nodelay(true).map_err(Failure::io)?;
                Box::new(stream)
            }
        };
        let (packets, id) = login::log_in(config, stream, version).await?;
        Ok(Self { packets, id, broken: false })
    }

    /// The id the server's process list shows us under.
    pub(super) const fn id(&self) -> u32 {
        self.id
    }

    /// Whether nothing more can be asked.
    pub(super) const fn is_broken(&self) -> bool {
        self.broken
    }

    /// Asks in the text protocol, for `most` rows at most.
    pub(super) async fn query(&mut self, statement: &str, most: usize) -> Result<Rows, Failure> {
        self.send(&[&[command::QUERY], statement.as_bytes()].concat()).await?;
        let answer = answer::read(&mut self.packets, Protocol::Text, most).await;
        self.settle(answer)
    }

    /// Runs a statement as a prepared one, which is one statement or the server refuses it, for `most` rows at most.
    /// One that answers with no columns, or that has parameters, is not run.
    pub(super) async fn prepared(&mut self, statement: &str, most: usize) -> Result<Rows, Failure> {
        self.send(&[&[command::PREPARE], statement.as_bytes()].concat()).await?;
        let prepared = self.prepare().await;
        let Prepared { id, columns, parameters } = self.settle(prepared)?;
        let answer = if columns == 0 {
            Err("it gives no columns, so it was not run; take INTO out")
        } else if parameters > 0 {
            Err("it has parameters, for which there are no values; write the values in their place")
        } else {
            Ok(())
        };
        if let Err(problem) = answer {
            self.close(id).await?;
            return Err(Failure::message(Reason::Protocol, problem));
        }
        // No cursor, once.
        self.send(&[&[command::EXECUTE][..], &id, &[0, 1, 0, 0, 0]].concat()).await?;
        let answer = answer::read(&mut self.packets, Protocol::Binary, most).await;
        let answer = self.settle(answer);
        if !self.broken {
            self.close(id).await?;
        }
        answer
    }

    async fn prepare(&mut self) -> Result<Prepared, Failure> {
        let mut bytes = Bytes(self.packets.read(PREPARED_BYTES).await?);
        if bytes.byte()? != 0 {
            return Err(stranger());
        }
        let (id, columns, parameters) = (bytes.array()?, bytes.short()?, bytes.short()?);
        answer::columns(&mut self.packets, parameters.into()).await?;
        answer::columns(&mut self.packets, columns.into()).await?;
        Ok(Prepared { id, columns, parameters })
    }

    /// Closes a prepared statement, to which there is no answer.
    async fn close(&mut self, id: [u8; 4]) -> Result<(), Failure> {
        self.send(&[&[command::CLOSE], &id[..]].concat()).await?;
        self.broken = false;
        Ok(())
    }

    async fn send(&mut self, packet: &[u8]) -> Result<(), Failure> {
        self.broken = true;
        self.packets.begin();
        self.packets.write(packet).await
    }

    /// Notes that an answer was read to its end, or that there is none.
    fn settle<T>(&mut self, answer: Result<T, Failure>) -> Result<T, Failure> {
        self.broken = answer.is_err() && !self.packets.is_refused();
        answer
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if !self.broken {
            // Polled once, the farewell is sent if it can be. Whether it was does not matter: the socket is closed.
            self.packets.begin();
            self.packets.write(&[command::QUIT]).now_or_never();
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("id", &self.id).field("broken", &self.broken).finish_non_exhaustive()
    }
}

/// A statement that the server has prepared.
struct Prepared {
    id: [u8; 4],
    columns: u16,
    parameters: u16,
}

/// That what came is not what a server says here. What it was is for a debugger, not for a log.
fn stranger() -> Failure {
    Failure::message(Reason::Protocol, "not an answer of a MySQL server")
}
