use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::collectors::security::front::answer::Control;

/// A host with this text in nginx' `http`, and a shop at `/srv/shop`.
pub(in crate::collectors::security::front) fn host(http: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in [
        ("etc/nginx/nginx.conf", format!("user www-data;\nevents {{ }}\nhttp {{\n{http}\n}}\n").as_str()),
        ("srv/shop/index.php", ""),
        ("srv/shop/admin/index.php", ""),
        ("srv/shop/backup.sql", ""),
        ("srv/other/index.php", ""),
    ] {
        write(folder.path(), file, text);
    }
    folder
}

pub(in crate::collectors::security::front) fn write(root: &Path, file: &str, text: &str) {
    let path = root.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The configuration of a shop that is asked for so.
pub(in crate::collectors::security::front) fn asked_for(url: &str) -> Config {
    Config { url: Some(url.parse().unwrap()), ..Config::default() }
}

/// A server of the shop with this in it.
pub(in crate::collectors::security::front) fn server(said: &str) -> String {
    let php = "location ~ \\.php$ { fastcgi_pass unix:/run/php.sock; fastcgi_param SCRIPT_FILENAME \
               $document_root$fastcgi_script_name; }";
    let said = said.replace("{php}", php);
    format!("server {{ listen 443 ssl; server_name shop.example; root /srv/shop; index index.php; {said} }}")
}

fn outcome(http: &str, uri: &str) -> Known<Outcome> {
    let host = host(http);
    Ok(Front::read(host.path(), &asked_for("https://shop.example/"))?.answer(uri, "", "GET")?.outcome)
}

const PHP: &str = "fastcgi_pass unix:/p; fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;";

#[test]
fn the_shops_server_is_the_one_that_its_name_leads_to() {
    let http = format!(
        "server {{ listen 80 default_server; return 301 https://$host$request_uri; }}
         server {{ listen 443 ssl; server_name other.example; root /srv/other; location / {{ {PHP} }} }}
         server {{ listen 443 ssl; server_name shop.example; root /srv/shop; location / {{ {PHP} }} }}"
    );
    let host = host(&http);
    let root = |url: &str| Front::read(host.path(), &asked_for(url)).map(|front| front.shop_root());
    assert_eq!(root("https://shop.example/"), Ok(Some("/srv/shop".into())));
    assert_eq!(root("https://SHOP.example./x"), Ok(Some("/srv/shop".into())));
    assert_eq!(
        root("https://unknown.example/"),
        Ok(Some("/srv/other".into())),
        "the first of the address answers for others"
    );
    assert_eq!(root("http://shop.example/"), Ok(None), "by HTTP, all is sent elsewhere");
    assert_eq!(
        root("https://shop.example:8443/"),
        Ok(Some("/srv/shop".into())),
        "where nobody listens, somebody else does"
    );
}

#[test]
fn a_server_is_where_its_name_is_sent_on_this_machine() {
    let http = format!(
        "server {{ listen 80 default_server; return 301 https://$host$request_uri; }}
         server {{ listen 8443 ssl; server_name shop.example; root /srv/shop; location / {{ {PHP} }} }}"
    );
    let host = host(&http);
    let root = |to: &str| {
        let resolve = toml::from_str(&format!("'shop.example:443' = '{to}'")).unwrap();
        let config = Config { resolve, ..asked_for("https://shop.example/") };
        Front::read(host.path(), &config).map(|front| front.shop_root())
    };
    assert_eq!(root("127.0.0.1:8443"), Ok(Some("/srv/shop".into())));
    assert_eq!(root("[::1]:8443"), Ok(Some("/srv/shop".into())));
    assert_eq!(root("127.0.0.1:8444"), Ok(None), "nobody listens there: who asks for HTTP is sent away");
    assert_eq!(root("192.0.2.7:8443"), Ok(None), "another machine's port is none of this nginx");
}

#[test]
fn without_a_name_it_is_the_only_server_that_runs_php() {
    let of = |name: &str, root: &str, more: &str| {
        format!("server {{ listen 80; server_name {name}; root {root}; location ~ \\.php$ {{ {PHP} }} {more} }}")
    };
    let config = Config::default();
    let redirect = "server { listen 80; server_name www.shop.example; return 301 https://shop.example; }";
    let gone = of("gone.example", "/srv/gone", "");
    let one = format!("{redirect} {gone} {}", of("shop.example", "/srv/shop", ""));
    let front = Front::read(host(&one).path(), &config).unwrap();
    assert_eq!((front.host.as_str(), front.shop_root()), ("shop.example", Some("/srv/shop".into())));

    let two = format!("{one} {}", of("other.example", "/srv/other", ""));
    let why = Front::read(host(&two).path(), &config).unwrap_err();
    let expected =
        "several servers run PHP (shop.example, other.example): say which is the shop's with `[security] url`";
    assert_eq!(why, Unknown::new(Cause::NotConfigured, expected));
    let config = Config { root: Some("/srv/other".into()), ..Config::default() };
    assert_eq!(Front::read(host(&two).path(), &config).unwrap().host, "other.example");

    let why = Front::read(host(redirect).path(), &Config::default()).unwrap_err();
    assert_eq!(why.cause, Cause::NotConfigured);
    assert!(why.why.contains("`[security] url`"), "{}", why.why);
}

#[test]
fn of_a_host_without_nginx_nothing_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let why = Front::read(folder.path(), &Config::default()).unwrap_err();
    assert_eq!(why, Unknown::new(Cause::Unsupported, "there is no /etc/nginx/nginx.conf: only nginx is understood"));
}

#[test]
fn an_include_that_cannot_be_read_makes_unknown_what_depends_on_it() {
    let unread = |http: &str| outcome(http, "/index.php").map_err(|unknown| unknown.why);
    let why = "/etc/nginx/none.conf cannot be read: no such file or directory".to_owned();
    assert_eq!(unread(&format!("include none.conf; {}", server("{php}"))), Err(why.clone()));
    assert_eq!(unread(&server("include none.conf; {php}")), Err(why.clone()));
    assert_eq!(unread(&server("location ~ \\.php$ { include none.conf; }")), Err(why));
    // What stands elsewhere does not matter here, and what stands for nothing includes nothing.
    let others = "location /x { include none.conf; } include conf.d/*.conf; {php}";
    assert!(matches!(unread(&server(others)), Ok(Outcome::Php { .. })));
}

#[test]
fn what_a_program_decides_is_unknown() {
    for said in [
        "access_by_lua_block { if x then { ngx.exit(403) } end } {php}",
        "location = /index.php { content_by_lua_file /x.lua; } {php}",
        "location ~ php { js_content x; }",
        "auth_request /auth; location = /auth { proxy_pass http://127.0.0.1:9; } {php}",
        "location ~ (?<unclosed { return 403; }",
        "set $backend $upstream_addr; location / { fastcgi_pass $backend; }",
        "if ($geoip_country_code = XX) { rewrite ^ /elsewhere.php last; } {php}",
    ] {
        let found = outcome(&server(said), "/index.php").map_err(|unknown| unknown.cause);
        assert_eq!(found, Err(Cause::Unsupported), "{said}");
    }
}

#[test]
fn a_condition_that_may_only_refuse_lets_a_stranger_by() {
    // Whoever wants in comes from another country. What only prepares programs is none.
    let php = Ok(Outcome::Php { script: "/srv/shop/index.php".to_owned(), pathinfo: String::new() });
    let refused = "if ($geoip_country_code = XX) { return 403; } if ($time_iso8601 ~ T03) { return 503; } {php}";
    assert_eq!(outcome(&server(refused), "/index.php"), php);
    assert_eq!(outcome(&server("if ($geoip_country_code = XX) { set $x 1; } {php}"), "/index.php"), php);
    let prepared = format!("perl_modules /x; access_by_lua_no_postpone on; {}", server("{php}"));
    assert_eq!(outcome(&prepared, "/index.php"), php);
}

#[test]
fn what_strangers_lack_is_told() {
    let controls = |said: &str, uri: &str| {
        let host = host(&server(said));
        let answer =
            Front::read(host.path(), &asked_for("https://shop.example/")).unwrap().answer(uri, "", "GET").unwrap();
        (answer.outcome, answer.controls)
    };
    for (said, expected) in [
        ("ssl_verify_client on;", (Outcome::Denied(400), vec![Control::Certificate])),
        (
            "ssl_verify_client optional; if ($ssl_client_verify != SUCCESS) { return 403; }",
            (Outcome::Denied(403), vec![]),
        ),
        ("deny all;", (Outcome::Denied(403), vec![Control::Address])),
        ("auth_basic x; auth_basic_user_file /u;", (Outcome::Denied(401), vec![Control::Password])),
        ("auth_request /a; location = /a { return 401; }", (Outcome::Denied(401), vec![Control::Elsewhere])),
        (
            "satisfy any; deny all; auth_basic x; auth_basic_user_file /u;",
            (Outcome::Denied(401), vec![Control::Address, Control::Password]),
        ),
    ] {
        assert_eq!(controls(said, "/backup.sql"), expected, "{said}");
    }
}

#[test]
fn a_list_of_the_cdns_networks_is_open_to_all_whom_it_brings() {
    let host = host(&server("location / { allow 104.16.0.0/13; deny all; }"));
    let mut config = asked_for("https://shop.example/");
    let outcome =
        |config: &Config| Front::read(host.path(), config).unwrap().answer("/backup.sql", "", "GET").unwrap().outcome;
    assert_eq!(outcome(&config), Outcome::Denied(403));
    config.edge.networks = Networks::try_from(vec!["104.16.0.0/13".to_owned()]).unwrap();
    assert_eq!(outcome(&config), Outcome::File("/srv/shop/backup.sql".to_owned()));
}

#[test]
fn a_policy_on_countries_is_enforced_where_it_refuses_somebody() {
    let lists =
        "geo $bad { default 0; include /etc/nginx/bad.conf; } map $geoip2_country $blocked { default 0; XX 1; }";
    for (said, expected) in [
        ("if ($bad) { return 403; } {php}", true),
        ("if ($blocked) { return 444; } {php}", true),
        ("if ($blocked) { set $x 1; } {php}", false),
        ("location /elsewhere { if ($bad) { return 403; } } {php}", false),
        ("location ~ \\.php$ { if ($bad) { return 403; } fastcgi_pass unix:/p; }", true),
        ("{php}", false),
    ] {
        let host = host(&format!("{lists} {}", server(said)));
        write(host.path(), "etc/nginx/bad.conf", "1.2.3.0/24 1;");
        let front = Front::read(host.path(), &asked_for("https://shop.example/")).unwrap();
        assert_eq!(front.geo(), Ok(expected), "{said}");
        assert!(front.geo_written().is_ok_and(|written| written > 0));
    }
}

#[test]
fn logs_are_told_to_those_who_look_at_them() {
    let http = format!(
        "access_log /var/log/nginx/all.log; {}",
        server("access_log /var/log/nginx/shop.log combined; error_log /var/log/nginx/shop-errors.log; {php}")
    );
    let host = host(&http);
    let front = Front::read(host.path(), &asked_for("https://shop.example/")).unwrap();
    let logs: Vec<PathBuf> = vec!["/var/log/nginx/shop-errors.log".into(), "/var/log/nginx/shop.log".into()];
    assert_eq!(front.logs(), logs);
}

#[test]
fn a_planted_file_is_served_and_a_missing_one_is_not() {
    let host = host(&server("location /image/ { try_files $uri =404; }"));
    let front = Front::read(host.path(), &asked_for("https://shop.example/")).unwrap();
    let ask = |planted: &[PathBuf]| {
        front.answer_to(&Request { uri: "/image/x.jpg", args: "", method: "GET", planted }).unwrap().outcome
    };
    assert_eq!(ask(&[]), Outcome::Missing);
    assert_eq!(ask(&["/srv/shop/image/x.jpg".into()]), Outcome::File("/srv/shop/image/x.jpg".to_owned()));
}

#[test]
fn variables_that_stand_for_ever_more_of_themselves_end() {
    let map = |n: u32| format!("map $uri $v{n} {{ default '$v{0}$v{0}$v{0}$v{0}'; }}", n + 1);
    let maps = (0..15).map(map).collect::<Vec<_>>().concat();
    let found = outcome(&format!("{maps} {}", server("if ($v0) { rewrite ^ /x.php; } {php}")), "/index.php");
    assert_eq!(found.unwrap_err().cause, Cause::Unsupported);
}

proptest! {
    #[test]
    fn no_configuration_panics(words in prop::collection::vec(prop::sample::select(&WORDS[..]), 0..60), uri in "[/a-z.]{0,12}") {
        let host = host(&format!("server {{ {} }}", words.join(" ")));
        if let Ok(front) = Front::read(host.path(), &asked_for("http://shop.example/")) {
            for uri in [uri.as_str(), "/", "/index.php"] {
                front.answer(uri, "a=b", "GET").ok();
            }
            front.geo().ok();
        }
    }
}

/// What configurations are made of.
const WORDS: [&str; 48] = [
    "{",
    "}",
    "{",
    "}",
    ";",
    ";",
    ";",
    ";",
    "location",
    "/",
    "/a",
    "@a",
    "=",
    "^~",
    "~",
    "~*",
    "\\.php$",
    "(",
    "if",
    "($uri",
    "=)",
    "-f",
    "return",
    "403;",
    "301 /a;",
    "rewrite",
    "^ /a;",
    "last;",
    "break;",
    "set $a",
    "$a",
    "${b}",
    "$1",
    "try_files",
    "$uri",
    "=404;",
    "@a;",
    "error_page",
    "404",
    "/index.php;",
    "alias",
    "root",
    "/srv/shop;",
    "index",
    "fastcgi_pass x;",
    "deny all;",
    "auth_request /a;",
    "limit_req zone=a;",
];
