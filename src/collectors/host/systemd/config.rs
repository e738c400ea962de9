//! Which units of systemd are shown one by one.

use serde::{Deserialize, Deserializer};

use crate::collectors::host::config::Pattern;

/// The `[host.systemd]` table, whose presence switches this on.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How many units are shown.
    pub units: Most,
    /// The units that may be shown; `*` stands for any characters.
    pub include: Vec<Pattern>,
    /// Those of them that are left out.
    pub exclude: Vec<Pattern>,
}

impl Default for Config {
    fn default() -> Self {
        let patterns = |list: &[&str]| list.iter().map(|text| Pattern::of(text)).collect();
        Self { units: Most(100), include: patterns(UNITS), exclude: patterns(TRANSIENT_UNITS) }
    }
}

/// What a shop wants to know of: what runs, what starts it, and what happens at night. The other kinds (devices, mounts,
/// slices, targets) follow from these or are seen elsewhere.
const UNITS: &[&str] = &["*.service", "*.socket", "*.timer"];

/// Units that come and go with a login, a connection or a crash, under a new name each time, which may hold an address.
const TRANSIENT_UNITS: &[&str] = &["run-*", "ssh@*", "sshd@*", "systemd-coredump@*", "user-runtime-dir@*", "user@*"];

impl Config {
    /// Whether this unit may be shown.
    pub(super) fn wants(&self, unit: &str) -> bool {
        let listed = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(unit));
        listed(&self.include) && !listed(&self.exclude)
    }
}

/// How many units of systemd are shown one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Most(pub usize);

impl Most {
    /// A unit has five series and more, and costs systemd up to five questions.
    const LIMIT: i64 = 300;
}

impl<'de> Deserialize<'de> for Most {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        match usize::try_from(number) {
            Ok(most) if number <= Self::LIMIT => Ok(Self(most)),
            _ => Err(serde::de::Error::custom(format!(
                "{number} is not from 0 to {}\nall units are in the sum `node_systemd_units`, however few are shown",
                Self::LIMIT
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_sockets_and_timers_are_wanted_and_logins_are_not() {
        let config = Config::default();
        for unit in
            ["nginx.service", "php8.2-fpm.service", "ssh.socket", "apt-daily.timer", "postgresql@15-main.service"]
        {
            assert!(config.wants(unit), "{unit}");
        }
        for unit in
            ["-.mount", "user.slice", "user@1000.service", "run-u12.service", "sshd@3-192.0.2.1:22-192.0.2.7:5.service"]
        {
            assert!(!config.wants(unit), "{unit}");
        }
    }

    #[test]
    fn too_many_units_are_refused() {
        let message = toml::from_str::<Config>("units = 301").unwrap_err().to_string();
        assert!(message.contains("301 is not from 0 to 300"), "{message}");
        assert_eq!(toml::from_str::<Config>("units = 0").unwrap().units, Most(0));
    }
}
