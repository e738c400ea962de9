//! What must hold for any text of a web configuration.

use std::path::Path;

use super::file::parse;

/// Stands where a private key and a password's hash do.
const SECRET: &str = "canary-8f1d2c";

/// A file of any text, as it is and behind one that holds secrets: read, or refused with a place and a hint.
pub(crate) fn web_config(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    check(text);
    if !text.contains(SECRET) {
        for secrets in ["tls_server_config:\n  key: SECRET\n", "basic_auth_users:\n  alice: SECRET\n"] {
            let message = check(&(secrets.replace("SECRET", SECRET) + text));
            assert!(!message.contains(SECRET), "{message}");
        }
    }
}

/// What is said of this text; nothing of a good one.
fn check(text: &str) -> String {
    let Err(problem) = parse(Path::new("web.yml"), text) else { return String::new() };
    let message = problem.to_string();
    assert!(message.starts_with("web.yml"), "{message}");
    assert!(message.contains("\n  hint: "), "{message}");
    assert!(message.len() < 2_000 + 4 * text.len(), "{message}");
    message
}
