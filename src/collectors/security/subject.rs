//! What is looked at: what `[security]` says, and the servers that other tables name.

use std::path::PathBuf;

use super::config::Config;
use crate::collectors::{Sections, mysql, php_fpm, redis};
use crate::config::types::{Section, TargetName};
use crate::state::DEFAULT_FOLDER;

/// A shop's security, and where its parts are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subject {
    /// What `[security]` says.
    pub(super) config: Config,
    /// The folder that the service keeps its state in.
    pub(super) state: PathBuf,
    /// The databases that are watched, `main` first.
    pub(super) mysql: Vec<mysql::Config>,
    /// The Redis servers that are watched, `main` first.
    pub(super) redis: Vec<redis::Config>,
    /// The masters of PHP-FPM that are watched, `main` first.
    pub(super) php_fpm: Vec<php_fpm::Config>,
}

impl Subject {
    /// The machine with the servers that the configuration names.
    #[must_use]
    pub fn of(sections: &Sections) -> Self {
        let state =
            sections.state_dir.as_ref().map_or_else(|| DEFAULT_FOLDER.into(), |folder| folder.path().to_owned());
        Self {
            state,
            config: sections.security.clone().unwrap_or_default(),
            mysql: configs(&sections.mysql),
            redis: configs(&sections.redis),
            php_fpm: configs(&sections.php_fpm),
        }
    }

    /// The section with the one target there is, this machine; without one unless `[security]` is there.
    #[must_use]
    pub fn section(sections: &Sections) -> Section<Self> {
        let subject = sections.security.is_some().then(|| (TargetName::main(), Self::of(sections)));
        Section { timeout: None, targets: subject.into_iter().collect() }
    }
}

/// The configurations of a topic's targets, `main` first.
fn configs<C: Clone>(section: &Section<C>) -> Vec<C> {
    let mut targets: Vec<_> = section.targets.iter().collect();
    targets.sort_by_key(|(name, _)| **name != TargetName::main());
    targets.into_iter().map(|(_, config)| config.clone()).collect()
}
