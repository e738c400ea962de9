//! The time that a marketplace takes shows in the phase that it takes it in, and in no other; and it is counted on its
//! side of the objective.

use std::process::Command;

use serde_json::Value as Json;
use vitrin::snapshot::Value;

use super::{account, asked, with_one};
use crate::support::daemon::{eventually, folder};
use crate::support::found::Found;
use crate::support::fresh::only_root_can;
use crate::support::mariadb::block_on;
use crate::support::simulator::Simulator;

/// From well within the objective to far beyond it.
const DELAYS: [u32; 4] = [20, 80, 150, 400];

const PHASES: [&str; 4] = ["connect", "tls", "processing", "transfer"];

const OF: [(&str, &str); 2] = [("marketplace", "trendyol"), ("probe", "products")];

/// How long a phase took, in seconds.
fn took(found: &Found, phase: &str) -> f64 {
    found.number("marketplace_probe_last_duration_seconds", &[OF[0], OF[1], ("phase", phase)])
}

#[test]
fn what_is_injected_in_a_phase_shows_there_and_nowhere_else() {
    let simulator = Simulator::start("");
    let account = with_one(account(&simulator, "trendyol", ""), "products");
    for (injected, phase) in [("tls", "tls"), ("processing", "processing"), ("body", "transfer")] {
        for milliseconds in DELAYS {
            let seconds = f64::from(milliseconds) / 1e3;
            // A busy machine takes its time, too, and whoever reads late sees a short answer; not each time.
            eventually(&format!("{milliseconds} ms to be in {phase} alone"), || {
                simulator.reset();
                simulator.script(&format!("[[step]]\nlatency = {{ {injected} = '{milliseconds}ms' }}\n"));
                let (found, failure) = block_on(asked(&account));
                assert!(failure.is_none(), "{failure:?}");
                PHASES.into_iter().all(|one| (took(&found, one) >= seconds) == (one == phase))
            });
        }
    }
}

#[test]
fn a_late_name_server_and_a_late_connection_show_where_they_are_late() {
    only_root_can("make a network");
    let folder = folder();
    let output = Command::new("unshare")
        .args(["--net", "--mount", "--pid", "--fork", "--kill-child", "python3"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/marketplace/late_network.py"))
        .arg(env!("CARGO_BIN_EXE_vitrin"))
        .arg(folder.path())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let mut alone = Vec::new();
    for line in text(&output.stdout).lines() {
        let told: Json = serde_json::from_str(line).unwrap();
        let (phase, late) = (told["phase"].as_str().unwrap(), told["late"].as_f64().unwrap());
        let phases = ["resolve", "connect", "tls", "processing", "transfer"];
        let took = phases.map(|phase| (phase, told["took"][phase].as_f64().unwrap_or_else(|| panic!("{line}"))));
        assert!(took.iter().any(|(one, took)| *one == phase && *took >= 0.99 * late), "{line}");
        if took.iter().all(|(one, took)| *one == phase || *took < late) {
            alone.push((phase.to_owned(), late));
        }
    }
    let all =
        ["resolve", "connect"].into_iter().flat_map(|phase| DELAYS.map(|late| (phase.to_owned(), f64::from(late))));
    assert_eq!(alone, all.collect::<Vec<_>>(), "{}", text(&output.stdout));
}

/// How long `processing` took, how many probes had their time in a bucket up to a tenth of a second, and how many above;
/// and how many were within the objective.
fn counted(found: &Found) -> (f64, u64, u64, f64) {
    let labels = [OF[0], OF[1], ("phase", "processing")];
    let Some(Value::Histogram(histogram)) = found.get("marketplace_probe_phase_duration_seconds", &labels) else {
        panic!("no histogram of the phase")
    };
    assert!(histogram.buckets.iter().any(|(bound, _)| *bound == 0.1), "0.1 is no bound: {:?}", histogram.buckets);
    let [below, above]: [u64; 2] = [true, false].map(|is_below| {
        let its = histogram.buckets.iter().filter(|(bound, _)| (*bound <= 0.1) == is_below);
        its.map(|(_, count)| count).sum()
    });
    (took(found, "processing"), below, above, found.number("marketplace_probe_within_objective_total", &OF))
}

#[test]
fn a_tenth_of_a_second_is_a_bound_and_the_objective_divides_there() {
    let simulator = Simulator::start("");
    let account = with_one(account(&simulator, "trendyol", ""), "products");
    for milliseconds in DELAYS {
        let is_soon = milliseconds < 100;
        // What is to be soon may be late on a busy machine, and is then counted as late.
        eventually(&format!("{milliseconds} ms to be counted"), || {
            simulator.reset();
            simulator.script(&format!("[[step]]\nlatency = {{ processing = '{milliseconds}ms' }}\n"));
            let (found, _) = block_on(asked(&account));
            assert_eq!(found.number("marketplace_latency_objective_seconds", &OF[..1]), 0.1);
            let (took, below, above, within) = counted(&found);
            let is_within = took <= 0.1;
            let expected = if is_within { (1, 0, 1.0) } else { (0, 1, 0.0) };
            assert_eq!((below, above, within), expected, "{milliseconds} ms, which took {took} s");
            assert!(is_soon || !is_within, "{milliseconds} ms took {took} s");
            is_within == is_soon
        });
    }
}

#[test]
fn an_objective_of_ones_own_is_told_and_counted_by() {
    let simulator = Simulator::start("[[step]]\nlatency = { processing = '150ms' }\n");
    let topic = |objective: &str| format!("latency_objective = \"{objective}\"");
    for (objective, seconds, within) in [("140ms", 0.14, 0.0), ("30s", 30.0, 1.0)] {
        let account = with_one(account(&simulator, "trendyol", &topic(objective)), "products");
        let (found, _) = block_on(asked(&account));
        assert_eq!(found.number("marketplace_latency_objective_seconds", &OF[..1]), seconds);
        let (_, below, above, counted) = counted(&found);
        assert_eq!((below, above, counted), (0, 1, within), "{objective}");
    }
}

#[test]
fn what_did_not_end_well_is_within_no_objective() {
    let simulator = Simulator::start("[[step]]\nmarketplace = 'trendyol'\nstatus = 500\nbody = ''\n");
    let account = with_one(account(&simulator, "trendyol", "latency_objective = \"30s\""), "products");
    let (found, _) = block_on(asked(&account));
    let (_, below, above, within) = counted(&found);
    assert_eq!((below + above, within), (1, 0.0));
}
