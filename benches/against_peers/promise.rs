//! What is promised of a release build, and whether it was kept.

use crate::table::Table;

/// A promise, what was measured, and whether it was kept.
pub(crate) struct Promise {
    pub(crate) what: &'static str,
    pub(crate) measured: String,
    pub(crate) limit: String,
    pub(crate) kept: bool,
}

impl Promise {
    /// That something is not more than this.
    pub(crate) fn below(what: &'static str, measured: f64, limit: f64, unit: &str) -> Self {
        let [measured_text, limit_text] = [format!("{measured:.2}{unit}"), format!("{limit:.2}{unit}")];
        Self { what, measured: measured_text, limit: limit_text, kept: measured <= limit }
    }
}

/// All of them with their verdicts.
pub(crate) fn verdicts(promises: Vec<Promise>) -> Table {
    let mut table = Table::new(&["promise", "measured", "limit", "verdict"]);
    for Promise { what, measured, limit, kept } in promises {
        let verdict = if kept { "kept" } else { "**BROKEN**" };
        table.row(what, [measured, limit, verdict.to_owned()]);
    }
    table
}
