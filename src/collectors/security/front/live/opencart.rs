//! Two whole shops with a real PHP behind them: one with rules that look well and do nothing, as OpenCart's own example for
//! nginx has them, and one whose rules hold.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::super::judge::judge;
use super::super::judge::tests::{opencart, seen};
use super::world::{Nginx, PhpFpm, Response, fill, folder};
use crate::collectors::security::check::Check;
use crate::collectors::security::front::{Front, Outcome};
use crate::collectors::security::shop::Shop;
use crate::collectors::security::verdict::{Cap, State, Verdicts};

const SCRIPTS: [&str; 10] = [
    "www/index.php",
    "www/admin/index.php",
    "www/install/index.php",
    "www/image/evil.php",
    "www/image/cache/evil.php",
    "www/image/evil.phar",
    "www/phpinfo.php",
    "www/system/startup.php",
    "www/system/storage/upload/evil.php",
    "www/config.php",
];
const FILES: [&str; 14] = [
    "www/backup.sql",
    "www/.env",
    "www/.git/HEAD",
    "www/.htaccess",
    "www/config.php.bak",
    "www/robots.txt",
    "www/image/pic.jpg",
    "www/catalog/view/style.css",
    "www/system/storage/logs/error.log",
    "www/.well-known/acme-challenge/token",
    "www/admin/view/image/logo.png",
    "www/dump.sql.gz",
    "www/shop.tar",
    "www/notes.txt~",
];
const TARGETS: [&str; 38] = [
    "/",
    "/index.php",
    "/index.php?route=product/search",
    "/index.php/path",
    "/desktops",
    "/desktops/mac",
    "/admin",
    "/admin/",
    "/admin/index.php",
    "/admin/index.php?route=common/login",
    "/admin/index.php/x",
    "/admin/view/image/logo.png",
    "/install/",
    "/install/index.php",
    "/image/",
    "/image/evil.php",
    "/image/evil.php/x",
    "/image/evil.phar",
    "/image/cache/evil.php",
    "/image/pic.jpg",
    "/image/pic.jpg/x.php",
    "/image/none.php",
    "/IMAGE/evil.php",
    "/backup.sql",
    "/dump.sql.gz",
    "/shop.tar",
    "/notes.txt~",
    "/.env",
    "/.git/HEAD",
    "/.git/",
    "/.htaccess",
    "/.well-known/acme-challenge/token",
    "/config.php",
    "/config.php.bak",
    "/phpinfo.php",
    "/system/startup.php",
    "/system/storage/logs/error.log",
    "/system/storage/upload/evil.php",
];

/// What stands in both.
const COMMON: &str = r#"
    log_format told '$remote_addr [$time_iso8601] "$request" $status "$http_user_agent"';
    limit_req_zone $binary_remote_addr zone=login:1m rate=5r/m;
"#;

/// It has a rule for everything, and none of them is asked: the first pattern that fits decides.
const CARELESS: &str = r#"
server {
    listen 127.0.0.1:{port};
    server_name careless.test;
    root {home}/www;
    index index.php;
    location / { try_files $uri $uri/ @opencart; }
    location @opencart { rewrite ^/(.+)$ /index.php?_route_=$1 last; }
    location /admin { limit_req zone=login burst=10 nodelay; try_files $uri $uri/ =404; }
    location ~ \.php$ {
        fastcgi_pass unix:{fpm};
        fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
        include /etc/nginx/fastcgi_params;
    }
    location ~* ^/image/.*\.php$ { deny all; }
    location ~ /\. { deny all; }
    location ~* /\.(env|sql|log|bak|git)$ { deny all; }
}
"#;

const CAREFUL: &str = r#"
map "$request_method:$uri:$arg_route" $login {
    default "";
    ~^POST:/backoffice/ $binary_remote_addr;
    ~^POST:/index\.php:account/login $binary_remote_addr;
}
limit_req_zone $login zone=logins:1m rate=10r/m;
limit_req_zone $binary_remote_addr zone=all:1m rate=100r/s;
limit_conn_zone $binary_remote_addr zone=clients:1m;
server {
    listen 127.0.0.1:{port};
    server_name careful.test;
    root {home}/www;
    index index.php;
    client_header_timeout 15s;
    client_body_timeout 15s;
    send_timeout 15s;
    client_max_body_size 8m;
    limit_conn clients 20;
    limit_req zone=all burst=200 nodelay;
    limit_req zone=logins burst=5 nodelay;
    access_log {home}/told.log told;
    error_log {home}/shop-errors.log warn;
    location / { try_files $uri $uri/ @opencart; }
    location @opencart { rewrite ^/(.+)$ /index.php?_route_=$1 last; }
    location ~ /\.(?!well-known/) { deny all; }
    location ~* \.(sql|bak|old|orig|swp|gz|tar|zip|log)$|~$ { deny all; }
    location ^~ /image/ { try_files $uri =404; }
    location ^~ /system/ { deny all; }
    location ^~ /install/ { return 404; }
    location ^~ /admin/ {
        allow 10.0.0.0/8;
        deny all;
        location ~ \.php$ { try_files $uri =404; include {home}/php.conf; }
    }
    location ~ ^/(config|phpinfo)\.php { return 404; }
    location ~ \.php$ { try_files $uri =404; include {home}/php.conf; }
}
"#;

/// What hands requests to PHP, with headers that name the client overwritten.
const PHP: &str = r"
fastcgi_pass unix:{fpm};
include /etc/nginx/fastcgi_params;
fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
fastcgi_param HTTP_CF_CONNECTING_IP $remote_addr;
fastcgi_param HTTP_X_FORWARDED_FOR $remote_addr;
fastcgi_param HTTP_X_REAL_IP $remote_addr;
fastcgi_param HTTP_X_CLIENT_IP $remote_addr;
fastcgi_param HTTP_CLIENT_IP $remote_addr;
fastcgi_param HTTP_X_CLUSTER_CLIENT_IP $remote_addr;
";

fn start(fpm: &PhpFpm, http: &str) -> Nginx {
    let folder = folder();
    fill(folder.path(), &FILES);
    for script in SCRIPTS {
        let path = folder.path().join(script);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "<?php echo 'PHP ', $_SERVER['SCRIPT_FILENAME'];").unwrap();
    }
    let socket = fpm.socket().display().to_string();
    fs::write(folder.path().join("php.conf"), PHP.replace("{fpm}", &socket)).unwrap();
    Nginx::start(folder, &format!("{COMMON}{http}").replace("{fpm}", &socket))
}

/// What the interpreter says, with what PHP makes of it: a script that is not there is looked for in the path
/// (`cgi.fix_pathinfo`), and one that is called otherwise is refused (`security.limit_extensions`).
fn told(front: &Front, method: &str, target: &str) -> String {
    let (uri, args) = target.split_once('?').unwrap_or((target, ""));
    match front.answer(uri, args, method).unwrap().outcome {
        Outcome::Php { script, .. } => match Path::new(&script).ancestors().find(|path| path.is_file()) {
            Some(file) if file.extension().is_some_and(|end| end == "php" || end == "phar") => {
                format!("php {}", file.display())
            }
            Some(_) => "403".to_owned(),
            None => "404".to_owned(),
        },
        Outcome::File(path) if path.contains(".ph") && !path.contains(".bak") => "source".to_owned(),
        Outcome::File(path) => format!("file {path}"),
        Outcome::Missing => "404".to_owned(),
        Outcome::Denied(status) => status.to_string(),
        Outcome::Redirect { status, to } => format!("{status} to {to}"),
        other => panic!("{target}: {other}"),
    }
}

fn real(nginx: &Nginx, host: &str, method: &str, target: &str) -> String {
    let Response { status, location, body } = nginx.ask(host, method, target);
    if let Some(script) = body.strip_prefix("PHP ") {
        return format!("php {script}");
    }
    if let Some(path) = body.strip_prefix("FILE ") {
        return format!("file {path}");
    }
    if body.starts_with("<?php") {
        return "source".to_owned();
    }
    if (300..400).contains(&status) {
        format!("{status} to {}", nginx.without_origin(host, &location))
    } else {
        status.to_string()
    }
}

/// That both say the same of all targets; and what that is.
fn compared(nginx: &Nginx, host: &str) -> BTreeMap<String, String> {
    let front = nginx.front(host);
    let mut found = BTreeMap::new();
    for target in TARGETS {
        let (told, real) = (told(&front, "GET", target), real(nginx, host, "GET", target));
        assert_eq!(told, real, "{host}: {target}");
        found.insert(target.to_owned(), real.replace(&nginx.home().display().to_string(), ""));
    }
    found
}

/// How many of 20 requests are refused for their number.
fn refused(nginx: &Nginx, host: &str, target: &str) -> usize {
    (0..20).filter(|_| nginx.ask(host, "POST", target).status == 503).count()
}

fn judged(nginx: &Nginx, host: &str, shop: impl FnOnce(&mut Shop)) -> Verdicts {
    let mut of = opencart(&nginx.home().join("www"));
    shop(&mut of);
    let mut verdicts = Verdicts::new();
    judge(&seen(nginx.front(host), of), &Ok(None), &mut verdicts);
    verdicts
}

fn states(verdicts: &Verdicts, checks: &[Check]) -> Vec<(&'static str, State)> {
    checks.iter().map(|check| (check.id(), verdicts[check].state)).collect()
}

#[test]
fn rules_that_look_well_and_do_nothing_fail() {
    let fpm = PhpFpm::start();
    let nginx = start(&fpm, CARELESS);
    let found = compared(&nginx, "careless.test");
    for (target, expected) in [
        ("/image/evil.php", "php /www/image/evil.php"),
        ("/backup.sql", "file /www/backup.sql"),
        ("/.env", "403"),
        ("/admin/index.php", "php /www/admin/index.php"),
        ("/desktops", "php /www/index.php"),
        ("/install/index.php", "php /www/install/index.php"),
    ] {
        assert_eq!(found[target], expected, "{target}");
    }
    let login = "/admin/index.php?route=common/login.login";
    assert_eq!(refused(&nginx, "careless.test", login), 0, "none of 20 logins is refused");
    assert_eq!(
        nginx.front("careless.test").answer("/admin/index.php", "route=common/login.login", "POST").unwrap().requests,
        []
    );

    let verdicts = judged(&nginx, "careless.test", |_| {});
    let checks = [
        Check::Fw09,
        Check::Dd01,
        Check::Dd02,
        Check::Dd03,
        Check::Dd04,
        Check::Api01,
        Check::Api02,
        Check::Api03,
        Check::Api05,
        Check::Api06,
        Check::Api14,
    ];
    let expected = [
        ("FW-09", State::Partial),
        ("DD-01", State::Fail),
        ("DD-02", State::Fail),
        ("DD-03", State::Fail),
        ("DD-04", State::Partial),
        ("API-01", State::Fail),
        ("API-02", State::Fail),
        ("API-03", State::Fail),
        ("API-05", State::Fail),
        ("API-06", State::Fail),
        ("API-14", State::Fail),
    ];
    assert_eq!(states(&verdicts, &checks), expected, "{verdicts:#?}");
    assert_eq!(verdicts[&Check::Api01].cap, Some(Cap::InstallerServable));
    assert!(verdicts[&Check::Api06].seen.contains(r"location ~ \.php$"), "{:?}", verdicts[&Check::Api06]);
    assert!(verdicts[&Check::Api05].seen.contains("/backup.sql"), "{:?}", verdicts[&Check::Api05]);
    assert_eq!(
        verdicts[&Check::Mon01].state,
        State::Fail,
        "the harness logs no requests: {:?}",
        verdicts[&Check::Mon01]
    );
}

#[test]
fn rules_that_hold_pass() {
    let fpm = PhpFpm::start();
    let nginx = start(&fpm, CAREFUL);
    let host = "careful.test";
    let found = compared(&nginx, host);
    for (target, expected) in [
        ("/image/evil.php", "source"),
        ("/backup.sql", "403"),
        ("/admin/index.php", "403"),
        ("/admin/index.php/x", "403"),
        ("/.well-known/acme-challenge/token", "file /www/.well-known/acme-challenge/token"),
        ("/desktops", "php /www/index.php"),
        ("/index.php", "php /www/index.php"),
    ] {
        assert_eq!(found[target], expected, "{target}");
    }
    assert!(refused(&nginx, host, "/index.php?route=account/login.login") >= 10, "logins are throttled");
    assert_eq!(refused(&nginx, host, "/index.php?route=product/search"), 0, "and nothing else");

    let clean = |shop: &mut Shop| {
        shop.installer = None;
        shop.exposed = Ok(Vec::new());
        shop.storage = Ok(Some("/srv/storage".into()));
    };
    let verdicts = judged(&nginx, host, clean);
    let checks = [
        Check::Fw09,
        Check::Dd01,
        Check::Dd02,
        Check::Dd03,
        Check::Dd04,
        Check::Api01,
        Check::Api02,
        Check::Api03,
        Check::Api05,
        Check::Api06,
        Check::Api14,
        Check::Mon01,
    ];
    for check in checks {
        assert_eq!(verdicts[&check].state, State::Pass, "{}: {:?}", check.id(), verdicts[&check]);
    }
    // What is still there is still told, though nobody gets it.
    let verdicts = judged(&nginx, host, |_| {});
    let halves = [Check::Api01, Check::Api03, Check::Api05];
    let expected = ["API-01", "API-03", "API-05"].map(|id| (id, State::Partial));
    assert_eq!(states(&verdicts, &halves), expected, "{verdicts:#?}");
    assert_eq!(verdicts[&Check::Mon02].state, State::Fail, "the logs are open, and nobody rotates them");
}
