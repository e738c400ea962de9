//! The environment that the program was started in: read in this place only.

use std::collections::HashMap;
use std::path::PathBuf;

/// The environment as the configuration sees it: a copy, so that tests set nothing in the process.
#[derive(Clone, Default)]
pub struct Environment(HashMap<String, String>);

impl Environment {
    /// The process' own environment; variables that are not text are left out.
    #[must_use]
    pub fn process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The home of the user we run as.
    #[must_use]
    pub fn home(&self) -> Option<PathBuf> {
        self.get("HOME").filter(|home| home.starts_with('/')).map(PathBuf::from)
    }

    /// The folder that systemd has made for our state (`StateDirectory=`).
    #[must_use]
    pub fn state_directory(&self) -> Option<PathBuf> {
        // There may be several, parted by colons.
        let first = self.get("STATE_DIRECTORY")?.split(':').next()?;
        first.starts_with('/').then(|| first.into())
    }

    /// The value of a variable.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}
