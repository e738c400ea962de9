//! Accounts at simulated marketplaces, as often asked in a second as real ones in a minute.

use std::fs;
use std::path::PathBuf;

use crate::support::simulator::Simulator;

/// Limits fill up and tokens end in the drill's time, too.
const SCENARIO: &str = "speed = 60";

/// What a drill may ask more often than a real marketplace's limit lets it: the limits of the simulator still count.
const PROBES: &str = "
[marketplace.targets.trendyol.probes.reachability]
interval = '1s'
min_interval = '1s'
[marketplace.targets.trendyol.probes.products]
interval = '1s'
min_interval = '1s'
documented_limit = { requests = 1000000 }
[marketplace.targets.trendyol.probes.orders]
interval = '5s'
min_interval = '1s'
documented_limit = { requests = 1000000 }
";

/// The simulator, and an account at Trendyol that nobody asks yet.
pub(crate) struct Marketplaces {
    pub(crate) simulator: Simulator,
}

impl Marketplaces {
    pub(crate) fn start() -> Self {
        Self { simulator: Simulator::start(SCENARIO) }
    }

    /// What has Vitrin watch the account.
    pub(crate) fn target(&self) -> String {
        let folder = self.simulator.folder();
        let file = |name: &str| format!("'{}'", folder.join(name).display());
        format!(
            "[marketplace.targets.trendyol]\npreset = 'trendyol'\nvars = {{ seller_id = '100001' }}\n\
             secrets = {{ api_key = {{ file = {} }}, api_secret = {{ file = {} }} }}\n\
             resolve = {{ 'apigw.trendyol.com:443' = '{}' }}\nca_file = {}\n{PROBES}",
            file("trendyol-api_key"),
            file("trendyol-api_secret"),
            self.simulator.listens(),
            file("ca.pem"),
        )
    }

    /// Something goes wrong there, from now until [`Marketplaces::be_well`].
    pub(crate) fn go_wrong(&self, what: &str) {
        let answer = self.simulator.script(&format!("[[step]]\nmarketplace = 'trendyol'\n{what}\n"));
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    pub(crate) fn be_well(&self) {
        self.simulator.reset();
    }

    /// Writes another secret into its file; gives the one that was there.
    pub(crate) fn replace_secret(&self, secret: &str) -> String {
        let path: PathBuf = self.simulator.folder().join("trendyol-api_secret");
        let before = fs::read_to_string(&path).unwrap();
        fs::write(&path, secret).unwrap();
        before
    }
}
