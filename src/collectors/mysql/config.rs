//! What can be configured about a MySQL or MariaDB server: how to reach it, and how much of it to show.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error as _};

use super::queries::Query;
use super::shop::Shop;
use crate::config::objectives;
use crate::config::secret::Secret;
use crate::config::types::{Address, MetricName, Period, Section, TargetName};

/// The table `[mysql]`: a section with queries beside the targets.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    timeout: Option<Period>,
    #[serde(default)]
    targets: BTreeMap<TargetName, Config>,
    #[serde(default)]
    queries: BTreeMap<MetricName, Query>,
}

/// Reads the table, and hands the queries out to the targets that they are for.
///
/// # Errors
/// When the table is wrong, or a query names a target that is not there.
pub fn section<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Section<Config>, D::Error> {
    let Raw { timeout, mut targets, queries } = Raw::deserialize(deserializer)?;
    for (name, query) in queries {
        if name.as_str() == "last" {
            return Err(D::Error::custom(
                "a query cannot be called `last`\nits name is part of a metric's name, and \
                 mysql_query_last_success_timestamp_seconds is taken",
            ));
        }
        let columns = query.values.iter().map(|column| format!("mysql_query_{}_{}", name.as_str(), column.as_str()));
        if let Some(taken) = columns.into_iter().find(|name| *name == objectives::QUERY_TIME.desc().name) {
            return Err(D::Error::custom(format!("{taken} is taken\ngive the query or its column another name")));
        }
        let query = Arc::new(query);
        for target in &query.targets {
            let Some(config) = targets.get_mut(target) else {
                return Err(D::Error::custom(format!(
                    "the query `{}` names the target `{}`, which is not configured\n\
                     add [mysql.targets.{1}], or name another in `targets`",
                    name.as_str(),
                    target.as_str()
                )));
            };
            config.queries.insert(name.clone(), query.clone());
        }
    }
    Ok(Section { timeout, targets })
}

/// One server.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where it listens.
    pub address: Address,
    /// Who we log in as.
    pub user: String,
    /// The password; absent for accounts without one (`unix_socket`, `auth_socket`).
    pub password: Option<Secret>,
    /// Encryption; a Unix socket is never encrypted.
    #[serde(default)]
    pub tls: Tls,
    /// The number of statement digests to show one by one; 0, the default, asks for none.
    #[serde(default)]
    pub digests: Top,
    /// The number of tables, and of unused indexes, to show one by one; 0 asks for none.
    #[serde(default = "Top::tables")]
    pub tables: Top,
    /// Whether open transactions, lock waits and deadlocks are read.
    #[serde(default)]
    pub transactions: bool,
    /// The shop whose database is in this server: what it says of orders, cron, queues and marketplaces is read.
    pub shop: Option<Shop>,
    /// The custom queries of this server.
    #[serde(skip)]
    pub queries: BTreeMap<MetricName, Arc<Query>>,
}

/// How many of the largest are shown one by one; the rest is summed up as `other`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Top(pub usize);

impl Top {
    /// More would be a burden for Prometheus: a digest has 13 series, a table 4.
    const MOST: i64 = 200;

    const fn tables() -> Self {
        Self(20)
    }
}

impl<'de> Deserialize<'de> for Top {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        match usize::try_from(number) {
            Ok(top) if number <= Self::MOST => Ok(Self(top)),
            _ => Err(D::Error::custom(format!(
                "{number} is not from 0 to {}\nthose that are not among the largest are summed up as `other`",
                Self::MOST
            ))),
        }
    }
}

/// How a TCP connection is encrypted.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// What is demanded of the server.
    pub mode: TlsMode,
    /// Certificates we trust, PEM; Mozilla's list when absent.
    pub ca_file: Option<PathBuf>,
    /// Our own certificate, PEM, for accounts with `REQUIRE X509`.
    pub cert_file: Option<PathBuf>,
    /// The key of `cert_file`, PEM.
    pub key_file: Option<PathBuf>,
}

/// What is demanded of the server's encryption; the words are those of the server's own clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsMode {
    /// No encryption.
    #[default]
    Disable,
    /// Encryption with whoever answers: safe against listeners, not against impostors.
    Require,
    /// A certificate signed by someone we trust, whatever name it is for.
    VerifyCa,
    /// A certificate signed by someone we trust, for the host we connect to.
    VerifyFull,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Section<Config>, toml::de::Error> {
        section(toml::Deserializer::parse(text)?)
    }

    #[test]
    fn a_query_is_handed_to_its_targets() {
        let section = parse(
            "[targets.main]\naddress = '127.0.0.1:3306'\nuser = 'vitrin'\n\
             [targets.copy]\naddress = '/run/copy.sock'\nuser = 'vitrin'\ntables = 0\n\
             [queries.orders]\nsql = 'SELECT 1 AS open'\nvalues = ['open']\ntargets = ['copy']\n",
        )
        .unwrap();
        let queries: Vec<_> = section.targets.iter().map(|(name, c)| (name.as_str(), c.queries.len())).collect();
        assert_eq!(queries, [("copy", 1), ("main", 0)]);
    }

    #[test]
    fn mistakes_say_what_was_expected() {
        for (text, message) in [
            ("[queries.a]\nsql = 'SELECT 1 AS n'\nvalues = ['n']", "names the target `main`, which is not configured"),
            ("[targets.main]\naddress = ':1'\nuser = 'a'", "is not an address"),
            ("[targets.main]\naddress = 'a:1'\nuser = 'a'\ndigests = 1000", "is not from 0 to 200"),
            ("[targets.main]\naddress = 'a:1'\nuser = 'a'\npassword = 'x'", "does not belong in this file"),
            ("[targets.main]\naddress = 'a:1'\nuser = 'a'\ntls.mode = 'verify'", "unknown variant `verify`"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
