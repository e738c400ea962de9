//! `docs/check.md` shows what a check prints, and its lines come to the same as `docs/backends.md`.

use std::fs;

use super::{Check, Checked};
use crate::support::document::Document;
use crate::support::fresh::on_a_fresh_machine;

/// Without what is another machine's: figures, and the release of PHP.
fn anywhere(text: &str) -> String {
    let mut text = text.to_owned();
    for release in ["8.1", "8.2", "8.3", "8.4", "8.5"] {
        text = text.replace(release, "8.x");
    }
    let line = |line: &str| line.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ').to_owned() + "\n";
    text.lines().map(line).collect()
}

#[test]
fn the_document_shows_what_a_new_machine_says_and_how_to_apply_it() {
    let document = Document::read("docs/check.md");
    let apply = document.with("apply", &[("sh -eu", "sh -eu >/dev/null 2>&1")]);
    let said = on_a_fresh_machine(&format!("vitrin init 2>/dev/null\nvitrin check || echo 'code 1'\n{apply}"));
    let (before, after) = said.split_once("code 1\n").unwrap();
    assert_eq!(anywhere(before), anywhere(document.block("debian")));
    assert!(after.ends_with("Everything is seen that the configuration asks for.\n"), "{after}");
}

#[test]
fn a_pool_of_debian_s_is_told_what_the_document_says() {
    let check = Check::of("[php_fpm.targets.main]\nopcache = false\n");
    let etc = check.file("host/etc");
    fs::create_dir_all(etc.join("php/8.2/fpm/pool.d")).unwrap();
    for file in ["passwd", "group"] {
        fs::copy(format!("/etc/{file}"), etc.join(file)).unwrap();
    }
    let include = "include = /etc/php/8.2/fpm/pool.d/*.conf\n";
    fs::write(etc.join("php/8.2/fpm/php-fpm.conf"), include).unwrap();
    let pool = etc.join("php/8.2/fpm/pool.d/shop.conf");
    fs::write(&pool, "[shop]\nlisten = /run/php/shop.sock\n[shopping]\nlisten = /run/php/other.sock\n").unwrap();
    let host = check.file("host").display().to_string();
    let checked = check.run_with(&["--path.rootfs", &host]);
    // There is no FPM here to be told.
    let script = checked.script();
    let lines: String = script.lines().filter(|line| line.starts_with("grep ")).flat_map(|line| [line, "\n"]).collect();
    check.apply(&lines.replace("/etc/php", &etc.join("php").display().to_string()));
    let block = Document::read("docs/backends.md").block("php-fpm-pool").to_owned();
    let added = block.replace("shop-status", "shopping-status");
    assert_eq!(
        fs::read_to_string(pool).unwrap(),
        format!("[shop]\n{block}listen = /run/php/shop.sock\n[shopping]\n{added}listen = /run/php/other.sock\n")
    );
}

/// The words of the rule that a check gives a Redis user.
pub(super) fn rule(checked: &Checked) -> Vec<String> {
    let script = checked.script();
    let line = script.lines().find(|line| line.starts_with("ACL SETUSER")).expect("a user is made");
    line.split(' ').skip_while(|word| *word != "-@all").map(str::to_owned).collect()
}

/// The same words as the document has them.
pub(super) fn documented_rule() -> Vec<String> {
    let document = Document::read("docs/backends.md");
    let blocks = [document.block("redis-user"), document.block("redis-key-groups")];
    let words = blocks.iter().flat_map(|block| block.split_whitespace());
    words.skip_while(|word| *word != "-@all").map(str::to_owned).collect()
}

#[test]
fn the_document_shows_what_marketplaces_are_asked() {
    let folder = crate::support::daemon::folder();
    let file = folder.path().join("vitrin.toml");
    let secrets = ["key", "secret"].map(|name| {
        let place = folder.path().join(name);
        fs::write(&place, "canary").unwrap();
        format!("secrets.api_{name} = {{ file = {place:?} }}\n")
    });
    // Nothing listens there: who asks finds nobody, and no stranger is asked.
    let target = "[marketplace.targets.trendyol]\npreset = 'trendyol'\nvars = { seller_id = '1' }\n\
                  resolve = { 'apigw.trendyol.com:443' = '127.0.0.1:1' }\n";
    fs::write(&file, target.to_owned() + &secrets.concat()).unwrap();
    let document = Document::read("docs/check.md");
    let lines: Vec<Vec<_>> = document.block("marketplaces").lines().map(|line| line.split(' ').collect()).collect();
    let user = super::user();
    let said = lines.iter().map(|line| {
        assert_eq!(line[..3], ["vitrin", "check", "marketplace/trendyol"]);
        let output = super::vitrin(&[&line[1..], &["--user", &user, "--config.file", file.to_str().unwrap()]].concat());
        (line[3], output.status.code(), String::from_utf8(output.stdout).unwrap())
    });
    for ((option, code, said), (expected, expected_code, says)) in said.zip([
        ("--dry-run", 0, "authorization: Basic base64([secret api_key]:[secret api_secret])\n"),
        ("--once", 1, "the probe `products`: connect_error\n"),
    ]) {
        assert_eq!((option, code), (expected, Some(expected_code)), "{said}");
        assert!(said.contains(says) && !said.contains("canary"), "{said}");
    }
    assert_eq!(lines.len(), 2);
}
