//! The shipped files as a drill runs them: compressed, with this run's addresses, and nothing else changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::compress::{compress, decompress};
use crate::support::daemon::folder;

/// Where the shipped files are.
const SHIPPED: &str = env!("CARGO_MANIFEST_DIR");

/// The folders of files that run, and how those files end.
const FOLDERS: [(&str, &str); 4] =
    [("prometheus", "yml"), ("prometheus/rules", "yml"), ("alertmanager", "yml"), ("alertmanager/templates", "tmpl")];

pub(crate) const PROMETHEUS: &str = "prometheus/prometheus.yml";
pub(crate) const ALERTMANAGER: &str = "alertmanager/alertmanager.yml";

/// One text in the place of another, in one file.
#[derive(Clone, Debug)]
pub(crate) struct Substitution {
    file: &'static str,
    shipped: String,
    drill: String,
}

impl Substitution {
    pub(crate) fn new(file: &'static str, shipped: impl Into<String>, drill: impl Into<String>) -> Self {
        Self { file, shipped: shipped.into(), drill: drill.into() }
    }
}

/// All shipped files that run, by their path.
pub(crate) fn shipped() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for (name, ending) in FOLDERS {
        let folder = Path::new(SHIPPED).join(name);
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|found| found == ending) {
                let file = path.file_name().unwrap().to_str().unwrap();
                files.insert(format!("{name}/{file}"), fs::read_to_string(&path).unwrap());
            }
        }
    }
    files
}

/// The drill's form of all of them. Each substitution must have something to replace, and be undone without a doubt.
pub(crate) fn converted(substitutions: &[Substitution]) -> BTreeMap<String, String> {
    let mut files = shipped();
    for (name, text) in &mut files {
        *text = compress(text).unwrap_or_else(|error| panic!("{name} cannot be compressed: {error}"));
        for Substitution { shipped, drill, .. } in substitutions.iter().filter(|of| of.file == name) {
            assert!(text.contains(shipped), "{name} has no {shipped:?} to replace");
            assert!(!text.contains(drill), "{name} holds {drill:?} already");
            *text = text.replace(shipped, drill);
        }
    }
    files
}

/// The shipped form of a file that [`converted`] made.
fn reverted(name: &str, drill: &str, substitutions: &[Substitution]) -> String {
    let of = substitutions.iter().rev().filter(|of| of.file == name);
    let text = of.fold(drill.to_owned(), |text, of| text.replace(&of.drill, &of.shipped));
    decompress(&text).unwrap_or_else(|error| panic!("{name} cannot be decompressed: {error}"))
}

/// Decompressing gives the shipped files byte for byte.
pub(crate) fn claims(substitutions: &[Substitution]) {
    let (shipped, drill) = (shipped(), converted(substitutions));
    for (name, text) in &shipped {
        assert_eq!(&reverted(name, &drill[name], substitutions), text, "{name}");
    }
    for name in [PROMETHEUS, ALERTMANAGER] {
        assert_ne!(shipped[name], drill[name], "{name} is compressed");
    }
}

/// The drill's files in a folder, laid out as the shipped ones.
pub(crate) struct Files {
    folder: TempDir,
}

impl Files {
    pub(crate) fn write(substitutions: &[Substitution]) -> Self {
        let folder = folder();
        for (name, text) in converted(substitutions) {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("in a folder")).unwrap();
            fs::write(path, text).unwrap();
        }
        Self { folder }
    }

    /// Adds rules of the drill's own, written as the shipped ones are.
    pub(crate) fn add_rules(&self, text: &str) {
        let text = compress(text).unwrap_or_else(|error| panic!("the drill's rules: {error}"));
        fs::write(self.path("prometheus/rules/drill.yml"), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
