//! All presets there are: those that Vitrin brings, and the files of `preset_dirs`.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::Preset;
use crate::config::file::text_of;
use crate::config::meant;
use crate::config::secret::notice;

/// The largest file of a preset, and how many there may be; those that Vitrin brings have 5 KiB.
const FILE_BYTES: u64 = 64 << 10;
const FILES: usize = 100;

macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        /// The presets that Vitrin brings, by name.
        pub(super) const EMBEDDED: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../presets/", $name, ".toml")))),+];
    };
}
embedded! {
    "amazon-sp-api",
    "ciceksepeti",
    "ebay",
    "generic",
    "hepsiburada",
    "n11",
    "ozon",
    "pazarama",
    "trendyol",
}

/// All presets: those of files are read already.
#[derive(Debug, Default)]
pub(crate) struct Library {
    files: BTreeMap<String, (PathBuf, Preset)>,
}

impl Library {
    /// The presets of these folders, and those that Vitrin brings and no file replaces.
    ///
    /// # Errors
    /// When a folder cannot be read, or a file in it is no preset.
    pub(crate) fn open(folders: &[PathBuf]) -> Result<Self, String> {
        let mut library = Self::default();
        for folder in folders {
            for file in files(folder)? {
                if library.files.len() >= FILES {
                    return Err(format!("there are more than {FILES} presets\nremove those that no target uses"));
                }
                library.add(file)?;
            }
        }
        Ok(library)
    }

    fn add(&mut self, file: PathBuf) -> Result<(), String> {
        let preset = Preset::parse(&file, &read(&file)?)?;
        let name = preset.name().to_owned();
        let shown = file.display();
        if file.file_stem().is_none_or(|stem| stem != name.as_str()) {
            return Err(format!(
                "{shown}: the preset is called `{name}`\ncall the file {name}.toml, or the preset as the file"
            ));
        }
        if let Some((other, _)) = self.files.get(&name) {
            return Err(format!("{shown}: the preset `{name}` is in {} too\nremove one of them", other.display()));
        }
        if EMBEDDED.iter().any(|(embedded, _)| *embedded == name) {
            notice(format!("the preset `{name}` of {shown} replaces the one that Vitrin brings"));
        }
        self.files.insert(name, (file, preset));
        Ok(())
    }

    /// The preset of this name.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn preset(&self, name: &str) -> Result<Preset, String> {
        if let Some((_, preset)) = self.files.get(name) {
            return Ok(preset.clone());
        }
        match EMBEDDED.iter().find(|(embedded, _)| *embedded == name) {
            Some((name, text)) => Preset::parse(Path::new(&format!("the preset {name}")), text),
            None => Err(format!("there is no preset `{name}`\n{}", meant(name, &self.names()))),
        }
    }

    /// The names of all presets, in order.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = EMBEDDED.iter().map(|(name, _)| *name).collect();
        names.extend(self.files.keys().map(String::as_str));
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// The files of a folder that hold presets, in order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let shown = folder.display();
    if !folder.is_absolute() {
        return Err(format!(
            "the folder of presets `{shown}` is not a path from the root\nwrite \"/etc/vitrin/presets\""
        ));
    }
    let unreadable = |error: std::io::Error| {
        format!("the folder of presets {shown} cannot be read: {error}\ncreate it, or leave it out of preset_dirs")
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn read(file: &Path) -> Result<String, String> {
    let shown = file.display();
    text_of(file, FILE_BYTES).map_err(|error| match error.kind() {
        ErrorKind::InvalidInput => format!("the preset {shown} is not a file\nremove it from the folder"),
        ErrorKind::FileTooLarge => format!("the preset {shown} is {error}\na preset is some pages of text"),
        ErrorKind::InvalidData => format!("the preset {shown} is not text\na preset is TOML in UTF-8"),
        _ => format!("the preset {shown} cannot be read: {error}\nlet Vitrin's user read it"),
    })
}
