//! API-07: PHP does not write to the shop's code, so that who gets in by one hole leaves nothing behind.

use super::{Hold, Workers, shown, word};
use crate::collectors::security::shop::{Code, Owned, Part, Shop};
use crate::collectors::security::verdict::{Known, Unknown, Verdict};

/// Fails where PHP or everybody writes to the shop itself. Half of it is well where they write to extensions alone, which
/// the administration installs, and where PHP merely owns what is not writable: who gets in may change that first.
pub(super) fn judge(shop: &Shop, workers: &Workers) -> Known<Verdict> {
    let code = shop.code.as_ref().map_err(Clone::clone)?;
    let fix = fix(shop, workers);
    if let Some(core) = writable(code, workers, Part::Core) {
        return Ok(Verdict::fail(core, fix));
    }
    if let Some(unknown) = unknown(code, workers) {
        return Err(unknown);
    }
    if let Some(extensions) = writable(code, workers, Part::Extension) {
        return Ok(Verdict::partial(format!("{extensions}, among the extensions alone"), fix));
    }
    let owned: Vec<_> = code.owned.iter().filter(|owned| workers.with(Hold::Owns, &owned.example).is_some()).collect();
    if let Some(first) = owned.first() {
        let count: usize = owned.iter().map(|owned| owned.count).sum();
        let text = format!(
            "PHP owns {count} of {} files and folders of code that were looked at, none of them writable: it may make them \
             so ({})",
            code.looked,
            shown(&first.example)
        );
        return Ok(Verdict::partial(text, fix));
    }
    Ok(Verdict::pass(format!("of {} files and folders of code that were looked at, PHP writes to none", code.looked)))
}

/// What was not seen, and may be worse than what was.
fn unknown(code: &Code, workers: &Workers) -> Option<Unknown> {
    code.unseen.clone().or_else(|| workers.missing.clone())
}

/// How much of a part PHP or everybody writes to.
fn writable(code: &Code, workers: &Workers, part: Part) -> Option<String> {
    let by = |owned: &Owned| {
        let pool = workers.with(Hold::Writes, &owned.example).map(|worker| format!("PHP (pool {})", worker.pool));
        pool.or_else(|| (owned.example.mode & 0o002 != 0).then(|| "everybody on the machine".to_owned()))
    };
    let found: Vec<_> =
        code.owned.iter().filter(|owned| owned.part == part).filter_map(|one| Some((one, by(one)?))).collect();
    let (first, who) = found.first()?;
    let count: usize = found.iter().map(|(owned, _)| owned.count).sum();
    Some(format!(
        "{who} may change {count} of {} files and folders of code that were looked at, for example {}",
        code.looked,
        shown(&first.example)
    ))
}

fn fix(shop: &Shop, workers: &Workers) -> String {
    let (base, group) = (word(&shop.base), workers.group());
    let spared: Vec<_> = shop
        .written_folders
        .iter()
        .filter(|folder| folder.starts_with(&shop.base))
        // What is in another of them is spared with it.
        .filter(|folder| !shop.written_folders.iter().any(|other| other != *folder && folder.starts_with(other)))
        .map(|folder| format!("-path {} -prune -o ", word(folder)))
        .collect();
    let spared = spared.concat();
    format!(
        "find {base} {spared}-exec chown -h root:{group} {{}} +\n\
         find {base} {spared}! -type l -exec chmod g-w,o-w {{}} +"
    )
}
