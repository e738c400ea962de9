//! The programs that will read the bundle, of the generation under test: promtool and amtool.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use super::files::{Bundle, rules_file, tests_file};
use crate::support::daemon::{copy, folder, program};

/// What Alertmanager reads, and how that names the templates.
const ALERTMANAGER: &str = "alertmanager/alertmanager.yml";
const TEMPLATES: &str = "templates: [templates/*.tmpl]";

/// A bundle's configuration where the programs of any generation can read it.
pub(super) struct Copy {
    folder: TempDir,
}

impl Copy {
    pub(super) fn of(bundle: &Bundle) -> Self {
        let folder = folder();
        for name in ["prometheus", "alertmanager"] {
            copy(&bundle.root.join(name), &folder.path().join(name));
        }
        Self { folder }
    }

    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// What promtool says of a file, and whether it likes it.
    pub(super) fn promtool(&self, arguments: [&str; 2], file: &str) -> (bool, String) {
        said(program(&["promtool"]).args(arguments).arg(self.path(file)))
    }

    fn amtool(&self, file: &str) -> (bool, String) {
        said(program(&["amtool"]).arg("check-config").arg(self.path(file)))
    }
}

/// What promtool says of a file of tests, and whether all of them pass.
pub(super) fn promtool_tests(file: &Path) -> (bool, String) {
    said(program(&["promtool"]).args(["test", "rules"]).arg(file))
}

fn said(command: &mut Command) -> (bool, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.success(), String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr))
}

/// What promtool says against the rules, their tests and `prometheus.yml`, and whether it has looked at all of them.
pub(super) fn promtool(bundle: &Bundle) -> Vec<String> {
    let copy = Copy::of(bundle);
    let mut complaints = Vec::new();
    for (name, rules) in &bundle.rules {
        let file = rules_file(name);
        let (good, words) = copy.promtool(["check", "rules"], &file);
        let number: usize = rules.groups.iter().map(|group| group.rules.len()).sum();
        if !good || !words.contains(&format!("SUCCESS: {number} rules found")) {
            complaints.push(format!("{file}: promtool was to find {number} rules and no mistake:\n{words}"));
        }
    }
    for name in bundle.tests.keys() {
        let file = tests_file(name);
        let (good, words) = copy.promtool(["test", "rules"], &file);
        if !good || !words.contains("SUCCESS") {
            complaints.push(format!("{file}: {words}"));
        }
    }
    let (good, words) = copy.promtool(["check", "config"], "prometheus/prometheus.yml");
    let found = format!("SUCCESS: {} rule files found", bundle.rules.len());
    if !good || !words.contains(&found) {
        complaints.push(format!(
            "prometheus/prometheus.yml: promtool was to find all {} files of rules:\n{words}",
            bundle.rules.len()
        ));
    }
    complaints
}

/// What amtool says against `alertmanager.yml`, and whether it has seen the templates.
pub(super) fn amtool(bundle: &Bundle) -> Vec<String> {
    let text = std::fs::read_to_string(bundle.root.join(ALERTMANAGER)).unwrap();
    let mut complaints = Vec::new();
    // amtool counts patterns, and takes one that fits no file.
    if !text.lines().any(|line| line.trim_end() == TEMPLATES) {
        complaints.push(format!("{ALERTMANAGER}: `{TEMPLATES}` is not there, and so the templates are not read"));
    }
    let (good, words) = Copy::of(bundle).amtool(ALERTMANAGER);
    if !good || !words.contains("- 1 templates") {
        complaints.push(format!("{ALERTMANAGER}: amtool was to find templates and no mistake:\n{words}"));
    }
    complaints
}
