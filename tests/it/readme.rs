//! The README's promises that a test can hold: it is short, its example works, and its links lead somewhere.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::exporter::Exporter;
use crate::support::mariadb::block_on;
use crate::support::stack::Stack;

const README: &str = include_str!("../../README.md");

/// The most lines of the README, and of the configuration that it shows.
const LINES: usize = 120;
const CONFIGURATION_LINES: usize = 24;

/// The configuration that it shows.
fn configuration() -> &'static str {
    let (_, rest) = README.split_once("```toml\n").unwrap();
    let (block, rest) = rest.split_once("```").unwrap();
    assert!(!rest.contains("```toml"), "it shows another one");
    block
}

#[test]
fn it_is_short() {
    let lines = README.lines().count();
    assert!(lines <= LINES, "{lines} lines");
    let lines = configuration().lines().count();
    assert!(lines <= CONFIGURATION_LINES, "{lines} lines of configuration");
}

#[test]
fn its_configuration_watches_everything() {
    let text = configuration();
    vitrin::config::parse(Path::new("README.md"), text).unwrap();

    let stack = Stack::start();
    // Stands for the account that logs in by who it is; the user of this test is not called so.
    block_on(stack.database().run(&["CREATE USER vitrin@localhost"]));
    let mut here = text.to_owned();
    for (written, address) in [
        ("/etc/php/8.2/fpm/php-fpm.conf", stack.php_fpm().configuration().display().to_string()),
        ("/run/mysqld/mysqld.sock", stack.database().socket().display().to_string()),
        ("redis://127.0.0.1:6379", stack.redis_url()),
        ("http://127.0.0.1:8080/stub_status", stack.stub_status()),
        ("/var/log/nginx/access.log", stack.nginx.access_log().display().to_string()),
        ("https://shop.example/", stack.stub_status()),
    ] {
        assert_eq!(here.matches(written).count(), 1, "{written}");
        here = here.replace(written, &address);
    }
    let exporter = Exporter::start(&here);
    let page = exporter.scrape();
    for collector in ["host", "php_fpm", "mysql", "redis", "nginx", "access_log", "probe"] {
        let up = page.number("vitrin_up", &[("collector", collector), ("target", "main")]);
        assert_eq!(up, 1.0, "{collector}; the log:\n{}", exporter.log());
    }
}

/// The right column of the table of what is said, and what shows it.
fn proofs() -> Vec<&'static str> {
    let (_, rest) = README.split_once("| What we say |").unwrap();
    let rows = rest.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_end_matches(" |").rsplit_once("| `").unwrap().1.trim_end_matches('`')).collect()
}

#[test]
fn what_it_says_is_shown_by_tests_that_are_there() {
    let listed = Command::new(env::current_exe().unwrap()).arg("--list").output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let proofs = proofs();
    assert!(proofs.len() >= 6, "{proofs:?}");
    let makefile = include_str!("../../Makefile");
    for proof in proofs {
        if let Some(target) = proof.strip_prefix("make ") {
            assert!(makefile.contains(&format!("\n{target}: ")), "{proof}");
            continue;
        }
        for filter in proof.split(' ') {
            assert!(listed.lines().any(|test| test.contains(filter)), "no test has {filter:?} in its name");
        }
    }
}

/// What a Markdown text links to.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ', '\n']).next())
}

#[test]
fn no_link_leads_nowhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let documents = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let documents = documents.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let documents: Vec<PathBuf> =
        documents.chain(["README.md", "CONTRIBUTING.md"].map(|name| root.join(name))).collect();
    let mut followed = 0;
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        for link in links(&text).filter(|link| !link.contains("://") && !link.starts_with(['#', '<'])) {
            let file = link.split('#').next().unwrap();
            assert!(document.parent().unwrap().join(file).exists(), "{}: {link}", document.display());
            followed += 1;
        }
    }
    assert!(followed >= 8, "only {followed} links");
}
