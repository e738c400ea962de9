//! A preset and what the configuration says of one seller, put together into an account.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use toml::Table;

use super::Preset;
use super::account::{Account, Expiry};
use super::assemble::Assembly;
use super::check::{self, known};
use super::merge;
use super::schema::{self, Used, Written};
use super::values::Values;
use crate::config::read_table;
use crate::config::secret::Secret;
use crate::net::connect::Family;

/// What the configuration says of one seller, with what the topic says for all.
#[derive(Clone, Debug)]
pub(crate) struct Wishes {
    pub(crate) environment: String,
    pub(crate) vars: BTreeMap<String, String>,
    pub(crate) secrets: BTreeMap<String, Secret>,
    /// Keys of probes that are to be other than the preset says, by the probe's name.
    pub(crate) probes: BTreeMap<String, Table>,
    /// How often a probe is made, and how long it may take, when nobody says.
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
    /// The part of a documented limit that a probe may use.
    pub(crate) budget_share: f64,
    pub(crate) objective: Duration,
    pub(crate) ip: Family,
    pub(crate) resolve: BTreeMap<String, SocketAddr>,
    pub(crate) ca_file: Option<PathBuf>,
}

impl Preset {
    /// The account of a seller.
    ///
    /// # Errors
    /// When something is missing, unknown or wrong.
    pub(crate) fn account(&self, wishes: &Wishes) -> Result<Account, String> {
        let Self { written, .. } = self;
        let Some(environment) = written.environments.get(&wishes.environment) else {
            let names: Vec<_> = written.environments.keys().map(String::as_str).collect();
            return Err(format!(
                "the preset `{}` has no environment `{}`\n{}",
                written.preset.name,
                wishes.environment,
                known(&wishes.environment, &names)
            ));
        };
        let values = Values::new(&written.preset, &wishes.vars, &wishes.secrets)?;
        let probes = self.probes(&wishes.probes)?;
        if written.preset.open {
            useful(written, &probes, wishes)?;
        }
        let expiries = expiries(written, &values)?;
        let enabled: Vec<_> = probes.iter().filter(|probe| probe.enabled).collect();
        let mut assembly = Assembly::new(written, environment, values, wishes, &enabled)?;
        let mut made = Vec::new();
        for probe in enabled {
            let of = |problem: String| format!("the probe `{}`: {problem}", probe.name);
            made.push(assembly.probe(probe).map_err(of)?);
        }
        if made.is_empty() {
            return Err(
                "none of its probes is enabled\nset enabled = true in one of them, or remove the target".to_owned()
            );
        }
        Ok(Account {
            marketplace: written.preset.name.clone(),
            environment: wishes.environment.clone(),
            objective: wishes.objective,
            ip: wishes.ip,
            resolve: wishes.resolve.clone(),
            ca_file: wishes.ca_file.clone(),
            auths: assembly.auths(),
            probes: made,
            disabled: probes.iter().filter(|probe| !probe.enabled).map(|probe| probe.name.clone()).collect(),
            expiries,
        })
    }

    /// The probes with what the account changes in them; with its own ones, where the preset is open to that.
    fn probes(&self, changes: &BTreeMap<String, Table>) -> Result<Vec<schema::Probe>, String> {
        let names: Vec<_> = self.written.probe.iter().map(|probe| probe.name.as_str()).collect();
        let own = changes.iter().filter(|(name, _)| !names.contains(&name.as_str()));
        if let Some((unknown, _)) = own.clone().next().filter(|_| !self.written.preset.open) {
            let hint = known(unknown, &names);
            return Err(format!("the preset `{}` has no probe `{unknown}`\n{hint}", self.name()));
        }
        let presets = names.iter().zip(&self.probes).map(|(name, probe)| (*name, probe.clone()));
        let own = own.map(|(name, _)| (name.as_str(), Table::new()));
        let mut probes = Vec::new();
        for (name, mut probe) in presets.chain(own) {
            let of = |problem: String| format!("the probe `{name}`: {problem}");
            if let Some(changed) = changes.get(name) {
                if changed.contains_key("name") {
                    return Err(of("it has a name already, that of its table\nleave `name` out".to_owned()));
                }
                merge::into(&mut probe, changed);
            }
            probe.insert("name".to_owned(), name.into());
            let probe: schema::Probe = read_table(&probe).map_err(|problem| of(problem.lines()))?;
            check::probe(&self.written, &probe).map_err(of)?;
            probes.push(probe);
        }
        if probes.len() > check::PROBES {
            return Err(format!("it has more than {} probes\ngive some of them to another target", check::PROBES));
        }
        Ok(probes)
    }
}

/// That all names that are given to an open preset are of use.
fn useful(written: &Written, probes: &[schema::Probe], wishes: &Wishes) -> Result<(), String> {
    let used = Used::of(written, probes);
    let vars = wishes.vars.keys().find(|name| !used.vars.contains(*name)).map(|name| ("variable", "var", name));
    let secrets = wishes.secrets.keys().find(|name| !used.secrets.contains(*name));
    match vars.or(secrets.map(|name| ("secret", "secret", name))) {
        Some((kind, word, name)) => Err(format!(
            "the {kind} `{name}` is used nowhere\nwrite {{{{{word}.{name}}}}} where a probe is to have it, or leave it out"
        )),
        None => Ok(()),
    }
}

/// When credentials expire, of those whose first day the account names.
fn expiries(written: &Written, values: &Values<'_>) -> Result<Vec<Expiry>, String> {
    let mut found: Vec<Expiry> = Vec::new();
    let each = |(name, auth)| schema::Auth::expiries(auth).iter().map(move |expiry| (name, expiry));
    for (auth, expiry) in check::auths(written).flat_map(each) {
        let day = values.var(&expiry.from_var)?;
        if day.is_empty() || found.iter().any(|found| found.credential == expiry.credential) {
            continue;
        }
        let time = humantime::parse_rfc3339(&format!("{day}T00:00:00Z")).or_else(|_| humantime::parse_rfc3339(day));
        let since = time.ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let since =
            since.ok_or_else(|| format!("the variable `{}` is not a day\nwrite \"2026-03-01\"", expiry.from_var))?;
        found.push(Expiry {
            auth: str::to_owned(auth),
            credential: expiry.credential,
            at: (since + expiry.add.0).as_secs_f64(),
        });
    }
    Ok(found)
}
