//! What nginx answers a request with, and what it asks of whoever sends it.

use std::fmt;

pub(crate) use super::settings::Settings;
use super::tree::Place;
use crate::collectors::security::verdict::Known;

/// A request of a stranger's: any address of the internet, an ordinary browser, no password, no cookie, no certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request<'a> {
    /// The path, as it is sent: `/image/x.php`.
    pub(crate) uri: &'a str,
    /// What follows its question mark.
    pub(crate) args: &'a str,
    /// `GET`
    pub(crate) method: &'a str,
    /// Files, on the host, that somebody might have put there; they are taken to be there.
    pub(crate) planted: &'a [std::path::PathBuf],
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    /// What it is answered with.
    pub(crate) outcome: Outcome,
    /// The location that answers, as it is written; the server's own name where there is none.
    pub(crate) location: String,
    /// Where that stands.
    pub(crate) place: Place,
    /// The limits on requests that are in force on its way.
    pub(crate) requests: Vec<Limit>,
    /// The limits on connections.
    pub(crate) connections: Vec<Limit>,
    /// What strangers must show on its way.
    pub(crate) controls: Vec<Control>,
    /// What is said where it ends.
    pub(crate) settings: Settings,
}

/// What a request is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// PHP gets it.
    Php {
        /// `SCRIPT_FILENAME`, on the host.
        script: String,
        /// `PATH_INFO`
        pathinfo: String,
    },
    /// A file of the host is sent.
    File(String),
    /// There is no such file.
    Missing,
    /// It is refused with this status.
    Denied(u16),
    /// It is sent elsewhere.
    Redirect {
        /// 301 and the like.
        status: u16,
        /// Where to, as it is written: without a host it is this server.
        to: String,
    },
    /// Another server answers.
    Proxied,
    /// Something that nginx makes up itself: a text, a list of a folder's files, numbers of itself.
    Other(&'static str),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Php { .. } => write!(f, "PHP runs"),
            Self::File(_) => write!(f, "the file is sent"),
            Self::Missing => write!(f, "404, as there is no such file"),
            Self::Denied(status) => write!(f, "{status}"),
            Self::Redirect { status, to } => write!(f, "{status} to {to}"),
            Self::Proxied => write!(f, "another server answers"),
            Self::Other(what) => write!(f, "{what}"),
        }
    }
}

/// A limit on what one client may ask for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Limit {
    /// The name of its zone.
    pub(crate) zone: String,
    /// Whom it counts together.
    pub(crate) key: Known<Key>,
    /// How many requests a second it lets through; `None` for a limit on connections.
    pub(crate) rate: Option<f64>,
    /// How many more it lets wait, or through.
    pub(crate) burst: u32,
    /// Whether it only says in the log what it would have done.
    pub(crate) is_rehearsal: bool,
    /// Where it is put in force.
    pub(crate) place: Place,
}

impl Limit {
    /// Whether it holds for each client by itself.
    pub(crate) fn is_effective(&self) -> Known<bool> {
        Ok(self.key.clone()? == Key::Client && !self.is_rehearsal)
    }
}

/// Whom a limit counts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// Requests from one address.
    Client,
    /// Requests of many clients: one that asks too much stops all others.
    Shared,
    /// Whatever the client writes into a header, a cookie or an argument: it is somebody else whenever it likes.
    Chosen,
}

/// What a stranger must show, and cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Control {
    /// An address of a list.
    Address,
    /// A password (`auth_basic`).
    Password,
    /// A certificate (`ssl_verify_client`).
    Certificate,
    /// The word of another server (`auth_request`).
    Elsewhere,
}

impl Control {
    /// In words.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "an address of the list",
            Self::Password => "a password",
            Self::Certificate => "a client's certificate",
            Self::Elsewhere => "what `auth_request` asks for",
        }
    }
}
