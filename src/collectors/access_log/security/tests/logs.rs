//! Whole logs of `tests/fixtures/access_log/security`, and what is to be seen in them.

use expect_test::{Expect, expect};

use super::*;

/// A log of `tests/fixtures/access_log/security`.
macro_rules! log {
    ($name:literal) => {
        include_str!(concat!("../../../../../tests/fixtures/access_log/security/", $name, ".log"))
    };
}

/// What there is to be seen in a log, some time after its last line.
fn check(log: &str, expected: &Expect) {
    let mut signals = signals();
    see(&mut signals, log);
    signals.advance(signals.now + 16);
    expected.assert_eq(&reported(&signals));
}

#[test]
fn logins_to_opencart_3_are_told_by_their_status() {
    check(
        log!("opencart-3-logins"),
        &expect![[r#"
        security_violations_total admin_probe blocked 1
        shop_auth_attempts_total admin failure 1
        shop_auth_attempts_total admin success 1
        shop_auth_attempts_total api unresolved 1
        shop_auth_attempts_total customer failure 1
        shop_auth_attempts_total customer success 1
        shop_auth_attempts_total customer throttled 1
        shop_auth_attempts_total customer unresolved 2
        shop_http_api_requests_total ok 1
    "#]],
    );
}

#[test]
fn logins_to_opencart_4_are_told_by_what_follows() {
    let expected = expect![[r#"
        shop_auth_attempts_total admin failure 3
        shop_auth_attempts_total admin success 1
        shop_auth_attempts_total customer failure 2
        shop_auth_attempts_total customer success 1
    "#]];
    check(log!("opencart-4.0.1-logins"), &expected);
    check(
        log!("opencart-4.1-logins"),
        &expect![[r#"
        shop_auth_attempts_total admin failure 3
        shop_auth_attempts_total admin success 1
        shop_auth_attempts_total api failure 1
        shop_auth_attempts_total api success 1
        shop_auth_attempts_total customer failure 2
        shop_auth_attempts_total customer success 1
        shop_http_api_abuse_total auth_denied 1
        shop_http_api_requests_total denied 1
        shop_http_api_requests_total ok 1
    "#]],
    );
}

#[test]
fn logins_to_other_shops_are_told_where_their_answers_differ() {
    check(
        log!("other-shops-logins"),
        &expect![[r#"
            shop_auth_attempts_total admin failure 3
            shop_auth_attempts_total admin success 3
            shop_auth_attempts_total admin unresolved 2
            shop_auth_attempts_total api unresolved 1
            shop_auth_attempts_total customer failure 3
            shop_auth_attempts_total customer success 3
            shop_auth_attempts_total customer unresolved 2
            shop_http_api_abuse_total auth_denied 1
            shop_http_api_requests_total denied 1
            shop_http_api_requests_total ok 2
        "#]],
    );
}

#[test]
fn a_name_makes_a_refusal_a_failed_login() {
    check(
        log!("http-basic"),
        &expect![[r#"
        shop_auth_attempts_total http_basic failure 1
        shop_auth_attempts_total http_basic throttled 1
    "#]],
    );
}

#[test]
fn a_crawler_is_no_scanner() {
    check(
        log!("crawler"),
        &expect![[r#"
        security_violations_total not_found_scan blocked 50
        shop_http_client_attribution  1
    "#]],
    );
}

#[test]
fn programs_and_browsers_that_do_their_duty_are_no_incident() {
    check(
        log!("payment-callback"),
        &expect![[r#"
        shop_http_api_requests_total ok 40
    "#]],
    );
}

#[test]
fn a_scanner_is_seen_and_so_is_what_it_got() {
    check(
        log!("scanner"),
        &expect![[r#"
            security_incidents_total admin_probe 1
            security_incidents_total foreign_cms 1
            security_incidents_total not_found_scan 1
            security_incidents_total open_proxy 1
            security_incidents_total rce_probe 1
            security_incidents_total sensitive_file 1
            security_incidents_total traversal 1
            security_incidents_total webshell 1
            security_violations_total admin_probe blocked 4
            security_violations_total bad_request blocked 2
            security_violations_total foreign_cms blocked 5
            security_violations_total method blocked 1
            security_violations_total open_proxy blocked 2
            security_violations_total oversize blocked 1
            security_violations_total rce_probe answered 2
            security_violations_total rce_probe blocked 1
            security_violations_total sensitive_file answered 1
            security_violations_total sensitive_file blocked 11
            security_violations_total sensitive_file error 1
            security_violations_total sensitive_file served 1
            security_violations_total sqli answered 1
            security_violations_total traversal answered 2
            security_violations_total traversal blocked 4
            security_violations_total webshell blocked 2
            security_violations_total xss answered 1
            shop_http_abusive_clients admin_probe 1
            shop_http_abusive_clients foreign_cms 1
            shop_http_abusive_clients not_found_scan 1
            shop_http_abusive_clients open_proxy 1
            shop_http_abusive_clients rce_probe 1
            shop_http_abusive_clients sensitive_file 1
            shop_http_abusive_clients traversal 1
            shop_http_abusive_clients webshell 1
            shop_http_api_abuse_total invalid_call 1
            shop_http_api_requests_total invalid 1
        "#]],
    );
}

#[test]
fn one_guesser_is_an_incident_and_many_customers_are_none() {
    check(
        log!("brute-force"),
        &expect![[r#"
        security_incidents_total brute_force_admin 1
        shop_auth_attempts_total admin failure 60
        shop_auth_attempts_total customer failure 60
        shop_http_abusive_clients brute_force_admin 1
    "#]],
    );
}

#[test]
fn a_human_who_mistypes_six_times_a_minute_is_no_incident() {
    check(
        log!("human"),
        &expect![[r#"
        shop_auth_attempts_total admin failure 6
        shop_auth_attempts_total admin success 1
    "#]],
    );
}

#[test]
fn the_api_is_counted_and_so_is_its_abuse() {
    check(
        log!("api-abuse"),
        &expect![[r#"
        security_incidents_total api_burst 1
        security_incidents_total api_enumeration 1
        security_violations_total oversize blocked 1
        shop_http_abusive_clients api_burst 1
        shop_http_abusive_clients api_enumeration 1
        shop_http_api_abuse_total auth_denied 2
        shop_http_api_abuse_total burst 1
        shop_http_api_abuse_total enumeration 1
        shop_http_api_abuse_total invalid_call 41
        shop_http_api_abuse_total oversize 1
        shop_http_api_abuse_total throttled 1
        shop_http_api_requests_total aborted 1
        shop_http_api_requests_total denied 2
        shop_http_api_requests_total error 1
        shop_http_api_requests_total invalid 42
        shop_http_api_requests_total ok 62
        shop_http_api_requests_total throttled 1
    "#]],
    );
}
