//! Which shop system a folder holds, by files that only that one has.
//!
//! Only what everybody may see is looked at, whoever looks: a root who writes a configuration must find what the
//! unprivileged exporter finds. Of the one file that is read, nothing is kept.

use std::fs::{self, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

/// The most of OpenCart's `index.php` that is read; its version stands on the third line.
const INDEX_BYTES: u64 = 16 << 10;

/// Files that only one system has, all of which must be there; the values are the configuration's.
const MARKS: [(&str, &[&str]); 7] = [
    ("woocommerce", &["wp-content/plugins/woocommerce"]),
    // WordPress with its parts in folders of their own.
    ("woocommerce", &["app/plugins/woocommerce"]),
    ("magento2", &["bin/magento", "app/etc"]),
    ("prestashop", &["classes/PrestaShopAutoload.php", "config"]),
    ("prestashop", &["config/settings.inc.php", "classes"]),
    ("prestashop", &["app/AppKernel.php", "classes"]),
    ("laravel", &["artisan", "bootstrap/app.php"]),
];

/// Where OpenCart says which one it is, and a file that others do not have.
const OPENCART: &str = "system/startup.php";
const INDEX: &str = "index.php";

/// What a configuration calls the shop whose files nginx serves from this folder of the host.
pub(super) fn guess(root: &Path, folder: &str) -> Option<&'static str> {
    let folder = Path::new(folder);
    if !folder.is_absolute() {
        return None;
    }
    let folder = root.join(folder.strip_prefix("/").ok()?);
    // Magento and Laravel serve a folder of theirs, `pub` or `public`.
    let above = folder.parent().filter(|above| above.starts_with(root));
    std::iter::once(&*folder).chain(above).find_map(in_folder)
}

fn in_folder(folder: &Path) -> Option<&'static str> {
    let has = |name: &&str| is_shown_to_all(&folder.join(name));
    if has(&OPENCART) {
        return opencart(&folder.join(INDEX));
    }
    MARKS.iter().find(|(_, files)| files.iter().all(has)).map(|(shop, _)| *shop)
}

/// The OpenCart that says its version in this file: `define('VERSION', '4.1.0.3');`.
fn opencart(index: &Path) -> Option<&'static str> {
    if !is_shown_to_all(index) {
        return None;
    }
    // Whoever the folder belongs to may put anything there at any time: a pipe that nobody writes to, a link to a device
    // that acts when it is opened.
    let flags = i32::try_from((OFlags::NONBLOCK | OFlags::NOFOLLOW).bits()).ok()?;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(index).ok()?;
    let metadata = file.metadata().ok()?;
    if !metadata.is_file() || metadata.permissions().mode() & 0o004 == 0 {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(INDEX_BYTES).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let version = text.lines().find_map(|line| line.trim().strip_prefix("define('VERSION',"))?;
    match version.trim().trim_start_matches('\'').split('.').next()? {
        "3" => Some("opencart3"),
        "4" => Some("opencart4"),
        _ => None,
    }
}

/// Whether everybody on the machine may see that this is there.
fn is_shown_to_all(path: &Path) -> bool {
    let Ok(path) = fs::canonicalize(path) else { return false };
    let is_open = |folder: &Path| fs::metadata(folder).is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0);
    path.ancestors().skip(1).all(is_open)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    /// A machine with these files, each with a text.
    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn each_system_is_known_by_its_own_files() {
        let index = |version| format!("<?php\n// Version\ndefine('VERSION', '{version}');\n");
        let (three, four, two) = (index("3.0.3.9"), index("4.1.0.3"), index("2.3.0.2"));
        for (root, files, expected) in [
            ("/www", &[("www/system/startup.php", ""), ("www/index.php", &*three)][..], Some("opencart3")),
            ("/www", &[("www/system/startup.php", ""), ("www/index.php", &four)], Some("opencart4")),
            ("/www", &[("www/system/startup.php", ""), ("www/index.php", &two)], None),
            ("/www", &[("www/index.php", &four)], None),
            ("/www", &[("www/wp-content/plugins/woocommerce/woocommerce.php", "")], Some("woocommerce")),
            ("/www", &[("www/wp-content/plugins/akismet/akismet.php", "")], None),
            ("/m/pub", &[("m/bin/magento", ""), ("m/app/etc/di.xml", ""), ("m/pub/index.php", "")], Some("magento2")),
            ("/www", &[("www/classes/PrestaShopAutoload.php", ""), ("www/config/a", "")], Some("prestashop")),
            ("/l/public", &[("l/artisan", ""), ("l/bootstrap/app.php", ""), ("l/public/i", "")], Some("laravel")),
            ("www", &[("www/wp-content/plugins/woocommerce/woocommerce.php", "")], None),
            ("/", &[("index.php", &four)], None),
            ("/none", &[("www/index.php", &four)], None),
        ] {
            assert_eq!(guess(machine(files).path(), root), expected, "{root} {files:?}");
        }
    }

    #[test]
    fn what_is_not_shown_to_all_is_not_looked_at() {
        let index = "define('VERSION', '4.1.0.3');";
        let machine = machine(&[("www/system/startup.php", ""), ("www/index.php", index)]);
        let set = |name: &str, mode| {
            fs::set_permissions(machine.path().join(name), Permissions::from_mode(mode)).unwrap();
        };
        set("www/index.php", 0o640);
        assert_eq!(guess(machine.path(), "/www"), None);
        set("www/index.php", 0o644);
        assert_eq!(guess(machine.path(), "/www"), Some("opencart4"));
        set("www", 0o750);
        assert_eq!(guess(machine.path(), "/www"), None);
    }

    #[test]
    fn a_pipe_in_place_of_a_file_holds_nobody_up() {
        let machine = machine(&[("www/system/startup.php", "")]);
        let index = machine.path().join("www/index.php");
        rustix::fs::mknodat(rustix::fs::CWD, &index, rustix::fs::FileType::Fifo, 0o644.into(), 0).unwrap();
        assert_eq!(guess(machine.path(), "/www"), None);
    }
}
