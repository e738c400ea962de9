//! THE list: the one place that names every collector.

use std::sync::Arc;

use serde::Deserialize;

use crate::collector::Context;
use crate::metric::{Catalogue, Desc};
use crate::schedule::Job;
use crate::{process, schedule, server};

/// The collectors' tables in the configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sections {}

impl Sections {
    /// The jobs that the configuration asks for.
    #[must_use]
    pub fn jobs(self, _context: &Context) -> Vec<Arc<Job>> {
        let Self {} = self;
        Vec::new()
    }
}

/// Every family the program can show, in the order of their names.
#[must_use]
pub fn catalogue() -> Vec<&'static Desc> {
    let own = [process::METRICS, schedule::METRICS, server::METRICS];
    let mut families: Vec<_> = own.into_iter().map(Catalogue::List).flat_map(Catalogue::families).collect();
    families.sort_by(|a, b| a.name.cmp(&b.name));
    families
}
