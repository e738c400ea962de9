//! What must hold whatever stands in a shop's configuration, and in a manifest.

use std::path::{Component, Path};

use super::Manifest;
use super::arrays::Settings;
use super::constants::Constants;
use super::php::tokens;

/// A password, which nothing may keep.
const SECRET: &str = "canary-8f1d2c";

/// A file of PHP: what is worked out of it has no password in it.
pub(crate) fn configuration(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if text.contains(SECRET) {
        return;
    }
    let root = Path::new("/srv/shop");
    let defined = tokens(&format!("<?php define('DB_PASSWORD', '{SECRET}'); ?>{text}"));
    let constants = Constants::of(&defined, root);
    assert!(constants.texts().all(|text| !text.contains(SECRET)), "a password is kept");
    let mut settings = Settings::default();
    settings.assign(&tokens(&format!("<?php $_['db_password'] = '{SECRET}'; ?>{text}")), &constants, root);
    assert!(settings.texts().all(|text| !text.contains(SECRET)), "a password is kept");
    let returned = |text: &str| Settings::returned(&tokens(text));
    for text in [&*text, &format!("<?php return ['db' => ['password' => '{SECRET}'], {text}")] {
        if let Ok(settings) = returned(text) {
            assert!(settings.texts().all(|text| !text.contains(SECRET)), "a password is kept");
        }
    }
}

/// A manifest: what is read of it is written and read as the same, and leads nowhere out of the shop.
pub(crate) fn manifest(bytes: &[u8]) {
    let Some(manifest) = Manifest::parse(bytes) else { return };
    for path in manifest.files.keys().chain(manifest.links.keys()) {
        assert!(path.components().all(|part| matches!(part, Component::Normal(_))), "{}", path.display());
    }
    assert_eq!(Manifest::parse(&manifest.text()), Some(manifest));
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    /// Whoever takes over a shop may write its configuration, too.
    #[test]
    fn a_configuration_that_was_written_to_take_long_does_not() {
        for piece in [
            "{",
            "define('A',",
            "require ",
            "$_['a']=",
            "#\n",
            "?><?=",
            "<<<",
            "['aaaaaaaaaaaaaaaaaaaaaaaaaaa'=>",
            "[1,",
            "dirname(",
            "'",
            "\\'",
            "\"$",
            "/*",
            "if (!defined('A')) {",
            "const A=A.A;",
        ] {
            let begun = Instant::now();
            configuration(format!("<?php return [{}", piece.repeat(128 * 1024 / piece.len())).as_bytes());
            configuration(format!("<?php {}", piece.repeat(128 * 1024 / piece.len())).as_bytes());
            // Linear, it is a tenth of a second; what is not takes minutes.
            assert!(begun.elapsed() < Duration::from_secs(10), "{piece}: {:?}", begun.elapsed());
        }
    }
}
