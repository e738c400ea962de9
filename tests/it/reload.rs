//! A configuration that changes while the program serves.

use crate::support::daemon::eventually;
use crate::support::exporter::Exporter;
use crate::support::http::ask;
use crate::support::redis::RedisServer;
use crate::support::scrape::Page;

/// Two targets at one server, and no host.
fn configuration(redis: &RedisServer, targets: &[&str]) -> String {
    let target = |name: &&str| format!("[redis.targets.{name}]\nurl = \"{}\"\n", redis.url());
    "[host]\nenabled = false\n".to_owned() + &targets.iter().map(target).collect::<String>()
}

/// The targets that a page speaks of.
fn targets(page: &Page) -> Vec<String> {
    page.samples("vitrin_up").map(|series| series.labels["target"].clone()).collect()
}

#[test]
fn targets_come_and_go_and_those_that_stay_keep_their_connection_and_their_counters() {
    let redis = RedisServer::start(&[]);
    let exporter = Exporter::start(&configuration(&redis, &["cache", "main"]));
    exporter.scrape();
    let connections = || redis.info("total_connections_received").parse::<u64>().unwrap();
    // Each look at the counter is a connection of its own.
    let before = connections();

    exporter.configure(&configuration(&redis, &["main", "sessions"]));
    let answer = ask(exporter.address(), "POST", "/-/reload", &[]).unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text(), "reloaded: of the jobs, 1 went on, 1 started, 1 ended\n");
    let page = exporter.scrape();
    assert_eq!(targets(&page), ["main", "sessions"]);
    assert_eq!(page.number("vitrin_config_last_reload_successful", &[]), 1.0);
    assert_eq!(connections() - before, 1 + 1, "of vitrin, only the new target has connected");
}

#[test]
fn a_bad_file_changes_nothing_and_says_so_everywhere() {
    let redis = RedisServer::start(&[]);
    let exporter = Exporter::start(&configuration(&redis, &["main"]));
    let taken = |page: &Page| page.number("vitrin_config_last_reload_success_timestamp_seconds", &[]);
    let since = taken(&exporter.scrape());

    exporter.configure("[redis]\ntimeout = \"canary-in-the-wrong-place\"\n");
    exporter.hang_up();
    eventually("the log of the failed reload", || exporter.log().contains("was not reloaded"));
    let page = exporter.scrape();
    assert_eq!(targets(&page), ["main"]);
    assert_eq!(page.number("redis_up", &[]), 1.0);
    assert_eq!(page.number("vitrin_config_last_reload_successful", &[]), 0.0);
    assert_eq!(taken(&page), since);

    let answer = ask(exporter.address(), "POST", "/-/reload", &[]).unwrap();
    assert_eq!(answer.status, 500);
    let (text, place) = (answer.text(), format!("{}:2:11 is wrong", exporter.configuration().display()));
    assert!(text.contains(&place) && !text.contains("canary"), "{text}");

    exporter.configure(&configuration(&redis, &["main"]));
    exporter.hang_up();
    eventually("the log of the reload", || exporter.log().contains("of the jobs, 1 went on, 0 started, 0 ended"));
    let page = exporter.scrape();
    assert_eq!(page.number("vitrin_config_last_reload_successful", &[]), 1.0);
    assert!(taken(&page) > since);
}

#[test]
fn a_reload_is_a_post() {
    let exporter = Exporter::start("");
    let answer = exporter.get("/-/reload", &[]);
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST, PUT")));
    assert!(!exporter.log().contains("reloaded"));
}

#[test]
fn a_scrape_asks_for_the_collectors_it_names() {
    let redis = RedisServer::start(&[]);
    let mut configuration = configuration(&redis, &["main"]);
    configuration = configuration.replace("enabled = false", "enabled = true");
    let exporter = Exporter::start(&configuration);
    let collectors = |query: &str| {
        let page = exporter.page(&format!("/metrics{query}"), &[]);
        let own = page.families.iter().any(|family| family.name.starts_with("process_"));
        (page.samples("vitrin_up").map(|series| series.labels["collector"].clone()).collect::<Vec<_>>(), own)
    };
    let named = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    assert_eq!(collectors(""), (named(&["host", "redis"]), true));
    assert_eq!(collectors("?collect[]=redis"), (named(&["redis"]), false));
    assert_eq!(collectors("?exclude%5B%5D=redis"), (named(&["host"]), false));
    // Not configured here, perhaps on another machine that is scraped alike.
    let page = exporter.page("/metrics?collect[]=mysql", &[]);
    assert_eq!(page.families.len(), 0);

    for query in ["collect[]=rediss", "collect[]=redis&exclude[]=host", "exclude[]="] {
        let answer = exporter.get(&format!("/metrics?{query}"), &[]);
        assert_eq!(answer.status, 400, "{query}");
    }
}

#[test]
fn a_probe_is_one_configured_target_without_its_name() {
    let redis = RedisServer::start(&[]);
    let exporter = Exporter::start(&configuration(&redis, &["cache", "main"]));
    let page = exporter.page("/probe?collector=redis&target=cache", &[]);
    assert_eq!(page.number("redis_up", &[]), 1.0);
    assert_eq!(targets(&page), ["cache"]);
    let of_target = |family: &&crate::support::scrape::Family| !family.name.starts_with("vitrin_");
    for family in page.families.iter().filter(of_target) {
        assert!(family.series.iter().all(|series| !series.labels.contains_key("target")), "{}", family.name);
    }

    let refused = |query: &str| {
        let answer = exporter.get(&format!("/probe{query}"), &[]);
        assert_eq!(answer.status, 400, "{query}");
        answer.text()
    };
    expect_test::expect![[r"
        no collector is named
          hint: /probe?collector=mysql&target=main
    "]]
    .assert_eq(&refused(""));
    expect_test::expect![[r"
        `redis`/`shop` is not configured
          hint: there are redis/cache, redis/main
    "]]
    .assert_eq(&refused("?collector=redis&target=shop"));
    // An address or a credential is never taken from a request.
    refused(&format!("?collector=redis&target={}", redis.url()));
}
