//! `[probe]` as people get it wrong: place, value and way out.

use std::fmt::Write as _;
use std::path::Path;

use expect_test::expect;

use crate::support::document::Document;

/// Keys of a target, each with a mistake.
const MISTAKES: &[&str] = &[
    "",
    "http = 'https://shop.example/'\ntcp = 'shop.example:80'",
    "http = 'shop.example'",
    "http = 'ftp://shop.example/'",
    "http = 'https://vitrin:canary@shop.example/'",
    "http = 'http://a/'\nmethod = 'DELETE'",
    "http = 'http://a/'\nheaders.authorization = 'Bearer canary'",
    "http = 'http://a/'\nheaders.content-length = '7'",
    "http = 'http://a/'\nheaders.'a b' = '7'",
    "http = 'https:/vitrin:canary@shop.example/'",
    "http = 'https:\\\\\\\\vitrin:canary@shop.example/'",
    "http = 'http://a/'\nuser = 'vitrin'",
    "http = 'http://a/'\npassword = 'canary'",
    "http = 'http://a/'\nexpect_status = [20]",
    "http = 'http://a/'\nexpect_status = ['2x']",
    "http = 'http://a/'\nexpect_body = '('",
    "http = 'http://a/'\nredirects = 100",
    "http = 'http://a/'\nbody_limit = '1GB'",
    "http = 'http://a/'\nip = 'ipv4'",
    "http = 'http://a/'\nsteps = [{ send = 'x' }]",
    "http = 'http://a/'\ntimeout = '20s'",
    "http = 'http://a/'\nevery = '100ms'",
    "http = 'http://a/'\nevery = '1h'\ntimeout = '2m'",
    "http = 'http://a/'\ntls.cert_file = '/x'",
    "http = 'http://a/'\ntls.server_name = 'a b'",
    "http = 'http://a/'\nexpect = 'x'",
    "tcp = 'mail.example'",
    "tcp = '/run/x.sock'",
    "tcp = 'a:1'\nexpect_body = 'x'",
    "dns = { type = 'A' }",
    "dns = { name = 'a b' }",
    "dns = { name = 'a', type = 'PTR' }",
    "dns = { name = 'a', expect = [] }",
    "dns = { name = 'a', server = 'x y' }",
    "tls = { ca_file = '/x' }",
];

#[test]
fn each_mistake_says_what_to_write() {
    let mut said = String::new();
    for keys in MISTAKES {
        let text = format!("[probe.targets.main]\n{keys}\n");
        let problem = vitrin::config::parse(Path::new("vitrin.toml"), &text).map(drop).unwrap_err().to_string();
        assert!(!problem.contains("canary"), "{problem}");
        writeln!(said, "{problem}").unwrap();
    }
    expect![[r#"
        vitrin.toml:1:1: probe.targets.main: nothing says what is probed
          hint: write one of http = "https://shop.example/", tcp = "mail.example:25", tls = "mail.example:465", dns = { name = "shop.example", type = "A" } and certificates = ["/etc/ssl/shop.pem"]
        vitrin.toml:1:1: probe.targets.main: a target is `http` or `tcp`, not both
          hint: give each a table of its own
        vitrin.toml:2:8: probe.targets.main.http: `shop.example` is not the address of a page
          hint: write "https://shop.example/" or "http://127.0.0.1:8080/health"
        vitrin.toml:2:8: probe.targets.main.http: `ftp://shop.example/` is not the address of a page
          hint: write "https://shop.example/" or "http://127.0.0.1:8080/health"
        vitrin.toml:2:8: probe.targets.main.http: a user or password does not belong in the address
          hint: write user = "vitrin" and password = { file = "/etc/vitrin/shop" } beside it
        vitrin.toml:3:10: probe.targets.main.method: `DELETE` is not known here
          hint: write one of `GET`, `HEAD`, `OPTIONS`, `POST`, `PUT`
        vitrin.toml:1:1: probe.targets.main: the value of the header `authorization` is a secret, which does not belong in this file
          hint: write headers.authorization = { file = "/etc/vitrin/name" }, or the keys user and password, or bearer
        vitrin.toml:3:9: probe.targets.main.headers.content-length: the header `content-length` is made by Vitrin
          hint: leave it out
        vitrin.toml:3:9: probe.targets.main.headers.a b: `a b` is not the name of a header
          hint: letters, digits and `-`: `accept`
        vitrin.toml:2:8: probe.targets.main.http: a user or password does not belong in the address
          hint: write user = "vitrin" and password = { file = "/etc/vitrin/shop" } beside it
        vitrin.toml:2:8: probe.targets.main.http: a user or password does not belong in the address
          hint: write user = "vitrin" and password = { file = "/etc/vitrin/shop" } beside it
        vitrin.toml:1:1: probe.targets.main: a login needs user and password
          hint: add the key that is missing
        vitrin.toml:3:12: probe.targets.main.password: a secret does not belong in this file
          hint: write { file = "/etc/vitrin/name" }, { env = "NAME" } or { credential = "name" }
        vitrin.toml:3:17: probe.targets.main.expect_status: `20` is not a status
          hint: write [200, "3xx"]
        vitrin.toml:3:17: probe.targets.main.expect_status: `2x` is not a status
          hint: write [200, "3xx"]
        vitrin.toml:3:15: probe.targets.main.expect_body: `(` is not a regular expression: unclosed group
          hint: a character that means itself is written `\\.`, in '…' as `\.`
        vitrin.toml:3:13: probe.targets.main.redirects: `100` redirects cannot be followed
          hint: 0 to 20 can
        vitrin.toml:3:14: probe.targets.main.body_limit: `1GB` is not a number of bytes
          hint: write "512KiB" or "1MiB"
        vitrin.toml:3:6: probe.targets.main.ip: `ipv4` is not known here
          hint: write one of `any`, `4`, `6`
        vitrin.toml:1:1: probe.targets.main: `steps` is not for a probe of the kind `http`
          hint: it is a key of `tcp`; leave it out
        vitrin.toml:1:2: probe: a probe of the target `main` may take 20s, and the next begins after 15s
          hint: make its `timeout` shorter, or `every` longer
        vitrin.toml:1:2: probe: the target `main` is probed every 100ms
          hint: a second is the least that `every` can be
        vitrin.toml:1:2: probe: a probe of the target `main` may take 120s
          hint: a minute is the most that `timeout` can be
        vitrin.toml:3:1: probe.targets.main.tls: a client certificate needs both its files
          hint: set cert_file and key_file in tls
        vitrin.toml:3:1: probe.targets.main.tls: `a b` is not a name that a certificate can carry
          hint: write "shop.example"
        vitrin.toml:3:1: probe.targets.main: unknown key `expect`
          hint: known here: http, tcp, dns, certificates, every, timeout, ip, method, headers, body, user, password, bearer, expect_status, expect_header, expect_body, reject_body, body_limit, redirects, allow_private, http2, tls, steps
        vitrin.toml:2:7: probe.targets.main.tcp: `mail.example` is not an address
          hint: write "mail.example:25" or "[::1]:25"
        vitrin.toml:2:7: probe.targets.main.tcp: `/run/x.sock` is not a host and a port
          hint: write "mail.example:25" or "[::1]:25"
        vitrin.toml:1:1: probe.targets.main: `expect_body` is not for a probe of the kind `tcp`
          hint: it is a key of `http`; leave it out
        vitrin.toml:2:7: probe.targets.main.dns: the key `name` is missing
          hint: add name = … to this table
        vitrin.toml:2:16: probe.targets.main.dns.name: `a b` is not a name
          hint: write "shop.example"
        vitrin.toml:2:28: probe.targets.main.dns.type: `PTR` is not known here
          hint: write one of `A`, `AAAA`, `CNAME`, `MX`, `TXT`, `NS`, `SOA`, `CAA`
        vitrin.toml:2:30: probe.targets.main.dns.expect: no answer at all is expected
          hint: write ["203.0.113.7"], or leave it out
        vitrin.toml:2:30: probe.targets.main.dns.server: `x y` is not a name server
          hint: write "127.0.0.1", "[::1]:5353" or "ns1.example:53"
        vitrin.toml:1:1: probe.targets.main: nothing says what is probed
          hint: write one of http = "https://shop.example/", tcp = "mail.example:25", tls = "mail.example:465", dns = { name = "shop.example", type = "A" } and certificates = ["/etc/ssl/shop.pem"]
    "#]].assert_eq(&said);
}

#[test]
fn what_the_document_shows_is_a_configuration() {
    let document = Document::read("docs/probe.md");
    for block in ["page", "login", "port", "tls"] {
        let text = document.block(block).replace("/etc/vitrin/", concat!(env!("CARGO_MANIFEST_DIR"), "/"));
        let text = text.replace("shop.password", "Cargo.toml").replace("shop.key", "Cargo.toml");
        let problem = vitrin::config::parse(Path::new("docs/probe.md"), &text).map(drop).err();
        assert_eq!(problem.map(|problem| problem.to_string()), None, "{block}");
    }
}

#[test]
fn the_document_has_every_key_and_every_result() {
    let text = include_str!("../../../docs/probe.md");
    let problem = vitrin::config::parse(Path::new("vitrin.toml"), "[probe.targets.main]\nnot_a_key = 1\n").map(drop);
    let problem = problem.unwrap_err().to_string();
    let (_, keys) = problem.split_once("known here: ").unwrap();
    let keys: Vec<_> = keys.trim().split(", ").collect();
    assert!(keys.len() > 20, "{keys:?}");
    let results =
        ["ok", "connect", "content", "dns", "limit", "local", "protocol", "redirect", "status", "timeout", "tls"];
    for word in keys.into_iter().chain(results) {
        assert!(
            text.contains(&format!("`{word}`")) || text.contains(&format!("`{word} = ")),
            "{word} is not in the document"
        );
    }
}
