//! Small odd configurations, each asked for many paths.

use std::fmt::Write as _;
use std::thread;

use super::echo;
use super::world::{Nginx, fill, folder};
use super::{real, told};

/// How many ask at the same time.
const ASKERS: usize = 12;

/// What there is below `www`; `elsewhere` is beside it.
pub(super) const FILES: &[&str] = &[
    "www/index.php",
    "www/a.txt",
    "www/backup.sql",
    "www/.env",
    "www/.git/HEAD",
    "www/dir/index.php",
    "www/dir/x.php",
    "www/dir/x.txt",
    "www/dir/sub/index.html",
    "www/dir/sub/y.php",
    "www/empty/",
    "www/image/evil.php",
    "www/image/pic.jpg",
    "www/image/cache/evil.php",
    "www/admin/index.php",
    "www/with space.txt",
    "www/404.html",
    "www/UPPER.PHP",
    "www/a b/c+d.txt",
    "elsewhere/file.txt",
    "elsewhere/index.html",
    "elsewhere/x.php",
    "elsewhere/sub/z.txt",
];

/// What every configuration is asked for.
pub(super) const TARGETS: &[&str] = &[
    "/",
    "/?a=1",
    "/index.php",
    "/index.php?route=common/login",
    "/index.php/path/info",
    "/a.txt",
    "/a.txt/",
    "/backup.sql",
    "/.env",
    "/.git/HEAD",
    "/dir",
    "/dir?x=y",
    "/dir/",
    "/dir/x.php",
    "/dir/x.txt",
    "/dir/sub/",
    "/dir/sub",
    "/dir/sub/y.php",
    "/dir/../a.txt",
    "/dir/%2e%2e/a.txt",
    "/dir//x.txt",
    "/empty/",
    "/empty",
    "/image/evil.php",
    "/image/pic.jpg",
    "/image/pic.jpg/x.php",
    "/image/cache/evil.php",
    "/IMAGE/evil.php",
    "/admin",
    "/admin/",
    "/admin/index.php",
    "/admin/index.php?route=common/login",
    "/admin/index.php/x",
    "/with%20space.txt",
    "/UPPER.PHP",
    "/none",
    "/none/",
    "/none.php",
    "/seo/product-name",
    "/alias/file.txt",
    "/alias/",
    "/alias",
    "/alias/sub/z.txt",
    "/alias/../a.txt",
    "/aliasfile.txt",
    "/old/page",
    "/old/page?q=1",
    "/..",
    "/%00",
    "/a%20b/c+d.txt",
];

/// Servers, each a name and what it says; `{php}` hands requests over.
const SERVERS: &[(&str, &str)] = &[
    ("plain", ""),
    ("php", r"index index.php; location ~ \.php$ { {php} }"),
    ("first-pattern-wins", r"location ~ \.php$ { {php} } location ~* ^/image/.*\.php$ { deny all; }"),
    ("pattern-in-order", r"location ~* ^/image/.*\.php$ { deny all; } location ~ \.php$ { {php} }"),
    ("prefix-stops", r"location ^~ /image/ { try_files $uri =404; } location ~ \.php$ { {php} }"),
    ("prefix-does-not-stop", r"location /image/ { deny all; } location ~ \.php$ { {php} }"),
    (
        "nested",
        r"location /image/ { location ~ \.php$ { return 403; } location /image/cache/ { return 410; } } location ~ \.php$ { {php} }",
    ),
    (
        "nested-prefix-and-outer-pattern",
        r"location /dir/ { location /dir/sub/ { deny all; } location ^~ /dir/x { return 404; } } location ~ \.(php|txt)$ { {php} }",
    ),
    (
        "nested-in-pattern",
        r"location ~ ^/image/ { location ~ \.php$ { deny all; } location ~ \.jpg$ { return 410; } } location ~ \.php$ { {php} }",
    ),
    (
        "stopping-outside-pattern-inside",
        r"location ^~ /dir/ { location ~ \.php$ { {php} } } location ~ \.txt$ { deny all; }",
    ),
    (
        "exact",
        r"location = / { return 204; } location = /a.txt { deny all; } location = /dir { return 200 x; } location /a { return 410; }",
    ),
    ("exact-over-pattern", r"location = /admin/index.php { deny all; } location ~ \.php { {php} }"),
    (
        "signs-at-the-name",
        r"location =/a.txt { return 410; } location ^~/dir/ { return 403; } location ~\.php$ { {php} } location ~*\.SQL$ { deny all; }",
    ),
    ("ignores-case", r"location ~* \.php$ { {php} } location ~ ^/image { deny all; }"),
    ("looks-ahead", r"location ~ /\.(?!well-known) { deny all; } location ~ \.(?:sql|bak)$ { return 404; }"),
    (
        "front-controller",
        r"index index.php; location / { try_files $uri $uri/ /index.php?$args; } location ~ \.php$ { {php} }",
    ),
    (
        "front-controller-without-args",
        r"index index.php; location / { try_files $uri /index.php; } location ~ \.php$ { try_files $uri =404; {php} }",
    ),
    ("try-folder", r"location / { try_files $uri/ $uri =410; }"),
    (
        "try-named",
        r"location / { try_files $uri @shop; } location @shop { rewrite ^/(.+)$ /index.php?_route_=$1 last; } location ~ \.php$ { {php} }",
    ),
    (
        "try-named-break",
        r"location / { try_files $uri $uri/ @shop; } location @shop { rewrite ^ /index.php break; {php} }",
    ),
    ("try-named-missing-php", r"location ~ \.php$ { try_files $uri @none; {php} } location @none { return 410; }"),
    ("try-in-server", r"try_files /a.txt =404; location /dir/ { }"),
    ("try-fixed-file", r"location /none { try_files /a.txt =404; } location /seo/ { try_files /404.html /index.php; }"),
    ("try-with-tail", r"location / { try_files $uri.txt $uri $uri/index.html =404; }"),
    ("try-in-if", r"location / { try_files $uri /index.php; if ($args) { set $x 1; } } location ~ \.php$ { {php} }"),
    ("alias", r"location /alias/ { alias {home}/elsewhere/; } location ~ \.php$ { {php} }"),
    ("alias-without-slash", r"location /alias { alias {home}/elsewhere/; autoindex on; }"),
    (
        "alias-and-php",
        r"location ^~ /alias/ { alias {home}/elsewhere/; location ~ \.php$ { {php} } index index.html; }",
    ),
    ("alias-try", r"location /alias/ { alias {home}/elsewhere/; try_files $uri $uri/ =410; }"),
    ("alias-pattern", r"location ~ ^/alias/(.+)$ { alias {home}/elsewhere/$1; }"),
    (
        "alias-pattern-named",
        r"location ~ ^/alias/(?<file>.+)$ { alias {home}/elsewhere/$file; } location ~ ^/(?<first>[a-z]+)/x { return 302 /at-$first; }",
    ),
    (
        "alias-request-filename",
        r"location /alias/ { alias {home}/elsewhere/; location ~ \.(php|txt)$ { fastcgi_param SCRIPT_FILENAME $request_filename; fastcgi_pass 127.0.0.1:{echo}; } }",
    ),
    (
        "root-of-a-location",
        r"location /sub/ { root {home}/elsewhere; } location /dir/ { root {home}/www/; } location /alias/ { root {home}/none; }",
    ),
    (
        "root-inherited",
        r"location /dir { root {home}/elsewhere; location /dir/sub { } location ~ txt$ { root {home}/www; } }",
    ),
    ("index-list", r"location / { index none.html index.html index.php; } location ~ \.php$ { {php} }"),
    ("index-absolute", r"location /dir/ { index none.html /index.php; } location ~ \.php$ { {php} }"),
    ("index-inherited", r"index index.php; location /dir/ { index index.html; location /dir/sub/ { } }"),
    ("autoindex", r"autoindex on; location /empty/ { autoindex off; }"),
    (
        "deny",
        r"deny all; location /dir/ { allow all; } location /image/ { allow 10.0.0.0/8; deny all; } location /admin/ { }",
    ),
    (
        "allow-first",
        r"location / { allow 0.0.0.0/1; allow 128.0.0.0/1; deny all; } location /dir { deny 1.2.3.4; allow all; } location /image { allow 203.0.113.0/24; allow ::1; deny all; } location /admin { deny 1.2.3.0/24; }",
    ),
    (
        "password",
        r#"location /admin { auth_basic "admin"; auth_basic_user_file {home}/users; } location ~ \.php$ { {php} }"#,
    ),
    (
        "password-around-php",
        r#"location ^~ /admin/ { auth_basic "admin"; auth_basic_user_file {home}/users; location ~ \.php$ { {php} } }"#,
    ),
    ("password-without-users", r#"location /admin/ { auth_basic "admin"; } location /dir/ { auth_basic off; }"#),
    (
        "password-or-address",
        r#"satisfy any; deny all; auth_basic x; auth_basic_user_file {home}/users; location /dir/ { allow all; } location /image/ { auth_basic off; }"#,
    ),
    (
        "password-and-address",
        r#"auth_basic x; auth_basic_user_file {home}/users; location /dir/ { deny all; } location /image/ { allow all; }"#,
    ),
    (
        "asks-itself",
        r"auth_request /check; location = /check { internal; return 403; } location /dir/ { auth_request off; } location /image/ { auth_request /yes; } location = /yes { return 204; } location /admin { auth_request /no; } location = /no { return 404; }",
    ),
    (
        "limit-except",
        r"location / { limit_except GET { deny all; } } location ~ \.php$ { limit_except GET POST { deny all; } {php} }",
    ),
    ("return-in-server", r"return 301 https://shop.example$request_uri; location / { deny all; }"),
    (
        "return-in-location",
        r"location / { return 404; } location /dir/ { return 403 text; } location /image/ { return 302 /elsewhere?$args; } location /a { return https://shop.example/; } location /admin { return 444; }",
    ),
    (
        "if-in-server",
        r"if ($request_uri ~ ^/dir) { return 403; } if ($arg_route = common/login) { return 429; } location ~ \.php$ { {php} }",
    ),
    (
        "if-file",
        r"if (!-e $request_filename) { rewrite ^/(.*)$ /index.php?_route_=$1 last; } location ~ \.php$ { {php} }",
    ),
    (
        "if-folder",
        r"location / { if (-d $request_filename) { return 410; } if (-f $request_filename) { return 409; } if (!-f $document_root$uri) { return 402; } }",
    ),
    (
        "if-last-wins",
        r"location / { if ($args) { root {home}/elsewhere; } if ($args = x=y) { return 403; } if ($request_method = POST) { error_page 405 /a.txt; } }",
    ),
    (
        "if-negated",
        r#"if ($request_method !~ ^(GET|HEAD)$) { return 405; } if ($http_user_agent !~* "firefox") { return 403; } if ($args != "") { return 402; }"#,
    ),
    (
        "if-empty",
        r#"set $a ""; set $b 0; set $c 1; if ($a) { return 401; } if ($b) { return 402; } location /dir { if ($c) { return 403; } } location /image { if ($http_x_secret) { return 410; } if ($cookie_k = "") { return 409; } }"#,
    ),
    ("if-with-php", r"location ~ \.php$ { if ($args ~ login) { set $l 1; } {php} }"),
    (
        "if-groups",
        r"location / { if ($uri ~ ^/(dir|image)/(.+)$) { return 302 /$2/$1; } } location ~ ^/(ad)(min) { return 302 /$2-$1-$3; }",
    ),
    ("if-break", r"location / { if ($args) { break; } return 403; } location /dir { break; return 410; }"),
    (
        "flags",
        r"set $maintenance 0; if (-f {home}/www/maintenance) { set $maintenance 1; } if ($uri = /admin/) { set $maintenance 0; } if ($maintenance) { return 503; }",
    ),
    (
        "joined-flags",
        r#"set $t ""; if ($request_method = POST) { set $t P; } if ($uri ~ ^/admin) { set $t "${t}A"; } if ($t = PA) { return 403; } if ($t = A) { return 402; }"#,
    ),
    (
        "rewrite-last",
        r"rewrite ^/seo/(.+)$ /index.php?_route_=$1 last; rewrite ^/old/(.*)$ /dir/x.txt; location ~ \.php$ { {php} } location /dir { }",
    ),
    (
        "rewrite-break",
        r"location /old/ { rewrite ^ /a.txt break; } location /seo/ { rewrite ^/seo/(.*)$ /image/evil.php break; } location /none { rewrite ^ /dir/ break; } location ~ \.php$ { {php} }",
    ),
    (
        "rewrite-without-flag",
        r"location /old/ { rewrite ^/old/(.*)$ /seo/$1; rewrite ^/seo/(.*)$ /dir/x.txt; } location /seo/ { return 410; }",
    ),
    (
        "rewrite-away",
        r"rewrite ^/old/(.*)$ /dir/$1 permanent; rewrite ^/seo/(.*)$ http://other.example/$1; rewrite ^/none /x? redirect; rewrite ^/dir$ $scheme://shop.example/d?a=b;",
    ),
    (
        "rewrite-args",
        r"location /old/ { rewrite ^ /to?a=b last; } location /dir/ { rewrite ^ /to?; } location / { rewrite ^/$ /to last; } location = /to { return 302 /end?$args; }",
    ),
    ("rewrite-forever", r"location / { rewrite ^ /x$uri last; }"),
    (
        "rewrite-in-server-then-location",
        r"rewrite ^/seo/ /admin/index.php; location /admin/ { return 403; } location ~ \.php$ { {php} }",
    ),
    (
        "rewrite-named",
        r"location / { rewrite ^/(?<what>[a-z]+)/(?<rest>.*)$ /$rest?was=$what last; return 404; } location ~ \.php$ { {php} }",
    ),
    ("break-in-server", r"break; rewrite ^ /a.txt; location /dir { rewrite ^ /a.txt last; }"),
    (
        "error-page",
        r"error_page 404 /404.html; error_page 403 =200 /a.txt; location /dir { return 403; } location /image { deny all; }",
    ),
    ("error-page-php", r"error_page 404 = /index.php?missing=1; location ~ \.php$ { {php} }"),
    (
        "error-page-named",
        r"error_page 404 403 = @shop; location @shop { return 302 /home; } location /dir { deny all; } location /image { return 404; }",
    ),
    (
        "error-page-away",
        r"error_page 404 https://shop.example/404; error_page 403 =301 /moved; location /dir { deny all; } location = /moved { return 418; }",
    ),
    ("error-page-denied-itself", r"deny all; error_page 403 /404.html;"),
    ("error-page-open", r"deny all; error_page 403 /404.html; location = /404.html { allow all; }"),
    (
        "error-page-inherited",
        r"error_page 404 /a.txt; location /dir { error_page 403 /404.html; } location /none { return 404; } location /seo/ { error_page 404 =200 /a.txt; }",
    ),
    ("error-page-in-error", r"error_page 404 /x.html; error_page 403 /a.txt; location = /x.html { deny all; }"),
    (
        "error-page-recursive",
        r"recursive_error_pages on; error_page 404 /x.html; error_page 403 /a.txt; location = /x.html { deny all; }",
    ),
    ("error-page-return", r"error_page 403 /denied; location /denied { return 404; } location /dir { deny all; }"),
    (
        "internal",
        r"location /dir/ { internal; } location /seo/ { rewrite ^ /dir/x.txt last; } location ~ ^/none { try_files /x /dir/x.txt; } error_page 404 /404.html; location = /404.html { internal; }",
    ),
    ("internal-inherited", r"location /dir/ { internal; location ~ txt$ { } }"),
    ("not-merged", r"merge_slashes off; location /dir/ { return 403; }"),
    ("path-info", r"location ~ [^/]\.php(/|$) { fastcgi_split_path_info ^(.+?\.php)(/.*)$; {php} }"),
    (
        "path-info-tried",
        r"location ~ ^(.+\.php)(.*)$ { fastcgi_split_path_info ^(.+?\.php)(/.*)$; try_files $fastcgi_script_name =404; {php} }",
    ),
    (
        "path-info-kept",
        r"location ~ [^/]\.php(/|$) { fastcgi_split_path_info ^(.+?\.php)(/.*)$; set $p $fastcgi_path_info; try_files $fastcgi_script_name =404; fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_param PATH_INFO $p; fastcgi_pass 127.0.0.1:{echo}; }",
    ),
    ("fastcgi-index", r"location /dir/ { fastcgi_index x.php; {php} } location /empty/ { {php} }"),
    (
        "fastcgi-folder",
        r"location /dir/ { {php} } location /alias/ { proxy_pass http://127.0.0.1:{other}; } location ~ ^/alias { return 410; }",
    ),
    ("fastcgi-not-inherited", r"location /dir/ { {php} location ~ \.txt$ { } location /dir/sub/ { } }"),
    (
        "fastcgi-everything",
        r"location / { fastcgi_param SCRIPT_FILENAME {home}/www/index.php; fastcgi_param PATH_INFO $uri; fastcgi_pass 127.0.0.1:{echo}; }",
    ),
    (
        "fastcgi-by-variable",
        r"set $php 127.0.0.1:{echo}; location ~ \.php$ { fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_pass $php; }",
    ),
    (
        "fastcgi-parameters-inherited",
        r"fastcgi_param SCRIPT_FILENAME $document_root/server$fastcgi_script_name; location ~ \.php$ { fastcgi_pass 127.0.0.1:{echo}; } location ^~ /dir/ { fastcgi_param PATH_INFO own; fastcgi_pass 127.0.0.1:{echo}; }",
    ),
    (
        "proxy",
        r"location / { proxy_pass http://127.0.0.1:{other}; } location ~ \.php$ { {php} } location = /a.txt { proxy_pass http://127.0.0.1:{other}/x; }",
    ),
    (
        "proxy-last-resort",
        r"location / { try_files $uri @app; } location @app { proxy_pass http://127.0.0.1:{other}; }",
    ),
    ("proxy-in-if", r"location / { if ($args) { proxy_pass http://127.0.0.1:{other}; } }"),
    (
        "by-map",
        r"if ($of_map) { return 403; } location / { if ($of_map_of_map = yes) { return 410; } } location ~ \.php$ { if ($of_route = login) { return 429; } {php} }",
    ),
    (
        "by-geo",
        r"location /dir { if ($of_geo = near) { return 403; } if ($of_geo_range = 1) { return 402; } } location /image { if ($of_geo_default) { return 410; } }",
    ),
    ("default-type", r"default_type text/plain; types { } location ~ \.(sql|env)$ { default_type application/x; }"),
    (
        "wordpress",
        r"index index.php; location / { try_files $uri $uri/ /index.php?$args; } location ~ /\. { deny all; } location ~* /(?:image|files)/.*\.php$ { deny all; } location ~ \.php$ { include {home}/php.conf; }",
    ),
    (
        "quoted",
        r#"location ~ "^/dir/[a-z]{1}\.(php|txt)$" { return 403; } location "/with space.txt" { return 410; } location ~ "\.p(hp|df)" { {php} }"#,
    ),
    (
        "two-stops",
        r"location ^~ /dir/ { return 402; } location ^~ /dir/sub/ { return 403; } location /dir/sub/y { return 404; } location ~ y\.php$ { {php} }",
    ),
    ("empty-gif", r"location = /a.txt { empty_gif; } location /dir/ { stub_status; }"),
    (
        "percent-and-query",
        r"location / { return 302 $uri/x?$query_string$is_args; } location /with { return 302 $request_uri; } location ~ ^/a { return 302 /$host/$arg_route; }",
    ),
];

/// What stands around the servers.
const AROUND: &str = r#"
map $uri $of_map { default 0; /a.txt 1; ~^/dir/sub 1; ~*^/IMAGE/(?<rest>.+)\.jpg$ 1; }
map "$of_map-$request_method" $of_map_of_map { ~^0-POST$ yes; default no; 0-get yes; }
map $arg_route $of_route { default ""; common/login login; }
geo $of_geo { default far; 62.30.0.0/16 nearer; 62.30.115.0/24 near; 10.0.0.0/8 lan; }
geo $remote_addr $of_geo_range { ranges; default 0; 62.0.0.0-62.255.255.255 1; }
geo $of_geo_default { 10.0.0.0/8 1; }
"#;

/// The servers of a configuration, each by the name `<name>.test`.
pub(super) fn servers<'a>(servers: impl IntoIterator<Item = (&'a str, &'a str)>, echo: u16) -> String {
    let php = "fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_param PATH_INFO \
               $fastcgi_path_info; fastcgi_pass 127.0.0.1:{echo};";
    let mut text = String::new();
    for (name, said) in servers {
        let said = said.replace("{php}", php);
        writeln!(text, "server {{ listen 127.0.0.1:{{port}}; server_name {name}.test; root {{home}}/www; {said} }}")
            .unwrap();
    }
    text.replace("{echo}", &echo.to_string())
}

/// Asks both for all of these, many at a time, and returns where they differ.
pub(super) fn differences(nginx: &Nginx, names: &[&str], targets: &[&str]) -> Vec<String> {
    thread::scope(|scope| {
        let parts = names.chunks(names.len().div_ceil(ASKERS));
        let askers: Vec<_> = parts.map(|names| scope.spawn(move || differences_of(nginx, names, targets))).collect();
        askers.into_iter().flat_map(|asker| asker.join().unwrap()).collect()
    })
}

fn differences_of(nginx: &Nginx, names: &[&str], targets: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for name in names {
        let host = format!("{name}.test");
        let front = nginx.front(&host);
        for target in targets {
            for method in ["GET", "POST"] {
                let (told, real) = (told(&front, method, target), real(nginx, &host, method, target));
                if told != real {
                    found.push(format!("{name}: {method} {target}: nginx: {real}; we: {told}"));
                }
            }
        }
    }
    found
}

#[test]
fn odd_configurations_answer_as_nginx_does() {
    let folder = folder();
    fill(folder.path(), FILES);
    let echo = echo::start();
    std::fs::write(folder.path().join("users"), "admin:{PLAIN}none\n").unwrap();
    std::fs::write(
        folder.path().join("php.conf"),
        format!("fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_pass 127.0.0.1:{echo};"),
    )
    .unwrap();
    let nginx = Nginx::start(folder, &format!("{AROUND}{}", servers(SERVERS.iter().copied(), echo)));
    let found = differences(&nginx, &SERVERS.iter().map(|(name, _)| *name).collect::<Vec<_>>(), TARGETS);
    assert!(found.is_empty(), "{} differ:\n{}", found.len(), found.join("\n"));
}
