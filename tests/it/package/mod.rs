//! The Debian package: what is in it, and its life on a shop's machine.

mod contents;
mod installed;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, Weak};

use tempfile::TempDir;

use crate::support::daemon::folder;

/// A file of the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Runs a command, which must succeed, and returns what it printed.
#[track_caller]
fn output_of(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; `make packages` installs it"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// The package, with the program under test in it, and one of a later version.
struct Packages {
    now: PathBuf,
    later: PathBuf,
    _folder: TempDir,
}

impl Packages {
    /// Made once for all tests that run at this time.
    fn get() -> Arc<Self> {
        static MADE: Mutex<Weak<Packages>> = Mutex::new(Weak::new());
        let mut made = MADE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        made.upgrade().unwrap_or_else(|| {
            let packages = Arc::new(Self::make());
            *made = Arc::downgrade(&packages);
            packages
        })
    }

    fn make() -> Self {
        let folder = folder();
        let at = |name: &str| folder.path().join(name);
        // Where cargo-deb looks for the release build. One takes minutes; the tests' own, without what is for a
        // debugger, is the same program.
        fs::create_dir(at("release")).unwrap();
        output_of(Command::new("strip").arg("-o").arg(at("release/vitrin")).arg(env!("CARGO_BIN_EXE_vitrin")));
        let now = at("vitrin.deb");
        let mut build = Command::new(repository("packaging/deb"));
        build.args(["--no-build", "--fast", "--quiet", "--output"]).arg(&now).env("CARGO_TARGET_DIR", folder.path());
        output_of(&mut build);

        // What a later version may bring: another number, and other defaults.
        let (tree, later) = (at("tree"), at("later.deb"));
        output_of(Command::new("dpkg-deb").arg("--raw-extract").args([&now, &tree]));
        let change = |name: &str, how: &dyn Fn(String) -> String| {
            let file = tree.join(name);
            fs::write(&file, how(fs::read_to_string(&file).unwrap())).unwrap();
        };
        change("DEBIAN/control", &|text| text.replace("\nVersion: ", "\nVersion: 99."));
        change("etc/default/vitrin", &|text| text + "# News of a later version.\n");
        output_of(Command::new("dpkg-deb").args(["-Znone", "--build"]).args([&tree, &later]));
        Self { now, later, _folder: folder }
    }
}
