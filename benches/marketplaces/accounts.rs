//! Nine accounts with four probes each, and what a probe costs.

use std::time::Duration;

use crate::support::daemon::within;
use crate::support::exporter::Exporter;
use crate::support::process;
use crate::support::simulator::Simulator;

/// Three accounts each of two marketplaces that have four probes, with tokens, XML and limits in a body among them, and of
/// the preset that takes probes of one's own.
const ACCOUNTS: [(&str, [&str; 4]); 3] = [
    ("trendyol", ["reachability", "products", "orders", "listings-rejected"]),
    ("ebay", ["reachability", "account", "rate-limits", "trading"]),
    ("generic", ["http", "cart", "search", "stock"]),
];

/// How many of each.
const TIMES: usize = 3;

/// All of them.
pub(crate) const PROBES: usize = ACCOUNTS.len() * TIMES * ACCOUNTS[0].1.len();

/// How often each is made before anything is measured, so that its histograms and numbers are there; and how often while
/// its cost is.
const ROUNDS: usize = 2;

/// How long that may take.
const PATIENCE: Duration = Duration::from_mins(3);

/// Often enough not to be waited for long, and seldom enough to cost next to nothing of what scrapes cost.
const OFTEN: &str =
    "enabled = true\ninterval = '20s'\nmin_interval = '1s'\ndocumented_limit = { requests = 1000, per = '1s' }\n";

/// What a probe of one's own needs besides.
const OWN: &str = "role = 'business'\npath = '/api/{probe}'\nexpect = 'json'\nsuccess = { require = [{ json = '/ok', type = 'boolean' }] }\n";

/// The tables of all accounts, at the simulator.
pub(crate) fn configuration(simulator: &Simulator) -> String {
    let printed = simulator.configuration();
    let table = |preset: &str| {
        let head = format!("[marketplace.targets.{preset}]");
        let (_, rest) = printed.split_once(&head).expect("it is one of the simulator's");
        rest.split_once("\n[").map_or(rest, |(table, _)| table).to_owned()
    };
    let mut text = String::new();
    for (preset, probes) in ACCOUNTS {
        for account in 1..=TIMES {
            let name = format!("{preset}-{account}");
            text.extend([format!("[marketplace.targets.{name}]{}\n", table(preset))]);
            for probe in probes {
                let is_own = preset == "generic" && probe != "http";
                let own = if is_own { OWN.replace("{probe}", probe) } else { String::new() };
                text.extend([format!("[marketplace.targets.{name}.probes.{probe}]\n{OFTEN}{own}")]);
            }
        }
    }
    text
}

/// The processor time of the first of two exporters for a request, each on a connection of its own with its TLS handshake.
/// Both have made all probes some times then.
pub(crate) fn cost_of_a_request(simulator: &Simulator, exporters: &[Exporter; 2]) -> Duration {
    let made = || ACCOUNTS.iter().map(|(preset, _)| simulator.requests(preset).len()).sum::<usize>();
    let rounds_after = |before: usize| {
        within(PATIENCE, "the probes", || made() >= before + exporters.len() * ROUNDS * PROBES);
    };
    rounds_after(0);
    let (before, made_before) = (process::cpu(exporters[0].pid()), made());
    rounds_after(made_before);
    let (after, made_after) = (process::cpu(exporters[0].pid()), made());
    // Both make as many.
    let requests = u32::try_from((made_after - made_before) / exporters.len()).expect("some dozens");
    after.saturating_sub(before) / requests
}
