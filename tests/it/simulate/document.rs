//! `docs/simulate.md`: its commands and its scenario work as they stand, and it has every word.

use std::fs;
use std::process::Command;

use regex::Regex;

use super::{KEY, LISTINGS, vitrin};
use crate::support::daemon::{Daemon, eventually, folder, free_port};
use crate::support::document::Document;
use crate::support::exporter::Exporter;
use crate::support::simulator::Simulator;

#[test]
fn its_commands_start_the_marketplaces_and_a_vitrin_that_watches_them() {
    let document = Document::read("docs/simulate.md");
    let folder = folder();
    let here = folder.path().join("simulated").display().to_string();
    // As the document has them they are everybody's.
    let [listen, control] = [(); 2].map(|()| format!("127.0.0.1:{}", free_port()));
    let program = format!("{} simulate --listen={listen} --control={control}", env!("CARGO_BIN_EXE_vitrin"));
    let script = document.with("start", &[("/tmp/simulated", &here), ("vitrin simulate", &program)]);
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", &script]);
    let mut daemon = Daemon::start("vitrin simulate", shell, folder);
    let log = daemon.folder().join("log");
    daemon.wait_until(|| {
        fs::read_to_string(&log).unwrap().contains(&format!("control: listening on http://{control}\n"))
    });
    let help = String::from_utf8(vitrin(&["simulate", "--help"]).stdout).unwrap();
    for usual in ["127.0.0.1:22143", "127.0.0.1:22144"] {
        assert!(help.contains(&format!("[default: {usual}]")), "{help}");
    }

    assert_eq!(document.block("watch"), "vitrin --config.file=/tmp/simulated.toml\n");
    let exporter = Exporter::start(&fs::read_to_string(format!("{here}.toml")).unwrap());
    eventually("all of them to be well", || {
        let page = exporter.scrape();
        let good = page.samples("marketplace_probe_success").filter(|series| series.value == 1.0).count();
        let up = page.samples("vitrin_up").filter(|series| series.labels["collector"] == "marketplace");
        up.filter(|series| series.value == 1.0).count() == 9 && good >= 15
    });
}

#[test]
fn its_line_of_the_log_is_one() {
    let without_numbers = |line: &str| {
        let line = Regex::new(r"^[0-9-]{10}T[0-9:]{8}\.[0-9]{3}Z ").unwrap().replace(line, "NOW ").into_owned();
        Regex::new("#[0-9]+").unwrap().replace(&line, "#N").into_owned()
    };
    let document = Document::read("docs/simulate.md");
    let shown = without_numbers(document.block("log").trim_end());
    assert!(shown.starts_with("NOW trendyol #N GET "), "{shown}");
    let simulator = Simulator::start("[[step]]\nmarketplace = 'trendyol'\nscenario = 'rate_limited'\n");
    assert_eq!(simulator.ask(LISTINGS, &KEY).status, 429);
    eventually("the line", || simulator.log().lines().map(without_numbers).any(|line| line == shown));
}

#[test]
fn what_the_document_shows_works() {
    let document = Document::read("docs/simulate.md");
    let simulator = Simulator::start(document.block("scenario"));
    // What it has from the start: Çiçeksepeti behind a wall.
    assert_eq!(simulator.ask("https://apis.ciceksepeti.com/", &[]).status, 403);

    // The commands, at this machine's ports.
    let (listens, control) = (simulator.listens().to_string(), simulator.controlled().to_string());
    let script = document.with("steer", &[("127.0.0.1:22144", &control)]);
    let shell = Command::new("bash").args(["-euo", "pipefail", "-c", &script]).output().unwrap();
    assert!(shell.status.success(), "{shell:?}");
    eventually("the step to be there", || simulator.log().contains("control: steps added: 1"));

    let folder = simulator.folder().display().to_string();
    let script = document.with("ask", &[("/tmp/simulated", &folder), ("127.0.0.1:22143", &listens)]);
    let shell = Command::new("bash").args(["-euo", "pipefail", "-c", &script]).output().unwrap();
    assert!(String::from_utf8_lossy(&shell.stdout).contains("\"numberOfResults\":7"), "{shell:?}");
}

#[test]
fn the_document_has_every_scenario_and_credential() {
    let text = include_str!("../../../docs/simulate.md");
    let known = vitrin(&["simulate", "--scenario", "/dev/null/none"]);
    assert_eq!(known.status.code(), Some(2));
    let simulator = Simulator::start("");
    // The list that a mistake is answered with.
    let list = simulator.script("[[step]]\nscenario = 'nothing like it at all'\n").text();
    let (_, words) = list.trim_end().rsplit_once("known here: ").unwrap();
    let words: Vec<_> = words.split(", ").collect();
    assert!(words.len() > 15, "{list}");
    for word in words {
        assert!(text.contains(&format!("| `{word}` |")), "docs/simulate.md says nothing of {word}");
    }
    let read: toml::Table = simulator.configuration().parse().unwrap();
    for (name, target) in read["marketplace"]["targets"].as_table().unwrap() {
        for place in target["secrets"].as_table().unwrap().values() {
            let secret = fs::read_to_string(place["file"].as_str().unwrap()).unwrap();
            assert!(text.contains(&format!("`{secret}`")), "docs/simulate.md has no {name}: {secret}");
        }
    }
}
