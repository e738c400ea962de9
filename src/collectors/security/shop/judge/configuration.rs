//! API-04: others get nothing of the shop's configuration, and PHP does not write to it.

use std::fmt::Write as _;

use super::{Hold, Worker, Workers, shown, word};
use crate::collectors::security::seen::Mode;
use crate::collectors::security::shop::{Engine, Shop};
use crate::collectors::security::verdict::{Cause, Known, Unknown, Verdict};

/// What is wrong with a file of the configuration, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wrong {
    /// PHP owns it and may make it writable.
    Owned,
    /// It is closed, but its folder lets PHP put another in its place.
    Replaceable,
    /// Everybody on the machine reads its passwords.
    Readable,
    /// PHP, or everybody, writes to it.
    Writable,
}

/// Fails where PHP or everybody writes to it. Half of it is well where others read it, and where PHP does not write to
/// the file but could: as its owner, or by putting another in its place.
pub(super) fn judge(shop: &Shop, workers: &Workers) -> Known<Verdict> {
    if shop.engine == Engine::Other {
        return Err(Unknown::new(Cause::Unsupported, "what configures a shop of this kind is not known"));
    }
    let fix = fix(shop, workers);
    let mut found: Vec<_> = shop.configurations.iter().flat_map(|file| wrongs(shop, workers, file)).collect();
    found.sort_by_key(|(wrong, _)| std::cmp::Reverse(*wrong));
    let told = found.iter().map(|(_, text)| &**text).collect::<Vec<_>>().join("; ");
    if found.first().is_some_and(|(wrong, _)| *wrong == Wrong::Writable) {
        return Ok(Verdict::fail(told, fix));
    }
    // What was not seen may be worse than what was.
    if let Some(unseen) = &shop.configurations_unseen {
        return Err(unseen.clone());
    }
    if shop.configurations.is_empty() {
        return Err(Unknown::new(Cause::Unsupported, "the shop has no configuration yet"));
    }
    if let Some(missing) = &workers.missing {
        return Err(missing.clone());
    }
    if !found.is_empty() {
        return Ok(Verdict::partial(told, fix));
    }
    let files: Vec<_> = shop.configurations.iter().map(shown).collect();
    Ok(Verdict::pass(format!("{}: closed to others, and no pool of PHP-FPM writes to it", files.join("; "))))
}

/// What is wrong with a file.
fn wrongs(shop: &Shop, workers: &Workers, file: &Mode) -> Vec<(Wrong, String)> {
    let way = |folder: &std::path::Path| shop.ways.iter().find(|way| way.path == folder);
    // A folder on the way that others may not enter closes all that is in it.
    let is_reached = file.path.ancestors().skip(1).all(|folder| way(folder).is_none_or(|way| way.mode & 0o001 != 0));
    let is = shown(file);
    let mut wrongs = Vec::new();
    if file.mode & 0o002 != 0 && is_reached {
        wrongs.push((Wrong::Writable, format!("{is}: everybody on the machine may change it")));
    } else if let Some(worker) = workers.with(Hold::Writes, file) {
        wrongs.push((Wrong::Writable, format!("{is}: PHP may change it (pool {})", worker.pool)));
    } else if let Some(worker) = workers.with(Hold::Owns, file) {
        wrongs.push((Wrong::Owned, format!("{is}: PHP owns it and may make it writable (pool {})", worker.pool)));
    } else if let Some((folder, worker)) =
        file.path.parent().and_then(way).and_then(|folder| replacing(workers, folder))
    {
        let text = format!(
            "PHP may put another {} in its place, because {} (pool {})",
            file.path.display(),
            shown(folder),
            worker.pool
        );
        wrongs.push((Wrong::Replaceable, text));
    }
    if file.mode & 0o004 != 0 && is_reached {
        wrongs.push((Wrong::Readable, format!("{is}: everybody on the machine reads its passwords")));
    }
    wrongs
}

/// The pool that may rename and remove what is in a folder. In one like `/tmp` only owners may.
fn replacing<'a>(workers: &'a Workers, folder: &'a Mode) -> Option<(&'a Mode, &'a Worker)> {
    let worker = [Hold::Writes, Hold::Owns].into_iter().find_map(|hold| workers.with(hold, folder))?;
    let is_kept = folder.mode & 0o1000 != 0 && workers.with(Hold::Owns, folder).is_none() && worker.uid != folder.uid;
    (!is_kept || worker.uid == 0).then_some((folder, worker))
}

fn fix(shop: &Shop, workers: &Workers) -> String {
    let files: Vec<_> = shop.configurations.iter().map(|file| word(&file.path)).collect();
    let files = files.join(" ");
    let mut folders: Vec<_> = shop
        .configurations
        .iter()
        .filter_map(|file| shop.ways.iter().find(|way| Some(&*way.path) == file.path.parent()))
        .filter_map(|folder| replacing(workers, folder))
        .map(|(folder, _)| word(&folder.path))
        .collect();
    folders.dedup();
    let group = workers.group();
    let mut lines = format!("chown root:{group} {files}\nchmod 0640 {files}");
    if !folders.is_empty() {
        let folders = folders.join(" ");
        write!(lines, "\nchown root:{group} {folders}\nchmod 0755 {folders}").expect("writing to memory does not fail");
    }
    lines
}
