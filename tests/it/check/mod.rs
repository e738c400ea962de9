//! `vitrin check`: what it prints is a script that makes everything pass, and asks for nothing that is not needed.

mod access_log;
mod document;
mod marketplace;
mod mysql;
mod redis;
mod security;
mod stack;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::support::daemon::folder;

/// Whom the service is taken to be when root runs the tests: nobody, in the one group that it has.
const NOBODY: &str = "nobody";

/// How a line for root's shell begins.
const RUN: &str = "    ";

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The user that the service is taken to be.
fn user() -> String {
    if is_root() {
        return NOBODY.to_owned();
    }
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A configuration, and the checks of it.
struct Check {
    folder: TempDir,
}

/// What one check came to.
struct Checked {
    code: Option<i32>,
    text: String,
}

impl Check {
    /// A configuration without the host; `{folder}` is a folder that belongs to the check.
    fn of(config: &str) -> Self {
        let folder = folder();
        let here = config.replace("{folder}", &folder.path().display().to_string());
        fs::write(folder.path().join("vitrin.toml"), format!("[host]\nenabled = false\n{here}")).unwrap();
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Checks once.
    fn run(&self) -> Checked {
        self.run_with(&[])
    }

    /// The same with more arguments.
    fn run_with(&self, more: &[&str]) -> Checked {
        let config = self.file("vitrin.toml").display().to_string();
        let user = user();
        let output = vitrin(&[&["check", "--user", &user, "--config.file", &config], more].concat());
        Checked { code: output.status.code(), text: String::from_utf8(output.stdout).unwrap() }
    }

    /// Runs a script as an administrator does; it must succeed.
    #[track_caller]
    fn apply(&self, script: &str) {
        // Of the databases `root` is the administrator, whoever runs the tests.
        fs::write(self.file(".my.cnf"), "[client]\nuser = root\n").unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-euc", script]).env("HOME", self.folder.path()).stdin(Stdio::null());
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Checks, applies what is said, and checks that all is well; and that it does no harm to do so again.
    #[track_caller]
    fn mend(&self) -> Checked {
        let checked = self.run();
        assert_eq!(checked.code, Some(1), "{}", checked.text);
        for _ in 0..2 {
            self.apply(&checked.script());
            let after = self.run();
            assert_eq!(after.code, Some(0), "{}\nafter\n{}", after.text, checked.text);
        }
        checked
    }
}

impl Checked {
    /// The lines for root's shell: `sed -n 's/^    //p'`.
    fn script(&self) -> String {
        self.text.lines().filter_map(|line| line.strip_prefix(RUN)).flat_map(|line| [line, "\n"]).collect()
    }
}

fn vitrin(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vitrin")).args(arguments).output().unwrap()
}

/// A password that the shell and SQL might stumble over, in a file that the service may read.
fn password(file: &Path) -> &'static str {
    let password = "it's \\ a \"canary\" $(id) `id` %s";
    fs::write(file, format!("{password}\n")).unwrap();
    password
}

#[test]
fn a_check_that_cannot_be_made_is_code_2() {
    for (config, arguments) in [("typo = 1", &[][..]), ("", &["--typo"])] {
        let check = Check::of(config);
        let file = check.file("vitrin.toml").display().to_string();
        let output = vitrin(&[&["check", "--config.file", &file], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{output:?}");
    }
}

#[test]
fn a_user_that_is_not_there_is_made_first() {
    let check = Check::of("");
    let file = check.file("vitrin.toml").display().to_string();
    let output = vitrin(&["check", "--user", "vitrin-is-not-here", "--config.file", &file]);
    let checked = Checked { code: output.status.code(), text: String::from_utf8(output.stdout).unwrap() };
    assert_eq!(checked.code, Some(1), "{}", checked.text);
    let document = crate::support::document::Document::read("docs/backends.md");
    let line = document.block("user").lines().next().unwrap();
    assert_eq!(checked.script().trim_end().replace("vitrin-is-not-here", "vitrin"), line);
}
