//! What vitrin is told of the shop's security: that it is to look at it, and facts as root writes them, of a root that has
//! seen nothing.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

/// What has vitrin look, with the facts in this file.
pub(crate) fn table(facts: &Path) -> String {
    format!("[security]\nfacts = '{}'\n", facts.display())
}

/// Writes the facts anew: all of them at once, as root does.
pub(crate) fn write(facts: &Path) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let unseen = json!({"Err": {"cause": "unsupported", "why": "nobody has looked"}});
    let all = json!({"written": now, "ruleset": unseen, "jails": unseen, "sshd": unseen, "keys": unseen});
    let new = facts.with_extension("new");
    fs::write(&new, json!({"version": 1, "facts": all}).to_string()).unwrap();
    fs::rename(new, facts).unwrap();
}
