//! Redirects: where they lead, what goes along, and where they end.

use std::fs;
use std::process::Command;

use super::{assert_ended, probe, well};
use crate::support::daemon::{folder, free_port};
use crate::support::found::Found;
use crate::support::nginx::Nginx;

#[tokio::test]
async fn redirects_are_followed_to_their_end_and_their_times_summed() {
    let nginx = Nginx::start(
        "location = / { return 301 /tr/; }\nlocation = /tr/ { return 302 ../tr/anasayfa?x=1#top; }\n\
         location = /tr/anasayfa { return 200 '$args'; }",
    );
    let at = |keys: &str| probe(&format!("http = 'http://127.0.0.1:{}/'\n{keys}", nginx.port));
    let found = well(Found::by(&at("expect_body = '^x=1$'")).await);
    assert_eq!(found.number("probe_http_redirects", &[]), 2.0);
    assert_eq!(found.number("probe_http_status_code", &[]), 200.0);
    let ended = Found::down(&at("redirects = 1")).await;
    assert_ended(&ended, "redirect", "protocol", "more than 1 redirects, the last one to http://127.0.0.1:");
    assert_eq!(ended.0.number("probe_http_status_code", &[]), 302.0);
    let found = well(Found::by(&at("redirects = 0\nexpect_status = [301]\nexpect_header.location = '/tr/$'")).await);
    assert_eq!(found.number("probe_http_redirects", &[]), 0.0);
}

#[tokio::test]
async fn a_circle_ends() {
    let nginx = Nginx::start("location /a { return 302 /b; }\nlocation /b { return 302 /a; }");
    let ended = Found::down(&probe(&format!("http = 'http://127.0.0.1:{}/a'", nginx.port))).await;
    assert_ended(&ended, "redirect", "protocol", "more than 10 redirects");
    assert_eq!(ended.0.number("probe_http_redirects", &[]), 10.0);
}

#[tokio::test]
async fn a_shop_that_wants_its_cookie_back_is_no_circle() {
    let nginx = Nginx::start(
        "location / { if ($cookie_OCSESSID = 'abc') { return 200 'shop'; }\n\
         add_header Set-Cookie 'OCSESSID=abc; path=/; HttpOnly'; return 302 /; }",
    );
    let found = well(Found::by(&probe(&format!("http = 'http://127.0.0.1:{}/'", nginx.port))).await);
    assert_eq!(found.number("probe_http_redirects", &[]), 1.0);
}

#[tokio::test]
async fn what_is_configured_for_one_server_is_never_told_to_another() {
    let port = free_port();
    let other = "location / { return 200 '|$http_authorization|$http_x_key|$http_cookie|$host|$request_method|'; }";
    let nginx = Nginx::start(&format!(
        "absolute_redirect off;\nlocation /away {{ add_header Set-Cookie 'OCSESSID=abc'; return 302 http://127.0.0.1:{port}/; }}\n\
         location /post {{ return 307 http://127.0.0.1:{port}/; }}\nlocation /home {{ return 302 /; }}\n\
         location /host {{ return 302 http://u:p@localhost:{port}/; }}\n{other}"
    ));
    let _stranger = Nginx::beside(&format!("server {{ listen 127.0.0.1:{port};\n{other}\n}}"));
    let folder = folder();
    let secret = folder.path().join("secret");
    fs::write(&secret, "canary").unwrap();
    let kept = format!("{{ file = '{}' }}", secret.display());
    let at = |path: &str, keys: &str| {
        let login = format!("bearer = {kept}\nheaders = {{ x-key = {kept}, host = 'shop.example' }}");
        probe(&format!("http = 'http://127.0.0.1:{}{path}'\n{login}\n{keys}", nginx.port))
    };
    well(Found::by(&at("/home", "expect_body = '^\\|Bearer canary\\|canary\\|\\|shop.example\\|GET\\|'")).await);
    // The cookie's host is the same, as it is for a browser, to which ports are no matter.
    well(Found::by(&at("/away", "expect_body = '^\\|\\|\\|OCSESSID=abc\\|127.0.0.1\\|GET\\|'")).await);
    well(Found::by(&at("/host", "ip = '4'\nexpect_body = '^\\|\\|\\|\\|localhost\\|GET\\|'")).await);
    let ended = Found::down(&at("/post", "method = 'POST'\nbody = 'canary'")).await;
    assert_ended(&ended, "redirect", "permission", "307 leads our request's body to `http://127.0.0.1:");
    assert!(!ended.1.to_string().contains("canary"));
}

#[tokio::test]
async fn what_is_no_page_is_not_gone_to() {
    let nginx = Nginx::start("location / { return 302 file:///etc/passwd; }");
    let ended = Found::down(&probe(&format!("http = 'http://127.0.0.1:{}/'", nginx.port))).await;
    assert_ended(&ended, "redirect", "protocol", "302 leads to `file:///etc/passwd`, which is no page");
}

/// A network of its own, in which a shop has a public address (RFC 5737 keeps it for examples), and something else
/// listens that no stranger may lead us to.
const NETWORK: &str = "ip link set lo up
ip address add 203.0.113.7/32 dev lo
mount --bind \"$1/hosts\" /etc/hosts
nginx -p \"$1\" -c nginx.conf
trap 'nginx -p \"$1\" -c nginx.conf -s stop' EXIT
for target in main local allowed named both; do
  \"$2\" collect --config.file \"$1/vitrin.toml\" probe/$target 2>&1 || true
done";

#[test]
fn a_redirect_into_a_private_network_is_refused_unless_that_was_configured() {
    let folder = folder();
    let temporary =
        ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|name| format!("{name}_temp_path {name};\n"));
    let nginx = format!(
        "pid pid;\nerror_log error.log;\nevents {{}}\nhttp {{\n{}access_log access.log;\n\
         server {{ listen 203.0.113.7:80; return 302 http://127.0.0.1:8080/secret; }}\n\
         server {{ listen 127.0.0.1:8080; location = /start {{ return 302 /secret; }} location / {{ return 200; }} }}\n}}\n",
        temporary.concat()
    );
    fs::write(folder.path().join("nginx.conf"), nginx).unwrap();
    let config = "[probe.targets.main]\nhttp = 'http://203.0.113.7/'\n\
                  [probe.targets.local]\nhttp = 'http://127.0.0.1:8080/start'\n\
                  [probe.targets.allowed]\nhttp = 'http://203.0.113.7/'\nallow_private = true\n\
                  [probe.targets.named]\nhttp = 'http://203.0.113.7/'\nredirects = 0\nexpect_status = ['3xx']\n\
                  [probe.targets.both]\nhttp = 'http://both.example/'\n";
    // The address at which nobody listens does not make the shop one of this network.
    fs::write(folder.path().join("hosts"), "203.0.113.7 both.example\n127.0.0.1 both.example\n").unwrap();
    fs::write(folder.path().join("vitrin.toml"), config).unwrap();
    let mut command = Command::new("unshare");
    command
        .args(["--net", "--mount", "sh", "-euc", NETWORK, "sh"])
        .arg(folder.path())
        .arg(env!("CARGO_BIN_EXE_vitrin"));
    let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let refused = "asking http://127.0.0.1:8080: a redirect leads to `127.0.0.1`, whose address is private";
    assert_eq!(output.matches(refused).count(), 2, "{output}");
    let ups: Vec<_> = output.lines().filter(|line| line.starts_with("probe_success")).collect();
    let ups: Vec<_> = ups.iter().map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(ups, ["0", "1", "1", "1", "0"], "{output}");
    let log = fs::read_to_string(folder.path().join("access.log")).unwrap();
    assert_eq!(log.matches("GET /secret").count(), 2, "only those that may have been there: {log}");
}
