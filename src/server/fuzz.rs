//! What must hold for any query of a request.

pub(crate) use super::web::fuzz::web_config;

use super::query::selection;

/// The query of `/metrics`, of any text.
pub(crate) fn query(bytes: &[u8]) {
    let query = String::from_utf8_lossy(bytes);
    match selection(&query) {
        Ok(chosen) => {
            assert_eq!(selection(&format!("{query}&shop=eu")), Ok(chosen), "others' parameters change nothing");
        }
        Err(message) => {
            // The message is for whoever asked: short, whatever was asked, and with a way out.
            assert!(message.chars().count() < 400, "{message}");
            let (problem, hint) = message.split_once("\n  hint: ").unwrap_or_else(|| panic!("no hint: {message}"));
            assert!(!problem.contains(char::is_control) && !hint.contains(char::is_control), "{message:?}");
        }
    }
}
