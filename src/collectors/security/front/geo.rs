//! Whether nginx refuses countries on the shop's way.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::Front;
use super::files::unread;
use super::tree::Directive;
use super::values::names;
use crate::collectors::security::verdict::{Cause, Known, Unknown};

/// Modules whose variables tell where somebody comes from.
const PREFIXES: [&str; 2] = ["geoip_", "geoip2_"];

/// Whether a condition on where somebody comes from ends in a refusal, in the server or where the shop's pages are.
pub(super) fn is_enforced(front: &Front) -> Known<bool> {
    let known = variables(&front.tree.http);
    let refuses = |directives: &[Directive]| {
        directives.iter().filter(|said| said.name == "if").any(|said| {
            let is_of_country = said.values.iter().flat_map(|value| names(value)).any(|name| is_one(&known, name));
            let is_refusal = |inner: &Directive| {
                inner.name == "return" && inner.value().parse::<u16>().is_ok_and(|status| status >= 400)
            };
            is_of_country && said.inner().iter().any(is_refusal)
        })
    };
    if refuses(&front.server().directives) {
        return Ok(true);
    }
    let answer = front.answer("/index.php", "", "GET")?;
    let mut ahead: Vec<_> = front.server().locations.iter().collect();
    while let Some(location) = ahead.pop() {
        if location.place == answer.place {
            return Ok(refuses(&location.directives));
        }
        ahead.extend(&location.locations);
    }
    Ok(false)
}

/// When the oldest of the lists was written: databases of geoip and geoip2, and files that `geo` has its networks of.
pub(super) fn written(front: &Front) -> Known<i64> {
    let mut files = BTreeSet::new();
    for said in &front.tree.http {
        match said.name.as_str() {
            "geoip2" | "geoip_country" | "geoip_city" => files.extend([said.value().to_owned()]),
            "geo" => files.extend(said.inner().iter().map(|inner| inner.place.file.to_string())),
            _ => {}
        }
    }
    let mut oldest = None;
    for file in files {
        let path = Path::new(&file);
        let written = front.files.metadata(path).map_err(|error| unread(path, &error))?.mtime();
        oldest = Some(oldest.map_or(written, |oldest: i64| oldest.min(written)));
    }
    oldest.ok_or_else(|| Unknown::new(Cause::NotConfigured, "nginx knows no countries"))
}

/// The variables that come of an address: those of `geo`, of `geoip2`, and of maps of such.
fn variables(http: &[Directive]) -> BTreeSet<String> {
    let plain = |name: &str| name.trim_start_matches('$').to_lowercase();
    let mut known = BTreeSet::new();
    for said in http {
        match said.name.as_str() {
            "geo" => known.extend(said.values.last().map(|name| plain(name))),
            "geoip2" => known.extend(
                said.inner().iter().filter(|inner| inner.name.starts_with('$')).map(|inner| plain(&inner.name)),
            ),
            _ => {}
        }
    }
    loop {
        let before = known.len();
        for map in http.iter().filter(|said| said.name == "map") {
            if names(map.value()).into_iter().any(|name| is_one(&known, name)) {
                known.extend(map.values.get(1).map(|name| plain(name)));
            }
        }
        if known.len() == before {
            return known;
        }
    }
}

fn is_one(known: &BTreeSet<String>, name: &str) -> bool {
    let name = name.to_lowercase();
    PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || known.contains(&name)
}
