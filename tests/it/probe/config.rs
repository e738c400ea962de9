//! `[probe]` as people get it wrong: place, value and way out.

use std::fmt::Write as _;
use std::path::Path;

use expect_test::expect;

#[test]
fn each_mistake_says_what_to_write() {
    let mut said = String::new();
    for keys in [
        "",
        "http = 'https://shop.example/'\ntcp = 'shop.example:80'",
        "http = 'shop.example'",
        "http = 'ftp://shop.example/'",
        "http = 'https://vitrin:canary@shop.example/'",
        "http = 'http://a/'\nmethod = 'DELETE'",
        "http = 'http://a/'\nheaders.authorization = 'Bearer canary'",
        "http = 'http://a/'\nheaders.content-length = '7'",
        "http = 'http://a/'\nheaders.'a b' = '7'",
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
    ] {
        let text = format!("[probe.targets.main]\n{keys}\n");
        let problem = vitrin::config::parse(Path::new("vitrin.toml"), &text).map(drop).unwrap_err().to_string();
        assert!(!problem.contains("canary"), "{problem}");
        writeln!(said, "{problem}").unwrap();
    }
    expect![[""]].assert_eq(&said);
}
