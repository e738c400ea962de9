//! Presets of one's own, in folders.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::super::Library;
use super::{MOMENT, SECRETS, loaded};

const PRESET: &str = "schema = 1\n[preset]\nname = 'bazaar'\nrequired_secrets = ['key']\n\
    [environments.production]\nbase_url = 'https://api.bazaar.example'\n\
    [auth]\ntype = 'headers'\ninject = { X-Key = '{{secret.key}}' }\n\
    [[probe]]\nname = 'orders'\nrole = 'auth'\npath = '/orders'\nexpect = 'json'\n";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// Why the presets of a folder cannot be read, with the folder called `DIR`.
fn refused(folder: &Path) -> String {
    let problem = Library::open(&[folder.to_owned()]).unwrap_err();
    problem.replace(&folder.display().to_string(), "DIR")
}

#[test]
fn a_marketplace_is_added_by_a_file_alone() {
    let folder = folder(&[("bazaar.toml", PRESET), ("README.md", "not a preset")]);
    let configuration = format!(
        "preset_dirs = ['{}']\n[targets.main]\npreset = 'bazaar'\nsecrets.key = {{ env = 'SECRET' }}\n",
        folder.path().display()
    );
    let (account, notices) = loaded(&configuration, SECRETS);
    let account = account.unwrap();
    assert_eq!((account.marketplace.as_str(), notices), ("bazaar", vec![]));
    let shown = account.probes[0].shown(&MOMENT);
    assert!(
        shown.starts_with("GET https://api.bazaar.example/orders\n") && shown.contains("x-key: [secret key]"),
        "{shown}"
    );
}

#[test]
fn a_file_replaces_a_preset_that_vitrin_brings_and_that_is_said() {
    let folder = folder(&[("ozon.toml", &PRESET.replace("bazaar", "ozon"))]);
    let path = folder.path().display();
    let configuration =
        format!("preset_dirs = ['{path}']\n[targets.main]\npreset = 'ozon'\nsecrets.key = {{ env = 'SECRET' }}\n");
    let (account, notices) = loaded(&configuration, SECRETS);
    assert!(account.unwrap().probes[0].shown(&MOMENT).starts_with("GET https://api.ozon.example/orders\n"));
    assert_eq!(notices, [format!("the preset `ozon` of {path}/ozon.toml replaces the one that Vitrin brings")]);
}

#[test]
fn a_mistake_in_a_file_is_named_with_its_place() {
    let spoiled = PRESET.replace("path = '/orders'", "paht = '/orders'");
    let problem = refused(folder(&[("bazaar.toml", &spoiled)]).path());
    assert_eq!(problem, "DIR/bazaar.toml:13:1: probe[0]: unknown key `paht`\ndid you mean `path`?");
    let problem = refused(folder(&[("bazaar.toml", "schema = ")]).path());
    assert!(problem.starts_with("DIR/bazaar.toml:1:10: "), "{problem}");
}

#[test]
fn files_are_called_as_their_presets_and_each_preset_is_there_once() {
    let problem = refused(folder(&[("other.toml", PRESET)]).path());
    let way_out = "call the file bazaar.toml, or the preset as the file";
    assert_eq!(problem, format!("DIR/other.toml: the preset is called `bazaar`\n{way_out}"));
    let folders = [folder(&[("bazaar.toml", PRESET)]), folder(&[("bazaar.toml", PRESET)])];
    let problem = Library::open(&folders.each_ref().map(|folder| folder.path().to_owned())).unwrap_err();
    assert!(problem.contains("the preset `bazaar` is in ") && problem.ends_with("remove one of them"), "{problem}");
}

#[test]
fn files_have_limits() {
    let large = format!("{PRESET}#{}", "x".repeat(64 << 10));
    let problem = refused(folder(&[("bazaar.toml", &large)]).path());
    assert_eq!(problem, "the preset DIR/bazaar.toml is larger than 64 KiB\na preset is some pages of text");
    let many: Vec<_> = (0..101).map(|n| (format!("m{n}.toml"), PRESET.replace("bazaar", &format!("m{n}")))).collect();
    let many: Vec<_> = many.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert_eq!(refused(folder(&many).path()), "there are more than 100 presets\nremove those that no target uses");
    let fits = folder(&many[1..]);
    assert_eq!(Library::open(&[fits.path().to_owned()]).unwrap().names().len(), 109);
}

#[test]
fn what_is_no_folder_and_no_file_is_a_mistake() {
    let problem = Library::open(&["presets".into()]).unwrap_err();
    assert_eq!(problem, "the folder of presets `presets` is not a path from the root\nwrite \"/etc/vitrin/presets\"");
    let problem = Library::open(&["/nonexistent/presets".into()]).unwrap_err();
    assert!(problem.starts_with("the folder of presets /nonexistent/presets cannot be read: "), "{problem}");
    let odd = folder(&[]);
    fs::create_dir(odd.path().join("bazaar.toml")).unwrap();
    assert_eq!(refused(odd.path()), "the preset DIR/bazaar.toml is not a file\nremove it from the folder");
    let odd = folder(&[]);
    fs::write(odd.path().join("bazaar.toml"), b"\xff").unwrap();
    assert_eq!(refused(odd.path()), "the preset DIR/bazaar.toml is not text\na preset is TOML in UTF-8");
}
