//! The operating system: the kernel's settings, SSH, updates, the clock, and where logs go; and who watches over them.

mod alerting;
mod bans;
mod clock;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzz;
mod http;
mod judge;
mod kernel;
mod keys;
#[cfg(test)]
mod live;
mod shipping;
pub(super) mod ssh;
#[cfg(test)]
mod tests;
mod updates;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

use super::config::Config;
use super::verdict::{Cause, Known, Unknown};
use crate::collector::Paths;
use crate::net::threads::Threads;
pub(crate) use alerting::Alerting;
pub(crate) use bans::{CrowdSec, Log};
pub(crate) use clock::Clock;
pub(super) use judge::judge;
pub(crate) use kernel::Kernel;
pub(crate) use shipping::Shipping;
pub(crate) use ssh::Ssh;
pub(crate) use updates::automatic::Automatic;
pub(crate) use updates::pending::Updates;

/// Where CrowdSec shows its figures unless it is told otherwise (`prometheus.listen_addr` and `listen_port`).
const CROWDSEC: &str = "http://127.0.0.1:6060/metrics";

/// The operating system.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct System {
    /// The kernel's settings of the network.
    pub(crate) kernel: Known<Kernel>,
    /// SSH's server.
    pub(crate) ssh: Known<Ssh>,
    /// Security updates that wait.
    pub(crate) updates: Known<Updates>,
    /// How updates are installed, and whether a reboot is waited for.
    pub(crate) automatic: Known<Automatic>,
    /// The clock.
    pub(crate) clock: Known<Clock>,
    /// Where logs go.
    pub(crate) shipping: Known<Shipping>,
    /// The logs of the shop's web server.
    pub(crate) logs: Known<Vec<Log>>,
    /// CrowdSec; `None` where none answers.
    pub(crate) crowdsec: Known<Option<CrowdSec>>,
    /// What would tell of trouble.
    pub(crate) alerting: Known<Alerting>,
}

/// What is kept between rounds, and over restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Memory {
    updates: updates::pending::Memory,
    crowdsec: bans::Counters,
}

/// Nobody has looked yet.
impl Default for System {
    fn default() -> Self {
        Self::unknown(&Unknown::new(Cause::Stale, "nobody has looked yet"))
    }
}

impl System {
    /// Nothing of it, and why.
    pub(crate) fn unknown(why: &Unknown) -> Self {
        Self {
            kernel: Err(why.clone()),
            ssh: Err(why.clone()),
            updates: Err(why.clone()),
            automatic: Err(why.clone()),
            clock: Err(why.clone()),
            shipping: Err(why.clone()),
            logs: Err(why.clone()),
            crowdsec: Err(why.clone()),
            alerting: Err(why.clone()),
        }
    }

    /// Looks at the machine; `logs` are those of the shop's web server, `now` is in seconds since 1970. Blocks, for seconds
    /// where apt has something new to say.
    pub(crate) fn look(paths: &Paths, logs: &Known<Vec<PathBuf>>, now: i64, memory: &mut Memory) -> Self {
        Self {
            kernel: kernel::look(&paths.proc),
            ssh: Ok(ssh::look(paths)),
            updates: updates::pending::look(&paths.root, now, &mut memory.updates),
            automatic: updates::automatic::look(paths),
            clock: clock::look(),
            shipping: shipping::look(paths),
            logs: logs.as_ref().map(|logs| bans::logs(&paths.root, logs)).map_err(Clone::clone),
            ..Self::default()
        }
    }

    /// Asks those who tell over HTTP: CrowdSec on this machine, and the Prometheus that the configuration names.
    pub(crate) async fn ask(&mut self, config: &Config, now: i64, memory: &mut Memory, threads: &Threads) {
        self.crowdsec = crowdsec(CROWDSEC, now, &mut memory.crowdsec).await;
        self.alerting = alerting::ask(config, threads).await;
    }
}

/// CrowdSec, by its figures.
async fn crowdsec(url: &str, now: i64, counters: &mut bans::Counters) -> Known<Option<CrowdSec>> {
    let url = Url::parse(url).map_err(|_| Unknown::new(Cause::Unparsable, "no such address"))?;
    let address = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let limit = std::time::Duration::from_secs(5);
    let silent = || Unknown::new(Cause::Timeout, format!("no answer from {address}, where CrowdSec shows its figures"));
    let stream = match timeout(limit, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => return Ok(None),
        Ok(Err(error)) => {
            return Err(Unknown::new(Cause::Unreachable, format!("asking {address} for CrowdSec's figures: {error}")));
        }
        Err(_) => return Err(silent()),
    };
    match timeout(limit, http::get_over(stream, &url)).await {
        Ok(Ok(page)) => {
            let page = String::from_utf8_lossy(&page);
            // Others use the port, too.
            Ok(page.contains("\ncs_").then(|| bans::crowdsec(&page, now, counters)))
        }
        Ok(Err(failure)) if failure.reason == crate::collector::Reason::Protocol => Ok(None),
        Ok(Err(failure)) => Err(Unknown::new(Cause::Unparsable, format!("CrowdSec's figures on {address}: {failure}"))),
        Err(_) => Err(silent()),
    }
}
