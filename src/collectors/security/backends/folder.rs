//! `.user.ini` in the shop's folder: FPM's workers read it with each of the shop's scripts, and not with ours, which lies
//! elsewhere.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use crate::collectors::security::verdict::{Cause, Known, Unknown};
use crate::machine::beginning;

/// The most of it that is read.
const FILE_BYTES: u64 = 64 << 10;

/// The settings that such a file may change, and that are of interest.
const NAMES: [&str; 2] = ["display_errors", "display_startup_errors"];

/// What the file in this folder of the host sets, of what a pool has not locked (`php_admin_value`). Blocks.
pub(super) fn settings(root: &Path, folder: &Path, locked: &[String]) -> Known<BTreeMap<String, String>> {
    let file = folder.join(".user.ini");
    let here = root.join(file.strip_prefix("/").unwrap_or(&file));
    match beginning(&here, FILE_BYTES) {
        Ok(text) => {
            let mut found = parse(&text);
            found.retain(|name, _| !locked.contains(name));
            Ok(found)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(Unknown::new(Cause::Permission, format!("reading {}: {error}", file.display()))),
    }
}

/// A name of more than one line has the value of its last. Sections are not told apart: what one of them sets may hold.
pub(super) fn parse(text: &str) -> BTreeMap<String, String> {
    let setting = |line: &str| {
        let (name, value) = line.split_once('=')?;
        let name = NAMES.into_iter().find(|known| *known == name.trim())?;
        let value = value.split(';').next().unwrap_or_default().trim().trim_matches(['"', '\'']);
        // A switch: what is longer is none.
        let value = value.get(..value.len().min(16)).filter(|value| value.is_ascii())?;
        Some((name.to_owned(), value.to_owned()))
    };
    text.lines().filter_map(setting).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_shops_folder_has_a_say_where_the_pool_has_not_locked_it() {
        let root = tempfile::tempdir().unwrap();
        let look = |locked: &[String]| settings(root.path(), Path::new("/srv/shop"), locked);
        assert_eq!(look(&[]), Ok(BTreeMap::new()));
        fs::create_dir_all(root.path().join("srv/shop")).unwrap();
        let text = "; a comment\nmemory_limit = 1G\n display_errors = \"On\" ; why\nmysqli.default_pw = canary\n";
        fs::write(root.path().join("srv/shop/.user.ini"), text).unwrap();
        let on = BTreeMap::from([("display_errors".to_owned(), "On".to_owned())]);
        assert_eq!(look(&[]), Ok(on));
        assert_eq!(look(&["display_errors".to_owned()]), Ok(BTreeMap::new()));
        fs::remove_file(root.path().join("srv/shop/.user.ini")).unwrap();
        fs::create_dir(root.path().join("srv/shop/.user.ini")).unwrap();
        assert_eq!(look(&[]).unwrap_err().cause, Cause::Permission);
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String, value in ".{0,40}") {
            parse(&text);
            parse(&format!("display_errors = {value}"));
        }
    }
}
