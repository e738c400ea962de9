//! What the accounts at marketplaces are opened with, what is given out for that, and what is in the answers.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use super::{assert_absent, found};
use crate::support::daemon::{folder, until_content};
use crate::support::exporter::Exporter;
use crate::support::scrape::Page;
use crate::support::simulator::Simulator;

/// In every secret that is refused.
const CANARY: &str = "kanarya-7d2c";

/// In every answer that tells of somebody.
const BUYER: &str = "Alici-4b8e";

/// What the access tokens of the simulator begin with.
const TOKEN: &str = "simulated-token-";

/// Answers with somebody in them, good ones and others, and what they are to be taken for.
const TALK: [(&str, &str, &str); 10] = [
    (
        "trendyol",
        r#"status = 200
        headers = { Content-Type = "application/json", X-RateLimit-Limit = "BUYER", Retry-After = "BUYER", Set-Cookie = "BUYER" }
        body = '{"content":[{"customerFirstName":"BUYER","address":"BUYER sokak 5"}],"totalElements":5}'"#,
        "ok",
    ),
    // In place of a token.
    (
        "ebay",
        r#"path = "/identity/*"
        status = 200
        headers = { Content-Type = "application/json" }
        body = '{"error":"BUYER","customer":{"name":"BUYER"}}'"#,
        "token_error",
    ),
    (
        "amazon-sp-api",
        r#"path = "/auth/*"
        status = 400
        headers = { Content-Type = "application/json" }
        body = '{"error":"invalid_grant","error_description":"BUYER"}'"#,
        "auth_error",
    ),
    (
        "n11",
        r#"status = 500
        headers = { Content-Type = "application/json", Location = "https://api.n11.com/?who=BUYER" }
        body = '{"message":"BUYER"}'"#,
        "server_error",
    ),
    (
        "hepsiburada",
        r#"status = 200
        headers = { Content-Type = "application/json" }
        body = '{"items":[{"customerName":"BUYER"'"#,
        "invalid_response",
    ),
    (
        "ozon",
        r#"status = 403
        headers = { Content-Type = "application/json" }
        body = '{"code":7,"message":"BUYER"}'"#,
        "auth_error",
    ),
    (
        "pazarama",
        r#"path = "/product/*"
        status = 200
        headers = { Content-Type = "application/json" }
        body = '{"success":false,"messageCode":"BUYER","message":"BUYER"}'"#,
        "app_error",
    ),
    (
        "ciceksepeti",
        r#"status = 403
        headers = { Content-Type = "text/html" }
        body = '<html><title>BUYER</title></html>'"#,
        "blocked",
    ),
    (
        "generic",
        r#"status = 302
        headers = { Location = "https://shop.example/login?token=BUYER" }
        body = 'BUYER'"#,
        "client_error",
    ),
    // The SOAP that is off unless it is asked for.
    (
        "n11",
        r#"path = "/ws/*"
        status = 500
        headers = { Content-Type = "text/xml" }
        body = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultstring>BUYER</faultstring></e:Fault></e:Body></e:Envelope>'"#,
        "app_error",
    ),
];

/// Accounts of all kinds, thrice: with credentials that are taken, with such as are not, and with answers that talk.
struct Accounts {
    simulator: Simulator,
    talkative: Simulator,
    folder: TempDir,
}

impl Accounts {
    fn open() -> Self {
        let steps = TALK.map(|(marketplace, step, _)| format!("[[step]]\nmarketplace = '{marketplace}'\n{step}\n"));
        let talkative = Simulator::start(&steps.concat().replace("BUYER", BUYER));
        let (simulator, folder) = (Simulator::start(""), folder());
        fs::create_dir(folder.path().join("wrong")).unwrap();
        for secret in secrets(&simulator) {
            fs::write(folder.path().join("wrong").join(&secret), format!("{CANARY}-{secret}")).unwrap();
        }
        // A check by root looks at all of it as somebody else.
        for one in [&simulator, &talkative] {
            fs::set_permissions(one.folder(), Permissions::from_mode(0o755)).unwrap();
            for file in secrets(one) {
                fs::set_permissions(one.folder().join(file), Permissions::from_mode(0o644)).unwrap();
            }
        }
        fs::write(folder.path().join("wrong/two-lines"), format!("{CANARY}\n{CANARY}\n")).unwrap();
        Self { simulator, talkative, folder }
    }

    /// The tables of all of them, with what is kept in this folder.
    fn configuration(&self, state: &str) -> String {
        let here = self.folder.path().display();
        let mut text = format!("state_dir = '{here}/{state}'\n[host]\nenabled = false\n");
        let wrong = self.folder.path().join("wrong");
        for (suffix, simulator) in [("", &self.simulator), ("-refused", &self.simulator), ("-talks", &self.talkative)] {
            let configuration = simulator.configuration();
            for block in configuration.split("\n\n") {
                let Some(at) = block.find("[marketplace.targets.") else { continue };
                let (name, rest) = block[at..].split_once(']').unwrap();
                let preset = name.rsplit_once('.').unwrap().1;
                let mut rest = rest.to_owned();
                if suffix == "-refused" {
                    let from = simulator.folder().join(format!("{preset}-")).display().to_string();
                    rest = rest.replace(&from, &wrong.join(format!("{preset}-")).display().to_string());
                }
                writeln!(text, "\n{name}{suffix}]{rest}").unwrap();
                // Secrets in a body, and a token in a header of its own.
                let more = match preset {
                    "n11" => "soap = { enabled = true }",
                    "ebay" => "trading = { enabled = true }",
                    // A token that somebody keeps in a file.
                    "generic" => "http = { auth = 'bearer_file' }",
                    _ => continue,
                };
                writeln!(text, "probes.{more}").unwrap();
            }
        }
        // A secret that cannot be sent.
        let ozon = text.split("\n\n").find(|block| block.starts_with("[marketplace.targets.ozon]")).unwrap();
        let from = self.simulator.folder().join("ozon-api_key").display().to_string();
        let to = wrong.join("two-lines").display().to_string();
        let broken = ozon.replace(&from, &to).replace("targets.ozon]", "targets.ozon-broken]");
        text + "\n" + &broken + "\n"
    }

    /// All that nobody may see.
    fn secrets(&self) -> Vec<String> {
        let right = secrets(&self.simulator).into_iter().map(|file| read(&self.simulator.folder().join(file)));
        right.chain([CANARY, BUYER, TOKEN].map(str::to_owned)).collect()
    }
}

/// The names of the files of secrets.
fn secrets(simulator: &Simulator) -> Vec<String> {
    let files = fs::read_dir(simulator.folder()).unwrap().map(|entry| entry.unwrap().file_name());
    let files = files.map(|name| name.into_string().unwrap()).filter(|name| !name.starts_with("ca."));
    let mut files: Vec<_> = files.collect();
    files.sort();
    assert!(files.len() >= 15, "{files:?}");
    files
}

fn read(file: &Path) -> String {
    String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned()
}

fn vitrin(file: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vitrin"));
    command.args(arguments).arg("--config.file").arg(file);
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
}

/// How often the probes of a target ended like this.
fn ended(page: &Page, target: &str, result: &str) -> f64 {
    let all = page.samples("marketplace_probe_results_total");
    let its = all.filter(|series| series.labels["target"] == target && series.labels["result"] == result);
    its.map(|series| series.value).sum()
}

/// The probes of which it is known how they ended, or why they were not made.
fn known(page: &Page) -> BTreeSet<(String, String)> {
    ["results", "skipped"]
        .into_iter()
        .flat_map(|name| page.samples(&format!("marketplace_probe_{name}_total")).collect::<Vec<_>>())
        .filter(|series| series.value > 0.0)
        .map(|series| (series.labels["target"].clone(), series.labels["probe"].clone()))
        .collect()
}

#[test]
fn neither_credentials_nor_tokens_nor_what_is_in_an_answer_leave_the_program() {
    let accounts = Accounts::open();
    let secrets = accounts.secrets();
    let nowhere = |place: &str, text: &str| assert_absent(secrets.iter().map(String::as_str), place, text);
    for style in ["text", "json"] {
        let arguments = ["--log.level=trace", &format!("--log.format={style}")];
        let exporter = Exporter::start_with(&accounts.configuration(style), &arguments);
        let all: BTreeSet<_> = exporter
            .scrape()
            .samples("marketplace_probe_interval_seconds")
            .map(|series| (series.labels["target"].clone(), series.labels["probe"].clone()))
            .collect();
        assert!(all.len() > 50, "{all:?}");
        until_content("all probes to be made", || {
            let known = known(&exporter.scrape());
            (known != all).then(|| format!("nothing of {:?}", all.difference(&known).collect::<Vec<_>>()))
        });

        let page = exporter.scrape();
        if style == "text" {
            for (marketplace, _, result) in TALK {
                let target = format!("{marketplace}-talks");
                assert!(ended(&page, &target, result) > 0.0, "{target}: not {result}");
            }
            for (preset, right, wrong) in [
                ("amazon-sp-api", "ok", "auth_error"),
                ("ciceksepeti", "ok", "auth_error"),
                ("ebay", "ok", "auth_error"),
                ("generic", "ok", "auth_error"),
                ("hepsiburada", "ok", "auth_error"),
                ("n11", "ok", "auth_error"),
                ("ozon", "ok", "auth_error"),
                ("pazarama", "ok", "auth_error"),
                ("trendyol", "ok", "auth_error"),
            ] {
                assert!(ended(&page, preset, right) > 0.0, "{preset} is not {right}");
                assert!(ended(&page, &format!("{preset}-refused"), wrong) > 0.0, "{preset}-refused is not {wrong}");
            }
            assert!(ended(&page, "ozon-broken", "config_error") > 0.0);
        }
        let accept = "application/openmetrics-text; version=1.0.0";
        nowhere("the metrics", &exporter.get("/metrics", &[]).text());
        nowhere("OpenMetrics", &exporter.get("/metrics", &[("Accept", accept)]).text());
        nowhere("the landing page", &exporter.get("/", &[]).text());
        let arguments = fs::read(format!("/proc/{}/cmdline", exporter.pid())).unwrap();
        nowhere("the argument list", &String::from_utf8_lossy(&arguments));
        let log = exporter.stop().1;
        for target in ["ebay-refused", "hepsiburada-talks", "ozon-broken"] {
            assert!(log.contains(target), "nothing is logged of {target}: {log}");
        }
        nowhere(&format!("the log ({style})"), &log);
        nowhere("the simulator's log", &(accounts.simulator.log() + &accounts.talkative.log()));
    }

    // They were used: what is sent and is one of its own, the simulator tells.
    for (marketplace, secret) in [
        ("amazon-sp-api", TOKEN),
        ("ciceksepeti", "simulated-ciceksepeti-key"),
        ("ebay", "simulated-ebay-cert-id"),
        ("ebay", TOKEN),
        ("generic", "simulated-generic-token"),
        ("hepsiburada", "simulated-hepsiburada-service-key"),
        ("n11", "simulated-n11-app-secret"),
        ("ozon", "00000000-0000-4000-8000-simulated000"),
        ("pazarama", "simulated-pazarama-client-secret"),
        ("trendyol", "simulated-trendyol-secret"),
    ] {
        let sent = serde_json::to_string(&accounts.simulator.requests(marketplace)).unwrap();
        assert!(found(secret, &sent).is_some(), "{secret} was never sent to {marketplace}");
    }

    // What is kept is access tokens, for its user alone.
    let state = accounts.folder.path().join("text");
    let files: Vec<PathBuf> = fs::read_dir(state).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 20, "{files:?}");
    let mut kept = BTreeSet::new();
    for file in files {
        let (name, text) = (file.file_name().unwrap().to_str().unwrap().to_owned(), read(&file));
        if text.is_empty() {
            continue;
        }
        if text.contains(TOKEN) {
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
            kept.insert(name.clone());
        }
        let others = secrets.iter().map(String::as_str).filter(|secret| *secret != TOKEN);
        assert_absent(others, &name, &text);
    }
    let with_tokens = ["amazon-sp-api", "ebay", "pazarama", "pazarama-talks"];
    assert_eq!(kept, with_tokens.map(|name| format!("marketplace@{name}.state")).into());
}

#[test]
fn commands_that_show_requests_and_explain_answers_show_no_secret_either() {
    let accounts = Accounts::open();
    let secrets = accounts.secrets();
    let nowhere = |place: &str, text: &str| assert_absent(secrets.iter().map(String::as_str), place, text);
    let file = accounts.folder.path().join("vitrin.toml");
    fs::write(&file, accounts.configuration("state")).unwrap();
    for arguments in [
        &["check", "--dry-run"][..],
        &["check", "--once"],
        &["check", "--user", "nobody"],
        &["collect", "marketplace/ebay"],
        &["collect", "marketplace/hepsiburada-talks"],
        &["collect", "marketplace/pazarama-refused"],
    ] {
        let place = arguments.join(" ");
        let (code, said) = vitrin(&file, arguments);
        assert!(code.is_some_and(|code| code < 2), "{place}: {said}");
        nowhere(&place, &said);
        let target = arguments.last().unwrap().strip_prefix("marketplace/").unwrap_or("trendyol-refused");
        assert!(said.contains(target) || place.starts_with("collect"), "{place}: {said}");
        if place.ends_with("--dry-run") {
            assert!(said.contains("[secret refresh_token]") && said.contains("[secret api_key]"), "{said}");
            assert!(accounts.simulator.requests("trendyol").is_empty(), "a dry run has asked");
        }
        if place.ends_with("--once") {
            assert!(
                said.contains("auth_error") && said.contains("app_error") && said.contains("token_error"),
                "{said}"
            );
        }
    }
}

#[test]
fn a_secret_that_stands_where_it_does_not_belong_is_not_repeated() {
    let folder = folder();
    let file = folder.path().join("vitrin.toml");
    let account = "[marketplace.targets.shop]\npreset = 'trendyol'\nvars = { seller_id = '1' }\n";
    fs::write(folder.path().join("other"), "other").unwrap();
    let other = format!("secrets.api_secret = {{ file = {:?} }}\n", folder.path().join("other"));
    for (mistake, says) in [
        (format!("secrets.api_key = '{CANARY}'\n"), "api_key"),
        (format!("secrets.api_key = {{ value = '{CANARY}' }}\n"), "api_key"),
        (format!("secrets.ap_key = '{CANARY}'\n"), "ap_key"),
        (
            format!("secrets.api_key = {{ env = 'PATH' }}\nprobes.products.headers.Authorization = 'Basic {CANARY}'\n"),
            "headers",
        ),
    ] {
        fs::write(&file, format!("{account}{other}{mistake}")).unwrap();
        for arguments in [&["check"][..], &["check", "--dry-run"], &["collect", "marketplace/shop"], &[]] {
            let (code, said) = vitrin(&file, arguments);
            assert_eq!(code, Some(2), "{mistake}: {said}");
            assert!(said.contains(says), "{mistake}: {said}");
            assert_absent([CANARY], &mistake, &said);
        }
    }
}
