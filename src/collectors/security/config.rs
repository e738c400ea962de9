//! What the operator says of the shop's security, and of where to look.

use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::check::Check;
use crate::config::types::WebUrl;
use crate::net::detours::Detours;
use crate::networks::Networks;

/// The `[security]` table. Without it nothing is checked.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The shop's own address, as visitors write it: pages and certificates are asked for there. Without it these checks
    /// are unknown.
    pub url: Option<WebUrl>,
    /// Where the shop is instead of where its name leads, `{ "shop.example:443" = "127.0.0.1:8443" }`.
    pub resolve: Detours,
    /// An authority to trust beside those that the system does, in PEM.
    pub ca_file: Option<PathBuf>,
    /// The folder that the web server serves the shop from; found in nginx' configuration when absent.
    pub root: Option<PathBuf>,
    /// Where the administration is, `/backoffice`; found in the shop's files when absent.
    pub admin_path: Option<String>,
    /// The ports that are meant to be reachable from outside.
    pub allowed_ports: Vec<u16>,
    /// The file that `vitrin facts` writes as root.
    pub facts: PathBuf,
    /// The list of the shop's files that `vitrin manifest` writes at each deployment.
    pub manifest: Option<PathBuf>,
    /// How much of it is on the page.
    pub detail: Detail,
    /// Checks that nobody is to be told of for a while. They never score.
    pub waive: Vec<Waiver>,
    /// Who stands before the origin.
    pub edge: Edge,
    /// Whether some countries are meant to be kept out.
    pub geo_policy: GeoPolicy,
    /// Where it can be asked whether the alerting works.
    pub alerting: Option<Prometheus>,
    /// Who looks at the machine's ports from outside.
    pub outside_view: Option<OutsideView>,
    /// Checks that do more than any visitor.
    pub active: Active,
}

/// How much is on the page: whoever reads it learns where a shop is weak.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    /// Every check.
    #[default]
    Full,
    /// The score of each category.
    Category,
    /// The score.
    Score,
}

/// A check that nobody is to be told of.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// Which.
    pub(super) check: Check,
    /// Why, in the operator's words.
    pub(super) reason: String,
    /// Until when, `2027-01-31`; its alerts come back on the day after.
    pub(super) until: Day,
}

/// A day, as ISO 8601 writes it; it ends with the day in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day {
    /// When it ends, in seconds since 1970.
    end: i64,
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let begins = humantime::parse_rfc3339_weak(&format!("{text} 00:00:00"));
        let since = begins.ok().and_then(|begins| begins.duration_since(UNIX_EPOCH).ok());
        let seconds = since.and_then(|since| i64::try_from(since.as_secs()).ok());
        let seconds = seconds.ok_or_else(|| D::Error::custom(format!("`{text}` is no day\nwrite \"2027-01-31\"")))?;
        Ok(Self { end: seconds + DAY })
    }
}

/// How many seconds a day has.
const DAY: i64 = 24 * 60 * 60;

impl Config {
    /// Whether nobody is to be told of a check at a time, in seconds since 1970.
    pub(super) fn is_waived(&self, check: Check, now: i64) -> bool {
        self.waive.iter().any(|waiver| waiver.check == check && now < waiver.until.end)
    }
}

/// What stands before the origin.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Edge {
    /// Its name, `cloudflare`; to name one adds the check whether the origin is reachable past it.
    pub provider: Option<String>,
    /// Where its requests come from.
    pub networks: Networks,
}

/// Countries that are kept out.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct GeoPolicy {
    /// Whether it is said that some are: it adds the check whether that is enforced.
    pub declared: bool,
}

/// A Prometheus.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Prometheus {
    /// Where it is.
    pub prometheus_url: WebUrl,
}

/// Somebody else's look at the machine's ports, as a Prometheus has it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct OutsideView {
    /// Where that Prometheus is.
    pub prometheus_url: WebUrl,
    /// The job whose `probe_success` tells which port is open.
    pub job: String,
}

/// Checks that do more than any visitor: off unless asked for, and they can only lower a result.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Active {
    /// asks for files that must not be served, at most 20 a day.
    pub files: bool,
    /// 12 logins of a user who does not exist, once a week; takes `ack_self_ban`, too.
    pub logins: bool,
    /// a burst of at most 200 requests, once a day.
    pub burst: bool,
    /// That it is understood that the machine may ban itself.
    pub ack_self_ban: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: None,
            resolve: Detours::default(),
            ca_file: None,
            root: None,
            admin_path: None,
            allowed_ports: vec![22, 80, 443],
            facts: "/run/vitrin/facts.json".into(),
            manifest: None,
            detail: Detail::default(),
            waive: Vec::new(),
            edge: Edge::default(),
            geo_policy: GeoPolicy::default(),
            alerting: None,
            outside_view: None,
            active: Active::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiver_holds_to_the_end_of_its_day() {
        let text = "waive = [{ check = 'FW-08', reason = 'a bastion stands before it', until = '2027-01-31' }]";
        let config: Config = toml::from_str(text).unwrap();
        let end_of_january = 1_801_440_000;
        assert!(config.is_waived(Check::Fw08, end_of_january - 1));
        assert!(!config.is_waived(Check::Fw08, end_of_january) && !config.is_waived(Check::Fw07, 0));
    }

    #[test]
    fn what_is_no_check_or_no_day_is_told_with_the_way_out() {
        let message = |check: &str, until: &str| {
            let text = format!("waive = [{{ check = '{check}', reason = 'r', until = '{until}' }}]");
            toml::from_str::<Config>(&text).unwrap_err().message().to_owned()
        };
        assert_eq!(message("FW-99", "2027-01-31"), "`FW-99` is no check\nwrite one of its names, \"FW-08\"");
        assert_eq!(message("FW-08", "next week"), "`next week` is no day\nwrite \"2027-01-31\"");
        assert_eq!(message("FW-08", "2027-02-31"), "`2027-02-31` is no day\nwrite \"2027-01-31\"");
    }
}
