//! TLS as nginx and OpenSSL speak it: one setting is another from row to row, and flips its own check alone.

use std::fmt::Write as _;

use expect_test::expect;

use super::authority::{Authority, GOOD, Wish};
use super::nginx::{Nginx, address};
use super::{told, visited};
use crate::collectors::security::check::Check;

const CHECKS: [Check; 7] =
    [Check::Tls01, Check::Tls02, Check::Tls03, Check::Tls04, Check::Tls05, Check::Tls06, Check::Tls07];

/// Mozilla's guideline 6.0, intermediate, for an RSA key.
const INTERMEDIATE: &str = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305";

/// OpenSSL without the levels of security that Debian sets: what it can do at all, it does when it is told to.
const WITHOUT_LEVELS: &str = "openssl_conf = start\n[start]\nssl_conf = modules\n[modules]\nsystem_default = loose\n\
    [loose]\nMinProtocol = None\nCipherString = DEFAULT@SECLEVEL=0\n";

/// One server.
struct Row {
    name: &'static str,
    /// The certificate and key that it has.
    certificate: &'static str,
    protocols: &'static str,
    ciphers: &'static str,
    /// What else its configuration says.
    more: &'static str,
}

const HSTS: &str = "add_header Strict-Transport-Security \"max-age=63072000\" always;";

/// The row that all others are one step away from.
const BASE: Row =
    Row { name: "intermediate", certificate: "good", protocols: "TLSv1.2 TLSv1.3", ciphers: INTERMEDIATE, more: HSTS };

const fn with_certificate(name: &'static str, certificate: &'static str) -> Row {
    Row { name, certificate, ..BASE }
}

const fn with_protocols(name: &'static str, protocols: &'static str) -> Row {
    Row { name, protocols, ..BASE }
}

const fn with_ciphers(name: &'static str, ciphers: &'static str) -> Row {
    Row { name, ciphers, ..BASE }
}

const fn with_more(name: &'static str, more: &'static str) -> Row {
    Row { name, more, ..BASE }
}

fn authority() -> Authority {
    let authority = Authority::new();
    authority.sign("good", GOOD);
    authority.sign("curve", Wish { key: "ec -pkeyopt ec_paramgen_curve:P-256", ..GOOD });
    authority.sign("expired", Wish { days: [-90, -1], ..GOOD });
    authority.sign("early", Wish { days: [1, 90], ..GOOD });
    authority.sign("other", Wish { names: "DNS:www.shop.example,DNS:*.shop.example", ..GOOD });
    authority.sign("third", Wish { days: [-62, 28], ..GOOD });
    authority.sign("sixth", Wish { days: [-76, 14], ..GOOD });
    authority.sign("short", Wish { days: [-1, 5], ..GOOD });
    authority.sign("weak", Wish { key: "rsa:1024", ..GOOD });
    authority.sign("sha1", Wish { digest: "sha1", ..GOOD });
    authority.sign_itself("itself");
    authority.be("stranger");
    authority.sign("untrusted", Wish { by: "stranger", ..GOOD });
    authority.authorize("middle");
    authority.sign("leaf", Wish { by: "middle", ..GOOD });
    authority.chain("whole", ["leaf", "middle"]);
    authority
}

/// What comes of each row, a line each.
async fn table(rows: &[Row], openssl: Option<&str>) -> String {
    let authority = authority();
    let mut servers = String::new();
    let (mut places, plain) = (Vec::new(), address());
    let home = authority.file("");
    let home = home.display();
    for Row { certificate, protocols, ciphers, more, .. } in rows {
        let place = address();
        let tls = if certificate.is_empty() { "" } else { " ssl" };
        let ciphers = if ciphers.is_empty() { String::new() } else { format!("ssl_ciphers {ciphers};") };
        let keys = match *certificate {
            "" => String::new(),
            name => format!("ssl_certificate {home}/{name}.pem; ssl_certificate_key {home}/{name}.key;"),
        };
        writeln!(
            servers,
            "server {{ listen {place}{tls}; {keys} ssl_protocols {protocols}; {ciphers} {more}\n\
             location / {{ return 200 shop; }} }}"
        )
        .unwrap();
        places.push(place);
    }
    writeln!(servers, "server {{ listen {plain}; return 301 https://$host$request_uri; }}").unwrap();
    let nginx = Nginx::start(&servers, &[places.clone(), vec![plain]].concat(), openssl).await;
    let mut table = String::new();
    for (row, place) in rows.iter().zip(places) {
        let config = format!(
            "url = 'https://shop.example/'\nca_file = '{home}/ca.pem'\n\
             resolve = {{ 'shop.example:443' = '{place}', 'shop.example:80' = '{plain}' }}"
        );
        writeln!(table, "{:<24} {}", row.name, told(&visited(&config, None).await, &CHECKS)).unwrap();
    }
    drop(nginx);
    table
}

#[tokio::test]
async fn openssl_as_debian_has_it() {
    let rows = [
        BASE,
        Row { name: "debian's default", protocols: "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3", ciphers: "", ..BASE },
        with_protocols("tls 1.2 alone", "TLSv1.2"),
        with_protocols("tls 1.3 alone", "TLSv1.3"),
        with_ciphers("static rsa alone", "AES128-GCM-SHA256:AES256-GCM-SHA384"),
        with_ciphers("static rsa, too", "ECDHE-RSA-AES128-GCM-SHA256:AES128-GCM-SHA256"),
        with_ciphers("cbc, too", "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA"),
        with_certificate("whole chain", "whole"),
        Row { name: "elliptic curve", certificate: "curve", ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256", ..BASE },
        with_certificate("six days", "short"),
        with_certificate("expired", "expired"),
        with_certificate("not yet valid", "early"),
        with_certificate("wrong name", "other"),
        with_certificate("signed by itself", "itself"),
        with_certificate("untrusted", "untrusted"),
        with_certificate("no intermediate", "leaf"),
        with_certificate("less than a third", "third"),
        with_certificate("less than a sixth", "sixth"),
        with_more("no hsts", ""),
        with_more("hsts of half a year", "add_header Strict-Transport-Security max-age=15768000;"),
        with_more("hsts of a month", "add_header Strict-Transport-Security max-age=2592000;"),
        with_more("hsts of nothing", "add_header Strict-Transport-Security max-age=0;"),
        with_more(
            "hsts with subdomains",
            "add_header Strict-Transport-Security \"max-age=31536000; includeSubDomains; preload\";",
        ),
        with_more("broken hsts", "add_header Strict-Transport-Security 31536000;"),
        Row { name: "no tls on the port", certificate: "", ..BASE },
        with_more("handshakes rejected", "ssl_reject_handshake on;"),
    ];
    expect![[r#"
        intermediate             01 pass, 02 pass, 03 pass, 04 pass, 05 pass, 06 pass, 07 pass
        debian's default         01 pass, 02 pass, 03 pass, 04 pass, 05 half, 06 pass, 07 pass
        tls 1.2 alone            01 pass, 02 pass, 03 pass, 04 half, 05 pass, 06 pass, 07 pass
        tls 1.3 alone            01 pass, 02 pass, 03 pass, 04 pass, 05 pass, 06 pass, 07 pass
        static rsa alone         01 pass, 02 pass, 03 pass, 04 pass, 05 half, 06 pass, 07 pass
        static rsa, too          01 pass, 02 pass, 03 pass, 04 pass, 05 half, 06 pass, 07 pass
        cbc, too                 01 pass, 02 pass, 03 pass, 04 pass, 05 half, 06 pass, 07 pass
        whole chain              01 pass, 02 pass, 03 pass, 04 pass, 05 pass, 06 pass, 07 pass
        elliptic curve           01 pass, 02 pass, 03 pass, 04 pass, 05 pass, 06 pass, 07 pass
        six days                 01 pass, 02 pass, 03 pass, 04 pass, 05 pass, 06 pass, 07 pass
        expired                  01 fail (certificate_invalid), 02 fail, 03 fail, 04 pass, 05 pass, 06 pass, 07 pass
        not yet valid            01 fail (certificate_invalid), 02 pass, 03 pass, 04 pass, 05 pass, 06 pass, 07 pass
        wrong name               01 fail (certificate_invalid), 02 pass, 03 pass, 04 pass, 05 pass, 06 pass, 07 pass
        signed by itself         01 fail (certificate_invalid), 02 pass, 03 pass, 04 pass, 05 pass, 06 pass, 07 pass
        untrusted                01 fail (certificate_invalid), 02 pass, 03 pass, 04 pass, 05 pass, 06 pass, 07 pass
        no intermediate          01 fail (certificate_invalid), 02 pass, 03 pass, 04 pass, 05 pass, 06 pass, 07 pass
        less than a third        01 pass, 02 half, 03 fail, 04 pass, 05 pass, 06 pass, 07 pass
        less than a sixth        01 pass, 02 fail, 03 fail, 04 pass, 05 pass, 06 pass, 07 pass
        no hsts                  01 pass, 02 pass, 03 pass, 04 pass, 05 pass, 06 fail, 07 pass
        hsts of half a year      01 pass, 02 pass, 03 pass, 04 pass, 05 pass, 06 half, 07 pass
        hsts of a month          01 pass, 02 pass, 03 pass, 04 pass, 05 pass, 06 fail, 07 pass
        hsts of nothing          01 pass, 02 pass, 03 pass, 04 pass, 05 pass, 06 fail, 07 pass
        hsts with subdomains     01 pass, 02 pass, 03 pass, 04 pass, 05 pass, 06 pass, 07 pass
        broken hsts              01 pass, 02 pass, 03 pass, 04 pass, 05 pass, 06 fail, 07 pass
        no tls on the port       01 fail (no_https), 02 fail, 03 fail, 04 fail, 05 fail, 06 fail, 07 pass
        handshakes rejected      01 fail (no_https), 02 fail, 03 fail, 04 fail, 05 fail, 06 unsupported, 07 pass
    "#]]
    .assert_eq(&table(&rows, None).await);
}

#[tokio::test]
async fn openssl_that_is_told_to_do_what_it_can() {
    let rows = [
        BASE,
        // None of the suites that it has is one of TLS 1.1.
        with_protocols("tls 1.1 on paper", "TLSv1.1 TLSv1.2 TLSv1.3"),
        with_ciphers("cbc, too", "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA"),
        Row {
            name: "cbc and tls 1.1, too",
            protocols: "TLSv1.1 TLSv1.2 TLSv1.3",
            ciphers: "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA",
            ..BASE
        },
        Row {
            name: "tls 1.0 and 1.1, too",
            protocols: "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3",
            ciphers: "ALL:!aNULL:!eNULL",
            ..BASE
        },
        Row { name: "tls 1.0 alone", protocols: "TLSv1", ciphers: "ALL:!aNULL:!eNULL", ..BASE },
        with_ciphers("anonymous, too", "ECDHE-RSA-AES128-GCM-SHA256:AECDH-AES128-SHA"),
        with_ciphers("null, too", "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-NULL-SHA"),
        Row {
            name: "all that there is",
            protocols: "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3",
            ciphers: "ALL:COMPLEMENTOFALL",
            ..BASE
        },
        with_certificate("rsa of 1024 bits", "weak"),
        with_certificate("signed with sha-1", "sha1"),
    ];
    expect![[r#"
        intermediate             01 pass, 02 pass, 03 pass, 04 pass, 05 pass, 06 pass, 07 pass
        tls 1.1 on paper         01 pass, 02 pass, 03 pass, 04 pass, 05 pass, 06 pass, 07 pass
        cbc, too                 01 pass, 02 pass, 03 pass, 04 pass, 05 half, 06 pass, 07 pass
        cbc and tls 1.1, too     01 pass, 02 pass, 03 pass, 04 fail (legacy_tls), 05 half, 06 pass, 07 pass
        tls 1.0 and 1.1, too     01 pass, 02 pass, 03 pass, 04 fail (legacy_tls), 05 half, 06 pass, 07 pass
        tls 1.0 alone            01 pass, 02 pass, 03 pass, 04 fail (legacy_tls), 05 half, 06 unsupported, 07 pass
        anonymous, too           01 pass, 02 pass, 03 pass, 04 pass, 05 fail (weak_cipher), 06 pass, 07 pass
        null, too                01 pass, 02 pass, 03 pass, 04 pass, 05 fail (weak_cipher), 06 pass, 07 pass
        all that there is        01 pass, 02 pass, 03 pass, 04 fail (legacy_tls), 05 fail (weak_cipher), 06 pass, 07 pass
        rsa of 1024 bits         01 pass, 02 pass, 03 pass, 04 pass, 05 fail, 06 pass, 07 pass
        signed with sha-1        01 fail (certificate_invalid), 02 pass, 03 pass, 04 pass, 05 fail, 06 pass, 07 pass
    "#]].assert_eq(&table(&rows, Some(WITHOUT_LEVELS)).await);
}
