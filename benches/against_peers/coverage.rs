//! How much of what the peers give is given by ours, and what it gives beyond.

use std::collections::BTreeSet;

use crate::contender::Contender;
use crate::support::scrape::{Family, Page};

/// What is in the names of the peers' families about themselves.
const OWN: [&str; 4] = ["go_", "process_", "promhttp_", "_exporter_"];

/// One exporter's page beside that of ours with every collector.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Coverage {
    /// All that it gives.
    pub(crate) families: usize,
    pub(crate) series: usize,
    /// Of these, what is not about itself.
    pub(crate) others: Part,
    /// What ours has under the same names.
    pub(crate) ours: Part,
    /// Families of its topics that no peer of any generation has; of ours alone.
    pub(crate) beyond: usize,
}

/// A part of a page.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Part {
    pub(crate) families: usize,
    pub(crate) series: usize,
}

/// One for each.
pub(crate) fn of(contenders: &[Contender]) -> Vec<Coverage> {
    let all = contenders.last().expect("ours is the last");
    let theirs: BTreeSet<_> = contenders
        .iter()
        .filter(|contender| contender.generation.is_some())
        .flat_map(|contender| contender.page.names())
        .collect();
    contenders.iter().map(|contender| beside(contender, &all.page, &theirs)).collect()
}

fn beside(contender: &Contender, ours: &Page, theirs: &BTreeSet<&str>) -> Coverage {
    let mut coverage = Coverage::default();
    for family in &contender.page.families {
        coverage.families += 1;
        coverage.series += family.series.len();
        if OWN.iter().any(|own| family.name.contains(own)) {
            continue;
        }
        coverage.others.add(family);
        if let Some(same) = ours.family(&family.name) {
            coverage.ours.add(same);
        }
        coverage.beyond += usize::from(!theirs.contains(family.name.as_str()));
    }
    coverage
}

impl Part {
    fn add(&mut self, family: &Family) {
        self.families += 1;
        self.series += family.series.len();
    }
}
