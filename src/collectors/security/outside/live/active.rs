//! The active checks against nginx: what it serves, and what it limits.

use std::fs;
use std::net::SocketAddr;

use super::authority::{Authority, GOOD};
use super::nginx::{Nginx, address};
use crate::collectors::security::config;
use crate::collectors::security::outside::active::burst::{Limit, ask_burst};
use crate::collectors::security::outside::active::files::ask_files;
use crate::collectors::security::outside::active::logins::ask_logins;
use crate::collectors::security::outside::active::vantage::{OpenPort, Ports, ask_vantage};
use crate::collectors::security::outside::sample;
use crate::collectors::security::outside::visitor::Visitor;
use crate::collectors::security::shop::Engine;
use crate::collectors::security::verdict::Cause;

/// A shop with these locations, and whoever visits it. `beside` stands around its server.
async fn shop(beside: &str, locations: &str) -> (Nginx, Visitor, SocketAddr) {
    let authority = Authority::new();
    authority.sign("good", GOOD);
    let home = authority.file("");
    let (place, home) = (address(), home.display());
    let server = format!(
        "{beside} server {{ listen {place} ssl; ssl_certificate {home}/good.pem; ssl_certificate_key {home}/good.key;\n\
         {locations} }}\n"
    );
    let nginx = Nginx::start(&server, &[place], None).await;
    let config = format!("url = 'https://shop.example/'\nresolve = {{ 'shop.example:443' = '{place}' }}");
    (nginx, Visitor::of(&sample::seen(&config).config).unwrap(), place)
}

#[tokio::test]
async fn files_that_are_served_are_found_by_what_is_in_them() {
    let (nginx, visitor, _) =
        shop("", "root {home}/www; location ~ /closed { return 403; } error_page 404 =200 /404.html;").await;
    let root = nginx.home().join("www");
    for (path, content) in [
        (".git/HEAD", "ref: refs/heads/main\n"),
        ("404.html", "<!DOCTYPE html><title>Not found</title>"),
        ("backup.sql", "-- MariaDB dump 10.19\n"),
        ("closed.sql", "-- MariaDB dump 10.19\n"),
        (
            "install/index.php",
            "<!DOCTYPE html><html><head><title>1</title><base href=\"https://shop.example/install/\" />",
        ),
    ] {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), content).unwrap();
    }
    let exposed: Vec<_> = ["/backup.sql", "/closed.sql", "//elsewhere.example/backup.sql"].map(str::to_owned).into();
    let found = ask_files(&visitor, &exposed, Some("/install/index.php")).await.unwrap();
    assert_eq!((found.asked, found.secrets), (6, vec!["/.git/HEAD".to_owned(), "/backup.sql".to_owned()]));
    assert_eq!(found.installer.as_deref(), Some("/install/index.php"));
}

#[tokio::test]
async fn a_file_that_is_not_answered_for_is_not_gone() {
    let locations = "location = /.env { return 429; } location = /a.sql { return 503; } location / { return 404; }";
    let (_nginx, visitor, _) = shop("", locations).await;
    let found = ask_files(&visitor, &["/a.sql".to_owned()], None).await.unwrap();
    assert_eq!((found.asked, found.unasked), (3, vec!["/.env".to_owned(), "/a.sql".to_owned()]));
    let (_nginx, visitor, _) = shop("", "return 503;").await;
    assert_eq!(ask_files(&visitor, &[], None).await.unwrap_err().cause, Cause::Unreachable);
}

#[tokio::test]
async fn no_more_than_twenty_files_are_asked_for() {
    let (_nginx, visitor, _) = shop("", "return 404;").await;
    let exposed: Vec<_> = (0..100).map(|number| format!("/{number}.sql")).collect();
    let found = ask_files(&visitor, &exposed, None).await.unwrap();
    assert_eq!((found.asked, found.secrets.len(), found.installer), (20, 0, None));
    assert_eq!(found.unasked.len(), 84);
}

const LIMITS: &str = "limit_req_zone $binary_remote_addr zone=all:1m rate=10r/s;";

/// Where the limits are, which do not hold where nginx answers by itself.
const INSIDE: &str = "server { listen unix:{home}/inside.sock; return 200 shop; }";

#[tokio::test]
async fn a_burst_tells_a_limit_from_none() {
    let limit = Limit { rate: 10.0, burst: 20 };
    let open = "location / { proxy_pass http://unix:{home}/inside.sock; }";
    let limited = "location / { limit_req zone=all burst=20 nodelay; proxy_pass http://unix:{home}/inside.sock; }";
    for (location, is_unlimited) in [(open, true), (limited, false)] {
        let (_nginx, visitor, _) = shop(&format!("{LIMITS} {INSIDE}"), location).await;
        let burst = ask_burst(&visitor, limit).await.unwrap();
        assert_eq!((burst.is_unlimited(), burst.refused > 0), (is_unlimited, !is_unlimited), "{burst:?}");
        assert!(burst.sent <= 200);
    }
}

#[tokio::test]
async fn logins_tell_a_limit_from_none() {
    let wanted = config::Active { logins: true, ack_self_ban: true, ..config::Active::default() };
    let (admin, engine) = (Ok(Some("/admin/".to_owned())), Engine::OpenCart(Some((3, 0, 3))));
    let open = "location / { proxy_pass http://unix:{home}/inside.sock; }";
    let limited = "location /admin/ { limit_req zone=all burst=3 nodelay; proxy_pass http://unix:{home}/inside.sock; }";
    for (location, is_unlimited) in [(open, true), (limited, false)] {
        let (_nginx, visitor, _) = shop(&format!("{LIMITS} {INSIDE}"), location).await;
        let logins = ask_logins(&visitor, &wanted, &admin, &engine).await.unwrap();
        assert_eq!((logins.sent, logins.is_unlimited()), (12, is_unlimited), "{logins:?}");
        let unasked = config::Active { logins: true, ..config::Active::default() };
        let refused = ask_logins(&visitor, &unasked, &admin, &engine).await.unwrap_err();
        assert_eq!(refused.cause, Cause::NotConfigured);
    }
}

#[tokio::test]
async fn a_request_that_is_lost_is_neither_served_nor_refused() {
    // nginx hangs up on what it answers with 444.
    let lost = |key: &str, rate: &str| format!("limit_req_zone {key} zone=lost:1m rate={rate}; {INSIDE}");
    let location = |burst: u8| {
        format!(
            "location / {{ limit_req zone=lost burst={burst} nodelay; limit_req_status 444; \
             proxy_pass http://unix:{{home}}/inside.sock; }}"
        )
    };
    let wanted = config::Active { logins: true, ack_self_ban: true, ..config::Active::default() };
    let (admin, engine) = (Ok(Some("/admin/".to_owned())), Engine::OpenCart(Some((3, 0, 3))));
    let (_nginx, visitor, _) = shop(&lost("$binary_remote_addr", "1r/m"), &location(3)).await;
    let logins = ask_logins(&visitor, &wanted, &admin, &engine).await.unwrap_err();
    assert!(logins.why.starts_with("3 logins were not answered, and 4 were: "), "{logins:?}");

    let limit = Limit { rate: 10.0, burst: 20 };
    let (_nginx, visitor, _) = shop(&lost("$binary_remote_addr", "1r/m"), &location(3)).await;
    let burst = ask_burst(&visitor, limit).await.unwrap_err();
    assert!(burst.why.starts_with("4 of 12 requests were answered within "), "{burst:?}");
}

#[tokio::test]
async fn a_burst_that_was_too_weak_tells_nothing() {
    let open = "location / { proxy_pass http://unix:{home}/inside.sock; }";
    let (_nginx, visitor, _) = shop(INSIDE, open).await;
    let burst = ask_burst(&visitor, Limit { rate: 10.0, burst: 500 }).await.unwrap_err();
    assert!(burst.why.starts_with("200 of 200 requests were answered within "), "{burst:?}");
    assert!(burst.why.ends_with(" ms, which is no more than the limit allows"), "{burst:?}");
}

#[tokio::test]
async fn what_was_seen_from_elsewhere_is_asked_of_a_prometheus() {
    let place = address();
    let answer = r#"{"data":{"result":[{"metric":{"instance":"192.0.2.7:3306"},"value":[1.5,"1"]}]}}"#;
    let location = "location = /prometheus/api/v1/query { if ($arg_query != 'probe_success%7Bjob%3D%22shop_ports%22%7D') { return 400; }";
    let server = format!("server {{ listen {place}; {location} return 200 '{answer}'; }} }}");
    let _nginx = Nginx::start(&server, &[place], None).await;
    let view = |job| toml::from_str(&format!("prometheus_url = 'http://{place}/prometheus/'\njob = '{job}'")).unwrap();
    let open = ask_vantage(&view("shop_ports")).await;
    let expected = Ports { open: vec![OpenPort { port: 3306, is_address: true }], closed: Vec::new() };
    assert_eq!(open, Ok(expected));
    assert_eq!(ask_vantage(&view("x\"} or up{job=\"")).await.unwrap_err().cause, Cause::Unparsable);
}
