//! How many entries of each kind there were.

use std::collections::BTreeMap;

use super::entry::{Entry, Kind, Level, Source};
use crate::snapshot::Snapshot;

crate::metrics! {
    Own as METRICS;
    /// Entries of the error logs of FPM and PHP since Vitrin first read them: who wrote one (`source`), how bad it is
    /// (`level`; `message` is what the shop's code logs by itself), and what it is about (`kind`).
    ERRORS = Counter("phpfpm_errors_total", None, ["source", "level", "kind"]);
}

/// What is shown from the start, so that the first one of it is an increase: what a shop is woken up for.
const EXPECTED: [Entry; 25] = [
    Entry::php(Level::Fatal, Kind::Memory),
    Entry::php(Level::Fatal, Kind::Timeout),
    Entry::php(Level::Fatal, Kind::Exception),
    Entry::php(Level::Fatal, Kind::Database),
    Entry::php(Level::Fatal, Kind::Redis),
    Entry::php(Level::Fatal, Kind::DiskFull),
    Entry::php(Level::Fatal, Kind::Opcache),
    Entry::php(Level::Fatal, Kind::Other),
    Entry::php(Level::Parse, Kind::Other),
    Entry::php(Level::Warning, Kind::Database),
    Entry::php(Level::Warning, Kind::DiskFull),
    Entry::php(Level::Warning, Kind::Other),
    Entry::php(Level::Notice, Kind::Other),
    Entry::php(Level::Deprecated, Kind::Other),
    Entry::php(Level::Message, Kind::Other),
    Entry::fpm(Level::Alert, Kind::Other),
    Entry::fpm(Level::Error, Kind::Other),
    Entry::fpm(Level::Warning, Kind::Crash),
    Entry::fpm(Level::Warning, Kind::Killed),
    Entry::fpm(Level::Warning, Kind::MaxChildren),
    Entry::fpm(Level::Warning, Kind::Restart),
    Entry::fpm(Level::Warning, Kind::Slow),
    Entry::fpm(Level::Warning, Kind::Timeout),
    Entry::fpm(Level::Warning, Kind::Other),
    Entry::fpm(Level::Notice, Kind::Other),
];

/// The entries so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts(BTreeMap<Entry, u64>);

impl Counts {
    /// One more.
    pub(super) fn add(&mut self, entry: Entry) {
        *self.0.entry(entry).or_default() += 1;
    }

    /// All as series.
    pub(super) fn report(&self, out: &mut Snapshot) {
        let missing = EXPECTED.iter().filter(|entry| !self.0.contains_key(entry)).map(|entry| (entry, &0));
        for (Entry { source, level, kind }, count) in self.0.iter().chain(missing) {
            out.push(&ERRORS, [source.as_str(), level.as_str(), kind.as_str()], *count);
        }
    }

    /// As they are kept over a restart: labels, so that another version of Vitrin understands what is still there.
    pub(super) fn saved(&self) -> Saved {
        let row = |(Entry { source, level, kind }, count): (&Entry, &u64)| {
            (source.as_str().to_owned(), level.as_str().to_owned(), kind.as_str().to_owned(), *count)
        };
        self.0.iter().map(row).collect()
    }

    /// As they were kept.
    pub(super) fn restored(saved: &Saved) -> Self {
        let entry = |(source, level, kind, count): &(String, String, String, u64)| {
            let (source, level) = (Source::of_label(source)?, Level::of_label(level)?);
            Some((Entry { source, level, kind: Kind::of_label(kind)? }, *count))
        };
        Self(saved.iter().filter_map(entry).collect())
    }
}

/// Source, level, kind and count of each series.
pub(super) type Saved = Vec<(String, String, String, u64)>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_go_on_after_a_restart() {
        let mut counts = Counts::default();
        for entry in EXPECTED.iter().chain(&EXPECTED[..3]) {
            counts.add(*entry);
        }
        assert_eq!(Counts::restored(&counts.saved()), counts);
        let gone = vec![("fpm".to_owned(), "grave".to_owned(), "other".to_owned(), 7)];
        assert_eq!(Counts::restored(&gone), Counts::default(), "a level that this version does not know");
    }

    #[test]
    fn what_is_expected_is_there_once_and_from_the_start() {
        let mut out = Snapshot::default();
        let mut counts = Counts::default();
        counts.report(&mut out);
        assert_eq!(out.len(), EXPECTED.len());
        counts.add(EXPECTED[0]);
        counts.add(Entry::php(Level::Notice, Kind::Redis));
        let mut out = Snapshot::default();
        counts.report(&mut out);
        assert_eq!(out.len(), EXPECTED.len() + 1);
    }
}
