//! What is in the package, and what it says about itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use expect_test::expect;

use super::{Packages, output_of, repository};

/// Folders of the repository that are in the package as a whole, and where.
const TREES: [(&str, &str); 4] = [
    ("alertmanager", "usr/share/vitrin/alertmanager"),
    ("docs", "usr/share/doc/vitrin/docs"),
    ("grafana", "usr/share/vitrin/grafana"),
    ("prometheus", "usr/share/vitrin/prometheus"),
];

/// Its files: kind and rights, owner, path.
fn files() -> Vec<String> {
    let list = output_of(Command::new("dpkg-deb").arg("--contents").arg(&Packages::get().now));
    let file = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        (!line.starts_with('d')).then(|| format!("{} {} {}", words[0], words[1], words[5].trim_start_matches("./")))
    };
    list.lines().filter_map(file).collect()
}

fn walk(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.path(), found);
        } else {
            found.push(entry.path().to_str().unwrap().to_owned());
        }
    }
}

#[test]
fn the_bundle_and_the_documentation_are_in_it_whole() {
    let mut wanted = BTreeSet::new();
    // What is not there yet is in no package.
    for (here, there) in TREES.into_iter().filter(|(here, _)| repository(here).is_dir()) {
        let (here, mut found) = (repository(here), Vec::new());
        walk(&here, &mut found);
        let moved = found.iter().map(|file| file.replacen(here.to_str().unwrap(), there, 1));
        wanted.extend(moved.map(|file| format!("-rw-r--r-- 0/0 {file}")));
    }
    let below = |line: &String| TREES.iter().any(|(_, there)| line.contains(&format!(" {there}/")));
    assert_eq!(files().into_iter().filter(below).collect::<BTreeSet<_>>(), wanted);
}

#[test]
fn beside_these_it_holds_the_program_its_units_and_little_else() {
    let besides = |line: &String| !TREES.iter().any(|(_, there)| line.contains(&format!(" {there}/")));
    let mut list: Vec<_> = files().into_iter().filter(besides).collect();
    list.sort_by_cached_key(|line| line.rsplit(' ').next().unwrap().to_owned());
    expect![[r#"
        -rw-r--r-- 0/0 etc/default/vitrin
        -rwxr-xr-x 0/0 usr/bin/vitrin
        -rw-r--r-- 0/0 usr/lib/systemd/system-preset/80-vitrin.preset
        -rw-r--r-- 0/0 usr/lib/systemd/system/vitrin-facts.service
        -rw-r--r-- 0/0 usr/lib/systemd/system/vitrin-facts.timer
        -rw-r--r-- 0/0 usr/lib/systemd/system/vitrin.service
        -rw-r--r-- 0/0 usr/lib/systemd/system/vitrin.socket
        -rw-r--r-- 0/0 usr/lib/sysusers.d/vitrin.conf
        -rw-r--r-- 0/0 usr/share/bash-completion/completions/vitrin
        -rw-r--r-- 0/0 usr/share/doc/vitrin/changelog.Debian.gz
        -rw-r--r-- 0/0 usr/share/doc/vitrin/changelog.gz
        -rw-r--r-- 0/0 usr/share/doc/vitrin/copyright
        -rw-r--r-- 0/0 usr/share/doc/vitrin/examples/vitrin.toml
        -rw-r--r-- 0/0 usr/share/fish/vendor_completions.d/vitrin.fish
        -rw-r--r-- 0/0 usr/share/lintian/overrides/vitrin
        -rw-r--r-- 0/0 usr/share/man/man1/vitrin.1.gz
        -rw-r--r-- 0/0 usr/share/vitrin/opcache.php
        -rw-r--r-- 0/0 usr/share/zsh/vendor-completions/_vitrin
    "#]]
    .assert_eq(&(list.join("\n") + "\n"));
}

#[test]
fn it_says_what_it_is() {
    let control = output_of(Command::new("dpkg-deb").arg("--field").arg(&Packages::get().now));
    let varying = ["Architecture: ", "Installed-Size: "];
    let lines: Vec<_> = control.lines().filter(|line| !varying.iter().any(|field| line.starts_with(field))).collect();
    let version = concat!("Version: ", env!("CARGO_PKG_VERSION"), "-1");
    let said = lines.join("\n").replace(version, "Version: that of the program");
    // The libraries that it was linked with, by their versions here.
    let (before, libraries) = said.split_once("Depends: ").unwrap();
    let (libraries, after) = libraries.split_once("systemd ").unwrap();
    assert!(libraries.contains("libc6 (>= 2."), "{libraries}");
    let said = format!("{before}Depends: LIBRARIES, systemd {after}");
    expect![[r#"
        Package: vitrin
        Version: that of the program
        Section: net
        Priority: optional
        Maintainer: The Vitrin maintainers <vitrin@localhost>
        Depends: LIBRARIES, systemd | systemd-standalone-sysusers | systemd-sysusers
        Recommends: ca-certificates
        Suggests: prometheus, prometheus-alertmanager, php-fpm
        Description: One exporter for a web shop's whole stack: host, PHP-FPM with OPcache, MySQL,
         Redis and nginx on one port
         Vitrin speaks the metric names of the exporters that it replaces for host,
         PHP-FPM, MySQL or MariaDB, Redis or Valkey, nginx and probes, and adds OPcache,
         the shop's own traffic from its access log, and query times.
         .
         The package starts it on 127.0.0.1:22100, where it shows what it finds on this
         machine and may read; `vitrin check` says what opens the rest. Rules for
         Prometheus, routes for Alertmanager, dashboards for Grafana and a runbook for
         every alert are in /usr/share/vitrin and /usr/share/doc/vitrin.
    "#]]
    .assert_eq(&said);

    // Its changelog begins with the version that it has.
    let changelog = fs::read_to_string(repository("packaging/debian/changelog")).unwrap();
    let first = concat!("vitrin (", env!("CARGO_PKG_VERSION"), "-1) ");
    assert!(changelog.starts_with(first), "a new version has an entry of its own: {changelog}");
}

#[test]
fn lintian_finds_nothing_but_what_is_explained() {
    let folder = crate::support::daemon::folder();
    // It unpacks the package, and reads the name of the file.
    let package = folder.path().join("vitrin.deb");
    fs::copy(&Packages::get().now, &package).unwrap();
    let mut lintian = Command::new("lintian");
    lintian.args(["--allow-root", "--tag-display-limit=0", "--fail-on=error,warning,info", "--display-info"]);
    let said = output_of(lintian.arg(&package).current_dir(folder.path()));
    assert_eq!(said, "");
}

#[test]
fn the_manual_page_knows_every_command_and_flag() {
    let help = |arguments: &[&str]| output_of(Command::new(env!("CARGO_BIN_EXE_vitrin")).args(arguments).arg("--help"));
    let top = help(&[]);
    let listed = top.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let commands: BTreeSet<_> = listed
        .lines()
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')))
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect();
    let flags_of = |text: &str| -> BTreeSet<String> {
        let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || "-.".contains(letter)));
        words
            .filter(|word| word.len() > 2 && word.starts_with("--"))
            .map(|word| word.trim_matches('.').to_owned())
            .collect()
    };
    let mut flags = flags_of(&top);
    for command in commands.iter().filter(|command| *command != "help") {
        flags.extend(flags_of(&help(&[command])));
    }

    let page = fs::read_to_string(repository("packaging/vitrin.1")).unwrap().replace("\\-", "-");
    let section = page.split(".SH COMMANDS\n").nth(1).unwrap().split(".SH ").next().unwrap();
    let described = section.split(".TP\n").skip(1).map(|part| part.split([' ', '\n']).nth(1).unwrap().to_owned());
    assert_eq!(described.collect::<BTreeSet<_>>(), commands);
    assert_eq!(flags_of(&page), flags);
}

#[test]
fn bash_completes_by_the_packaged_file() {
    let program = Path::new(env!("CARGO_BIN_EXE_vitrin")).parent().unwrap();
    let script = "PATH=\"$1:$PATH\"; source packaging/completions/vitrin.bash; complete -p vitrin >/dev/null; \
                  COMP_WORDS=(vitrin ini); COMP_CWORD=1; _vitrin vitrin ini vitrin; echo \"${COMPREPLY[@]}\"";
    let mut bash = Command::new("bash");
    bash.args(["-euc", script, "bash"]).arg(program).current_dir(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(output_of(&mut bash), "init\n");
}
