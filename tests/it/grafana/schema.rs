//! The dashboards, held against the schema that Grafana publishes: `schema.py`, with Grafana's SDK for Python, which is
//! fetched once and kept under `target`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::model::{files, path};
use super::spoiled::example;
use crate::bundle::files::SHIPPED;
use crate::bundle::none;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/grafana/schema.py");

/// What is fetched, with its checksum: without a version, `pip` takes one for an old Grafana.
const REQUIREMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/grafana/requirements.txt");

/// A Python that has the SDK.
fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("grafana-schema-0.0.21");
        let python = kept.join("bin/python");
        if python.exists() {
            return python;
        }
        // Another run may be at the same: each makes its own, and the first to be ready keeps it.
        let new = tempfile::Builder::new().prefix("grafana-schema-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let folder = new.path().join("made");
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder), "`make packages` installs python3-venv");
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-deps", "--require-hashes"]);
        run(pip.arg("--requirement").arg(REQUIREMENTS), "the package index must be reachable, once");
        if fs::rename(&folder, &kept).is_err() {
            assert!(python.exists(), "{} could not be made", kept.display());
        }
        python
    })
}

#[track_caller]
fn run(command: &mut Command, way_out: &str) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; {way_out}"));
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}; {way_out}:\n{said}", output.status);
}

/// What the schema says against the dashboards of the repository at `root`.
fn complaints(root: &Path) -> Vec<String> {
    let mut command = Command::new(python());
    let output = command.arg(SCRIPT).args(files(root).iter().map(|file| path(root, file))).output().unwrap();
    assert!(output.status.success(), "{SCRIPT}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn grafanas_schema_takes_every_dashboard() {
    none(&complaints(Path::new(SHIPPED)));
}

#[test]
fn the_schema_is_asked_about_everything() {
    let (_folder, root) = example();
    none(&complaints(&root));
    let stores = root.join("grafana/dashboards/operations/datastores.json");
    let text = fs::read_to_string(&stores).unwrap();
    let mut spoiled = text.clone();
    for (from, to) in [
        ("\"graphTooltip\"", "\"graphTooltips\""),
        ("\"lineWidth\"", "\"linewidth\""),
        ("\"textMode\": \"value\"", "\"textMode\": \"values\""),
        ("\"legendFormat\"", "\"legend\""),
        ("\"graphMode\": \"none\"", "\"graphMode\": \"nothing\""),
        ("\"unit\": \"ops\"", "\"unit\": \"sec\""),
        ("\"keepTime\"", "\"keepTimes\""),
    ] {
        assert!(spoiled.contains(from), "{from}");
        spoiled = spoiled.replacen(from, to, 1);
    }
    fs::write(&stores, spoiled).unwrap();
    let found = complaints(&root).join("\n");
    for says in [
        ".graphTooltips is not",
        ".linewidth is not",
        "text_mode: 'values' is none of",
        ".legend is not",
        "graph_mode: 'nothing' is none of",
        "'sec' is no unit",
        ".keepTimes is not",
    ] {
        assert!(found.contains(says), "nobody says: {says}\n{found}");
    }
}
