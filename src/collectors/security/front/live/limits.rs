//! Limits: of twenty requests in a row some are refused exactly where one is said to be in force.

use std::fmt::Write as _;

use super::echo;
use super::world::{Nginx, fill, folder};
use crate::collectors::security::front::answer::Key;

/// What counts, what the server says (`{limit}` is the limit), and what is asked for.
const CASES: [(&str, &str, &str); 27] = [
    ("$binary_remote_addr", r"{limit} location ~ \.php$ { {php} }", "/index.php"),
    ("$binary_remote_addr", r"location /admin/ { {limit} } location ~ \.php$ { {php} }", "/admin/index.php"),
    ("$binary_remote_addr", r"location ^~ /admin/ { {limit} location ~ \.php$ { {php} } }", "/admin/index.php"),
    ("$binary_remote_addr", r"{limit} location / { return 200 x; }", "/a.txt"),
    ("$binary_remote_addr", r"{limit} location / { return 404; }", "/a.txt"),
    ("$binary_remote_addr", r"{limit} location / { deny all; }", "/a.txt"),
    ("$binary_remote_addr", r"{limit} return 301 /x;", "/a.txt"),
    ("$binary_remote_addr", r"location / { {limit} try_files $uri /index.php; } location ~ \.php$ { {php} }", "/none"),
    ("$binary_remote_addr", r"location / { try_files $uri /index.php; } location ~ \.php$ { {limit} {php} }", "/none"),
    ("$binary_remote_addr", r"location / { {limit} rewrite ^ /index.php last; } location ~ \.php$ { {php} }", "/none"),
    ("$binary_remote_addr", r"location / { {limit} rewrite ^ /index.php break; {php} }", "/none"),
    ("$binary_remote_addr", r"index index.php; location / { {limit} } location ~ \.php$ { {php} }", "/dir/"),
    ("$binary_remote_addr", r"{limit} limit_req_dry_run on; location ~ \.php$ { {php} }", "/index.php"),
    (
        "$binary_remote_addr",
        r"{limit} location ~ \.php$ { limit_req zone=wide burst=1000 nodelay; {php} }",
        "/index.php",
    ),
    ("$server_name", r"{limit}", "/a.txt"),
    ("$http_x_forwarded_for", r"{limit}", "/a.txt"),
    ("$http_user_agent", r"{limit}", "/a.txt"),
    ("$binary_remote_addr$cookie_session", r"{limit}", "/a.txt"),
    ("$binary_remote_addr$request_uri", r"{limit}", "/a.txt"),
    ("$proxy_add_x_forwarded_for", r"{limit}", "/a.txt"),
    ("$of_args", r"{limit}", "/a.txt?login"),
    ("$of_route", r"{limit} location ~ \.php$ { {php} }", "/index.php?route=common/login"),
    ("$of_route", r"{limit} location ~ \.php$ { {php} }", "/index.php?route=product/search"),
    ("$of_method", r"{limit} location ~ \.php$ { {php} }", "/index.php"),
    ("$binary_remote_addr", r"location ~ \.php$ { if ($args) { set $x 1; } {limit} {php} }", "/index.php?a"),
    (
        "$binary_remote_addr",
        r"error_page 404 /index.php; location = /index.php { {limit} {php} } location / { }",
        "/none",
    ),
    (
        "$binary_remote_addr",
        r"{limit} location @x { return 204; } location / { limit_req zone=wide burst=1000 nodelay; try_files /none @x; }",
        "/a",
    ),
];

#[test]
fn requests_are_limited_exactly_where_a_limit_is_in_force() {
    let echo = echo::start();
    let php =
        format!("fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_pass 127.0.0.1:{echo};");
    let mut http = "limit_req_zone $binary_remote_addr zone=wide:1m rate=1000r/s;\n\
                    map $arg_route $of_route { default ''; ~^common/login $binary_remote_addr; }\n\
                    map $args $of_args { default ''; login $binary_remote_addr; }\n\
                    map $request_method $of_method { default ''; POST $remote_addr; }\n"
        .to_owned();
    for (number, (key, said, _)) in CASES.iter().enumerate() {
        let said =
            said.replace("{limit}", &format!("limit_req zone=z{number} burst=3 nodelay;")).replace("{php}", &php);
        writeln!(http, "limit_req_zone {key} zone=z{number}:1m rate=1r/m;").unwrap();
        writeln!(http, "server {{ listen 127.0.0.1:{{port}}; server_name l{number}.test; root {{home}}/www; {said} }}")
            .unwrap();
    }
    let folder = folder();
    fill(folder.path(), super::differential::FILES);
    let nginx = Nginx::start(folder, &http);
    for (number, (key, said, target)) in CASES.iter().enumerate() {
        for method in ["GET", "POST"] {
            let host = format!("l{number}.test");
            let (uri, args) = target.split_once('?').unwrap_or((target, ""));
            let answer = nginx.front(&host).answer(uri, args, method).unwrap();
            let is_wide = |zone: &str| zone == "wide";
            let told = answer.requests.iter().any(|limit| !limit.is_rehearsal && !is_wide(&limit.zone));
            let real = (0..20).any(|_| nginx.ask(&host, method, target).status == 503);
            assert_eq!(told, real, "{method} {target} with {key}: {said}");
            if let Some(limit) = answer.requests.first().filter(|limit| !is_wide(&limit.zone)) {
                let expected = match *key {
                    "$server_name" => Key::Shared,
                    "$http_user_agent"
                    | "$binary_remote_addr$cookie_session"
                    | "$binary_remote_addr$request_uri"
                    | "$proxy_add_x_forwarded_for"
                    | "$of_args" => Key::Chosen,
                    _ => Key::Client,
                };
                assert_eq!(limit.key, Ok(expected), "{key}");
            }
        }
    }
}
