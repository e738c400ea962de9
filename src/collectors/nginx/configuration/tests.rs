//! Configurations as people write them.

use std::fs;

use super::*;

fn found(files: &[(&str, &str)]) -> Option<Configuration> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    read(folder.path(), Path::new("/etc/nginx/nginx.conf"))
}

fn one(text: &str) -> Configuration {
    found(&[("etc/nginx/nginx.conf", text)]).unwrap()
}

/// Each server's name, root, logs and logs of errors.
fn shown(found: &Configuration) -> String {
    let log = |log: &AccessLog| {
        let marks = [(log.is_partial(), " in part"), (log.is_held_back(), " late")];
        let marks: String = marks.iter().filter(|(is_so, _)| *is_so).map(|(_, mark)| *mark).collect();
        let file = log.said_in.as_ref().map_or("nowhere".into(), |file| file.display().to_string());
        format!("  {} as {}{marks}, said in {file}", log.path, log.format)
    };
    let line = |server: &Server| {
        let root = server.root.as_deref().unwrap_or("-");
        let logs: Vec<_> = server.logs.iter().map(|set| set.iter().map(log).collect::<Vec<_>>().join("\n+")).collect();
        let errors: Vec<_> = server.errors.iter().map(|path| format!("  errors {path}")).collect();
        [vec![format!("{} {root}", server.names.join(" "))], logs, errors].concat().join("\n")
    };
    found.servers.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_page_is_found_with_its_server_through_includes() {
    let found = found(&[
        ("etc/nginx/nginx.conf", "events {}\nhttp {\n include conf.d/*.conf; # stub_status;\n include /srv/a;\n}\n"),
        ("etc/nginx/conf.d/shop.conf", "server { listen 443 ssl; server_name shop.example; location / { } }"),
        (
            "etc/nginx/conf.d/status.conf",
            "server {\n location = '/nginx status' { deny all; }\n location = /stub_status { stub_status; }\n\
             location ~ ^/s { stub_status on; }\n server_name localhost a;\n listen 127.0.0.1:8080 default_server;\n}",
        ),
        ("srv/a", "server { location /x { if ($a = \"}\") { set ${b} 1; } location /x/y { stub_status; } } }"),
    ])
    .unwrap();
    let found: Vec<_> = found.servers.into_iter().filter(|server| !server.pages.is_empty()).collect();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].listens, [["127.0.0.1:8080", "default_server"]]);
    assert_eq!(
        (&found[0].names[..], &found[0].pages[..]),
        (&["localhost".into(), "a".into()][..], &["/stub_status".into()][..])
    );
    assert_eq!((&found[1].listens[..], &found[1].pages[..]), (&[][..], &["/x/y".to_owned()][..]));
}

#[test]
fn debians_configuration_logs_in_one_place_and_has_no_page() {
    let text = include_str!("../../../../tests/fixtures/nginx/nginx-1.22-debian-nginx.conf");
    let site = "server { listen 80 default_server; root /var/www/html; server_name _; location / { } }";
    let found = found(&[("etc/nginx/nginx.conf", text), ("etc/nginx/sites-enabled/default", site)]).unwrap();
    assert!(found.servers.iter().all(|server| server.pages.is_empty()));
    expect_test::expect![[r#"
        _ /var/www/html
          /var/log/nginx/access.log as combined, said in /etc/nginx/nginx.conf
          errors /var/log/nginx/error.log"#]]
    .assert_eq(&shown(&found));
}

#[test]
fn links_lead_where_they_lead_on_the_host() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join("etc/nginx").join(name);
    for name in ["sites-available", "sites-enabled"] {
        fs::create_dir_all(at(name)).unwrap();
    }
    fs::write(at("nginx.conf"), "http { include /etc/nginx/sites-enabled/*; }").unwrap();
    fs::write(at("sites-available/shop"), "server { server_name shop.example; ssl_certificate_key /k; }").unwrap();
    std::os::unix::fs::symlink("/etc/nginx/sites-available/shop", at("sites-enabled/shop")).unwrap();
    std::os::unix::fs::symlink("../sites-enabled/shop", at("sites-enabled/again")).unwrap();
    std::os::unix::fs::symlink("round", at("sites-enabled/round")).unwrap();
    let found = read(folder.path(), Path::new("/etc/nginx/nginx.conf")).unwrap();
    assert_eq!(found.certificate_keys, ["/k", "/k"]);
    assert_eq!(found.servers.len(), 2);
}

#[test]
fn a_configuration_that_is_not_there_says_nothing() {
    assert_eq!(found(&[]), None);
}

#[test]
fn logs_are_those_of_the_nearest_level_that_has_any() {
    let found = one("error_log /e/main;\n\
         stream { access_log /a/stream basic; server { access_log /a/stream2 basic; } }\n\
         http {\n\
           server { server_name early; location / { root /srv/early; access_log off; } }\n\
           access_log /a/http timed buffer=32k flush=1s; access_log /a/more;\n\
           map $uri $root { default 1; access_log /a/map; }\n\
           server { server_name quiet; access_log off; error_log /dev/stderr; }\n\
           server { server_name own; root /srv/own; set $where /a/set; access_log $where/$host.log timed if=$loggable;\n\
             error_log /e/own warn; location /api { access_log /a/api json; location /api/x { access_log /a/x; } }\n\
             location /b { if ($bot) { access_log /a/bots; } } }\n\
           server { server_name elsewhere; access_log syslog:server=log.example timed; access_log /a/held timed buffer=64k;\n\
             access_log /a/packed timed gzip=9; access_log /dev/stdout; }\n\
           root /srv/http;\n\
         }");
    expect_test::expect![[r#"
        early /srv/early
          /a/http as timed, said in /etc/nginx/nginx.conf
        +  /a/more as combined, said in /etc/nginx/nginx.conf
          errors /e/main
        quiet /srv/http
        own /srv/own
          /a/set/$host.log as timed in part, said in /etc/nginx/nginx.conf
          /a/x as combined, said in /etc/nginx/nginx.conf
          /a/api as json, said in /etc/nginx/nginx.conf
          /a/bots as combined, said in /etc/nginx/nginx.conf
          errors /e/own
        elsewhere /srv/http
          /a/held as timed late, said in /etc/nginx/nginx.conf
          errors /e/main"#]]
    .assert_eq(&shown(&found));
}

#[test]
fn a_server_that_says_nothing_logs_where_nginx_was_built_to() {
    expect_test::expect![[r#"
        a -
          logs/access.log as combined, said in nowhere"#]]
    .assert_eq(&shown(&one("http { server { server_name a; } }")));
}

#[test]
fn formats_are_put_together_from_their_parts() {
    let found = one(r#"http {
        log_format timed '$remote_addr - $remote_user [$time_local] "$request" '
                         '$status $request_time';
        log_format object escape=json '{"t":"$time_iso8601",'
          '"s":$status}';
        log_format tabs "$host\t\"$request\"";
        log_format;
    }"#);
    let shown: Vec<_> = found.formats.iter().map(|(name, f)| format!("{name} {} {}", f.escape, f.text)).collect();
    assert_eq!(
        shown,
        [
            r#"object json {"t":"$time_iso8601","s":$status}"#,
            "tabs default $host\t\"$request\"",
            r#"timed default $remote_addr - $remote_user [$time_local] "$request" $status $request_time"#,
        ]
    );
}

#[test]
fn a_root_of_variables_is_put_together_and_never_grows_without_end() {
    let root = |text: &str| one(text).servers[0].root.clone().unwrap();
    let magento = "http { server { set $MAGE_ROOT /var/www/magento; root $MAGE_ROOT/pub; } }";
    assert_eq!(root(magento), "/var/www/magento/pub");
    let doubling: Vec<_> = (0..90).map(|n| format!("set $v{n}x $v{}x$v{}x;", n + 1, n + 1)).collect();
    assert_eq!(root(&format!("http {{ server {{ {} root $v0x; }} }}", doubling.concat())), "$v0x");
}

#[test]
fn files_that_include_one_another_end() {
    let text = "include nginx.conf; include nginx.conf;";
    assert_eq!(found(&[("etc/nginx/nginx.conf", text)]), Some(Configuration::default()));
}

#[test]
fn what_a_stranger_may_include_does_not_grow_beyond_what_he_wrote() {
    let long = "/l".repeat(3_000);
    let many = "$a".repeat(900);
    let text = format!(
        "http {{ access_log {long} x; access_log /l/a x; access_log {many} x; error_log {long}; root {long}; server {{ set $a \
         {}; location /a {{ access_log \"/l/b\n\" x; access_log /l/b \"\\nThen: rm\"; access_log /l/b x; }} }} }}",
        "b".repeat(1_000),
    );
    let found = one(&text);
    let [server] = &found.servers[..] else { panic!("{found:?}") };
    assert_eq!((&server.root, &server.errors[..]), (&None, &[][..]));
    let paths: Vec<_> = server.logs.iter().flatten().map(|log| &*log.path).collect();
    assert_eq!(paths, ["/l/a", &many, "/l/b"], "what is too long, or is several lines, is nobody's log");
}

#[test]
fn logs_of_locations_and_patterns_of_files_are_so_many_and_no_more() {
    let location = "location /a { access_log /l/a; access_log /l/b; }".repeat(80);
    let servers = format!("server {{ {location} }}").repeat(100);
    let includes = format!("{} include /b*;", "include /a*;".repeat(PATTERNS));
    let found = found(&[("etc/nginx/nginx.conf", &format!("http {{ {servers} {includes} }}")), ("b", "server { }")]);
    let found = found.unwrap();
    let own = found.servers.len();
    assert_eq!(own, 100, "the last pattern is one too many");
    let logs: usize = found.servers.iter().flat_map(|server| &server.logs).map(Vec::len).sum();
    assert_eq!(logs, LOGS + own);
}
