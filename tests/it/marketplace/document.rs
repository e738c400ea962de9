//! `docs/marketplaces.md`: its configurations load, its preset works, its commands run, and it has every key and word.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{PRESETS, RESULTS, accounts};
use crate::support::daemon::folder;
use crate::support::document::Document;
use crate::support::simulator::Simulator;

const TEXT: &str = include_str!("../../../docs/marketplaces.md");

fn document() -> Document {
    Document::read("docs/marketplaces.md")
}

/// Runs the program; gives what it printed and said.
fn vitrin(config: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vitrin"));
    let output = command.args(arguments).arg("--config.file").arg(config).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout) + &text(output.stderr))
}

/// A block with the secrets' files in this folder, in which they are made.
fn with_secrets(block: &str, folder: &Path) -> String {
    for part in block.split("\"/etc/vitrin/").skip(1) {
        let name = part.split('"').next().unwrap();
        if name != "presets" {
            fs::write(folder.join(name), "a-secret").unwrap();
        }
    }
    block.replace("/etc/vitrin/", &format!("{}/", folder.display()))
}

/// The rows of all tables whose first cell is a name in quotes: what comes before the table, and the cells.
fn rows() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut heading = "";
    let mut rows = Vec::new();
    for line in TEXT.lines() {
        heading = line.strip_prefix("### ").or(line.strip_prefix("## ")).unwrap_or(heading);
        if line.starts_with("| `") {
            rows.push((heading, line.trim_matches('|').split(" | ").map(str::trim).collect()));
        }
    }
    rows
}

#[test]
fn its_configurations_load_and_nobody_is_forgotten() {
    let document = document();
    let folder = folder();
    let mut presets = BTreeSet::new();
    for (preset, _) in PRESETS {
        let all = accounts(&with_secrets(document.block(preset), folder.path()));
        presets.extend(all.into_values().map(|account| account.marketplace));
    }
    assert_eq!(presets, PRESETS.map(|(preset, _)| preset.to_owned()).into());
    let open = accounts(&with_secrets(document.block("generic-open"), folder.path()));
    let probes: Vec<_> = open["erp"].probes.iter().map(|probe| probe.name.as_str()).collect();
    assert_eq!(probes, ["queue"]);
    let others = ["bazaar", "bazaar-target", "dry-run", "generic-open", "secret", "verify"];
    let known: BTreeSet<_> = PRESETS.iter().map(|(preset, _)| *preset).chain(others).collect();
    assert_eq!(document.names().into_iter().collect::<BTreeSet<_>>(), known, "a block that no test reads");
}

#[test]
fn its_preset_is_a_whole_one_and_its_target_is_an_account_of_it() {
    let (document, folder) = (document(), folder());
    let presets = folder.path().join("presets");
    fs::create_dir(&presets).unwrap();
    fs::write(presets.join("bazaar.toml"), document.block("bazaar")).unwrap();
    let text = with_secrets(document.block("bazaar-target"), folder.path());
    assert_eq!(accounts(&text)["bazaar"].probes.len(), 1);
    let file = folder.path().join("vitrin.toml");
    fs::write(&file, text).unwrap();
    let (code, said) = vitrin(&file, &["check", "marketplace/bazaar", "--dry-run"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("GET https://api.bazaar.example/v1/sellers/123456/products?size=1\n"), "{said}");
    assert!(said.contains("x-api-key: [secret api_key]\n"), "{said}");
}

#[test]
fn its_commands_keep_a_secret_show_its_requests_and_make_them() {
    let (document, folder, simulator) = (document(), folder(), Simulator::start(""));
    // Somebody types it.
    let here = folder.path().display().to_string();
    let user = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
    let script = document.with("secret", &[("-o vitrin", &format!("-o {}", user.trim())), ("/etc/vitrin", &here)]);
    let mut shell = Command::new("sh").args(["-euc", &script]).stdin(Stdio::piped()).spawn().unwrap();
    shell.stdin.take().unwrap().write_all(b"simulated-trendyol-key\n").unwrap();
    assert!(shell.wait().unwrap().success());
    let key = folder.path().join("trendyol.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    fs::write(folder.path().join("trendyol.secret"), "simulated-trendyol-secret").unwrap();
    // Root asks with the eyes of the service, if this machine has one.
    for file in [&key, &simulator.folder(), &simulator.folder().join("ca.pem")] {
        fs::set_permissions(file, Permissions::from_mode(0o755)).unwrap();
    }

    let file = folder.path().join("vitrin.toml");
    let target = document.block("trendyol").replace("/etc/vitrin", &here);
    fs::write(&file, &target).unwrap();
    let commands: Vec<_> = document.block("verify").lines().map(|line| line.split(' ').collect::<Vec<_>>()).collect();
    assert_eq!(commands[2], ["systemctl", "reload", "vitrin"]);
    let (code, said) = vitrin(&file, &commands[0][1..]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(document.block("dry-run")), "{}\nis not in\n{said}", document.block("dry-run"));

    // At the simulator, whose seller has another number.
    let there = format!(
        "resolve = {{ 'apigw.trendyol.com:443' = '{}' }}\nca_file = {:?}\n",
        simulator.listens(),
        simulator.folder().join("ca.pem")
    );
    fs::write(&file, target.replace("123456", "100001") + &there).unwrap();
    let (code, said) = vitrin(&file, &commands[1][1..]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("the probe `products`: ok\n") && said.contains("all that is required is there"), "{said}");
    assert_eq!(simulator.requests("trendyol").len(), 3);
}

#[test]
fn its_tables_of_probes_say_how_often_each_is_made_and_of_which_part_of_a_limit() {
    const UNITS: [(&str, f64); 2] = [(" min", 60.0), (" s", 1.0)];
    let (document, folder) = (document(), folder());
    let seconds = |text: &str| {
        let (number, unit) = UNITS
            .into_iter()
            .find_map(|(unit, length)| Some((text.strip_suffix(unit)?, length)))
            .unwrap_or((text, 1.0));
        number.parse::<f64>().unwrap_or_else(|_| panic!("{text} is no time")) * unit
    };
    let headings = BTreeMap::from([
        ("Trendyol", "trendyol"),
        ("eBay", "ebay"),
        ("Amazon", "amazon-sp-api"),
        ("N11", "n11"),
        ("Hepsiburada", "hepsiburada"),
        ("Ozon", "ozon"),
        ("Pazarama", "pazarama"),
        ("Çiçeksepeti", "ciceksepeti"),
    ]);
    let mut seen = BTreeSet::new();
    for (heading, cells) in rows() {
        let Some(preset) = headings.get(heading) else { continue };
        let (name, flags) = cells[0].trim_start_matches('`').split_once('`').unwrap();
        let block = with_secrets(document.block(preset), folder.path());
        let target = block.lines().find(|line| line.starts_with("[marketplace.targets.")).unwrap();
        let wish = |keys: &str| {
            let table = format!("{}.probes.{name}]", target.trim_end_matches(']'));
            let all = accounts(&format!("{block}\n{table}\nenabled = true\n{keys}\n"));
            let probe = all.into_values().next().unwrap().probes.into_iter().find(|probe| probe.name == name);
            probe.unwrap_or_else(|| panic!("{preset} has no probe {name}"))
        };
        let (usual, often) = (wish(""), wish("interval = '1s'"));
        let shown = format!("{heading}, {name}: {cells:?}");
        let (every, least) = cells[2].split_once(", ").unwrap();
        assert_eq!(usual.pace.every.as_secs_f64(), seconds(every), "{shown}");
        assert_eq!(often.pace.every.as_secs_f64(), seconds(least), "{shown}");
        assert_eq!(
            usual.role == vitrin::collectors::marketplace::preset::Role::Auth,
            flags.contains("auth"),
            "{shown}"
        );
        let is_on = accounts(&block).into_values().next().unwrap().probes.iter().any(|probe| probe.name == name);
        assert_eq!(!is_on, flags.contains("off"), "{shown}");
        match (cells[3].split_once(" % of "), usual.pace.budget) {
            (Some((percent, _)), Some(budget)) => {
                let percent: f64 = percent.parse().unwrap();
                assert!((percent / 100.0 / budget - 1.0).abs() < 0.2, "{shown}; it is {budget}");
            }
            (None, None) => {}
            (said, is) => panic!("{shown}; {said:?} and {is:?}"),
        }
        seen.insert(((*preset).to_owned(), name.to_owned()));
    }
    // All there are, and no other.
    let all: BTreeSet<_> = headings
        .values()
        .flat_map(|preset| {
            let account = accounts(&with_secrets(document.block(preset), folder.path())).into_values().next().unwrap();
            let on = account.probes.iter().map(|probe| probe.name.clone());
            on.chain(account.disabled.clone()).map(|name| ((*preset).to_owned(), name)).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(seen, all);
}

/// Whether a name stands in the document as one: in quotes, perhaps with others.
fn is_named(name: &str) -> bool {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    let quoted =
        TEXT.lines().filter(|line| !line.starts_with("```")).flat_map(|line| line.split('`').skip(1).step_by(2));
    quoted.flat_map(|words| words.split(|letter| !is_part(letter))).any(|word| word == name)
}

#[test]
fn it_has_every_word_that_a_label_can_be() {
    let all = rows();
    let has = |word: &str, column: &str| {
        assert!(all.iter().any(|(_, cells)| cells[0] == format!("`{word}`")), "{column}: no row begins with {word}");
    };
    for result in RESULTS {
        has(result, "result");
    }
    for reason in ["auth_paused", "blocked", "no_token", "overlap", "retry_after"] {
        has(reason, "reason");
    }
    for state in ["ok", "rejected", "expired", "forbidden", "blocked", "unknown"] {
        has(state, "state");
    }
    for phase in ["resolve", "connect", "tls", "processing", "transfer"] {
        assert!(is_named(phase), "{phase}");
    }
}

#[test]
fn it_has_every_key() {
    let folder = folder();
    let file = folder.path().join("bazaar.toml");
    let known = |text: &str| -> Vec<String> {
        fs::write(&file, text).unwrap();
        let topic = format!(
            "[marketplace]\npreset_dirs = [{:?}]\n[marketplace.targets.shop]\npreset = 'bazaar'\n",
            folder.path()
        );
        let topic = if text.starts_with("[marketplace") { text } else { &topic };
        let Err(problem) = vitrin::config::parse(Path::new("vitrin.toml"), topic) else {
            panic!("{text} is no mistake")
        };
        let problem = problem.to_string();
        let (_, known) = problem.split_once("known here: ").unwrap_or_else(|| panic!("{text}: {problem}"));
        known.lines().next().unwrap().split(", ").map(str::to_owned).collect()
    };
    let preset = "schema = 1\n[preset]\nname = 'bazaar'\n[environments.production]\nbase_url = 'https://api.example'\n";
    let probe = format!("{preset}[[probe]]\nname = 'one'\nrole = 'auth'\npath = '/'\n");
    let auth = |kind: &str| format!("{preset}[auth]\ntype = '{kind}'\nzzz = 1\n");
    let mut all = BTreeSet::new();
    for text in [
        "[marketplace]\nzzz = 1\n".to_owned(),
        "[marketplace.targets.shop]\nzzz = 1\n".to_owned(),
        format!("zzz = 1\n{preset}"),
        preset.replace("[env", "zzz = 1\n[env"),
        format!("{preset}zzz = 1\n"),
        auth("headers"),
        auth("basic"),
        auth("bearer_file"),
        auth("oauth2"),
        auth("oauth2").replace("zzz = 1", "fail = { zzz = 1 }"),
        auth("headers").replace("zzz = 1", "static_expiry = [{ zzz = 1 }]"),
        format!("{probe}zzz = 1\n"),
        format!("{probe}body = {{ zzz = 1 }}\n"),
        format!("{probe}documented_limit = {{ zzz = 1 }}\n"),
        format!("{probe}[[probe.classify]]\nzzz = 1\n"),
        format!("{probe}[[probe.classify]]\nwhen = {{ zzz = 1 }}\n"),
        format!("{probe}[probe.success]\nzzz = 1\n"),
        format!("{probe}[[probe.extract]]\nzzz = 1\n"),
        format!("{probe}[[probe.extract]]\nmetric = 'listings'\nvalue = {{ zzz = 1 }}\n"),
        format!("{probe}[[probe.rate_limit]]\nzzz = 1\n"),
        format!("{probe}[[probe.rate_limit]]\nreset = {{ zzz = 1 }}\n"),
    ] {
        all.extend(known(&text));
    }
    assert!(all.len() > 80, "{all:?}");
    let missing: Vec<_> = all.iter().filter(|key| !is_named(key)).collect();
    assert!(missing.is_empty(), "docs/marketplaces.md says nothing of {missing:?}");
}

#[test]
fn its_examples_are_all_there_is_and_load() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/marketplaces");
    let folder = folder();
    let secret = folder.path().join("secret");
    fs::write(&secret, "a-secret").unwrap();
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(&examples).unwrap() {
        let file = entry.unwrap().path();
        let preset: toml::Table = fs::read_to_string(&file).unwrap().parse().unwrap();
        let name = preset["preset"]["name"].as_str().unwrap();
        assert_eq!(file.file_stem().unwrap().to_str(), Some(name));
        let list = |key: &str| -> Vec<String> {
            let list = preset["preset"].get(key).and_then(toml::Value::as_array);
            list.into_iter().flatten().map(|one| one.as_str().unwrap().to_owned()).collect()
        };
        let mut text =
            format!("[marketplace]\npreset_dirs = [{examples:?}]\n[marketplace.targets.shop]\npreset = '{name}'\n");
        for var in list("required_vars") {
            writeln!(text, "vars.{var} = 'x'").unwrap();
        }
        for name in list("required_secrets") {
            writeln!(text, "secrets.{name} = {{ file = {secret:?} }}").unwrap();
        }
        let vitrin_toml = folder.path().join("vitrin.toml");
        fs::write(&vitrin_toml, text).unwrap();
        let (code, said) = vitrin(&vitrin_toml, &["check", "--dry-run"]);
        assert!(code == Some(0) && said.contains(" https://") && said.contains("[secret "), "{name}: {said}");
        assert!(TEXT.contains(&format!("[{name}.toml](marketplaces/{name}.toml)")), "{name}");
        // Whoever uses a refresh token once has made it worthless for the shop.
        assert!(!said.contains("refresh_token="), "{name}: {said}");
        names.insert(name.to_owned());
    }
    assert_eq!(names, ["allegro", "etsy", "shopify", "walmart"].map(str::to_owned).into());
}
