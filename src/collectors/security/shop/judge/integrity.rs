//! MON-05: a change of the shop's code that nobody deployed is noticed.

use super::{Hold, Workers, shown, word};
use crate::collectors::security::shop::{Drift, Shop};
use crate::collectors::security::verdict::{Cause, Known, Unknown, Verdict};

/// Where the lines that mend it put the manifest.
const MANIFEST: &str = "/etc/vitrin/shop.sha256";

/// Passes where every file is as the manifest has it. Without a manifest, a program that watches the machine's files is
/// half of it: it does not know what was deployed. A manifest that PHP may write proves nothing.
pub(super) fn judge(shop: &Shop, workers: &Workers) -> Known<Verdict> {
    let make = |file: &str| format!("vitrin manifest {} >{file}", word(&shop.base));
    let begin = format!("{}\n# vitrin.toml\n[security]\nmanifest = \"{MANIFEST}\"", make(MANIFEST));
    match shop.drift.as_ref().map_err(Clone::clone)? {
        Some(drift) => compared(drift, workers, &make(&word(&drift.manifest.path))),
        None if !shop.monitors.is_empty() => {
            let text = format!(
                "{} watches the machine's files; there is no manifest of what was deployed",
                shop.monitors.join(", ")
            );
            Ok(Verdict::partial(text, begin))
        }
        None => Ok(Verdict::fail("nothing would notice a change of the shop's code: there is no manifest", begin)),
    }
}

fn compared(drift: &Drift, workers: &Workers, make: &str) -> Known<Verdict> {
    let theirs = |mode| [Hold::Writes, Hold::Owns].into_iter().find_map(|hold| workers.with(hold, mode));
    for mode in [&drift.manifest, &drift.folder] {
        // Others write to nothing in a folder like `/tmp`, unless it is theirs.
        let is_open = mode.mode & 0o002 != 0 && mode.mode & 0o1000 == 0;
        if is_open || theirs(mode).is_some_and(|worker| mode.mode & 0o1000 == 0 || worker.uid == mode.uid) {
            let text = format!("{}: PHP may write a manifest of its own, so this one proves nothing", shown(mode));
            let mode_of = if mode.path == drift.manifest.path { "0644" } else { "0755" };
            let path = word(&mode.path);
            return Ok(Verdict::fail(text, format!("chown root:root {path}\nchmod {mode_of} {path}")));
        }
    }
    let Drift { listed, changed, added, missing, unread, .. } = drift;
    if drift.count() > 0 {
        let text = format!(
            "of {listed} files in the manifest, {changed} have changed and {missing} are missing; {added} are there that it \
             does not have: {}",
            drift.examples.join(", ")
        );
        return Ok(Verdict::fail(text, format!("# once it is clear who did this, and that it is meant\n{make}")));
    }
    if let Some(unseen) = &drift.unseen {
        return Err(unseen.clone());
    }
    if drift.behind > 0 {
        let why = format!("{} of {listed} files are still to be compared", drift.behind);
        return Err(Unknown::new(Cause::Stale, why));
    }
    let closed = match unread {
        0 => String::new(),
        _ => format!("; {unread} of them are closed to Vitrin and have not been touched since it was written"),
    };
    Ok(Verdict::pass(format!("all {listed} files are as the manifest has them{closed}")))
}
