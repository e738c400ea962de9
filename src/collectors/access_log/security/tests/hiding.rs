//! What might hide somebody: a format that says little, an agent of ours, an address that is spelled otherwise.

use expect_test::expect;

use super::lines::line;
use super::*;

#[test]
fn a_format_without_addresses_makes_no_client_of_all_and_says_so() {
    let mut signals = signals();
    for second in 0..200 {
        signals.see(&line(second / 100, "", "POST", "/wp-login.php", 200), Route::Admin);
    }
    assert_eq!(reported(&signals), "shop_auth_attempts_total admin failure 200\n");
    assert_eq!(signals.clients.told_apart(), Some(false));
}

#[test]
fn a_format_without_the_protocol_hides_no_scan() {
    let mut signals = signals();
    for target in ["/nothing", "/here", "http://shop.example/at-all", "", r"\x16\x03"] {
        let status = if target.starts_with('/') { 404 } else { 400 };
        let line = Line { protocol: b"", ..line(0, "192.0.2.1", "GET", target, status) };
        signals.see(&line, Route::Other);
    }
    let expected = expect![[r#"
        security_incidents_total open_proxy 1
        security_violations_total bad_request blocked 2
        security_violations_total not_found_scan blocked 2
        security_violations_total open_proxy blocked 1
        shop_http_abusive_clients open_proxy 1
    "#]];
    expected.assert_eq(&reported(&signals));
}

#[test]
fn behind_a_proxy_of_this_machine_nobody_hides_by_calling_himself_us() {
    let mut signals =
        Signals::new(&Config::default(), Surroundings { own_agent: Some("0f3a"), ..Surroundings::default() });
    for _ in 0..200 {
        signals.see(&line(0, "127.0.0.1", "GET", "/", 200), Route::Home);
    }
    signals.see(&Line { agent: b"0f3a", ..line(0, "127.0.0.1", "GET", "/.env", 200) }, Route::Other);
    assert_eq!(reported(&signals), "security_violations_total sensitive_file served 1\n");
}

#[test]
fn a_login_is_one_however_its_address_is_spelled() {
    let config = config("[[logins]]\nrealm = 'customer'\npath = '/giris'\nfailure = [200]");
    let shops = &[Preset::Opencart3, Preset::Woocommerce, Preset::Prestashop];
    let pad = format!("/admin/index.php?x={}&route=common/login", "a".repeat(7_000));
    let slashes = format!("/admin/index.php?route=common{}login", "/".repeat(500));
    for target in [
        "//giris",
        "/x/../giris",
        "/%67iris//",
        "/giris#x",
        "/wp-login.php/x",
        "/wp-login.php?action=x",
        "/wp-login.php?action=register&action=login",
        "/wp-login.php?action=register&%61ction=%6cogin",
        "/index.php?controller=x&controller=%61uthentication",
        "/index.php?route=account//login",
        "/index.php?route=/account/login/index",
        "/index.php?route=account/login#x",
        "/admin/index.php?route=COMMON/LOGIN",
        "/admin/index.php?route=common/login/index/x",
        "/admin/index.php?route=anything&user_token=",
        "/admin/",
        &pad,
        &slashes,
    ] {
        let mut signals = Signals::new(&config, Surroundings { shops, ..Surroundings::default() });
        let line = line(0, "192.0.2.1", "POST", target, 200);
        signals.see(&line, routes().route(&line));
        assert!(reported(&signals).contains(" failure 1\n"), "{target}: {}", reported(&signals));
    }
    for target in [
        "/wp-login.php?action=lostpassword",
        "/admin/index.php?route=common/forgotten",
        "/admin/index.php?route=sale/order&user_token=a",
        "/admin/view/x.js",
        "/index.php?route=account/login/other",
        "/giris/x",
    ] {
        let mut signals = Signals::new(&config, Surroundings { shops, ..Surroundings::default() });
        let line = line(0, "192.0.2.1", "POST", target, 200);
        signals.see(&line, routes().route(&line));
        assert_eq!(reported(&signals), "", "{target}");
    }
}

#[test]
fn our_own_requests_are_left_out_by_agent_and_address_together() {
    let around = Surroundings { own_agent: Some("0f3a"), ..Surroundings::default() };
    for (client, agent, counted) in [
        ("127.0.0.1", "vitrin (0f3a)", 0),
        ("::1", "vitrin (0f3a)", 0),
        ("127.0.0.1", "vitrin", 1),
        ("192.0.2.1", "0f3a", 1),
    ] {
        let mut signals = Signals::new(&Config::default(), around);
        let line = Line { agent: agent.as_bytes(), ..line(0, client, "GET", "/.env", 404) };
        signals.see(&line, Route::Other);
        assert_eq!(reported(&signals).lines().count(), counted, "{client} {agent}");
    }
}
