//! Redis or Valkey: whether it serves somebody who says no password. Its settings are not read: among them is the password.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde::Deserialize;

use super::{blocking, unknown};
use crate::collector::{Context, Failure};
use crate::collectors::redis;
use crate::collectors::redis::inquiry::{Greeting, Told};
use crate::collectors::security::known::CACHE;
use crate::collectors::security::verdict::{Cause, Known, Unknown};
use crate::config::types::Address;
use crate::machine::Machine;
use crate::net::threads::Threads;

/// The Redis or Valkey servers of the shop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Cache {
    /// Those that are configured; empty where none is.
    pub(crate) servers: Vec<Server>,
    /// Whether one runs on this machine; `None` where others' processes are hidden.
    pub(crate) runs: Option<bool>,
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Server {
    /// Where we reach it.
    pub(crate) address: Address,
    /// Whether we speak TLS with it.
    pub(crate) tls: bool,
    /// What it says to a stranger.
    pub(crate) stranger: Stranger,
    /// The permission bits of its socket, where we reach it by one.
    pub(crate) socket: Option<u32>,
    /// Its TCP port, 0 for none, the one without TLS where it has both; `None` where it does not tell.
    pub(crate) port: Option<u16>,
    /// What it says to a stranger at that port, where it is reached by a socket and has one.
    pub(crate) stranger_at_port: Option<Known<Stranger>>,
}

/// What a server says to a stranger's PING.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stranger {
    /// It serves them.
    Served,
    /// It wants a password.
    Refused,
    /// It has no password and serves this machine alone: what protected mode answers to others.
    Protected,
    /// It wants a certificate.
    Certificate,
    /// It lets them in, and not do this.
    Restricted,
}

impl From<Greeting> for Stranger {
    fn from(greeting: Greeting) -> Self {
        match greeting {
            Greeting::Pong => Self::Served,
            Greeting::NoAuth => Self::Refused,
            Greeting::Protected => Self::Protected,
            Greeting::Certificate => Self::Certificate,
            Greeting::NoPerm => Self::Restricted,
        }
    }
}

/// Asks these servers, each as a stranger. All have to answer: one that does not might be the one that is open.
pub(crate) async fn ask_caches(servers: &[&redis::Config], context: &Context, threads: &Threads) -> Known<Cache> {
    let paths = context.paths.clone();
    let machine = blocking(threads, move || Machine::look(&paths, None, CACHE.processes)).await?;
    let seen = !machine.processes.is_empty();
    let runs = (seen || !machine.hides_processes).then_some(seen);
    let mut cache = Cache { servers: Vec::new(), runs };
    for config in servers {
        cache.servers.push(ask_cache(config, context, threads).await?);
    }
    Ok(cache)
}

/// Asks one server.
pub(crate) async fn ask_cache(config: &redis::Config, context: &Context, threads: &Threads) -> Known<Server> {
    let endpoint = &config.endpoint;
    let address = endpoint.url.address.clone();
    let Told { greeting, port } = endpoint.inquire(context).await.map_err(|failure| unknown(&failure))?;
    let socket = match address.socket().map(Path::to_owned) {
        Some(path) => Some(blocking(threads, move || mode(&path)).await??),
        None => None,
    };
    let local = |port| Address::Tcp { host: "127.0.0.1".to_owned(), port };
    let stranger_at_port = match port {
        Some(port) if socket.is_some() && port != 0 => {
            let asked = endpoint.inquire_at(context, local(port)).await;
            Some(asked.map(Stranger::from).map_err(|failure| unknown(&failure)))
        }
        _ => None,
    };
    Ok(Server { tls: endpoint.url.tls, stranger: greeting.into(), socket, port, stranger_at_port, address })
}

fn mode(socket: &Path) -> Known<u32> {
    let metadata = fs::metadata(socket).map_err(|error| unknown(&Failure::io(error)))?;
    Ok(metadata.permissions().mode() & 0o7777)
}

impl Server {
    /// Whether a stranger is served by it, where that can be told: by the socket or the port.
    pub(super) fn serves_strangers(&self) -> Known<bool> {
        let restricted = || {
            let why = "Redis lets strangers in, but not PING: what else they may do is not known";
            Unknown::new(Cause::Unsupported, why)
        };
        match self.stranger {
            Stranger::Served | Stranger::Protected => Ok(true),
            Stranger::Refused | Stranger::Certificate => Ok(false),
            Stranger::Restricted => Err(restricted()),
        }
    }

    /// Whether what is said to it stays on this machine.
    pub(super) fn is_local(&self) -> bool {
        self.address.is_local()
    }
}
