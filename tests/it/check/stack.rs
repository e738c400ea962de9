//! PHP-FPM and nginx, and the commands that belong to the check.

use std::fs;
use std::process::Command;

use super::{Check, vitrin};
use crate::support::broken::refusing;
use crate::support::document::Document;
use crate::support::fresh::only_root_can;
use crate::support::php_fpm::PhpFpm;

#[test]
fn a_pool_without_a_status_page_gets_one() {
    let master = PhpFpm::start(&[
        ("shop", "pm = static\npm.max_children = 2\n"),
        ("admin", "pm = static\npm.max_children = 1\n"),
    ]);
    fs::remove_file(master.opcache_script()).unwrap();
    let check = Check::of(&format!("[php_fpm.targets.main]\n{}", master.table("")));
    only_root_can("write where the script belongs");
    let checked = check.mend();
    assert!(checked.text.contains("the pools admin and shop"), "{}", checked.text);
}

#[test]
fn nginx_is_told_what_the_document_says() {
    let address = refusing();
    let check = Check::of(&format!("[nginx.targets.main]\nurl = 'http://{address}/stub_status'\n"));
    let checked = check.run();
    assert_eq!(checked.code, Some(1), "{}", checked.text);
    let lines: Vec<_> =
        checked.text.lines().filter_map(|line| line.strip_prefix("    ").or(line.strip_prefix("  | "))).collect();
    let begin = lines.iter().position(|line| *line == "server {").expect("a server is shown");
    let document = Document::read("docs/backends.md");
    let block = document.with("nginx", &[("127.0.0.1:8080", &address.to_string())]);
    let shown = lines[begin..].iter().take(block.lines().count());
    assert_eq!(shown.copied().collect::<Vec<_>>(), block.lines().collect::<Vec<_>>());
}

#[test]
fn the_program_holds_the_script_that_it_installs() {
    let script = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/vitrin-opcache.php")).unwrap();
    assert_eq!(vitrin(&["opcache-script"]).stdout, script);
}

#[test]
fn bash_completes_commands_and_flags() {
    let complete = "source /dev/stdin; complete -p vitrin >/dev/null; cur=$1; COMP_WORDS=(vitrin \"$cur\"); COMP_CWORD=1; \
                    _vitrin vitrin \"$cur\" vitrin; echo \"${COMPREPLY[@]}\"";
    let completed = |word| {
        let pipe = format!("'{}' completions bash | bash -euc '{complete}' bash {word}", env!("CARGO_BIN_EXE_vitrin"));
        let output = Command::new("bash").args(["-o", "pipefail", "-c", &pipe]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(completed("che"), "check");
    assert_eq!(completed("--config"), "--config.file");
    for shell in ["zsh", "fish"] {
        let output = vitrin(&["completions", shell]);
        assert!(String::from_utf8(output.stdout).unwrap().contains("opcache-script"), "{shell}");
    }
}
