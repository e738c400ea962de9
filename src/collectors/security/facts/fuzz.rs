//! What must hold whatever is in the file of the facts, and whatever fail2ban says.

use super::{file, jails};

/// When the committed facts were written, in seconds since 1970.
const NOW: i64 = 1_795_392_001;

/// The file: what is believed is of now, is written as the same, and an error says nothing of what stands in it.
pub(crate) fn file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match file::parse(&text, NOW) {
        Ok(facts) => {
            assert!((NOW - 600..=NOW + 60).contains(&facts.written), "{}", facts.written);
            let written = file::text(&facts).expect("facts can be written");
            assert_eq!(file::parse(&written, NOW), Ok(facts));
        }
        Err(unknown) => assert!(unknown.why.len() < 150, "{}", unknown.why),
    }
}

/// What `fail2ban-client` prints: its names are safe to ask for, and its files are on the host.
pub(crate) fn jails(text: &str) {
    for name in jails::names(text).into_iter().flatten() {
        assert!(!name.starts_with('-') && text.contains(&name), "{name:?}");
        assert!(name.bytes().all(|byte| byte.is_ascii_graphic()), "{name:?}");
    }
    jails::banned(text);
    assert!(jails::files(text).iter().all(|file| file.is_absolute()));
}
