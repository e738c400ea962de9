//! `[access_log.targets.<name>]`: some logs that are written in one format.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::format::{Field, Format};
use super::route::{self, Preset, Routes};
use super::security;
use crate::config::objectives::Objectives;
use crate::config::types::{Period, Section};

/// The most hosts of one target: each has series of its own.
const HOSTS: usize = 50;

/// The format of logs of which nothing is said: what nginx and Apache write where nobody asks for another.
const COMBINED: &str = "combined";

/// Some logs that are written in one format.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Raw")]
pub struct Config {
    /// Paths of the logs, and patterns of such.
    pub files: Vec<String>,
    /// Likewise of the server's error logs.
    pub error_files: Vec<String>,
    /// How a line is written.
    pub format: Format,
    /// The `vhost` of all lines, where `vhosts` is empty.
    pub vhost: String,
    /// Names of hosts, and the `vhost` that each counts under.
    pub vhosts: Vec<(String, String)>,
    /// The systems of the shop.
    pub shops: Vec<Preset>,
    /// What kind of page a request was for.
    pub routes: Routes,
    /// What is thought suspicious.
    pub security: security::Config,
    /// What a request may take; that of the shop's objectives when absent.
    pub objective: Option<Period>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    files: Vec<String>,
    #[serde(default)]
    error_files: Vec<String>,
    format: Option<Format>,
    #[serde(default)]
    vhost: String,
    #[serde(default)]
    vhosts: Hosts,
    #[serde(default)]
    shop: route::Shops,
    #[serde(default)]
    base: route::Base,
    #[serde(default)]
    admin_path: route::AdminPath,
    #[serde(default)]
    routes: Vec<route::Rule>,
    #[serde(default)]
    security: security::Config,
    objective: Option<Period>,
}

/// The hosts, each counted by itself or under a name.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a list of hosts or a table of hosts and the `vhost` of each was expected here")]
enum Hosts {
    List(Vec<String>),
    Table(BTreeMap<String, String>),
}

impl Default for Hosts {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl TryFrom<Raw> for Config {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        let Raw { files, error_files, format, vhost, vhosts, shop, base, admin_path, routes, security, objective } =
            raw;
        for file in files.iter().chain(&error_files) {
            if !file.starts_with('/') || file.contains('\0') || file.ends_with('/') {
                return Err(format!(
                    "`{file}` is not the path of a log\nwrite where it is from the root on, for example \
                     \"/var/log/nginx/access.log\" or \"/var/log/nginx/*.access.log\""
                ));
            }
        }
        let format = format.map_or_else(|| Format::compile(COMBINED), Ok)?;
        if files.is_empty() {
            return Err("no log is named\nwrite files = [\"/var/log/nginx/access.log\"]".to_owned());
        }
        let vhosts: Vec<_> = match vhosts {
            Hosts::List(list) => list.into_iter().map(|host| (host.clone(), host)).collect(),
            Hosts::Table(table) => table.into_iter().collect(),
        };
        if let Some((host, _)) = vhosts.iter().find(|(host, label)| !is_host(host) || label.is_empty()) {
            return Err(format!(
                "`{host}` is not a host with a name to count under\nwrite a name as a log has it, without scheme and \
                 port: \"www.shop.example\", or \"xn--rn-wkab.example\" for one with other letters"
            ));
        }
        if vhosts.len() > HOSTS {
            return Err(format!("{} hosts are too many\n{HOSTS} are the most of one target", vhosts.len()));
        }
        if !vhosts.is_empty() && !vhost.is_empty() {
            return Err("vhost is for logs of one host, vhosts for those of several\nleave one of them out".to_owned());
        }
        if !vhosts.is_empty() && !format.has(Field::Host) {
            return Err("vhosts are told apart by the host, which this format does not have\n\
                        add $host to the log_format, or give the logs of each host a target with a vhost"
                .to_owned());
        }
        let routes = Routes::new(&shop, &base, &admin_path, &routes)?;
        let shops = shop.presets().to_vec();
        Ok(Self { files, error_files, format, vhost, vhosts, shops, routes, security, objective })
    }
}

/// Whether this can be the name of a host in a log, where letters of other alphabets are written as DNS has them.
fn is_host(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_[]:".contains(c))
        && (text.starts_with('[') || !text.contains(':'))
}

/// The targets, each with what the shop promises where it does not say so itself.
pub(in crate::collectors) fn promised(section: &Section<Config>, objectives: &Objectives) -> Section<Config> {
    let mut section = section.clone();
    for config in section.targets.values_mut() {
        config.objective.get_or_insert(objectives.http_latency);
    }
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_named_as_a_log_names_it() {
        let parsed = |host| toml::from_str::<Config>(&format!("files = ['/l']\nformat = 'json'\nvhosts = ['{host}']"));
        for host in ["shop.example", "xn--rn-wkab.example", "[::1]"] {
            assert!(parsed(host).is_ok(), "{host}");
        }
        for host in ["\u{fc}r\u{fc}n.example", "https://shop.example", "shop.example:443", ""] {
            let error = parsed(host).unwrap_err();
            assert!(error.message().contains("write a name as a log has it"), "{host}: {error}");
        }
    }
}
