//! An account: one seller at one marketplace, with all that is asked there and how.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::oauth2::OAuth2;
use super::probe::Probe;
use super::schema::Credential;
use crate::config::secret::Secret;
use crate::net::connect::Family;

/// One seller at one marketplace: `[marketplace.targets.<name>]` put together with its preset.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// The label `marketplace`: the name of the preset.
    pub marketplace: String,
    /// `production`, `sandbox`, or what else the preset has.
    pub environment: String,
    /// What was promised of the phase `processing`.
    pub objective: Duration,
    /// Which addresses of a name count.
    pub ip: Family,
    /// Where connections go that are for `host:port`, by that in lower case.
    pub resolve: BTreeMap<String, SocketAddr>,
    /// More authorities to trust than the system does, in PEM.
    pub ca_file: Option<PathBuf>,
    /// Who we are there; those that an enabled probe is made with.
    pub auths: Vec<Auth>,
    /// The probes that are enabled, in the order of the preset.
    pub probes: Vec<Probe>,
    /// The names of those that are not.
    pub disabled: Vec<String>,
    /// When credentials expire, as far as no API says so.
    pub expiries: Vec<Expiry>,
}

impl Account {
    /// Which of its auths a probe is made with.
    #[must_use]
    pub fn auth(&self, probe: &Probe) -> Option<usize> {
        let name = probe.auth.as_ref()?;
        self.auths.iter().position(|auth| auth.name == *name)
    }
}

/// Who we are at a marketplace.
#[derive(Clone, Debug, PartialEq)]
pub struct Auth {
    /// What probes call it: `default`, or its name among `auth_named`.
    pub name: String,
    /// How it is shown there.
    pub kind: AuthKind,
    /// What it is made of.
    pub(super) secrets: Vec<Secret>,
}

impl Auth {
    /// A number that is another one when its credentials are, or how tokens are asked for with them.
    #[must_use]
    pub fn mark(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        // In which secrets are not written out.
        format!("{:?}", self.kind).hash(&mut hasher);
        self.secrets.iter().for_each(|secret| secret.mark(&mut hasher));
        hasher.finish()
    }

    /// The same, also when a file of theirs was written again: somebody has seen to it, and what was refused may be
    /// taken.
    #[must_use]
    pub fn mark_written(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.mark().hash(&mut hasher);
        self.secrets.iter().for_each(|secret| secret.written().hash(&mut hasher));
        hasher.finish()
    }
}

/// How we show who we are.
#[derive(Clone, Debug, PartialEq)]
pub enum AuthKind {
    /// By headers.
    Headers,
    /// By HTTP's basic authentication.
    Basic,
    /// By an access token that somebody else writes into a file.
    BearerFile,
    /// By an access token that is asked for: a probe needs it.
    OAuth2(Box<OAuth2>),
}

/// When a credential expires, as the account says.
#[derive(Clone, Debug, PartialEq)]
pub struct Expiry {
    /// Of which auth.
    pub auth: String,
    /// Which.
    pub credential: Credential,
    /// In seconds since 1970.
    pub at: f64,
}
