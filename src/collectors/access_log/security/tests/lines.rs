//! Single lines: limits, restarts, proxies, and what is left out.

use expect_test::expect;
use proptest::prelude::*;

use super::super::bucket::Poured;
use super::*;

/// A request for a page at a second, from an address, answered with a status.
pub(super) fn line<'a>(second: i64, client: &'a str, method: &'a str, target: &'a str, status: u16) -> Line<'a> {
    Line {
        time: Some(1_795_428_000 + second),
        client: client.as_bytes(),
        method: method.as_bytes(),
        target: target.as_bytes(),
        protocol: b"HTTP/1.1",
        status,
        ..Line::default()
    }
}

const LOGIN: &str = "/admin/index.php?route=common/login.login";
const DASHBOARD: &str = "/admin/index.php?route=common/dashboard&user_token=a";

#[test]
fn every_limit_is_the_last_that_is_allowed() {
    for incident in Incident::ALL {
        let size = incident.size();
        for too_many in [false, true] {
            let mut buckets = Buckets::new(size);
            let last = u64::from(size.capacity) + u64::from(too_many);
            let poured = (1..=last).map(|what| buckets.pour(1, 1000, what)).filter(|poured| *poured != Poured::Fits);
            let expected = if too_many { vec![Poured::Incident] } else { Vec::new() };
            assert_eq!(poured.collect::<Vec<_>>(), expected, "{incident:?}");
        }
    }
}

#[test]
fn a_restart_between_a_login_and_what_follows_is_not_noticed() {
    let mut before = signals();
    before.see(&line(0, "192.0.2.1", "POST", LOGIN, 200), Route::Admin);
    before.see(&line(1, "192.0.2.2", "POST", LOGIN, 200), Route::Admin);
    let saved = serde_json::to_string(&before.save()).unwrap();
    let mut after = signals();
    after.restore(serde_json::from_str(&saved).unwrap());
    after.see(&line(3, "192.0.2.1", "GET", DASHBOARD, 200), Route::Admin);
    after.advance(1_795_428_016);
    assert_eq!(reported(&after), "shop_auth_attempts_total admin success 1\n");
    after.advance(1_795_428_017);
    let all = "shop_auth_attempts_total admin failure 1\nshop_auth_attempts_total admin success 1\n";
    assert_eq!(reported(&after), all);
    // With nobody waiting, the key is forgotten, and so is whose hash was whose.
    let saved = serde_json::to_string(&after.save()).unwrap();
    assert_eq!(
        saved,
        r#"{"attempts":{"admin/failure":1,"admin/success":1},"violations":{},"incidents":{},"calls":{},"abuse":{},"limits":{},"evictions":0,"waiting":null}"#
    );
    let mut later = signals();
    later.restore(serde_json::from_str(&saved).unwrap());
    assert_eq!(reported(&later), all);
}

#[test]
fn what_another_version_has_kept_is_taken_as_far_as_it_is_known() {
    let mut signals = signals();
    signals.restore(serde_json::from_str(r#"{"attempts":{"admin/failure":7,"robot/failure":1},"later":[1]}"#).unwrap());
    assert_eq!(reported(&signals), "shop_auth_attempts_total admin failure 7\n");
}

#[test]
fn a_login_is_resolved_for_its_own_client_alone_and_in_time() {
    for (client, second, success) in
        [("192.0.2.1", 0, true), ("192.0.2.1", 15, true), ("192.0.2.1", 16, false), ("192.0.2.2", 1, false)]
    {
        let mut signals = signals();
        signals.see(&line(0, "192.0.2.1", "POST", LOGIN, 200), Route::Admin);
        signals.see(&line(second, client, "GET", DASHBOARD, 200), Route::Admin);
        signals.advance(1_795_428_100);
        let outcome = if success { "success" } else { "failure" };
        assert_eq!(reported(&signals), format!("shop_auth_attempts_total admin {outcome} 1\n"), "{client} {second}");
    }
}

#[test]
fn a_backlog_is_judged_by_its_own_time() {
    let mut signals = signals();
    signals.advance(1_900_000_000);
    for second in [0, 12, 24, 36, 48, 60, 72, 84] {
        signals.see(&line(second, "192.0.2.1", "POST", "/admin/?route=common/login", 200), Route::Admin);
    }
    assert_eq!(reported(&signals), "shop_auth_attempts_total admin failure 8\n");
}

#[test]
fn more_logins_than_can_wait_are_given_up_and_counted() {
    let mut signals = signals();
    for _ in 0..5000 {
        signals.see(&line(0, "192.0.2.1", "POST", LOGIN, 200), Route::Admin);
    }
    let reported = reported(&signals);
    assert!(reported.contains("security_tracker_evictions_total  904\n"), "{reported}");
    assert!(reported.contains("shop_auth_attempts_total admin unresolved 904\n"), "{reported}");
}

#[test]
fn clients_behind_a_proxy_are_nobody_in_particular() {
    let config = config("proxies = ['192.0.2.0/24']");
    let mut signals = Signals::new(&config, Surroundings::default());
    for second in 0..100 {
        signals.see(&line(0, "192.0.2.1", "POST", "/admin/?route=common/login", 200), Route::Admin);
        signals.see(&line(second, "192.0.2.1", "GET", "/a.sql", 404), Route::Other);
    }
    signals.see(&line(0, "192.0.2.1", "POST", LOGIN, 200), Route::Admin);
    let expected = expect![[r#"
        security_violations_total sensitive_file blocked 100
        shop_auth_attempts_total admin failure 100
        shop_auth_attempts_total admin unresolved 1
    "#]];
    expected.assert_eq(&reported(&signals));
}

#[test]
fn networks_that_are_ignored_are_not_there() {
    let config = config("ignore = ['192.0.2.0/24']");
    let mut signals = Signals::new(&config, Surroundings { has_error_log: true, ..Surroundings::default() });
    for _ in 0..300 {
        signals.see(&line(0, "192.0.2.1", "GET", "/.git/config", 404), Route::Other);
        signals.see(&line(0, "192.0.2.1", "POST", LOGIN, 200), Route::Admin);
        signals
            .see_error(b"2026/11/23 10:00:00 [error] 1#1: *1 access forbidden by rule, client: 192.0.2.1, server: _");
    }
    signals.advance(1_795_428_100);
    assert_eq!(reported(&signals), "");
}

#[test]
fn the_error_log_shows_what_the_access_log_cannot() {
    let mut signals = Signals::new(&Config::default(), Surroundings { has_error_log: true, ..Surroundings::default() });
    signals.see(&line(0, "192.0.2.1", "GET", "/", 200), Route::Home);
    for second in 0..6 {
        let line = format!(
            "2026/11/23 13:00:0{second} [error] 1#1: *1 access forbidden by rule, client: 192.0.2.9, server: _, request: \
             \"GET /secret HTTP/1.1\", host: \"shop.example\""
        );
        signals.see_error(line.as_bytes());
    }
    signals.see_error(
        b"2026/11/23 13:00:07 [warn] 1#1: *2 delaying request, excess: 0.5, by zone \"a\", client: 192.0.2.9, x",
    );
    signals.see_error(
        b"2026/11/23 13:00:07 [error] 1#1: *2 limiting requests, dry run, excess: 5.0 by zone \"a\", client: 192.0.2.9, x",
    );
    let expected = expect![[r#"
        security_incidents_total forbidden_rule 1
        security_violations_total forbidden_rule blocked 6
        shop_http_abusive_clients forbidden_rule 1
        shop_http_limit_notices_total requests delayed 1
        shop_http_limit_notices_total requests rejected_dry_run 1
    "#]];
    expected.assert_eq(&reported(&signals));
    signals.advance(1_795_428_299);
    assert!(reported(&signals).contains("shop_http_abusive_clients"));
    signals.advance(1_795_428_310);
    assert!(!reported(&signals).contains("shop_http_abusive_clients"));
}

#[test]
fn what_is_not_looked_for_or_cannot_be_seen_is_absent() {
    let families = |config: &str, has_error_log| {
        let signals = Signals::new(&self::config(config), Surroundings { has_error_log, ..Surroundings::default() });
        let mut out = Snapshot::default();
        signals.report(&mut out);
        let mut text = String::new();
        for (family, group) in out.finish().0.families() {
            for (labels, _) in group.samples() {
                writeln!(text, "{} {}", family.name, labels.collect::<Vec<_>>().join(" ")).unwrap();
            }
        }
        text
    };
    let with = families("", true);
    assert!(with.contains("security_violations_total forbidden_rule blocked\n"));
    assert!(with.contains("shop_http_limit_notices_total requests rejected\n"));
    assert!(!with.contains("http_basic success") && with.contains("http_basic failure"));
    assert!(!with.contains("shop_http_client_attribution"));
    let without = families("disable = ['xss']", false);
    for absent in ["forbidden_rule", "limit_notices", "xss"] {
        assert!(!without.contains(absent), "{absent}");
    }
    // A bound for all of it.
    assert!(with.lines().count() < 150, "{}", with.lines().count());
}

#[test]
fn logins_of_ones_own_are_counted_as_the_configuration_says() {
    let config = config("[[logins]]\nrealm = 'customer'\npath = '/giris'\nsuccess = [302]\nfailure = [200]");
    let mut signals = Signals::new(&config, Surroundings::default());
    for (method, target, status) in [
        ("POST", "/giris", 302),
        ("POST", "/Giris/?back=x", 200),
        ("POST", "/giris", 403),
        ("POST", "/giris", 404),
        ("POST", "/giris", 429),
        ("POST", "/giris", 500),
        ("GET", "/giris", 200),
    ] {
        signals.see(&line(0, "192.0.2.1", method, target, status), Route::Account);
    }
    let expected = expect![[r#"
        security_violations_total not_found_scan blocked 2
        shop_auth_attempts_total customer failure 2
        shop_auth_attempts_total customer success 1
        shop_auth_attempts_total customer throttled 1
        shop_auth_attempts_total customer unresolved 1
    "#]];
    expected.assert_eq(&reported(&signals));
}

#[test]
fn the_administration_is_no_probe_unless_it_is_not_there() {
    let mut signals = signals();
    for (target, status, route) in [
        ("/admin/", 403, Route::Admin),
        ("/admin/view/javascript/gone.html", 404, Route::Admin),
        ("/backoffice/index.php", 403, Route::Admin),
    ] {
        signals.see(&line(0, "192.0.2.1", "GET", target, status), route);
    }
    assert!(!reported(&signals).contains("admin_probe"), "{}", reported(&signals));
    signals.see(&line(0, "192.0.2.1", "GET", "/admin/", 404), Route::Admin);
    signals.see(&line(0, "192.0.2.1", "GET", "/admin/", 403), Route::Other);
    assert!(reported(&signals).contains("admin_probe blocked 2\n"), "{}", reported(&signals));
}

#[test]
fn a_hundred_thousand_clients_are_remembered_as_far_as_there_is_room() {
    let mut signals = signals();
    for client in 0..100_000 {
        let address = format!("203.{}.{}.{}", client >> 16, client >> 8 & 255, client & 255);
        signals.see(&line(client / 20_000, &address, "GET", "/.env", 404), Route::Other);
    }
    let expected = 2 * (100_000 - 16_384);
    assert!(signals.evictions() >= expected && signals.evictions() < expected + 2 * 16_384, "{}", signals.evictions());
}

proptest! {
    #[test]
    fn nothing_in_a_line_panics(
        lines in prop::collection::vec(
            (any::<Option<i64>>(), any::<Vec<u8>>(), "(GET|POST|HEAD|CONNECT|x)", any::<Vec<u8>>(), any::<u16>(), 0..Route::ALL.len()),
            0..20,
        ),
        error: Vec<u8>,
    ) {
        let mut signals = signals();
        for (time, client, method, target, status, route) in &lines {
            let line = Line {
                time: *time,
                client,
                method: method.as_bytes(),
                target,
                status: *status,
                user: client,
                ..Line::default()
            };
            signals.see(&line, Route::ALL[*route]);
            signals.see_error(&error);
            signals.advance(time.unwrap_or_default());
        }
        reported(&signals);
        let saved = signals.save();
        let mut again = self::signals();
        again.restore(saved.clone());
        prop_assert_eq!(again.save(), saved);
    }
}
