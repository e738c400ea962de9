//! What an account gives to its preset: variables and secrets, by their names.

use std::collections::{BTreeMap, BTreeSet};

use super::check::known;
use super::schema::About;
use crate::config::secret::Secret;

/// The variables and secrets of one account, and the address of its environment.
#[derive(Debug)]
pub(super) struct Values<'a> {
    about: &'a About,
    vars: BTreeMap<&'a str, &'a str>,
    secrets: &'a BTreeMap<String, Secret>,
    base_url: String,
}

impl<'a> Values<'a> {
    /// What the account says, and the preset's defaults for the rest.
    ///
    /// # Errors
    /// When something is missing, unknown, or not as the preset allows it. No value is repeated but that of a variable
    /// of which the preset lists what it may be.
    pub(super) fn new(
        about: &'a About,
        vars: &'a BTreeMap<String, String>,
        secrets: &'a BTreeMap<String, Secret>,
    ) -> Result<Self, String> {
        let preset = &about.name;
        for (kind, table, given, known, required) in [
            ("variable", "vars", vars.keys().collect::<Vec<_>>(), about.vars(), &about.required_vars),
            ("secret", "secrets", secrets.keys().collect(), about.secrets(), &about.required_secrets),
        ] {
            // An open preset takes any, if only it is of use, which is looked at when all is put together.
            if let Some(unknown) = given.iter().find(|name| !about.open && !known.contains(&name.as_str())) {
                let hint = self::known(unknown, &known);
                return Err(format!("the preset `{preset}` has no {kind} `{unknown}`\n{hint}"));
            }
            if let Some(missing) = required.iter().find(|name| !given.contains(name)) {
                let value = if kind == "secret" { "{ file = \"/etc/vitrin/name\" }" } else { "\"…\"" };
                return Err(format!(
                    "the preset `{preset}` needs the {kind} `{missing}`\nadd {table}.{missing} = {value}; it needs: {}",
                    required.join(", ")
                ));
            }
        }
        let defaults = about.optional_vars.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let given = vars.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let vars: BTreeMap<_, _> = defaults.chain(given).collect();
        for (name, value) in &vars {
            if value.contains(char::is_control) {
                return Err(format!(
                    "the variable `{name}` has a line break or another control character in it\nwrite it on one line"
                ));
            }
            if value.is_empty() && about.required_vars.iter().any(|required| required == name) {
                return Err(format!("the variable `{name}` is empty\nwrite what the marketplace calls it"));
            }
            let allowed = about.allowed.get(*name).filter(|allowed| !allowed.iter().any(|allowed| allowed == value));
            if let Some(allowed) = allowed {
                return Err(format!("the variable `{name}` is `{value}`\nit can be: {}", allowed.join(", ")));
            }
        }
        Ok(Self { about, vars, secrets, base_url: String::new() })
    }

    /// The same in an environment with this address.
    pub(super) fn at(self, base_url: String) -> Self {
        Self { base_url, ..self }
    }

    /// The value of a variable.
    ///
    /// # Errors
    /// When there is no such variable.
    pub(super) fn var(&self, name: &str) -> Result<&str, String> {
        self.vars.get(name).copied().ok_or_else(|| {
            let names: Vec<_> = self.vars.keys().copied().collect();
            format!("there is no variable `{name}`\n{}", known(name, &names))
        })
    }

    /// A secret; `None` for an optional one that the account does not have.
    ///
    /// # Errors
    /// When there is no such secret.
    pub(super) fn secret(&self, name: &str) -> Result<Option<&Secret>, String> {
        match self.secrets.get(name) {
            Some(secret) => Ok(Some(secret)),
            None if self.about.optional_secrets.iter().any(|optional| optional == name) => Ok(None),
            None => {
                let names: BTreeSet<_> =
                    self.about.secrets().into_iter().chain(self.secrets.keys().map(String::as_str)).collect();
                Err(format!("there is no secret `{name}`\n{}", known(name, &names.into_iter().collect::<Vec<_>>())))
            }
        }
    }

    /// The address of the environment.
    pub(super) fn base_url(&self) -> &str {
        &self.base_url
    }
}
