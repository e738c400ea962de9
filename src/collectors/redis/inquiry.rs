//! What the security score asks of a Redis: whether it answers somebody who says no password, on a connection of its own.

use std::time::Duration;

use redis::Value;

use super::connection::{Endpoint, Question};
use super::info::Info;
use super::refusal::text;
use crate::collector::{Context, Failure, Reason};
use crate::config::types::Address;

/// How long all of it may take.
const WHOLE: Duration = Duration::from_secs(5);

const SERVER: Question = Question { command: "INFO", argument: Some("server") };

/// What a server says to a stranger's PING.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::collectors) enum Greeting {
    /// `+PONG`: it serves whoever comes.
    Pong,
    /// `-NOAUTH`: it wants a password.
    NoAuth,
    /// `-DENIED`: it has no password, and in protected mode serves this machine alone.
    Protected,
    /// It wants a certificate before anything is said.
    Certificate,
    /// `-NOPERM`: it lets strangers in and not do this.
    NoPerm,
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::collectors) struct Told {
    /// What it says to strangers, where we talk to it.
    pub(in crate::collectors) greeting: Greeting,
    /// The TCP port that it says it has, 0 for none; the one without TLS where it has both. `None` when it does not tell us.
    pub(in crate::collectors) port: Option<u16>,
}

impl Endpoint {
    /// Asks the server as a stranger, then, as who we are, for its port.
    ///
    /// # Errors
    /// When it cannot be reached, or says what no Redis says.
    pub(in crate::collectors) async fn inquire(&self, context: &Context) -> Result<Told, Failure> {
        let gate = context.gate(&self.url.address.to_string());
        let _permit = gate.slow.acquire().await.map_err(|closed| Failure::new(Reason::Bug, closed))?;
        let asked = async {
            let port = self.port().await;
            let has_certificate = self.tls != self.stranger().tls;
            let greeting = match self.stranger().greeting().await {
                // It talks to us, and to nobody without our certificate.
                Err(failure)
                    if has_certificate
                        && port.is_ok()
                        && matches!(failure.reason, Reason::Tls | Reason::Protocol | Reason::Connect) =>
                {
                    Greeting::Certificate
                }
                greeting => greeting?,
            };
            Ok(Told { greeting, port: port.ok() })
        };
        let silence = || Failure::message(Reason::Timeout, format!("no answer of {self} in {WHOLE:?}"));
        tokio::time::timeout(WHOLE, asked).await.unwrap_or_else(|_| Err(silence()))
    }

    /// Asks the server at another address of its machine as a stranger.
    ///
    /// # Errors
    /// When it cannot be reached there, or says what no Redis says.
    pub(in crate::collectors) async fn inquire_at(
        &self,
        context: &Context,
        address: Address,
    ) -> Result<Greeting, Failure> {
        let mut there = self.stranger();
        there.url.address = address;
        let gate = context.gate(&there.url.address.to_string());
        let _permit = gate.slow.acquire().await.map_err(|closed| Failure::new(Reason::Bug, closed))?;
        let silence = || Failure::message(Reason::Timeout, format!("no answer of {there} in {WHOLE:?}"));
        tokio::time::timeout(WHOLE, there.greeting()).await.unwrap_or_else(|_| Err(silence()))
    }

    /// The same place without anything that says who we are.
    fn stranger(&self) -> Self {
        let mut tls = self.tls.clone();
        tls.cert_file = None;
        tls.key_file = None;
        Self { url: self.url.clone(), user: None, password: None, tls }
    }

    async fn greeting(&self) -> Result<Greeting, Failure> {
        let doing = |failure: Failure| failure.context(format!("asking {self} as a stranger"));
        let mut connection = self.open().await.map_err(doing)?;
        let replies = connection.ask(&[redis::cmd("PING")]).await.map_err(doing)?;
        match replies.first() {
            Some(Value::SimpleString(_) | Value::Okay) => Ok(Greeting::Pong),
            Some(Value::ServerError(error)) => match error.code() {
                "NOAUTH" => Ok(Greeting::NoAuth),
                "DENIED" => Ok(Greeting::Protected),
                "NOPERM" => Ok(Greeting::NoPerm),
                _ => Err(doing(super::refusal::server_failure(error))),
            },
            _ => Err(doing(Failure::message(Reason::Protocol, "an answer to PING that no Redis gives"))),
        }
    }

    /// `tcp_port` of its `INFO`.
    async fn port(&self) -> Result<u16, Failure> {
        let mut connection = self.connect().await?;
        let (answers, _) = connection.answers(&[SERVER]).await?;
        let unknown = || Failure::message(Reason::Permission, "INFO says no tcp_port");
        let info = text(answers.get(&SERVER).ok_or_else(unknown)?)?;
        Info::parse(&info).get("tcp_port").and_then(|port| port.parse().ok()).ok_or_else(unknown)
    }
}
