//! The simulated marketplaces, as a client finds them that knows nothing of them: curl.

mod document;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use expect_test::expect;

use crate::support::daemon::{eventually, folder};
use crate::support::http;
use crate::support::simulator::Simulator;

/// One server of each, and one that nobody knows.
const SERVERS: [&str; 12] = [
    "apigw.trendyol.com",
    "api.ebay.com",
    "api.amazon.com",
    "sellingpartnerapi-eu.amazon.com",
    "api.n11.com",
    "listing-external.hepsiburada.com",
    "oms-external.hepsiburada.com",
    "api-seller.ozon.ru",
    "isortagimapi.pazarama.com",
    "isortagimgiris.pazarama.com",
    "apis.ciceksepeti.com",
    "api.etsy.example",
];

const LISTINGS: &str = "https://apigw.trendyol.com/integration/product/sellers/100001/products/approved?page=0&size=1";
const KEY: [&str; 2] = ["--user", "simulated-trendyol-key:simulated-trendyol-secret"];

fn vitrin(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vitrin")).args(arguments).output().unwrap()
}

fn words(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn all_of_them_are_on_one_port_by_https_and_http() {
    let simulator = Simulator::start("");
    for server in SERVERS {
        for scheme in ["https", "http"] {
            let seen = simulator.ask(&format!("{scheme}://{server}/"), &[]);
            let expected = if server.ends_with(".example") { 200 } else { 404 };
            assert_eq!((seen.code, seen.status), (0, expected), "{scheme}://{server}: {seen:?}");
        }
    }
    let seen = simulator.ask(LISTINGS, &KEY);
    assert_eq!((seen.status, seen.json()["totalElements"].as_u64()), (200, Some(1_250)));
    let hosts: Vec<_> = simulator.requests("amazon-sp-api").iter().map(|one| one["host"].to_string()).collect();
    assert_eq!(hosts.len(), 4, "{hosts:?}");
}

#[test]
fn a_token_is_given_used_revoked_and_given_again() {
    let simulator = Simulator::start("");
    let scope = "scope=https://api.ebay.com/oauth/api_scope/sell.account.readonly";
    let form = format!("grant_type=refresh_token&refresh_token=simulated-ebay-refresh-token&{scope}");
    let token = || {
        let user = "simulated-ebay-app-id:simulated-ebay-cert-id";
        let given = simulator.ask("https://api.ebay.com/identity/v1/oauth2/token", &["--user", user, "--data", &form]);
        format!("Authorization: Bearer {}", given.json()["access_token"].as_str().unwrap())
    };
    let asked =
        |token: &str| simulator.ask("https://api.ebay.com/sell/account/v1/privilege", &["--header", token]).status;
    let first = token();
    assert_eq!(asked(&first), 200);
    assert_eq!(simulator.script("[[step]]\nmarketplace = 'ebay'\nscenario = 'revoke_tokens'\n").status, 200);
    assert_eq!(asked(&first), 401);
    assert_eq!(asked(&token()), 200);
}

#[test]
fn latency_is_in_the_phase_that_the_scenario_has_it_in_and_in_no_other() {
    let simulator = Simulator::start("");
    for (phase, expected) in
        [("tls", [true, false, false]), ("processing", [false, true, false]), ("body", [false, false, true])]
    {
        simulator.reset();
        simulator.script(&format!("[[step]]\nlatency = {{ {phase} = '400ms' }}\n"));
        // A busy machine makes any phase longer at times, and whoever reads late sees a short one; not each time.
        eventually(&format!("400 ms to be in {phase} alone"), || {
            let seen = simulator.ask(LISTINGS, &KEY);
            // As the limit of how often Trendyol is asked has it.
            assert!(seen.code == 0 && [200, 429].contains(&seen.status), "{seen:?}");
            [seen.tls, seen.processing, seen.transfer].map(|took| took > 0.35) == expected
        });
    }
}

#[test]
fn what_goes_wrong_goes_wrong_at_the_client() {
    let simulator = Simulator::start("");
    // The numbers are curl's: an answer that breaks off, TLS that is none, a reset, no trust.
    for (scenario, codes) in [
        ("truncated", &[18][..]),
        ("garbage_tls", &[35]),
        ("reset", &[35, 52, 56]),
        ("untrusted_certificate", &[60]),
        ("expired_certificate", &[60]),
    ] {
        simulator.reset();
        simulator.script(&format!("[[step]]\nmarketplace = 'trendyol'\nscenario = '{scenario}'\n"));
        let seen = simulator.ask(LISTINGS, &KEY);
        assert!(codes.contains(&seen.code), "{scenario}: {seen:?}");
        // Nobody else is disturbed.
        assert_eq!(simulator.ask("https://api.n11.com/", &[]).status, 404, "{scenario}");
    }
}

#[test]
fn a_stalled_request_is_heard_and_never_answered() {
    let simulator = Simulator::start("[[step]]\nmarketplace = 'trendyol'\nscenario = 'stall'\n");
    let seen = simulator.ask(LISTINGS, &[&KEY[..], &["--max-time", "2"]].concat());
    // Out of time, whoever was to blame; but on any machine some request is heard.
    assert_eq!(seen.code, 28, "{seen:?}");
    assert!(simulator.requests("trendyol").iter().all(|one| one["status"] == 0 && one["answered"].is_null()));
}

#[test]
fn answers_are_what_the_scenario_says() {
    let simulator = Simulator::start("");
    for (scenario, status, says) in [
        ("scenario = 'html_403'", 403, "content-type: text/html"),
        ("scenario = 'html_503'", 503, "content-type: text/html"),
        ("scenario = 'redirect_login'", 302, "location: https://apigw.trendyol.com/login?"),
        ("scenario = 'rate_limited'\nretry_after = '2500ms'\nretry_after_as = 'decimal'", 429, "retry-after: 2.5"),
        ("scenario = 'rate_limited'\nretry_after = '1h'\nretry_after_as = 'date'", 429, " gmt\r\n"),
        ("scenario = 'wrong_content_type'", 200, "content-type: text/html"),
        ("scenario = 'wrong_key'", 401, "application/json"),
        ("scenario = 'date_skew'\nskew = '8760h'", 200, "date: "),
        ("status = 207\nheaders = { X-Mine = 'yes' }\nbody = 'mine'", 207, "x-mine: yes"),
    ] {
        simulator.reset();
        simulator.script(&format!("[[step]]\nmarketplace = 'trendyol'\n{scenario}\n"));
        let seen = simulator.ask(LISTINGS, &KEY);
        assert_eq!((seen.code, seen.status), (0, status), "{scenario}: {seen:?}");
        assert!(seen.headers.contains(says), "{scenario}: {seen:?}");
    }
    simulator.reset();
    simulator.script("[[step]]\nscenario = 'huge_body'\n");
    // A client that reads no more than it means to.
    let seen = simulator.ask(LISTINGS, &[&KEY[..], &["--max-filesize", "262144"]].concat());
    assert_eq!(seen.code, 63, "{seen:?}");
}

#[test]
fn what_was_asked_is_told_without_anybodys_real_credentials() {
    let simulator = Simulator::start("");
    let canary = ["--header", "api-key: canary-header", "--user", "canary-user:canary-password"];
    assert_eq!(simulator.ask(&format!("{LISTINGS}&canary=1"), &canary).status, 418);
    assert_eq!(simulator.ask(LISTINGS, &KEY).status, 200);
    let requests = simulator.requests("trendyol");
    let told = serde_json::to_string(&requests).unwrap();
    for secret in ["canary-header", "canary-user", "canary-password", "Y2FuYXJ5"] {
        assert!(!told.contains(secret), "{secret}: {told}");
    }
    assert_eq!(requests.len(), 2);
    let good = &requests[1];
    assert_eq!((good["method"].as_str(), good["status"].as_u64()), (Some("GET"), Some(200)));
    assert_eq!(good["query"].as_str(), Some("page=0&size=1"));
    assert!(good["headers"]["authorization"].as_str().unwrap().starts_with("Basic "));
    assert!(good["headers"]["user-agent"].is_null());
    assert!(good["answered"].as_f64() >= good["at"].as_f64());
    assert_ne!(good["connection"], requests[0]["connection"]);
    assert_eq!(simulator.requests("ebay").len(), 0);

    let (status, log) = simulator.stop();
    assert!(status.success(), "{status}");
    let lines: Vec<_> = log.lines().filter(|line| line.contains(" GET ")).collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert!(lines[0].ends_with(" 418 `canary` is no name of the query here"), "{log}");
    assert!(lines[1].ends_with(" GET /integration/product/sellers/100001/products/approved 200"), "{log}");
    assert!(!log.contains("canary-") && log.ends_with("stopped\n"), "{log}");
}

#[test]
fn a_scenario_that_is_wrong_is_told_with_the_way_out() {
    let simulator = Simulator::start("");
    let wrong = simulator.script("[[step]]\nscenario = 'slwo'\n");
    assert_eq!(wrong.status, 400);
    expect![[r#"
        script:2:12: step[0].scenario: `slwo` is no scenario
          hint: did you mean `slow`?
    "#]]
    .assert_eq(&wrong.text());
    assert_eq!(simulator.control("GET", "/script").status, 405);
    assert_eq!(simulator.control("GET", "/nowhere").status, 404);
    assert_eq!(simulator.control("GET", "/requests?of=all").status, 400);
    let foreign = http::ask(simulator.listens(), "GET", "/", &[]).unwrap();
    assert_eq!(foreign.status, 200, "an address is any other server");

    let folder = folder();
    let file = folder.path().join("trouble.toml");
    fs::write(&file, "[[step]]\nscenario = 'slow'\nfro = '1m'\n").unwrap();
    let file = file.to_str().unwrap();
    let (code, said) =
        words(&vitrin(&["simulate", "--control=127.0.0.1:0", "--listen=127.0.0.1:0", "--scenario", file]));
    assert_eq!(code, Some(2));
    expect![[r#"
        FILE:3:1: step[0]: unknown key `fro`
          hint: did you mean `for`?
    "#]]
    .assert_eq(&said.replace(file, "FILE"));
    let taken = simulator.listens().to_string();
    let (code, said) = words(&vitrin(&["simulate", "--control=127.0.0.1:0", "--listen", &taken]));
    assert_eq!(code, Some(2));
    assert!(said.contains("Address already in use") && said.contains("hint: name another address"), "{said}");
    let (code, said) = words(&vitrin(&["simulate", "--control=0.0.0.0:0"]));
    assert_eq!(code, Some(2));
    assert!(said.contains("whoever reaches it can steer the simulator"), "{said}");
}

#[test]
fn a_page_in_a_browser_cannot_steer_it() {
    let simulator = Simulator::start("");
    let control = simulator.control("GET", "/");
    assert!(control.text().contains("POST /script"));
    let origin = [("Origin", "https://evil.example")];
    let steered = http::ask(simulator.controlled(), "POST", "/reset", &origin);
    assert_eq!(steered.unwrap().status, 403);
}

#[test]
fn its_configuration_is_printed_and_what_it_names_is_there() {
    let simulator = Simulator::start("");
    let (folder, listens) = (simulator.folder(), simulator.listens().to_string());
    let folder = folder.to_str().unwrap();
    let printed = vitrin(&["simulate", "--print-config", "--folder", folder, "--listen", &listens]);
    let text = String::from_utf8(printed.stdout).unwrap();
    // The running one says the same.
    assert_eq!(text, simulator.configuration());
    let read: toml::Table = text.parse().unwrap();
    let targets = read["marketplace"]["targets"].as_table().unwrap();
    assert_eq!(targets.len(), 9);
    for (name, target) in targets {
        assert!(Path::new(target["ca_file"].as_str().unwrap()).is_file(), "{name}");
        assert_eq!(target["preset"].as_str(), Some(name.as_str()));
        for (secret, place) in target["secrets"].as_table().unwrap() {
            let file = place["file"].as_str().unwrap();
            assert!(fs::read_to_string(file).unwrap().contains("simulated"), "{name}: {secret}");
        }
    }
    // An authority that was there goes on being trusted.
    assert_eq!(simulator.ask(LISTINGS, &KEY).status, 200);

    fs::write(simulator.folder().join("ozon-api_key"), "a real one").unwrap();
    let (code, said) = words(&vitrin(&["simulate", "--print-config", "--folder", folder]));
    assert_eq!(code, Some(2));
    assert!(said.contains("is there already") && said.contains("hint: name another folder"), "{said}");
}

#[test]
fn a_client_that_connects_and_says_nothing_holds_nobody_up() {
    let simulator = Simulator::start("");
    let silent: Vec<_> = (0..20).map(|_| std::net::TcpStream::connect(simulator.listens()).unwrap()).collect();
    assert_eq!(simulator.ask(LISTINGS, &KEY).status, 200);
    // Nor does it keep the program from ending.
    let (status, _) = simulator.stop();
    assert!(status.success(), "{status}");
    drop(silent);
}

#[test]
fn a_body_without_end_is_not_read() {
    let simulator = Simulator::start("");
    let folder = folder();
    let file = folder.path().join("body");
    fs::write(&file, vec![b'x'; (64 << 10) + 1]).unwrap();
    let body = format!("@{}", file.display());
    let seen = simulator.ask("https://api-seller.ozon.ru/v1/roles", &["--data-binary", &body]);
    assert!(seen.status == 418 && seen.body.contains("larger than 64 KiB"), "{seen:?}");
}

#[test]
fn nothing_but_its_command_uses_it() {
    fn walk(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if entry.file_type().unwrap().is_dir() {
                walk(&path, found);
            } else if fs::read_to_string(&path).unwrap().contains("simulate::") {
                found.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&sources, &mut found);
    let mut found: Vec<_> = found.iter().filter_map(|path| path.strip_prefix(sources.to_str()?)).collect();
    found.retain(|path| !path.starts_with("/simulate/"));
    found.sort_unstable();
    // The list of commands, the command, and the list of fuzzers.
    assert_eq!(found, ["/cli/mod.rs", "/cli/simulate.rs", "/fuzz/mod.rs"]);
}
