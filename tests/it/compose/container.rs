//! Containers made by hand of what Docker Compose has understood: the command, user, mounts, variables and health check of
//! each service as they stand, in a root that cannot be written to, without capabilities. All share a network and a
//! process table of their own, so that they have their true ports, and are gone when the test ends.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::model::{Mount, Service};
use crate::support::daemon::folder;
use crate::support::fresh::only_root_can;

/// What the scripts of all tests have in common.
const PRELUDE: &str = include_str!("container.sh");

/// What stands for an image.
pub(super) struct Image {
    /// The files in it.
    pub(super) root: PathBuf,
    /// The program that its arguments are for, unless the service names one.
    pub(super) entrypoint: &'static [&'static str],
    /// Shell lines that complete it in `$root`: what the true image has and the files lack.
    pub(super) complete: String,
}

/// Services in a network of their own.
pub(super) struct Pod {
    script: String,
}

impl Pod {
    /// None yet; each will find the others by `names`.
    pub(super) fn of(names: &[&str]) -> Self {
        let mut script = PRELUDE.to_owned();
        writeln!(script, "echo '127.0.0.1 localhost {}' >\"$pod/hosts\"", names.join(" ")).unwrap();
        Self { script }
    }

    /// Makes the container of a service and starts it.
    pub(super) fn start(&mut self, service: &Service, image: &Image) {
        let name = &service.name;
        let mut lines = format!("begin {name} {}\n{}\n", quoted(image.root.to_str().unwrap()), image.complete);
        for path in service.memory() {
            writeln!(lines, "memory {}", quoted(path)).unwrap();
        }
        // What is mounted below another mount comes after it.
        let mut mounts = service.mounts();
        mounts.sort_by_key(|mount| mount.target.len());
        for Mount { kind, source, target, read_only, propagation } in mounts {
            let how = if read_only { "ro" } else { "rw" };
            let kind = if propagation == Some("rslave") { "tree" } else { kind };
            writeln!(lines, "mounted {kind} {} {} {how}", quoted(source), quoted(target)).unwrap();
        }
        let variables: String = service.environment().iter().map(|(k, v)| quoted(&format!("{k}={v}")) + " ").collect();
        let (user, group) = service.text("user").split_once(':').expect("checked elsewhere");
        let groups = service.texts("group_add").join(",");
        writeln!(lines, "as {name} {user} {group} '{groups}' {variables}").unwrap();
        let entrypoint = service.texts("entrypoint");
        let entrypoint = if entrypoint.is_empty() { image.entrypoint.to_vec() } else { entrypoint };
        let words = |words: Vec<&str>| words.into_iter().map(quoted).collect::<Vec<_>>().join(" ");
        let command = words(entrypoint.into_iter().chain(service.texts("command")).collect());
        let health = words(service.health().expect("checked elsewhere"));
        writeln!(lines, "started {name} {command}").unwrap();
        writeln!(lines, "{}() {{ (run_in {name} {health}); }}", health_of(name)).unwrap();
        self.script += &lines;
    }

    /// Waits until the health check of a service succeeds.
    pub(super) fn healthy(&mut self, name: &str) {
        writeln!(self.script, "eventually {}", health_of(name)).unwrap();
    }

    /// Runs these lines beside them, and gives what they print; all must succeed. Only root can.
    #[track_caller]
    pub(super) fn run(self, lines: &str) -> String {
        only_root_can("make containers");
        let folder = folder();
        let file = folder.path().join("script");
        fs::write(&file, format!("{}{lines}", self.script)).unwrap();
        fs::create_dir(folder.path().join("pod")).unwrap();
        let output = Command::new("unshare")
            .args(["--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--propagation=private"])
            .arg("bash")
            .args([&file, &folder.path().join("pod")])
            .env("VITRIN", env!("CARGO_BIN_EXE_vitrin"))
            .env("REPOSITORY", env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{}\n{}\n{}", output.status, text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }
}

/// What scripts call the health check of a service.
fn health_of(name: &str) -> String {
    format!("health_of_{}", name.replace('-', "_"))
}

/// A word for the shell.
pub(super) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// An image of Prometheus' makers: the program, and BusyBox for everything else.
pub(super) fn image_of_prometheus(root: &Path, program: &'static [&'static str]) -> Image {
    Image { root: root.to_owned(), entrypoint: program, complete: "with_busybox sh sed wget".to_owned() }
}
