use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::super::Front;
use super::super::tests::{asked_for, host, server, write};
use super::{CHECKS, judge};
use crate::collectors::security::backends::{Php, Pool};
use crate::collectors::security::check::Check;
use crate::collectors::security::seen::Seen;
use crate::collectors::security::shop::{Engine, Shop};
use crate::collectors::security::verdict::{Cause, State, Unknown, Verdicts};

fn unseen() -> Unknown {
    Unknown::new(Cause::NotConfigured, "nobody looked")
}

/// A shop with all that a shop should not have.
pub(in crate::collectors::security::front) fn opencart(root: &Path) -> Shop {
    Shop {
        admin: Some("/admin/".to_owned()),
        storage: Ok(Some(root.join("system/storage"))),
        installer: Some("/install/index.php".to_owned()),
        exposed: Ok(["/backup.sql", "/.git/HEAD", "/config.php.bak", "/phpinfo.php", "/.env"]
            .map(str::to_owned)
            .to_vec()),
        written: ["/image/", "/image/cache/", "/system/storage/upload/"].map(str::to_owned).to_vec(),
        ..Shop::bare(root.to_str().unwrap(), Engine::OpenCart(Some((4, 1, 0))))
    }
}

/// All that the checks look at.
pub(in crate::collectors::security::front) fn seen(front: Front, shop: Shop) -> Seen {
    let settings = [("cgi.fix_pathinfo", "1"), ("post_max_size", "8M")];
    let settings: BTreeMap<_, _> = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Seen {
        now: std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs().cast_signed(),
        front: Ok(front),
        shop: Ok(shop),
        php: Ok(Php { version: "8.2.36".to_owned(), settings, ..Php::default() }),
        ..Seen::nothing(Cause::NotConfigured)
    }
}

/// What the checks say of a shop whose server says this, and of its shop and PHP when they are changed so.
fn judged(http: &str, change: impl FnOnce(&mut Seen)) -> Verdicts {
    judged_of(&host(http), change)
}

fn judged_of(host: &tempfile::TempDir, change: impl FnOnce(&mut Seen)) -> Verdicts {
    let front = Front::read(host.path(), &asked_for("https://shop.example/")).unwrap();
    let mut seen = seen(front, opencart(Path::new("/srv/shop")));
    change(&mut seen);
    let mut verdicts = Verdicts::new();
    judge(&seen, &Ok(Some(5)), &mut verdicts);
    assert_eq!(verdicts.len(), CHECKS.len(), "each check has a verdict");
    verdicts
}

fn shop(seen: &mut Seen) -> &mut Shop {
    seen.shop.as_mut().unwrap()
}

fn state(verdicts: &Verdicts, check: Check) -> State {
    verdicts[&check].state
}

const ZONES: &str =
    "limit_req_zone $binary_remote_addr zone=a:1m rate=9r/s; limit_req_zone $server_name zone=s:1m rate=9r/s;
                     limit_req_zone $http_x_real_ip$http_user_agent zone=h:1m rate=9r/s;
                     limit_conn_zone $binary_remote_addr zone=c:1m; limit_conn_zone $server_name zone=n:1m;";

#[test]
fn a_limit_that_does_not_stop_one_client_is_half_of_one() {
    let php = r"fastcgi_pass unix:/p; fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;";
    for (said, requests, connections) in [
        ("limit_req zone=a; limit_conn c 9; {php}", State::Pass, State::Pass),
        ("limit_req zone=s; limit_conn n 9; {php}", State::Partial, State::Partial),
        ("limit_req zone=h; {php}", State::Partial, State::Fail),
        (
            "limit_req zone=a; limit_req_dry_run on; limit_conn c 9; limit_conn_dry_run on; {php}",
            State::Partial,
            State::Partial,
        ),
        ("limit_req zone=a; limit_req zone=s; {php}", State::Pass, State::Fail),
        ("{php}", State::Fail, State::Fail),
        ("location = /index.php { limit_req zone=a; PHP } {php}", State::Partial, State::Fail),
        (
            "location / { proxy_pass http://127.0.0.1:9; }",
            State::Unknown(Cause::Unsupported),
            State::Unknown(Cause::Unsupported),
        ),
        (
            "return 301 https://elsewhere.example/;",
            State::Unknown(Cause::Unsupported),
            State::Unknown(Cause::Unsupported),
        ),
        (
            "deny all; limit_req zone=a; limit_conn c 9; {php}",
            State::Unknown(Cause::Unsupported),
            State::Unknown(Cause::Unsupported),
        ),
        (
            "set_by_lua_block $x { return 1 } limit_req zone=a; {php}",
            State::Unknown(Cause::Unsupported),
            State::Unknown(Cause::Unsupported),
        ),
    ] {
        let verdicts = judged(&format!("{ZONES} {}", server(&said.replace("PHP", php))), |_| {});
        assert_eq!(state(&verdicts, Check::Dd01), requests, "{said}: {:?}", verdicts[&Check::Dd01]);
        assert_eq!(state(&verdicts, Check::Dd02), connections, "{said}: {:?}", verdicts[&Check::Dd02]);
    }
}

#[test]
fn times_count_when_they_are_said() {
    for (said, expected) in [
        ("client_header_timeout 15s; client_body_timeout 20; send_timeout 10s;", State::Pass),
        ("client_header_timeout 15s; client_body_timeout 1m; send_timeout 10s;", State::Partial),
        ("client_header_timeout 15s; client_body_timeout 61s; send_timeout 10s;", State::Fail),
        ("client_header_timeout 15s; client_body_timeout 15s;", State::Fail),
        ("client_header_timeout 15s; client_body_timeout 15s; send_timeout 0;", State::Fail),
        ("", State::Fail),
    ] {
        let verdicts = judged(&server(&format!("{said} {{php}}")), |_| {});
        assert_eq!(state(&verdicts, Check::Dd03), expected, "{said}");
    }
}

#[test]
fn a_requests_size_is_held_against_what_php_takes() {
    for (said, post, expected) in [
        ("client_max_body_size 16m;", Some("8M"), State::Pass),
        ("client_max_body_size 17m;", Some("8M"), State::Partial),
        ("client_max_body_size 17m;", Some("0"), State::Pass),
        ("client_max_body_size 16m;", None, State::Unknown(Cause::NotConfigured)),
        ("client_max_body_size 257m;", Some("512M"), State::Fail),
        ("client_max_body_size 257m;", None, State::Fail),
        ("client_max_body_size 0;", Some("8M"), State::Fail),
        ("", Some("8M"), State::Partial),
        ("location ^~ /admin/ { client_max_body_size 0; {php} } client_max_body_size 8m;", Some("8M"), State::Fail),
    ] {
        let verdicts = judged(&server(&format!("{said} {{php}}")), |seen| match post {
            Some(post) => drop(seen.php.as_mut().unwrap().settings.insert("post_max_size".to_owned(), post.to_owned())),
            None => seen.php = Err(unseen()),
        });
        assert_eq!(state(&verdicts, Check::Dd04), expected, "{said} {post:?}: {:?}", verdicts[&Check::Dd04]);
    }
}

#[test]
fn a_pool_that_is_not_asked_still_says_what_it_takes() {
    for (listen, size, expected) in [
        ("/run/php.sock", Some("8M"), State::Pass),
        ("/run/php.sock", Some("4M"), State::Partial),
        ("/run/php.sock", Some("${SIZE}"), State::Unknown(Cause::NotConfigured)),
        ("/run/php.sock", None, State::Unknown(Cause::NotConfigured)),
        ("/run/other.sock", Some("8M"), State::Unknown(Cause::NotConfigured)),
    ] {
        let verdicts = judged(&server("client_max_body_size 16m; {php}"), |seen| {
            seen.php = Err(unseen());
            seen.pools = Ok(vec![Pool { post_max_size: size.map(str::to_owned), ..Pool::bare(listen) }]);
        });
        assert_eq!(state(&verdicts, Check::Dd04), expected, "{listen} {size:?}: {:?}", verdicts[&Check::Dd04]);
    }
}

#[test]
fn nobody_is_believed_who_says_where_they_come_from() {
    let six = "HTTP_CF_CONNECTING_IP HTTP_X_FORWARDED_FOR HTTP_X_REAL_IP HTTP_X_CLIENT_IP HTTP_CLIENT_IP HTTP_X_CLUSTER_CLIENT_IP";
    let all =
        |value: &str| six.split(' ').map(|name| format!("fastcgi_param {name} {value};")).collect::<Vec<_>>().concat();
    let php = "location ~ \\.php$ { fastcgi_pass unix:/p; fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; OWN }";
    let own = |own: &str| php.replace("OWN", own);
    for (said, version, expected) in [
        (own(""), Some((3, 0, 3)), State::Pass),
        (own(""), Some((4, 1, 0)), State::Partial),
        (own(""), None, State::Unknown(Cause::Unsupported)),
        (own(&all("$remote_addr")), Some((4, 1, 0)), State::Pass),
        (own(&all("\"\"")), Some((4, 1, 0)), State::Pass),
        (own(&all("$http_x_real_ip")), Some((4, 1, 0)), State::Partial),
        (own(&all("$proxy_add_x_forwarded_for")), Some((4, 1, 0)), State::Partial),
        (format!("set $who $http_x_real_ip; {}", own(&all("$who"))), Some((4, 1, 0)), State::Partial),
        (format!("set $who $remote_addr; {}", own(&all("$who"))), Some((4, 1, 0)), State::Pass),
        (format!("{} {}", all("$remote_addr"), own("")), Some((4, 1, 0)), State::Partial),
        (format!("set_real_ip_from 0.0.0.0/0; {}", own("")), Some((3, 0, 3)), State::Fail),
        (format!("set_real_ip_from ::/0; {}", own(&all("\"\""))), Some((4, 1, 0)), State::Fail),
        (
            format!("set_real_ip_from 10.0.0.0/8; set_real_ip_from 173.245.48.0/20; {}", own("")),
            Some((3, 0, 3)),
            State::Pass,
        ),
    ] {
        let verdicts = judged(&server(&said), |seen| shop(seen).engine = Engine::OpenCart(version));
        assert_eq!(state(&verdicts, Check::Fw09), expected, "{said}: {:?}", verdicts[&Check::Fw09]);
    }
    let verdicts = judged(&server("set_real_ip_from 0.0.0.0/0; {php}"), |seen| seen.shop = Err(unseen()));
    assert_eq!(
        state(&verdicts, Check::Fw09),
        State::Fail,
        "that everybody is believed is seen without the shop's files"
    );
}

#[test]
fn the_administration_is_closed_or_it_is_not() {
    let php =
        r"location ~ \.php { fastcgi_pass unix:/p; fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; }";
    for (said, admin, expected) in [
        ("PHP", "/admin/", State::Fail),
        ("PHP", "/backoffice/", State::Partial),
        ("location /admin/ { deny all; } PHP", "/admin/", State::Fail),
        ("location ^~ /admin/ { deny all; PHP } PHP", "/admin/", State::Pass),
        ("location ^~ /admin/ { auth_basic x; auth_basic_user_file /u; PHP } PHP", "/admin/", State::Pass),
        ("location ^~ /admin/ { auth_basic x; PHP } PHP", "/admin/", State::Fail),
        // Another way leads to the same script: its name with a path behind it.
        ("location = /admin/index.php { deny all; } PHP", "/admin/", State::Fail),
        ("location ^~ /admin { allow 0.0.0.0/1; allow 128.0.0.0/1; deny all; PHP } PHP", "/admin/", State::Fail),
        ("ssl_verify_client on; PHP", "/admin/", State::Pass),
        (
            "if ($remote_addr != 203.0.113.7) { set $stranger 1; } if ($uri ~ ^/admin) { set $stranger \"${stranger}1\"; } if ($stranger = 11) { return 403; } PHP",
            "/admin/",
            State::Pass,
        ),
        ("location ^~ /admin/ { proxy_pass http://127.0.0.1:9; } PHP", "/admin/", State::Unknown(Cause::Unsupported)),
        ("location / { try_files $uri =404; }", "/admin/", State::Fail),
        ("location ~ \\.php$ { deny all; }", "/admin/", State::Pass),
    ] {
        let host = host(&server(&said.replace("PHP", php)));
        write(host.path(), "srv/shop/backoffice/index.php", "");
        let verdicts = judged_of(&host, |seen| shop(seen).admin = Some(admin.to_owned()));
        assert_eq!(state(&verdicts, Check::Api02), expected, "{said}: {:?}", verdicts[&Check::Api02]);
    }
    let verdicts = judged(&server("{php}"), |seen| shop(seen).admin = None);
    assert_eq!(state(&verdicts, Check::Api02), State::Unknown(Cause::NotConfigured));
}

#[test]
fn no_name_of_a_script_runs_in_a_folder_that_is_written_to() {
    let php = r"fastcgi_pass unix:/p; fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;";
    let ways = [
        (r"location ~ \.php$ { try_files $uri =404; PHP } location ~* ^/image/.*\.php$ { deny all; }", State::Fail),
        (r"location ^~ /image/ { try_files $uri =404; } location ~ \.php$ { PHP }", State::Pass),
        (r"location ~* ^/image/.*\.php$ { deny all; } location ~ \.php$ { try_files $uri =404; PHP }", State::Pass),
        // `/image/x.jpg/y.php` is no file, and PHP would look for one in it.
        (
            r"location ~ ^/image/[^/]+\.php$ { deny all; } location ~ ^/image/cache/[^/]+\.php$ { deny all; } location ~ \.php$ { PHP }",
            State::Partial,
        ),
        // `/image/x.php/y` gets by the pattern.
        (r"location ~* ^/image/.*\.php$ { deny all; } location ~ [^/]\.php(/|$) { PHP }", State::Fail),
        (
            r"location ~ \.ph(p|ar)$ { try_files $uri =404; PHP } location ^~ /image/x.php { deny all; } location ^~ /image/cache/x.php { deny all; }",
            State::Fail,
        ),
        (r"location / { proxy_pass http://127.0.0.1:9; }", State::Unknown(Cause::Unsupported)),
    ];
    let written = |seen: &mut Seen| shop(seen).written.truncate(2);
    // Pictures lie elsewhere, and the operator names the folder by another way.
    let elsewhere = "location /image/ { alias /srv/media/; location ~ \\.php$ { try_files $uri =404; PHP } }";
    let elsewhere = elsewhere.replace("PHP", &php.replace("$document_root$fastcgi_script_name", "$request_filename"));
    let verdicts = judged(&server(&elsewhere), written);
    assert_eq!(state(&verdicts, Check::Api06), State::Fail, "{:?}", verdicts[&Check::Api06]);
    for (said, expected) in ways {
        let verdicts = judged(&server(&said.replace("PHP", php)), written);
        assert_eq!(state(&verdicts, Check::Api06), expected, "{said}: {:?}", verdicts[&Check::Api06]);
    }
    let by_path = server(&ways[3].0.replace("PHP", php));
    let off = |seen: &mut Seen| {
        written(seen);
        seen.php.as_mut().unwrap().settings.insert("cgi.fix_pathinfo".to_owned(), "0".to_owned());
    };
    assert_eq!(state(&judged(&by_path, off), Check::Api06), State::Pass, "PHP does not look for one");
    let unknown = |seen: &mut Seen| {
        written(seen);
        seen.php = Err(unseen());
    };
    assert_eq!(state(&judged(&by_path, unknown), Check::Api06), State::Unknown(Cause::NotConfigured));
}

#[test]
fn what_is_there_and_not_served_is_half_a_fault() {
    let host = host(&server(
        "location ^~ /system/ { deny all; } location ~ \\.sql$ { deny all; } location ^~ /install/ { deny all; } {php}",
    ));
    let verdicts = judged_of(&host, |seen| shop(seen).exposed = Ok(vec!["/backup.sql".to_owned()]));
    for check in [Check::Api01, Check::Api03, Check::Api05] {
        assert_eq!(state(&verdicts, check), State::Partial, "{:?}", verdicts[&check]);
        assert_eq!(verdicts[&check].cap, None);
    }
    let clean = |seen: &mut Seen| {
        shop(seen).exposed = Ok(Vec::new());
        shop(seen).installer = None;
        shop(seen).storage = Ok(Some("/srv/storage".into()));
    };
    let verdicts = judged_of(&host, clean);
    for check in [Check::Api01, Check::Api03, Check::Api05] {
        assert_eq!(state(&verdicts, check), State::Pass, "{:?}", verdicts[&check]);
    }
}

#[test]
fn a_name_that_is_not_easy_is_asked_for_as_it_is_sent() {
    let host = host(&server("location ~ \\.php$ { deny all; }"));
    write(host.path(), "srv/shop/old files/x.sql", "");
    let verdicts = judged_of(&host, |seen| shop(seen).exposed = Ok(vec!["/old%20files/x.sql".to_owned()]));
    let verdict = &verdicts[&Check::Api05];
    assert_eq!((verdict.state, &*verdict.fix), (State::Fail, "rm -r '/srv/shop/old files/x.sql'"), "{verdict:?}");

    let php = "location ~ \\.php$ { fastcgi_pass unix:/p; fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; }";
    let verdicts = judged(&server(php), |seen| shop(seen).written = vec!["/old%20files/".to_owned()]);
    let verdict = &verdicts[&Check::Api06];
    assert_eq!(verdict.state, State::Fail, "{verdict:?}");
    assert!(verdict.fix.starts_with("location ^~ \"/old files/\" {"), "{verdict:?}");
}

#[test]
fn a_storage_is_asked_for_by_its_own_name() {
    // Each would be another path, or none, if it were sent as it is.
    for name in ["storage%41?", "storage#1", "storage%", "old storage"] {
        let judged = |said: &str| {
            let host = host(&server(said));
            let storage = format!("srv/shop/{name}");
            write(host.path(), &format!("{storage}/logs/error.log"), "");
            let verdicts = judged_of(&host, |seen| shop(seen).storage = Ok(Some(Path::new("/").join(&storage))));
            verdicts[&Check::Api03].clone()
        };
        let beside = judged("location ^~ /storageA { deny all; } location = /storage { deny all; } {php}");
        assert_eq!(beside.state, State::Fail, "{name}: {beside:?}");
        let denied = judged(&format!("location ^~ \"/{name}/\" {{ deny all; }} {{php}}"));
        assert_eq!(denied.state, State::Partial, "{name}: {denied:?}");
        let quoted = if name.contains(' ') { format!("\"/{name}/\"") } else { format!("/{name}/") };
        assert!(denied.fix.ends_with(&format!("location ^~ {quoted} {{ deny all; }}")), "{denied:?}");
    }
}

#[test]
fn what_is_denied_says_nothing_of_what_was_not_looked_at() {
    let missed = || Some(Unknown::new(Cause::Permission, "closed"));
    for (said, missed, more, expected) in [
        ("location ~ \\.sql$ { deny all; } {php}", None, 0, State::Partial),
        ("location ~ \\.sql$ { deny all; } {php}", missed(), 0, State::Unknown(Cause::Permission)),
        ("location ~ \\.sql$ { deny all; } {php}", None, 20, State::Unknown(Cause::Unsupported)),
        ("{php}", missed(), 20, State::Fail),
    ] {
        let verdicts = judged(&server(said), |seen| {
            let shop = shop(seen);
            shop.exposed = Ok(vec!["/backup.sql".to_owned()]);
            (shop.exposed_missed, shop.more_exposed) = (missed, more);
        });
        assert_eq!(state(&verdicts, Check::Api05), expected, "{said}: {:?}", verdicts[&Check::Api05]);
    }
}

#[test]
fn logins_are_throttled_by_nginx_or_by_the_shop() {
    let zones = "limit_req_zone $key zone=l:1m rate=9r/m; map \"$uri:$arg_route\" $key { default ''; ADMIN CUSTOMER }";
    let admin = "~^/admin/index.php:common/login $binary_remote_addr;";
    let customer = "~:account/login $binary_remote_addr; ~:checkout/login $binary_remote_addr;";
    let (three, four) = (Some((3, 0, 3)), Some((4, 1, 0)));
    for (admin, customer, attempts, version, expected) in [
        (admin, customer, Ok(None), four, State::Pass),
        (admin, "", Ok(Some(5)), four, State::Pass),
        (admin, "", Ok(Some(0)), four, State::Partial),
        (admin, "", Ok(Some(50)), four, State::Partial),
        ("", customer, Ok(Some(5)), four, State::Partial),
        ("", "", Ok(Some(5)), four, State::Partial),
        ("", "", Ok(Some(5)), three, State::Partial),
        ("", customer, Ok(Some(5)), three, State::Pass),
        ("", "", Ok(None), four, State::Fail),
        ("", "", Err(unseen()), four, State::Unknown(Cause::NotConfigured)),
        (admin, customer, Err(unseen()), four, State::Pass),
    ] {
        let http = zones.replace("ADMIN", admin).replace("CUSTOMER", customer);
        let host = host(&format!("{http} {}", server("limit_req zone=l; {php}")));
        let front = Front::read(host.path(), &asked_for("https://shop.example/")).unwrap();
        let mut seen = seen(front, opencart(Path::new("/srv/shop")));
        shop(&mut seen).engine = Engine::OpenCart(version);
        let mut verdicts = Verdicts::new();
        judge(&seen, &attempts, &mut verdicts);
        assert_eq!(
            state(&verdicts, Check::Api14),
            expected,
            "{admin}|{customer}|{attempts:?}: {:?}",
            verdicts[&Check::Api14]
        );
    }
}

#[test]
fn a_log_tells_who_asked_for_what_and_when() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs().cast_signed();
    let json = "log_format j escape=json '{\"t\":\"$time_iso8601\",\"ip\":\"$remote_addr\",\"m\":\"$request_method\",\"u\":\"$uri\",\"q\":\"$args\",\"s\":$status,\"ua\":\"$http_user_agent\"}';";
    let short = "log_format s '$remote_addr $request_time $status';";
    let map = "map $status $failed { default 0; ~^[45] 1; }";
    let http = |said: &str| format!("{json} {short} {map} {}", server(&format!("{said} {{php}}")));
    for (said, age, expected) in [
        ("access_log /var/log/nginx/shop.log;", 0, State::Pass),
        ("access_log /var/log/nginx/shop.log j buffer=64k flush=5s;", 0, State::Pass),
        ("access_log /var/log/nginx/shop.log s; access_log /var/log/nginx/shop.log j;", 0, State::Pass),
        ("access_log syslog:server=10.0.0.1 combined;", 0, State::Pass),
        ("access_log /var/log/nginx/shop.log s;", 0, State::Partial),
        ("access_log /var/log/nginx/shop.log combined buffer=64k;", 0, State::Partial),
        ("access_log /var/log/nginx/shop.log combined gzip flush=5m;", 0, State::Partial),
        ("access_log /var/log/nginx/shop.log;", 90_000, State::Partial),
        ("access_log off;", 0, State::Fail),
        ("access_log /dev/null;", 0, State::Fail),
        ("access_log /var/log/nginx/shop.log combined if=$failed;", 0, State::Fail),
        ("access_log /var/log/nginx/shop.log; location ^~ /admin/ { access_log off; {php} }", 0, State::Fail),
        ("access_log /var/log/nginx/none.log;", 0, State::Unknown(Cause::Unparsable)),
        ("access_log /var/log/nginx/shop.log undefined;", 0, State::Unknown(Cause::Unparsable)),
    ] {
        let host = host(&http(said));
        write(host.path(), "var/log/nginx/shop.log", "");
        let verdicts = judged_of(&host, |seen| seen.now = now + age);
        assert_eq!(state(&verdicts, Check::Mon01), expected, "{said}: {:?}", verdicts[&Check::Mon01]);
    }
}

#[test]
fn logs_are_kept_for_long_and_closed_to_others() {
    let said = "access_log /var/log/nginx/shop.log; error_log /var/log/nginx/shop-errors.log LEVEL; {php}";
    let rotated = |count: u32| format!("/var/log/nginx/*.log {{\n daily\n rotate {count}\n}}\n");
    for (level, mode, folder, rotation, expected) in [
        ("warn", 0o640, 0o755, rotated(60), State::Pass),
        ("notice", 0o644, 0o750, rotated(30), State::Pass),
        ("error", 0o640, 0o755, rotated(60), State::Partial),
        ("", 0o640, 0o755, rotated(60), State::Partial),
        ("warn", 0o644, 0o755, rotated(60), State::Partial),
        ("warn", 0o640, 0o755, rotated(14), State::Partial),
        ("warn", 0o640, 0o755, String::new(), State::Partial),
        ("warn", 0o644, 0o755, rotated(14), State::Fail),
        ("crit", 0o644, 0o755, rotated(14), State::Fail),
    ] {
        let host = host(&server(&said.replace("LEVEL", level)));
        let root = host.path();
        std::fs::set_permissions(root, Permissions::from_mode(0o755)).unwrap();
        for log in ["shop.log", "shop-errors.log"] {
            write(root, &format!("var/log/nginx/{log}"), "");
            std::fs::set_permissions(root.join("var/log/nginx").join(log), Permissions::from_mode(mode)).unwrap();
        }
        std::fs::set_permissions(root.join("var/log/nginx"), Permissions::from_mode(folder)).unwrap();
        write(root, "etc/logrotate.d/nginx", &rotation);
        let verdicts = judged_of(&host, |_| {});
        assert_eq!(
            state(&verdicts, Check::Mon02),
            expected,
            "{level} {mode:o} {rotation}: {:?}",
            verdicts[&Check::Mon02]
        );
    }
}

#[test]
fn what_becomes_of_logs_that_go_elsewhere_is_not_known() {
    let elsewhere = "access_log syslog:server=10.0.0.1; error_log syslog:server=10.0.0.1 warn; {php}";
    let verdicts = judged(&server(elsewhere), |_| {});
    assert_eq!(state(&verdicts, Check::Mon02), State::Unknown(Cause::Unsupported));
}

#[test]
fn without_nginx_only_what_is_not_there_is_known() {
    let host = host(&server("{php}"));
    let verdicts = judged_of(&host, |seen| seen.front = Err(unseen()));
    assert!(CHECKS.iter().all(|(check, _)| state(&verdicts, *check) == State::Unknown(Cause::NotConfigured)));
    let verdicts = judged_of(&host, |seen| {
        seen.front = Err(unseen());
        shop(seen).installer = None;
        shop(seen).exposed = Ok(Vec::new());
    });
    let passed: Vec<_> = CHECKS
        .iter()
        .filter(|(check, _)| state(&verdicts, *check) == State::Pass)
        .map(|(check, _)| check.id())
        .collect();
    assert_eq!(passed, ["API-01", "API-05"]);
}

#[test]
fn without_the_shops_files_nothing_of_it_passes() {
    let verdicts = judged(&format!("{ZONES} {}", server("limit_req zone=a; limit_conn c 9; {php}")), |seen| {
        seen.shop = Err(unseen());
    });
    let passed: Vec<_> = CHECKS
        .iter()
        .filter(|(check, _)| state(&verdicts, *check) == State::Pass)
        .map(|(check, _)| check.id())
        .collect();
    assert_eq!(passed, ["DD-02"]);
}

#[test]
fn every_fault_says_how_it_is_mended() {
    let verdicts = judged(&server("{php}"), |_| {});
    for (check, verdict) in &verdicts {
        let is_fault = matches!(verdict.state, State::Fail | State::Partial);
        assert_eq!(is_fault, !verdict.fix.is_empty(), "{}: {verdict:?}", check.id());
    }
}

#[test]
fn another_door_to_the_same_shop_counts_as_much() {
    let careful = "location ^~ /admin/ { deny all; } location ~ \\.sql$ { deny all; } {php}";
    let shop_of = |http: &str| judged(http, |seen| shop(seen).exposed = Ok(vec!["/backup.sql".to_owned()]));
    let states = |verdicts: &Verdicts| [Check::Api02, Check::Api05].map(|check| state(verdicts, check));
    assert_eq!(states(&shop_of(&server(careful))), [State::Pass, State::Partial]);
    let by_address = server("{php}").replace("server_name shop.example;", "server_name _;");
    let by_http = server("{php}").replace("listen 443 ssl;", "listen 80;");
    let away = "server { listen 80; server_name shop.example; return 301 https://shop.example$request_uri; }";
    let other = by_address.replace("/srv/shop", "/srv/other");
    let inside = by_http.replace("listen 80;", "listen 127.0.0.1:8080;");
    for (more, expected) in [
        (by_address.as_str(), [State::Fail, State::Fail]),
        (&by_http, [State::Fail, State::Fail]),
        (away, [State::Pass, State::Partial]),
        (&other, [State::Pass, State::Partial]),
        (&inside, [State::Pass, State::Partial]),
    ] {
        let verdicts = shop_of(&format!("{} {more}", server(careful)));
        assert_eq!(states(&verdicts), expected, "{more}: {:?}", verdicts[&Check::Api02]);
    }
}
