//! Logins, violations and abuse of the API, as a real nginx logs them.

use std::fmt::Write as _;
use std::net::SocketAddr;

use expect_test::{Expect, expect};
use vitrin::collectors::access_log::format::Format;

use super::{LOG, following};
use crate::support::daemon::eventually;
use crate::support::exporter::Exporter;
use crate::support::http;
use crate::support::nginx::Nginx;
use crate::support::scrape::Page;

/// A shop that answers with the status that a request asks for, to the client that it says it is.
const SHOP: &str = "set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP;\n\
                    if ($http_x_status = 302) { return 302 /elsewhere; }\n\
                    if ($http_x_status = 401) { return 401; }\n\
                    if ($http_x_status = 404) { return 404; }\n\
                    location / { return 200 'page'; }\n\
                    location /closed { deny all; }\n\
                    location = /limited { limit_req zone=few; stub_status; }\n";

/// What does not depend on how quickly requests follow each other.
const FAMILIES: [&str; 5] = [
    "shop_auth_attempts_total",
    "security_violations_total",
    "shop_http_api_requests_total",
    "shop_http_api_abuse_total",
    "shop_http_limit_notices_total",
];

struct Shop {
    nginx: Nginx,
    exporter: Exporter,
}

impl Shop {
    fn open(settings: &str) -> Self {
        let http = format!("{}\nlimit_req_zone $binary_remote_addr zone=few:1m rate=1r/m;", Format::RECOMMENDED);
        let nginx = Nginx::logging(&http, SHOP);
        let errors = nginx.daemon.folder().join("error.log");
        let settings = format!("format = \"combined_timed\"\nerror_files = [\"{}\"]\n{settings}", errors.display());
        let exporter = following(&nginx.access_log(), &settings);
        let error_log = [("log", "error"), LOG[1]];
        eventually("the error log to be followed", || {
            exporter.scrape().get("vitrin_log_files", &error_log).is_none_or(|files| files == 1.0)
        });
        Self { nginx, exporter }
    }

    /// A request by a client, which is answered with a status.
    fn ask(&self, client: &str, method: &str, target: &str, status: u16) {
        let address = SocketAddr::from(([127, 0, 0, 1], self.nginx.port));
        let status = status.to_string();
        let login = ("Authorization", "Basic YXlzZTpzZWNyZXQ=");
        let headers = [("X-Real-IP", client), ("X-Status", &status), login];
        let headers = if target.starts_with("/staging") { &headers[..] } else { &headers[..2] };
        http::ask(address, method, target, headers).unwrap();
    }

    /// What is to be seen when so much has been counted in all.
    fn check(&self, total: f64, expected: &Expect) {
        let counted = |page: &Page| {
            let series = FAMILIES.iter().flat_map(|family| page.samples(family));
            series.map(|series| series.value).sum::<f64>()
        };
        eventually("everything to be counted", || counted(&self.exporter.scrape()) == total);
        expected.assert_eq(&seen(&self.exporter.scrape()));
    }
}

/// All series that are not zero.
fn seen(page: &Page) -> String {
    let mut text = String::new();
    for family in FAMILIES {
        for series in page.samples(family).filter(|series| series.value != 0.0) {
            let labels = series.labels.iter().filter(|(name, _)| *name != "target").map(|(_, value)| value.as_str());
            writeln!(text, "{family} {} {}", labels.collect::<Vec<_>>().join(" "), series.value).unwrap();
        }
    }
    text
}

#[test]
fn logins_to_opencart_3_are_counted_from_what_nginx_has_logged() {
    let shop = Shop::open("shop = \"opencart3\"\n");
    shop.ask("192.0.2.1", "GET", "/admin/", 200);
    shop.ask("192.0.2.1", "POST", "/admin/index.php?route=common/login", 200);
    shop.ask("192.0.2.1", "POST", "/admin/index.php?route=common/login", 302);
    shop.ask("192.0.2.2", "POST", "/index.php?route=account/login", 200);
    shop.ask("192.0.2.2", "POST", "/index.php?route=account/login", 302);
    shop.ask("192.0.2.2", "POST", "/index.php?route=checkout/login/save", 200);
    shop.ask("192.0.2.3", "POST", "/index.php?route=api/login", 200);
    shop.ask("192.0.2.4", "POST", "/backoffice/index.php?route=common/login", 404);
    shop.check(
        8.0,
        &expect![[r#"
        shop_auth_attempts_total failure admin 1
        shop_auth_attempts_total success admin 1
        shop_auth_attempts_total unresolved api 1
        shop_auth_attempts_total failure customer 1
        shop_auth_attempts_total success customer 1
        shop_auth_attempts_total unresolved customer 1
        security_violations_total blocked admin_probe 1
        shop_http_api_requests_total ok 1
    "#]],
    );
}

#[test]
fn logins_to_opencart_4_are_resolved_by_what_nginx_logs_next() {
    let shop = Shop::open("shop = \"opencart4\"\nsecurity.resolve_within = \"10s\"\n");
    for (network, separator) in ["|", "."].into_iter().enumerate() {
        let (a, b, c) = (format!("192.0.{network}.1"), format!("2001:db8:{network}::"), format!("192.0.{network}.3"));
        let login = format!("/admin/index.php?route=common/login{separator}login&login_token=a1");
        let account = format!("/index.php?route=account/login{separator}login&language=tr-tr&login_token=b2");
        shop.ask(&a, "POST", &login, 200);
        shop.ask(&a, "POST", &login, 200);
        shop.ask(&a, "GET", "/admin/index.php?route=common/dashboard&user_token=c3", 200);
        shop.ask(&format!("{b}1"), "POST", &account, 200);
        // Another address of the same customer's network.
        let customer = "/index.php?route=account/account&language=tr-tr&customer_token=d4";
        shop.ask(&format!("{b}2"), "GET", customer, 200);
        shop.ask(&c, "POST", &account, 200);
        shop.ask(&c, "GET", "/index.php?route=common/home", 200);
    }
    shop.check(
        8.0,
        &expect![[r#"
        shop_auth_attempts_total failure admin 2
        shop_auth_attempts_total success admin 2
        shop_auth_attempts_total failure customer 2
        shop_auth_attempts_total success customer 2
    "#]],
    );
}

#[test]
fn what_scanners_look_for_and_limits_turn_away_is_counted_from_both_logs() {
    let shop = Shop::open("shop = \"opencart4\"\n");
    for target in ["/.git/config", "/.env", "/wp-login.php", "/a%22b.sql", "/phpmyadmin/"] {
        shop.ask("192.0.2.9", "GET", target, 404);
    }
    shop.ask("192.0.2.9", "GET", "/backup.zip", 200);
    shop.ask("192.0.2.9", "GET", "/index.php?x=%3Cscript%3Ealert(1)", 200);
    shop.ask("192.0.2.9", "GET", "/index.php?id=1'+UNION+SELECT+1", 302);
    shop.ask("192.0.2.9", "TRACE", "/", 200);
    shop.ask("192.0.2.8", "GET", "/staging/", 401);
    for _ in 0..2 {
        shop.ask("192.0.2.7", "GET", "/closed/x", 200);
    }
    shop.ask("192.0.2.6", "GET", "/limited", 200);
    shop.ask("192.0.2.6", "GET", "/limited", 200);
    for order in 1..=3 {
        shop.ask("192.0.2.5", "GET", &format!("/index.php?route=api/order&order_id={order}"), 200);
    }
    shop.check(
        18.0,
        &expect![[r#"
            shop_auth_attempts_total failure http_basic 1
            security_violations_total blocked admin_probe 1
            security_violations_total blocked forbidden_rule 2
            security_violations_total blocked foreign_cms 1
            security_violations_total blocked method 1
            security_violations_total blocked not_found_scan 2
            security_violations_total blocked sensitive_file 3
            security_violations_total served sensitive_file 1
            security_violations_total answered sqli 1
            security_violations_total answered xss 1
            shop_http_api_requests_total ok 3
            shop_http_limit_notices_total requests rejected 1
        "#]],
    );
}
