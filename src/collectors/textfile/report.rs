//! Files as samples: those that are young enough and in order, and of these what nobody else says.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use super::config::Config;
use super::folder::{Content, File};
use super::{FILES, MTIME, REFUSED, SCRAPE_ERROR, names, text};
use crate::collector::{Failure, Reason};
use crate::metric::{self, Desc, Kind, Tier, Unit};
use crate::snapshot::Snapshot;

/// The most families of all files together.
const FAMILIES: usize = 1_000;

/// Families by name, and the file that each came from first.
type Merged = BTreeMap<String, (String, text::Family)>;

/// Reports the files.
pub(super) fn report(files: Vec<File>, config: &Config, out: &mut Snapshot) {
    let folder = config.folder.clone().unwrap_or_default();
    let (mut shown, mut stale, mut refused) = (0_u32, 0_u32, 0_u32);
    let mut merged = Merged::new();
    let mut taken = 0_u32;
    for File { name, content } in files {
        let path = folder.join(&name).display().to_string();
        let Content { written, families } = match content {
            Ok(content) => content,
            Err(failure) => {
                refused += 1;
                out.gap(failure.context(format!("reading {path}")));
                continue;
            }
        };
        // Before 1970 there was no such file.
        let mtime = written.duration_since(UNIX_EPOCH).unwrap_or_default();
        out.push(&MTIME, [&path], mtime.as_secs_f64());
        let Some(families) = families else {
            stale += 1;
            let message = format!("{path} is older than {:?} and not shown", config.max_age(&name));
            out.gap(Failure::message(Reason::Stale, message));
            continue;
        };
        shown += 1;
        taken += merge(families, &name, &mut merged, out);
    }
    for (state, count) in [("shown", shown), ("stale", stale), ("refused", refused)] {
        out.push(&FILES, [state], count);
    }
    out.push(&REFUSED, [], taken);
    out.push(&SCRAPE_ERROR, [], f64::from(u8::from(refused > 0)));
    for (name, (file, family)) in merged {
        push(name, &file, family, out);
    }
}

/// Adds the families of a file to those of the files before; how many of them are not taken.
fn merge(families: text::Families, file: &str, merged: &mut Merged, out: &mut Snapshot) -> u32 {
    let mut refused = 0;
    let mut refuse = |reason, message: String| {
        refused += 1;
        out.gap(Failure::message(reason, message));
    };
    for (name, family) in families.into_iter().filter(|(_, family)| !family.samples.is_empty()) {
        if names::is_taken(&name) {
            refuse(Reason::Protocol, format!("{file} has {name}, which is a name of Vitrin's own: give it another"));
        } else if let Some((other, known)) = merged.get_mut(&name) {
            if known.kind == family.kind {
                known.samples.extend(family.samples);
            } else {
                refuse(Reason::Protocol, format!("{file} has {name} with another type than {other}"));
            }
        } else if clashes(&name, family.kind, merged) {
            refuse(Reason::Protocol, format!("{file} has {name}, which is a counter's name with or without `_total`"));
        } else if merged.len() == FAMILIES {
            refuse(Reason::Limit, format!("{file} has {name}, which is one metric more than {FAMILIES}"));
        } else {
            merged.insert(name, (file.to_owned(), family));
        }
    }
    refused
}

/// Whether OpenMetrics, where a counter's family is called without its `_total`, would have two of one name.
fn clashes(name: &str, kind: Option<Kind>, merged: &Merged) -> bool {
    let is_counter = |kind: Option<Kind>| kind == Some(Kind::Counter);
    let base = name.strip_suffix("_total").filter(|_| is_counter(kind));
    base.is_some_and(|base| merged.contains_key(base))
        || merged.get(&format!("{name}_total")).is_some_and(|(_, family)| is_counter(family.kind))
}

/// Adds a family's samples. All series of a family have the same labels here: one that a sample lacks is empty, which is
/// the same to Prometheus.
fn push(name: String, file: &str, family: text::Family, out: &mut Snapshot) {
    let mut labels: Vec<_> = family.samples.iter().flat_map(|sample| sample.labels.keys().cloned()).collect();
    labels.sort_unstable();
    labels.dedup();
    let help = family.help.filter(|help| !help.is_empty()).unwrap_or_else(|| format!("Metric read from {file}."));
    let desc = Arc::new(Desc {
        name: name.into(),
        kind: family.kind.unwrap_or(Kind::Unknown),
        unit: Unit::None,
        tier: Tier::DropIn,
        labels: labels.iter().cloned().map(Cow::Owned).collect(),
        help: help.into(),
    });
    for sample in &family.samples {
        let values: Vec<_> = labels.iter().map(|label| sample.labels.get(label).map_or("", String::as_str)).collect();
        out.push_family(metric::Family::Found(desc.clone()), &values, sample.value);
    }
}
