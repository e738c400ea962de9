//! How requests go out: to which addresses, with whose trust, how long and how much is waited for.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::collector::Failure;
use crate::net::connect::Family;
use crate::net::threads::Threads;
use crate::tls::Settings;
use crate::tls::trust::Trust;

/// How the requests of one account go out.
#[derive(Clone, Debug, Default)]
pub struct Way {
    /// Which addresses of a name count.
    pub ip: Family,
    /// Where a host is instead of where its name leads, by `host:port` in lower case (`[::1]:443`); `Host` and the name
    /// that TLS asks for stay what they are.
    pub resolve: BTreeMap<String, SocketAddr>,
    /// More authorities to trust than the system does, in PEM. Read for each request, so that a renewed one needs no
    /// reload.
    pub extra_ca_file: Option<PathBuf>,
    /// How much is read.
    pub limits: Limits,
    /// How long is waited.
    pub timeouts: Timeouts,
    /// What looks up names, all requests of an account together.
    pub threads: Threads,
}

/// How much of an answer is read, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Its status line and header: at least 8 KiB, and no more than 100 lines.
    pub header: usize,
    /// Its body. What is larger is no answer; nothing of it is kept.
    pub body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { header: 64 << 10, body: 256 << 10 }
    }
}

/// How long is waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection; the addresses of a name that do not answer share it.
    pub connect: Duration,
    /// For TLS to be agreed on.
    pub tls: Duration,
    /// For all of it, from looking up the name to the last byte.
    pub whole: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let [connect, tls, whole] = [3, 3, 10].map(Duration::from_secs);
        Self { connect, tls, whole }
    }
}

impl Way {
    /// The same for a request that may take so long.
    #[must_use]
    pub fn within(&self, whole: Duration) -> Self {
        Self { timeouts: Timeouts { whole, ..self.timeouts }, ..self.clone() }
    }

    /// Who is trusted: whom the system trusts, and whom the file names.
    pub(super) fn trust(&self) -> Result<Trust, Failure> {
        let trust = Trust::load(&Settings::default())?;
        match &self.extra_ca_file {
            Some(file) => trust.and(file),
            None => Ok(trust),
        }
    }
}
