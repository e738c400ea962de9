//! Configurations that nobody would write: locations of all kinds, within one another, in any order.
//!
//! They are the same at each run, so that what differs once can be looked at again.

use std::fmt::Write as _;

use super::differential::{FILES, differences, servers};
use super::echo;
use super::world::{Nginx, fill, folder};

/// How many servers.
const SERVERS: usize = 160;

const PREFIXES: [&str; 14] = [
    "/",
    "/dir/",
    "/dir",
    "/dir/sub/",
    "/dir/sub",
    "/dir/x.php",
    "/image/",
    "/image",
    "/image/cache/",
    "/admin/",
    "/admin/index.php",
    "/index.php",
    "/a",
    "/none",
];
const PATTERNS: [&str; 10] = [
    r"\.php$",
    r"\.php",
    r"^/image/",
    r"^/(dir|admin)/",
    r"\.(txt|sql)$",
    r"^/dir/.*\.php$",
    r"sub",
    r"/\.",
    r"^/(?!index)",
    r"^/$",
];
const REWRITES: [&str; 18] = [
    "",
    "",
    "",
    "rewrite ^/dir/(.*)$ /image/$1 last;",
    "rewrite ^/dir/(.*)$ /image/$1 break;",
    "rewrite ^/none(.*)$ /index.php?none=$1 last;",
    "rewrite ^/none(.*)$ /admin/index.php;",
    "rewrite ^/image/(.*)$ /dir/$1? redirect;",
    "rewrite ^/a(.*)$ /b$1;",
    "if ($args) { return 409; }",
    "if ($args ~ route=(.*)$) { rewrite ^ /dir/x.txt last; }",
    "if (-d $request_filename) { rewrite ^ /index.php break; }",
    "if (!-e $request_filename) { rewrite ^/(.*)$ /index.php?to=$1 last; }",
    "if ($uri ~ ^/(.)) { set $first $1; } if ($first = i) { return 302 /first-$first; }",
    "if ($request_method = POST) { break; } return 406;",
    "set $a $uri; rewrite ^/admin/(.+) /$1 last; if ($a = /admin/) { return 407; }",
    "if (-f $document_root/dir$uri) { rewrite ^ /dir$uri last; }",
    "break;",
];
const CONTENTS: [&str; 16] = [
    "",
    "",
    "{php}",
    "{php}",
    "try_files $uri =404; {php}",
    "proxy_pass http://127.0.0.1:{other};",
    "try_files $uri $uri/ /index.php?$args;",
    "try_files $uri =404;",
    "try_files $uri $uri/ =410;",
    "try_files $uri @last;",
    "try_files /dir$uri $uri/index.html /a.txt;",
    "index index.html index.php;",
    "index none.html /index.php;",
    "autoindex on;",
    "root {home}/elsewhere;",
    "root {home}/www/dir; index x.txt;",
];
const ACCESS: [&str; 14] = [
    "",
    "",
    "",
    "",
    "",
    "",
    "deny all;",
    "allow all;",
    "allow 10.0.0.0/8; deny all;",
    "limit_except GET { deny all; }",
    "auth_basic x; auth_basic_user_file {home}/users;",
    "satisfy any; deny all;",
    "internal;",
    "error_page 403 404 405 /a.txt;",
];
const TARGETS: [&str; 30] = [
    "/",
    "/?route=common/login",
    "/index.php",
    "/index.php?a=1",
    "/a.txt",
    "/backup.sql",
    "/.env",
    "/dir",
    "/dir/",
    "/dir/?q=1",
    "/dir/x.php",
    "/dir/x.php/y",
    "/dir/x.txt",
    "/dir/sub",
    "/dir/sub/",
    "/dir/sub/y.php",
    "/dir/none.php",
    "/image",
    "/image/",
    "/image/pic.jpg",
    "/image/evil.php",
    "/image/cache/evil.php",
    "/image/x.txt",
    "/admin",
    "/admin/",
    "/admin/index.php",
    "/admin/index.php?route=common/login",
    "/none",
    "/none/x",
    "/sub/z.txt",
];

/// Numbers that look like chance (xorshift64, Marsaglia 2003).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn of<'a>(&mut self, texts: &[&'a str]) -> &'a str {
        texts[self.below(texts.len())]
    }

    /// Some locations below `around`; only patterns may stand within a pattern.
    fn locations(&mut self, around: &str, patterns_alone: bool, depth: usize, text: &mut String) {
        let mut taken = Vec::new();
        for _ in 0..self.below(6 - depth) {
            let is_pattern = patterns_alone || self.below(5) < 2;
            let name = if is_pattern { self.of(&PATTERNS) } else { self.of(&PREFIXES) };
            if taken.contains(&name) || !is_pattern && !name.starts_with(around) {
                continue;
            }
            taken.push(name);
            let sign = if is_pattern { self.of(&["~", "~*"]) } else { self.of(&["", "", "", "^~", "="]) };
            write!(
                text,
                " location {sign} {name} {{ {} {} {}",
                self.of(&REWRITES),
                self.of(&ACCESS),
                self.of(&CONTENTS)
            )
            .unwrap();
            if self.below(6) == 0 {
                // So it is seen in which one a request ends.
                write!(text, " return 4{:02};", 20 + self.below(70)).unwrap();
            }
            if sign != "=" && depth < 2 {
                self.locations(if is_pattern { "" } else { name }, is_pattern, depth + 1, text);
            }
            text.push_str(" }");
        }
    }
}

#[test]
fn whatever_stands_in_it_a_configuration_answers_as_nginx_does() {
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let configurations: Vec<(String, String)> = (0..SERVERS)
        .map(|number| {
            let mut text =
                format!("{} {}", chance.of(&REWRITES), chance.of(&["", "index index.php;", "index index.php;"]));
            if chance.below(6) == 0 {
                text.push_str(" error_page 404 403 /index.php;");
            }
            chance.locations("", false, 0, &mut text);
            text.push_str(" location @last { rewrite ^/(.+)$ /index.php?last=$1 last; }");
            (format!("g{number}"), text)
        })
        .collect();
    let folder = folder();
    fill(folder.path(), FILES);
    std::fs::write(folder.path().join("users"), "admin:{PLAIN}none\n").unwrap();
    let texts = configurations.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let nginx = Nginx::start(folder, &servers(texts.clone(), echo::start()));
    let names: Vec<_> = configurations.iter().map(|(name, _)| name.as_str()).collect();
    let found = differences(&nginx, &names, &TARGETS);
    let of_first = found.first().and_then(|line| line.split_once(':')).map_or("", |(name, _)| name);
    let first = texts.into_iter().find(|(name, _)| *name == of_first);
    assert!(found.is_empty(), "{} differ:\n{}\n{first:?}", found.len(), found.join("\n"));
}
