//! How often a marketplace is asked: by its budget, not in step, and not at all when it says so.

use super::configuration;
use crate::support::daemon::eventually;
use crate::support::exporter::Exporter;
use crate::support::scrape::Page;
use crate::support::simulator::Simulator;

/// Has a probe be made every second, whatever its preset says.
pub(super) fn every_second(target: &str, probe: &str) -> String {
    format!(
        "[marketplace.targets.{target}.probes.{probe}]\ninterval = '1s'\nmin_interval = '1s'\n\
         documented_limit = {{ requests = 1000, per = '1s' }}\n"
    )
}

/// How often probes of an account were left out for this reason.
pub(super) fn skipped(page: &Page, target: &str, reason: &str) -> f64 {
    let all = page.samples("marketplace_probe_skipped_total");
    all.filter(|series| series.labels["target"] == target && series.labels["reason"] == reason)
        .map(|series| series.value)
        .sum()
}

#[test]
fn whoever_says_429_is_left_alone_with_all_probes_and_nobody_else_is() {
    let simulator = Simulator::start("[[step]]\nmarketplace = 'n11'\nscenario = 'rate_limited'\nretry_after = '1h'\n");
    let mut config = format!("[host]\nenabled = false\n{}", configuration(&simulator, ""));
    for target in ["n11", "ozon"] {
        let probe = if target == "n11" { "products" } else { "roles" };
        config += &every_second(target, probe);
    }
    let exporter = Exporter::start(&config);
    eventually("probes to be left out", || skipped(&exporter.scrape(), "n11", "retry_after") >= 3.0);
    assert_eq!(simulator.requests("n11").len(), 1, "asked again");
    eventually("the others to go on", || simulator.requests("ozon").len() >= 3);
    let page = exporter.scrape();
    assert_eq!(skipped(&page, "ozon", "retry_after"), 0.0);
    // That there are too many requests is no outage.
    let up = |target| page.number("vitrin_up", &[("collector", "marketplace"), ("target", target)]);
    assert_eq!((up("n11"), up("ozon")), (1.0, 1.0));
}

#[test]
fn a_scrape_asks_no_marketplace_anything() {
    let simulator = Simulator::start("");
    let exporter = Exporter::start(&format!("[host]\nenabled = false\n{}", configuration(&simulator, "")));
    let all = |simulator: &Simulator| simulator.requests("hepsiburada").len();
    eventually("the first probes", || all(&simulator) >= 2);
    for _ in 0..50 {
        exporter.scrape();
    }
    assert_eq!(all(&simulator), 2);
}
