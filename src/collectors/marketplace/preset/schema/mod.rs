//! A preset as it is written in TOML: what docs/marketplaces.md says key by key.

mod auth;
mod headers;
mod limit;
mod texts;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::template::Template;
use crate::collectors::marketplace::judge::rules::{Classify, Expect, Extract, RateLimit, Rules, Success};
use crate::config::types::Period;

pub use auth::Credential;
pub(super) use auth::{Auth, ClientAuth, Grant, OAuth2, StaticExpiry};
pub(super) use headers::Headers;
pub use limit::{DocumentedLimit, Requests, Scope, Share};
pub(super) use texts::Used;

/// The version of these keys.
pub(super) const SCHEMA: u32 = 1;

/// A preset.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    /// The version of the keys: 1.
    pub(super) schema: u32,
    pub(super) preset: About,
    pub(super) environments: BTreeMap<String, Environment>,
    /// Of all probes that name no other.
    #[serde(default)]
    pub(super) auth: Auth,
    /// Of those that name it.
    #[serde(default)]
    pub(super) auth_named: BTreeMap<String, Auth>,
    /// On every request, that for a token too.
    #[serde(default)]
    pub(super) headers: Headers,
    #[serde(default)]
    pub(super) probe: Vec<Probe>,
}

/// What the preset is, and what it needs of an account.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct About {
    /// The label `marketplace`.
    pub(super) name: String,
    #[serde(default)]
    pub(super) description: String,
    /// Whether an account may add probes of its own, with variables and secrets of its own.
    #[serde(default)]
    pub(super) open: bool,
    #[serde(default)]
    pub(super) required_vars: Vec<String>,
    /// With their defaults. A header or a parameter of which nothing is left is not sent.
    #[serde(default)]
    pub(super) optional_vars: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) required_secrets: Vec<String>,
    #[serde(default)]
    pub(super) optional_secrets: Vec<String>,
    /// What a variable may be.
    #[serde(default)]
    pub(super) allowed: BTreeMap<String, Vec<String>>,
}

impl About {
    /// The names of its variables.
    pub(super) fn vars(&self) -> Vec<&str> {
        self.required_vars.iter().chain(self.optional_vars.keys()).map(String::as_str).collect()
    }

    /// The names of its secrets.
    pub(super) fn secrets(&self) -> Vec<&str> {
        self.required_secrets.iter().chain(&self.optional_secrets).map(String::as_str).collect()
    }
}

/// Where the marketplace is: its production, its sandbox.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Environment {
    pub(super) base_url: Template,
    /// Its other addresses, by names for probes.
    #[serde(default)]
    pub(super) hosts: BTreeMap<String, Template>,
}

/// One request that is made again and again, and what its answer means.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Probe {
    /// The label `probe`.
    pub(super) name: String,
    pub(super) role: Role,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    #[serde(default)]
    pub(super) method: Method,
    /// That a request with a body changes nothing.
    #[serde(default)]
    pub(super) read_only: bool,
    /// One of `hosts`; the environment's own address when absent.
    pub(super) host: Option<String>,
    /// `none`, or one of `auth_named`.
    pub(super) auth: Option<String>,
    /// In the place of what the auth itself puts into requests.
    pub(super) auth_inject: Option<Headers>,
    pub(super) path: Template,
    #[serde(default)]
    pub(super) query: BTreeMap<String, Template>,
    #[serde(default)]
    pub(super) headers: Headers,
    pub(super) body: Option<Body>,
    pub(super) interval: Option<Period>,
    /// The least that `interval` can be.
    pub(super) min_interval: Option<Period>,
    pub(super) timeout: Option<Period>,
    #[serde(default)]
    pub(super) expect: Expect,
    pub(super) documented_limit: Option<DocumentedLimit>,
    #[serde(default)]
    pub(super) classify: Vec<Classify>,
    #[serde(default)]
    pub(super) success: Success,
    #[serde(default)]
    pub(super) extract: Vec<Extract>,
    #[serde(default)]
    pub(super) rate_limit: Vec<RateLimit>,
}

impl Probe {
    /// How its answer is judged.
    pub(super) fn rules(&self) -> Rules {
        Rules {
            expect: self.expect,
            classify: self.classify.clone(),
            success: self.success.clone(),
            extract: self.extract.clone(),
            rate_limit: self.rate_limit.clone(),
        }
    }
}

const fn yes() -> bool {
    true
}

/// What a probe is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Whether anybody answers.
    Reachability,
    /// Whether the account's credentials are taken.
    Auth,
    /// Numbers of the business.
    Business,
    /// What is left of what the account may do.
    Quota,
}

/// How it asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Method {
    #[default]
    Get,
    /// Only where the preset says that it changes nothing.
    Post,
}

/// What is sent with it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    pub(super) text: Template,
}
