//! Which jobs one scrape is about.

use std::collections::BTreeSet;

/// The jobs that a scrape asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// Every job.
    #[default]
    All,
    /// The jobs of these collectors: `collect[]=`.
    Only(BTreeSet<String>),
    /// The jobs of all collectors but these: `exclude[]=`.
    Without(BTreeSet<String>),
    /// One job.
    One {
        /// The `collector` label.
        collector: String,
        /// The `target` label.
        target: String,
    },
}

impl Selection {
    /// Whether the job with these labels is asked for.
    #[must_use]
    pub fn takes(&self, collector: &str, target: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(collectors) => collectors.contains(collector),
            Self::Without(collectors) => !collectors.contains(collector),
            Self::One { collector: one, target: its } => (collector, target) == (one, its),
        }
    }
}
