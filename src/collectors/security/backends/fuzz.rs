//! What must hold whatever the packages' list, PHP's files and its script say.

use super::{folder, package, php, workers};

/// A file's text, by what it is called.
pub(crate) fn file(name: &str, text: &str) {
    match name {
        "dpkg" => {
            let version = package::version(text, "php8.2-fpm");
            assert!(version.is_none_or(|version| version.len() <= 100 && text.contains(&version)));
        }
        "os-release" => {
            let system = package::system(text);
            assert!(system.len() <= 65 && !system.contains('\n'), "{system:?}");
        }
        "php.ini" => {
            folder::parse(text);
        }
        _ => {
            workers::kilobytes(text, "MemTotal:");
            if let Some((own, _)) = workers::size(text) {
                assert!(own <= workers::kilobytes(text, "VmRSS:").unwrap_or(0), "{own}");
            }
        }
    }
}

/// What the OPcache script prints: what is kept of it can be shown.
pub(crate) fn script(body: &[u8]) {
    let Ok((php, _)) = php::parse(body, "/usr/share/vitrin/opcache.php") else { return };
    let texts = php.settings.iter().flat_map(|(name, value)| [name, value]);
    assert!(texts.chain([&php.version]).all(|text| text.len() <= 64 && !text.contains(char::is_control)));
}
