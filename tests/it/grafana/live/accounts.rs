//! Accounts at simulated marketplaces, with Vitrin's own presets, in which a minute is a second.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use regex::{Captures, Regex};
use tempfile::TempDir;

use crate::support::daemon::folder;
use crate::support::simulator::Simulator;
use crate::support::world::compress::compressed;

/// Where the presets are that come with Vitrin.
const PRESETS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/collectors/marketplace/presets");

/// Those that have, together, something of everything that is shown.
const WATCHED: [&str; 6] = ["amazon-sp-api", "ebay", "generic", "hepsiburada", "ozon", "trendyol"];

/// The most that one of them is asked.
const OFTEN: Duration = Duration::from_secs(1);

/// Limits fill up and tokens end in the shop's time, and one more server tells what no preset asks for.
const SCENARIO: &str = r#"
speed = 60
[[step]]
marketplace = "generic"
path = "/seller"
status = 200
headers = { Content-Type = "application/json" }
body = '{"stars": 4.7, "followers": 12}'
"#;

/// What is asked beyond the presets.
const MORE: &str = r#"
[marketplace.targets.ebay.probes.trading]
enabled = true
[marketplace.targets.generic.probes.seller]
role = "business"
path = "/seller"
interval = "2s"
expect = "json"
extract = [
  { metric = "seller_rating", labels = { rating = "stars" }, value = { json = "/stars" } },
  { metric = "value", labels = { name = "followers" }, value = { json = "/followers" } },
]
"#;

/// The moments at which something goes wrong there, and what.
const WRONG: [(usize, &str); 4] = [
    (1, "marketplace = 'generic'\nscenario = 'rate_limited'\nretry_after = '1s'\nfor = '5s'"),
    (1, "marketplace = 'ebay'\nscenario = 'app_error'\nvariant = 'failure'\nfor = '30s'"),
    (2, "marketplace = 'ebay'\nscenario = 'token_expired'"),
    (3, "marketplace = 'hepsiburada'\nstatus = 503\nfor = '10s'"),
];

/// The running marketplaces, and the presets.
pub(super) struct Accounts {
    simulator: Simulator,
    presets: TempDir,
}

impl Accounts {
    pub(super) fn open() -> Self {
        let accounts = Self { simulator: Simulator::start(SCENARIO), presets: folder() };
        for name in WATCHED {
            let file = format!("{name}.toml");
            let text = fs::read_to_string(format!("{PRESETS}/{file}")).unwrap();
            fs::write(accounts.presets.path().join(file), hurried(&text)).unwrap();
        }
        accounts
    }

    /// What has Vitrin watch them.
    pub(super) fn targets(&self) -> String {
        let mut text = format!("[marketplace]\npreset_dirs = ['{}']\n", self.presets.path().display());
        let all = self.simulator.configuration();
        let mut found = 0;
        for target in all.split("\n[marketplace.targets.").skip(1) {
            if WATCHED.iter().any(|name| target.starts_with(&format!("{name}]"))) {
                writeln!(text, "[marketplace.targets.{target}").unwrap();
                found += 1;
            }
        }
        assert_eq!(found, WATCHED.len(), "{all}");
        text + MORE
    }

    /// One more moment.
    pub(super) fn go_on(&self, moment: usize) {
        for (_, step) in WRONG.iter().filter(|(at, _)| *at == moment) {
            let answer = self.simulator.script(&format!("[[step]]\n{step}\n"));
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    }
}

/// A preset whose lengths of time are a 60th; nothing is asked more than once in a second.
fn hurried(preset: &str) -> String {
    let times = Regex::new(r#"(?m)^(interval|min_interval|per|default_expires_in|refresh_early) = "(\w+)"$"#).unwrap();
    let shorter = |found: &Captures<'_>| {
        let time = compressed(humantime::parse_duration(&found[2]).unwrap());
        let time = if &found[1] == "interval" { time.max(OFTEN) } else { time };
        format!("{} = \"{}ms\"", &found[1], time.as_millis())
    };
    times.replace_all(preset, shorter).into_owned()
}
