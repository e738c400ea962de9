//! Probes, of servers that are as they should be and of others.

mod certificates;
mod tls;

use vitrin::collector::{Collector as _, Context, Paths};
use vitrin::collectors::Sections;
use vitrin::collectors::probe::Probe;

/// The collector of a target that is written so.
fn probe(target: &str) -> Probe {
    let written = format!("[probe.targets.shop]\n{target}");
    let sections: Sections = toml::from_str(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
    let config = sections.probe.targets.into_values().next().expect("the one written above");
    Probe::new(&config, &Context::new(Paths::default()))
}
