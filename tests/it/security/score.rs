//! The score of a real shop, through the whole program: what the page adds up to, what a round costs its servers, and what
//! is told of all that.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::broken::{Answer, Broken};
use crate::support::daemon::{copy, eventually, folder};
use crate::support::exporter::Exporter;
use crate::support::fresh::only_root_can;
use crate::support::scrape::Page;
use crate::support::storefront::{CANARY, Storefront};

/// The score alone: other collectors ask the same servers at each scrape.
const PAGE: &str = "/metrics?collect[]=security";

/// How far two sums may be apart that are added up in another order.
const TOLERANCE: f64 = 1e-9;

/// A machine in files: nothing of this one is on it.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        let folder = folder();
        let host = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/security/hosts/hardened");
        for part in ["root", "proc"] {
            copy(&host.join(part), &folder.path().join(part));
        }
        for file in ["passwd", "group"] {
            fs::write(folder.path().join("root/etc").join(file), "").unwrap();
        }
        let script = folder.path().join("root/usr/share/vitrin");
        fs::create_dir_all(&script).unwrap();
        fs::copy(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/vitrin-opcache.php"),
            script.join("opcache.php"),
        )
        .unwrap();
        Self(folder)
    }

    fn options(&self) -> [String; 2] {
        [("rootfs", "root"), ("procfs", "proc")]
            .map(|(option, part)| format!("--path.{option}={}", self.0.path().join(part).display()))
    }

    /// The exporter there.
    fn exporter(&self, config: &str) -> Exporter {
        let options = self.options();
        Exporter::start_with(&format!("[host]\nenabled = false\n{config}"), &options.each_ref().map(String::as_str))
    }

    /// What `vitrin security` says there.
    fn says(&self, config: &str, words: &[&str]) -> Output {
        let file = self.0.path().join("vitrin.toml");
        fs::write(&file, config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_vitrin"));
        command.arg("security").args(words).args(self.options()).arg("--config.file").arg(&file).output().unwrap()
    }
}

/// The page of the score, once there is one.
fn scored(exporter: &Exporter) -> Page {
    let mut page = exporter.page(PAGE, &[]);
    eventually("the first round", || {
        page = exporter.page(PAGE, &[]);
        page.samples("security_score").next().is_some()
    });
    page
}

/// The only series of a name.
#[track_caller]
fn only(page: &Page, name: &str) -> f64 {
    let mut samples = page.samples(name);
    let value = samples.next().unwrap_or_else(|| panic!("no {name}")).value;
    assert!(samples.next().is_none(), "{name} is there twice");
    value
}

/// A family, by its checks.
fn by_check(page: &Page, name: &str) -> BTreeMap<String, f64> {
    page.samples(name).map(|series| (series.labels["check"].clone(), series.value)).collect()
}

/// Score, upper bound and coverage as anybody can add them up from the other series of the page.
fn added_up(page: &Page) -> [f64; 3] {
    let (weights, ratios) = (by_check(page, "security_check_weight"), by_check(page, "security_check_ratio"));
    let status = by_check(page, "security_check_status");
    assert_eq!(status.len(), 59);
    let applies = |check: &String| status[check] < 4.0;
    assert!(status.keys().all(|check| weights.contains_key(check) == applies(check)));
    assert!(weights.keys().eq(ratios.keys()));
    let total: f64 = weights.values().sum();
    assert!((total - 100.0).abs() < TOLERANCE, "{total}");
    let base: f64 = weights.iter().map(|(check, weight)| weight * ratios[check]).sum();
    let unknown: f64 = weights.iter().filter(|(check, _)| status[*check] == 3.0).map(|(_, weight)| weight).sum();
    let limit = page.samples("security_score_cap").map(|series| series.value).fold(f64::INFINITY, f64::min);
    [base.min(limit), (base + unknown).min(limit), 1.0 - unknown / 100.0]
}

/// The same as the page says it.
fn said(page: &Page) -> [f64; 3] {
    ["security_score", "security_score_upper_bound", "security_score_coverage_ratio"].map(|name| only(page, name))
}

#[track_caller]
fn assert_same(found: [f64; 3], expected: [f64; 3]) {
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < TOLERANCE), "{found:?} for {expected:?}");
}

/// What `vitrin security --json` printed.
#[track_caller]
fn report(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Score, upper bound and coverage of a report.
fn reported(report: &Value) -> [f64; 3] {
    ["score", "upper_bound", "coverage_ratio"].map(|name| report[name].as_f64().unwrap())
}

/// A field of each check of a report.
fn of_checks<'a>(report: &'a Value, field: &str) -> BTreeMap<&'a str, &'a Value> {
    let checks = report["checks"].as_array().unwrap().iter();
    checks.map(|check| (check["check"].as_str().unwrap(), &check[field])).collect()
}

#[test]
fn what_nobody_sees_adds_up_and_what_root_adds_only_narrows_it() {
    only_root_can("be somebody else");
    let shop = Storefront::start();
    let config = shop.configuration();
    let exporter = shop.exporter(&config);
    let page = scored(&exporter);
    let before @ [score, upper, coverage] = said(&page);
    assert_same(before, added_up(&page));
    assert!(0.0 < score && score < upper && upper <= 100.0 && coverage < 1.0, "{before:?}");
    assert_eq!(page.samples("security_facts_timestamp_seconds").count(), 0);
    let states = by_check(&page, "security_check_status");
    // What the real servers have been asked is known.
    let told = report(&shop.says(&config, &["security", "--json"]));
    for check in ["API-01", "API-09", "API-16", "API-18", "API-20", "API-23", "TLS-01", "TLS-07", "MON-01"] {
        assert_ne!(states[check], 3.0, "{check} is unknown: {}", of_checks(&told, "seen")[check]);
    }
    assert_same(reported(&told), before);
    let facts = shop.facts().display().to_string();
    let written = shop.says_to_root(&["facts", "--out", &facts, "--group", "www-data"]);
    assert!(written.status.success(), "{written:?}");
    let told_more = report(&shop.says(&config, &["security", "--json"]));
    let after @ [more_score, less_upper, more_coverage] = reported(&told_more);
    assert!(
        score <= more_score + TOLERANCE && more_score <= less_upper && less_upper <= upper + TOLERANCE,
        "{after:?}"
    );
    assert!(coverage < more_coverage, "{before:?} {after:?}");
    let (states, privileges) = (of_checks(&told, "state"), of_checks(&told, "privilege"));
    for (check, state) in of_checks(&told_more, "state") {
        assert!(states[check] == "unknown" || states[check] == state, "{check}: {} {state}", states[check]);
        assert!(privileges[check] != "facts" || state != "unknown", "{check}: {told_more}");
    }

    // It reads them in its first round, too.
    drop(exporter);
    let exporter = shop.exporter(&config);
    let page = scored(&exporter);
    assert_same(said(&page), after);
    assert_same(after, added_up(&page));
    assert!(only(&page, "security_facts_timestamp_seconds") > 0.0);

    // Nothing of it holds a secret; they are in files and tables that were read.
    let text = shop.says(&config, &["security"]);
    let facts = shop.says_to_root(&["facts", "--stdout"]);
    for output in [&text, &shop.says(&config, &["security", "--json"]), &facts] {
        let (printed, words) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(printed.len() > 500 && !printed.contains(CANARY) && !words.contains(CANARY), "{printed}\n{words}");
    }
    assert!(!format!("{page:?}{}", exporter.log()).contains(CANARY));
}

#[test]
fn a_round_is_the_timers_and_scrapes_cost_the_servers_nothing() {
    only_root_can("be somebody else");
    let shop = Storefront::start();
    let idle = shop.asked();
    let exporter = shop.exporter(&shop.configuration());
    let page = scored(&exporter);
    let asked = shop.asked();
    assert!(asked.nginx > idle.nginx && asked.php > idle.php + 1, "{idle:?} {asked:?}");
    assert!(asked.database > idle.database + 1.0 && asked.redis > idle.redis + 1, "{idle:?} {asked:?}");
    let times = by_check(&page, "security_check_timestamp_seconds");
    for _ in 0..5 {
        let again = exporter.page(PAGE, &[]);
        assert_eq!(by_check(&again, "security_check_timestamp_seconds"), times);
        assert_same(said(&again), said(&page));
    }
    assert_eq!(shop.asked(), asked.and_one_look());
    assert!(times.len() > 40, "{times:?}");
    let families = page.families.iter().filter(|family| family.name.starts_with("security_"));
    let series: usize = families.map(|family| family.series.len()).sum();
    assert!(59 * 4 < series && series < 520, "{series}");
}

/// The names of the score's families.
fn families(page: &Page) -> Vec<&str> {
    page.names().into_iter().filter_map(|name| name.strip_prefix("security_")).collect()
}

#[test]
fn less_detail_is_less_on_the_page_and_no_table_is_nothing() {
    let machine = Machine::new();
    let whole =
        ["methodology_info", "score", "score_baseline", "score_cap", "score_coverage_ratio", "score_upper_bound"];
    let score = scored(&machine.exporter("[security]\ndetail = 'score'\n"));
    assert_eq!(families(&score), whole);
    let category = scored(&machine.exporter("[security]\ndetail = 'category'\n"));
    assert_eq!(families(&category), [&["category_score"], &whole[..]].concat());
    assert_eq!(category.samples("security_category_score").count(), 5);
    let full = scored(&machine.exporter("[security]\n"));
    assert_same(said(&score), said(&full));
    assert_same(said(&category), added_up(&full));
    let none = machine.exporter("");
    assert_eq!(families(&none.scrape()), [""; 0]);
    assert_eq!(none.get(PAGE, &[]).status, 200);
}

#[test]
fn a_waiver_is_seen_and_scores_nothing() {
    let machine = Machine::new();
    let waiver = "waive = [{ check = 'FW-01', reason = 'the provider filters', until = '2099-12-31' }]";
    let (with, without) = (machine.exporter(&format!("[security]\n{waiver}\n")), machine.exporter("[security]\n"));
    let (with, without) = (scored(&with), scored(&without));
    assert_same(said(&with), said(&without));
    let silenced = |page: &Page| -> Vec<String> {
        let series = page.samples("security_check_info").filter(|series| series.labels["waived"] == "true");
        series.map(|series| series.labels["check"].clone()).collect()
    };
    assert_eq!((silenced(&with), silenced(&without)), (vec!["FW-01".to_owned()], Vec::new()));
    let missing = by_check(&with, "security_check_weight")["FW-01"];
    assert!(missing > 0.0);
    assert_eq!((only(&with, "security_waived_points"), only(&without, "security_waived_points")), (missing, 0.0));
}

#[test]
fn servers_that_hang_cost_their_own_checks_alone() {
    let machine = Machine::new();
    let [mysql, redis, php] = [(); 3].map(|()| Broken::tcp(Answer::silence()));
    let servers = format!(
        "[mysql.targets.main]\naddress = '{}'\nuser = 'vitrin'\n[redis.targets.main]\nurl = 'redis://{}'\n\
         [php_fpm.targets.main]\npools = ['{}']\n",
        mysql.address(),
        redis.address(),
        php.address()
    );
    let hung = report(&machine.says(&format!("[security]\n{servers}"), &["--json"]));
    let well = report(&machine.says("[security]\n", &["--json"]));
    let (states, causes) = (of_checks(&hung, "state"), of_checks(&hung, "cause"));
    for check in ["API-18", "API-20", "API-23"] {
        assert_eq!((states[check], causes[check]), (&"unknown".into(), &"timeout".into()), "{hung:#}");
    }
    assert!(mysql.connections() > 0 && redis.connections() > 0 && php.connections() > 0);
    let known: Vec<_> = of_checks(&well, "state").into_iter().filter(|(_, state)| *state != "unknown").collect();
    assert!(known.len() > 5, "{known:?}");
    for (check, state) in known {
        assert_eq!(states[check], state, "{check}");
    }
}

#[test]
fn the_exit_code_says_whether_the_objective_is_met() {
    let machine = Machine::new();
    let met = machine.says("[security]\n[objectives]\nsecurity_score = 1\n", &[]);
    let text = String::from_utf8_lossy(&met.stdout);
    assert_eq!(met.status.code(), Some(0), "{met:?}");
    assert!(text.starts_with("Security score ") && text.ends_with(" Methodology 1.0.\n"), "{text}");
    assert!(text.lines().next().unwrap().ends_with("; the objective is 1."), "{text}");
    assert_eq!(machine.says("[security]\n", &[]).status.code(), Some(1));
    let wrong = machine.says("[security]\nwaive = 7\n", &["--json"]);
    assert_eq!((wrong.status.code(), wrong.stdout.len()), (Some(2), 0), "{wrong:?}");
}
