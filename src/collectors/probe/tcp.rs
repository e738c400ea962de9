//! A probe of a TCP port: whether it takes a connection, and says what it should.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::ending::{Ending, Trouble};
use super::findings::Findings;
use super::pattern::Pattern;
use crate::collector::Failure;
use crate::config::types::Address;
use crate::net::connect::{Family, connect};

/// The most that a server may say before what is expected.
const ANSWER_BYTES: usize = 64 << 10;

/// The most steps of a conversation.
const STEPS: usize = 32;

/// A port, and what is said at it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    pub(super) place: Place,
    pub(super) ip: Family,
    pub(super) steps: Steps,
}

/// `host:port`, with IPv6 addresses in brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Name or address, without brackets.
    pub(super) host: String,
    /// Port.
    pub(super) port: u16,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let way_out = "write \"mail.example:25\" or \"[::1]:25\"";
        match text.parse() {
            Ok(Address::Tcp { host, port }) => Ok(Self { host, port }),
            Ok(Address::Unix(_)) => Err(format!("`{text}` is not a host and a port\n{way_out}")),
            Err(message) => {
                let what = message.lines().next().unwrap_or_default();
                Err(format!("{what}\n{way_out}"))
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Address::Tcp { host: self.host.clone(), port: self.port }.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A conversation: what is waited for and what is said, one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Steps(Vec<Step>);

/// One step.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    /// Waits until a line like this has come.
    Expect(Pattern),
    /// Says this as it stands.
    Send(String),
}

impl<'de> Deserialize<'de> for Steps {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let steps = Vec::deserialize(deserializer)?;
        if steps.len() > STEPS {
            return Err(D::Error::custom(format!("{} steps are too many\n{STEPS} are the most", steps.len())));
        }
        Ok(Self(steps))
    }
}

impl Settings {
    /// Connects, and goes through the conversation.
    pub(super) async fn probe(&self, found: &mut Findings, deadline: Instant) -> Result<(), Trouble> {
        found.expects_words();
        let addresses = found.resolve(&self.place.host, self.place.port, self.ip).await?;
        let (mut stream, address) = connect(&addresses, deadline).await?;
        found.reached(address.ip());
        let mut said = Vec::new();
        for (number, step) in self.steps.0.iter().enumerate() {
            match step {
                Step::Send(text) => stream.write_all(text.as_bytes()).await.map_err(Failure::io)?,
                Step::Expect(pattern) => {
                    found.doing(format!("waiting for `{}` (step {})", pattern.as_str(), number + 1));
                    expect(&mut stream, &mut said, pattern, found).await?;
                }
            }
        }
        Ok(())
    }
}

/// Reads until the pattern has come; what came before it and with it is used up.
async fn expect(
    stream: &mut TcpStream,
    said: &mut Vec<u8>,
    pattern: &Pattern,
    found: &mut Findings,
) -> Result<(), Trouble> {
    loop {
        if let Some(end) = pattern.find(said).map(|matched| matched.end()) {
            said.drain(..end);
            return Ok(());
        }
        let not = |what: &str| format!("{what} `{}`", pattern.as_str());
        if said.len() >= ANSWER_BYTES {
            return Err(Trouble::new(Ending::Limit, not("64 KiB were said without")));
        }
        if stream.read_buf(said).await.map_err(Failure::io)? == 0 {
            if said.is_empty() {
                return Err(Trouble::new(Ending::Protocol, not("the server closed the connection and did not say")));
            }
            found.fail_by_words();
            return Err(Trouble::new(Ending::Content, not("the server closed the connection and did not say")));
        }
    }
}
