//! Machines with an nginx, and what is made of its logs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use expect_test::{Expect, expect};

use super::*;
use crate::machine::Process;

/// A machine on which an nginx runs by these files.
fn machine(files: &[(&str, &str)]) -> (tempfile::TempDir, Machine) {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let title = "nginx: master process /usr/sbin/nginx -g daemon on;".to_owned();
    let nginx = Process { name: "nginx".to_owned(), user: 0, arguments: vec![title] };
    let machine = Machine { root: folder.path().to_owned(), processes: vec![nginx], ..Machine::default() };
    (folder, machine)
}

/// What is seen, and the tables.
#[track_caller]
fn found(files: &[(&str, &str)], expected: &Expect) {
    let (_folder, machine) = machine(files);
    let shown = |found: &Sighting| format!("{} ({})\n{}", found.name, found.seen, found.ways.concat());
    expected.assert_eq(&look(&machine).iter().map(shown).collect::<Vec<_>>().join("\n"));
}

const DEBIAN: &str = include_str!("../../../../tests/fixtures/nginx/nginx-1.22-debian-nginx.conf");

#[test]
fn debian_s_one_log_is_one_target() {
    let site = "server { listen 80 default_server; root /var/www/html; server_name _; }";
    found(
        &[("etc/nginx/nginx.conf", DEBIAN), ("etc/nginx/sites-enabled/default", site)],
        &expect![[r#"
            access (nginx logs to /var/log/nginx/access.log in the format combined)
            files = ["/var/log/nginx/access.log"]
            error_files = ["/var/log/nginx/error.log"]
        "#]],
    );
}

#[test]
fn a_shop_is_known_by_its_files_and_comes_first() {
    let sites = "server { server_name blog.example; root /srv/blog; access_log /var/log/nginx/blog.log; }\n\
                 server { listen 80; server_name shop.example www.shop.example; return 301 https://shop.example$uri;\n\
                   access_log /var/log/nginx/shop.log; }\n\
                 server { listen 443 ssl; server_name shop.example www.shop.example; root /srv/shop;\n\
                   access_log /var/log/nginx/shop.log; error_log /var/log/nginx/shop.error.log;\n\
                   location = /favicon.ico { access_log off; } }\n";
    found(
        &[
            ("etc/nginx/nginx.conf", DEBIAN),
            ("etc/nginx/sites-enabled/sites", sites),
            ("srv/shop/system/startup.php", ""),
            ("srv/shop/index.php", "<?php\ndefine('VERSION', '4.1.0.3');\n"),
        ],
        &expect![[r#"
            shop.example (nginx logs to /var/log/nginx/shop.log in the format combined; the files that it serves are those of opencart4)
            files = ["/var/log/nginx/shop.log"]
            error_files = ["/var/log/nginx/error.log", "/var/log/nginx/shop.error.log"]
            vhost = "shop.example"
            shop = "opencart4"

            blog.example (nginx logs to /var/log/nginx/blog.log in the format combined)
            files = ["/var/log/nginx/blog.log"]
            vhost = "blog.example"
        "#]],
    );
}

#[test]
fn lines_that_say_their_host_share_a_target_and_others_do_not() {
    let text = "http {\n\
        log_format timed '$host $remote_addr [$time_local] \"$request\" $status $body_bytes_sent $request_time';\n\
        log_format object escape=json '{\"u\":\"$request_uri\",\"s\":$status,\"h\":\"$hostname\"}';\n\
        server { server_name a.example; access_log /l/a.log timed; }\n\
        server { server_name b.example *.b.example ~^x; access_log /l/b.log timed; }\n\
        server { server_name b.example shop.b.example; access_log /l/b.log timed; }\n\
        server { server_name c.example; access_log /l/c.log object; }\n\
        server { server_name d.example e.example; access_log /l/$host.log; }\n\
        }";
    found(
        &[("etc/nginx/nginx.conf", text)],
        &expect![[r#"
            a (nginx logs to /l/a.log, /l/b.log in the format timed)
            files = ["/l/a.log", "/l/b.log"]
            format = "$host $remote_addr [$time_local] \"$request\" $status $body_bytes_sent $request_time"
            vhosts = { "a.example" = "a.example", "b.example" = "b.example", "shop.b.example" = "b.example" }

            c.example (nginx logs to /l/c.log in the format object)
            files = ["/l/c.log"]
            format = "escape=json '{\"u\":\"$request_uri\",\"s\":$status,\"h\":\"$hostname\"}'"
            vhost = "c.example"

            d.example (nginx logs to /l/d.example.log in the format combined)
            files = ["/l/d.example.log"]
            vhost = "d.example"

            e.example (nginx logs to /l/e.example.log in the format combined)
            files = ["/l/e.example.log"]
            vhost = "e.example"
        "#]],
    );
}

#[test]
fn no_request_is_counted_in_two_logs() {
    let text = "http {\n\
        log_format timed '$remote_addr [$time_local] \"$request\" $status $request_time';\n\
        access_log /l/all.log; access_log /l/all.timed.log timed;\n\
        server { server_name a.example; }\n\
        server { server_name b.example; access_log /l/b.log timed; access_log /l/all.log; }\n\
        server { server_name c.example; access_log /l/all.log; }\n\
        server { server_name d.example; access_log /l/d.log; access_log /l/d.timed.log timed; }\n\
        }";
    found(
        &[("etc/nginx/nginx.conf", text)],
        &expect![[r#"
            all (nginx logs to /l/all.log in the format combined)
            files = ["/l/all.log"]

            d.example (nginx logs to /l/d.timed.log in the format timed)
            files = ["/l/d.timed.log"]
            format = "$remote_addr [$time_local] \"$request\" $status $request_time"
            vhost = "d.example"
        "#]],
    );
}

#[test]
fn what_is_no_file_is_not_found() {
    let text = "http { server { server_name a; access_log syslog:server=log.example; }\n\
                server { access_log /dev/stdout; } server { access_log off; }\n\
                server { access_log /l/$remote_addr.log; } server { access_log /l/x.gz combined gzip; }\n\
                server { access_log /l/y unknown; } server { access_log \"/l/\u{1b}[8m\"; } }";
    found(&[("etc/nginx/nginx.conf", text)], &expect![""]);
    found(&[], &expect![""]);
}

#[test]
fn a_relative_name_is_where_the_file_is() {
    let text = "http { server { } server { server_name b; access_log logs/b.log; } }";
    found(
        &[("etc/nginx/nginx.conf", text), ("var/log/nginx/access.log", ""), ("usr/share/nginx/logs/b.log", "")],
        &expect![[r#"
            access (nginx logs to /var/log/nginx/access.log in the format combined)
            files = ["/var/log/nginx/access.log"]

            b (nginx logs to /usr/share/nginx/logs/b.log in the format combined)
            files = ["/usr/share/nginx/logs/b.log"]
            vhost = "b"
        "#]],
    );
}

#[test]
fn a_hundred_sites_are_some_words() {
    let sites: Vec<_> = (0..100).map(|n| format!("server {{ access_log /l/{n:02}.log; }}")).collect();
    let (_folder, machine) = machine(&[("etc/nginx/nginx.conf", &format!("http {{ {} }}", sites.join("\n")))]);
    let [found] = &look(&machine)[..] else { panic!("one target") };
    assert_eq!(found.seen, "nginx logs to /l/00.log, /l/01.log, /l/02.log and 97 more in the format combined");
}

#[test]
fn a_format_is_the_recommended_one_or_understood_or_said_not_to_be() {
    let text = format!(
        "http {{ {}\n log_format odd '$remote_addr$status'; log_format tabs '\\t$status \\'$request\\'';\n\
         server {{ access_log /l/a.log combined_timed; }} server {{ access_log /l/b.log odd; }}\n\
         server {{ access_log /l/c.log tabs; }} }}",
        Format::RECOMMENDED
    );
    found(
        &[("etc/nginx/nginx.conf", &text)],
        &expect![[r#"
        a (nginx logs to /l/a.log in the format combined_timed)
        files = ["/l/a.log"]
        format = "combined_timed"

        b (nginx logs to /l/b.log in the format odd, which Vitrin does not understand: `$remote_addr` and `$status` stand side by side, so that nothing says where one ends)
        files = ["/l/b.log"]

        c (nginx logs to /l/c.log in the format tabs)
        files = ["/l/c.log"]
        format = "'\u0009$status \\'$request\\''"
    "#]],
    );
}

#[test]
fn debian_s_apache_logs_by_host_and_for_all_others() {
    macro_rules! debian {
        ($name:literal) => {
            include_str!(concat!("../../../../tests/fixtures/apache/apache-2.4-debian-", $name))
        };
    }
    let sites = "LogFormat \"%h %D \\\"%r\\\" %>s\" brief\n\
                 <VirtualHost *:443>\n ServerName https://shop.example:443\n ServerAlias www.shop.example\n\
                 <IfModule mod_ssl.c>\n  CustomLog logs/shop.log \\\n brief env=!quiet\n </IfModule>\n</VirtualHost>\n\
                 <VirtualHost *:80>\n ServerName other.example\n</VirtualHost>\n\
                 <VirtualHost *:80>\n ServerName piped.example\n CustomLog \"|/usr/bin/rotatelogs /l/%F 86400\" combined\n\
                 </VirtualHost>\n";
    let (_folder, mut machine) = machine(&[
        ("etc/apache2/apache2.conf", debian!("apache2.conf")),
        ("etc/apache2/envvars", debian!("envvars")),
        ("etc/apache2/conf-enabled/other-vhosts-access-log.conf", debian!("other-vhosts-access-log.conf")),
        ("etc/apache2/sites-enabled/000-default.conf", debian!("000-default.conf")),
        ("etc/apache2/sites-enabled/sites.conf", sites),
    ]);
    machine.processes =
        vec![Process { name: "apache2".to_owned(), user: 0, arguments: vec!["/usr/sbin/apache2".to_owned()] }];
    let shown = |found: &Sighting| format!("{} ({})\n{}", found.name, found.seen, found.ways.concat());
    let shown: Vec<_> = look(&machine).iter().map(shown).collect();
    expect![[r#"
        access (Apache logs to /var/log/apache2/access.log in the format combined)
        files = ["/var/log/apache2/access.log"]

        shop.example (Apache logs to /etc/apache2/logs/shop.log in the format brief, which a condition leaves requests out of)
        files = ["/etc/apache2/logs/shop.log"]
        format = "%h %D \"%r\" %>s"
        vhost = "shop.example"

        other_vhosts_access (Apache logs to /var/log/apache2/other_vhosts_access.log in the format vhost_combined)
        files = ["/var/log/apache2/other_vhosts_access.log"]
        format = "vhost_combined"
        vhosts = ["other.example"]
    "#]].assert_eq(&shown.join("\n"));
    machine.processes.clear();
    assert!(look(&machine).is_empty());
}

#[test]
fn hosts_in_the_names_of_logs_make_so_many_files_and_no_more() {
    let names: Vec<_> = (0..100).map(|name| format!(" a{name}")).collect();
    let logs: Vec<_> = (0..100).map(|log| format!("location /{log} {{ access_log /l/{log}/$host; }}\n")).collect();
    let (names, logs) = (names.concat(), logs.concat());
    let servers: Vec<_> =
        (0..20).map(|server| format!("server {{ root /{server}; server_name{names}; {logs} }}\n")).collect();
    let (_folder, machine) = machine(&[("etc/nginx/nginx.conf", &format!("http {{ {} }}", servers.concat()))]);
    let read = configuration::read(&machine.root, Path::new("/etc/nginx/nginx.conf")).unwrap();
    let streams = streams(&read, &Place { machine: &machine, prefixes: Vec::new() });
    assert_eq!(streams.iter().map(|stream| stream.files.len()).sum::<usize>(), 5_000);
}
