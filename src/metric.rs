//! What a metric is: name, type, unit, labels and HELP, declared once beside the code that reads it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// The type of a metric family.
///
/// The two text formats know different sets: see [`crate::exposition`] for how each is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only goes up, and starts at zero when its source restarts.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts of observations in buckets, with their sum.
    Histogram,
    /// Quantiles that the source computed itself, with sum and count.
    Summary,
    /// The source does not say, and we have not reviewed it.
    Unknown,
}

impl Kind {
    /// The word a names table and the documentation use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Unknown => "unknown",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Counter, Self::Gauge, Self::Histogram, Self::Summary, Self::Unknown]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

/// The unit of a metric's value; the base units of Prometheus' naming guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A count of things, a 0/1 state, or a unit that a drop-in name does not spell in base units.
    None,
    /// Bytes.
    Bytes,
    /// Degrees Celsius.
    Celsius,
    /// Cycles a second.
    Hertz,
    /// A part of a whole, 0 to 1.
    Ratio,
    /// Seconds.
    Seconds,
}

impl Unit {
    /// All units, in the order of their names.
    pub const ALL: [Self; 6] = [Self::None, Self::Bytes, Self::Celsius, Self::Hertz, Self::Ratio, Self::Seconds];

    /// The suffix a name of this unit ends with (before `_total`), empty for [`Unit::None`].
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Bytes => "bytes",
            Self::Celsius => "celsius",
            Self::Hertz => "hertz",
            Self::Ratio => "ratio",
            Self::Seconds => "seconds",
        }
    }
}

/// Whose names a family follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// A well-known exporter's name, label for label. Its `main` target carries no `target` label, so that
    /// existing dashboards and rules keep working.
    DropIn,
    /// Our own, to the letter of the Prometheus naming guide; every series carries `target`.
    Own,
}

/// Everything there is to say about a metric family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desc {
    /// The full name, as a dashboard or `curl` shows it.
    pub name: Cow<'static, str>,
    /// Its type.
    pub kind: Kind,
    /// Its unit.
    pub unit: Unit,
    /// Whose name it is.
    pub tier: Tier,
    /// Its label names, without the scheduler's `target`.
    pub labels: Cow<'static, [Cow<'static, str>]>,
    /// One sentence about the thing measured.
    pub help: Cow<'static, str>,
}

impl Desc {
    /// The unit, when the name ends with it, and the name without that ending (and without `_total`).
    ///
    /// OpenMetrics allows `# UNIT` only for such names (specification 1.0, "Unit").
    #[must_use]
    pub fn unit_suffix(&self) -> Option<(&str, &'static str)> {
        let suffix = self.unit.suffix();
        let base = self.name.strip_suffix("_total").unwrap_or(&self.name);
        if suffix.is_empty() {
            return None;
        }
        Some((base.strip_suffix(suffix)?.strip_suffix('_')?, suffix))
    }
}

/// A declared metric with `N` labels; made by [`metrics!`](crate::metrics).
#[derive(Debug)]
pub struct Metric<const N: usize>(Desc);

impl<const N: usize> Metric<N> {
    /// For the macro only: the number of labels in `desc` must be `N`.
    #[doc(hidden)]
    #[must_use]
    pub const fn declared(desc: Desc) -> Self {
        Self(desc)
    }

    /// The declaration.
    #[must_use]
    pub const fn desc(&self) -> &Desc {
        &self.0
    }
}

/// Declares metrics as statics, and the list of them.
///
/// The doc comment is the HELP. The name is written in full, so that one search finds the declaration, its rules,
/// panels and runbooks.
///
/// ```
/// vitrin::metrics! {
///     Own as METRICS;
///     /// Calls of each command since the server started.
///     COMMAND_CALLS = Counter("shop_command_calls_total", None, ["command"]);
/// }
/// assert_eq!(METRICS[0].name, "shop_command_calls_total");
/// ```
#[macro_export]
macro_rules! metrics {
    (
        $tier:ident as $list:ident;
        $(
            $(#[doc = $help:literal])+
            $name:ident = $kind:ident($full:literal, $unit:ident, [$($label:literal),* $(,)?]);
        )+
    ) => {
        $(
            $(#[doc = $help])+
            pub(crate) static $name: $crate::metric::Metric<{ <[&str]>::len(&[$($label),*]) }> =
                $crate::metric::Metric::declared($crate::metric::Desc {
                    name: ::std::borrow::Cow::Borrowed($full),
                    kind: $crate::metric::Kind::$kind,
                    unit: $crate::metric::Unit::$unit,
                    tier: $crate::metric::Tier::$tier,
                    labels: ::std::borrow::Cow::Borrowed(&[$(::std::borrow::Cow::Borrowed($label)),*]),
                    help: ::std::borrow::Cow::Borrowed(concat!($($help),+).trim_ascii()),
                });
        )+
        /// The families declared in this block.
        pub(crate) static $list: &[&$crate::metric::Desc] = &[$($name.desc()),+];
    };
}

/// The families of a source that names its fields itself (`SHOW GLOBAL STATUS`, `INFO`, `/proc/meminfo`):
/// a reviewed table of the fields we know, and a rule for those we do not.
///
/// The table is text, one family a line, five columns parted by tabs: `field`, full `name`, `type`, `unit` (`-` for
/// none) and `help`. Lines that start with `#` and empty lines are for the reader.
#[derive(Debug)]
pub struct Table {
    source: &'static str,
    prefix: &'static str,
    text: &'static str,
    rows: OnceLock<HashMap<&'static str, Desc>>,
}

impl Table {
    /// A table of drop-in names. `source` is what the field names come from, as HELP says it (`SHOW GLOBAL STATUS`);
    /// `prefix` is what the name of a field that is not in the table starts with.
    #[must_use]
    pub const fn new(source: &'static str, prefix: &'static str, text: &'static str) -> Self {
        Self { source, prefix, text, rows: OnceLock::new() }
    }

    /// The family of a field, spelled as in the table's first column.
    pub fn get(&'static self, field: &str) -> Option<Family> {
        self.rows().get(field).map(Family::Declared)
    }

    /// The family of a field, whether we know it or not.
    ///
    /// One we do not know is of type `unknown`; its name is the prefix and the field in lower case, with `_` for
    /// what a metric name cannot hold; its HELP names the field.
    pub fn get_or_unknown(&'static self, field: &str) -> Family {
        self.get(field).unwrap_or_else(|| {
            let name: String = self
                .prefix
                .chars()
                .chain(field.chars().map(|c| match c.to_ascii_lowercase() {
                    c @ ('a'..='z' | '0'..='9') => c,
                    _ => '_',
                }))
                .collect();
            Family::Found(Arc::new(Desc {
                name: name.into(),
                kind: Kind::Unknown,
                unit: Unit::None,
                tier: Tier::DropIn,
                labels: Cow::Borrowed(&[]),
                help: format!("`{field}` of {}; its meaning is not in Vitrin's table.", self.source).into(),
            }))
        })
    }

    /// Every family in the table, in the order of their names.
    pub fn families(&'static self) -> Vec<&'static Desc> {
        let mut families: Vec<_> = self.rows().values().collect();
        families.sort_by(|a, b| a.name.cmp(&b.name));
        families
    }

    /// What a name not in the table starts with.
    pub const fn prefix(&self) -> &'static str {
        self.prefix
    }

    fn rows(&'static self) -> &'static HashMap<&'static str, Desc> {
        self.rows.get_or_init(|| {
            self.text
                .lines()
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
                .map(|line| row(line).unwrap_or_else(|| panic!("not a row of {}: {line:?}", self.source)))
                .collect()
        })
    }
}

fn row(line: &'static str) -> Option<(&'static str, Desc)> {
    let mut columns = line.split('\t');
    let [field, name, kind, unit, help] = std::array::from_fn(|_| columns.next());
    let unit = unit?;
    let desc = Desc {
        name: name?.into(),
        kind: Kind::parse(kind?)?,
        unit: Unit::ALL.into_iter().find(|u| u.suffix() == unit || (unit == "-" && *u == Unit::None))?,
        tier: Tier::DropIn,
        labels: Cow::Borrowed(&[]),
        help: help?.into(),
    };
    columns.next().is_none().then_some((field?, desc))
}

/// The family a sample belongs to.
#[derive(Clone, Debug)]
pub enum Family {
    /// Declared in the code or in a names table.
    Declared(&'static Desc),
    /// Named by what a server answered or by the configuration.
    Found(Arc<Desc>),
}

impl Family {
    /// Whether both are the very same declaration, which is quicker to tell than whether they are equal.
    pub(crate) fn is(&self, other: &Self) -> bool {
        std::ptr::eq(&raw const **self, &raw const **other)
    }

    /// Whether both go by the same name.
    pub(crate) fn has_the_name_of(&self, other: &Self) -> bool {
        self.is(other) || self.name == other.name
    }

    /// Whether series of both can stand under one name: they have the same type and labels.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.kind == other.kind && self.labels == other.labels
    }
}

impl Deref for Family {
    type Target = Desc;

    fn deref(&self) -> &Desc {
        match self {
            Self::Declared(desc) => desc,
            Self::Found(desc) => desc,
        }
    }
}

impl<const N: usize> From<&'static Metric<N>> for Family {
    fn from(metric: &'static Metric<N>) -> Self {
        Self::Declared(metric.desc())
    }
}

/// What a collector may emit: the parts of [`METRICS`](crate::collector::Collector::METRICS).
#[derive(Clone, Copy, Debug)]
pub enum Catalogue {
    /// The metrics of one `metrics!` block.
    List(&'static [&'static Desc]),
    /// A names table; with `open`, also fields that are not in it, under the table's prefix.
    Table {
        /// The table.
        table: &'static Table,
        /// Whether unknown fields are emitted too.
        open: bool,
    },
}

impl Catalogue {
    /// The families declared here, in no particular order.
    #[must_use]
    pub fn families(self) -> Vec<&'static Desc> {
        match self {
            Self::List(list) => list.to_vec(),
            Self::Table { table, .. } => table.families(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SHELVES: Table = Table::new(
        "SHOW SHELVES",
        "shop_shelves_",
        "# comment\n\nOpen\tshop_shelves_open\tgauge\t-\tShelves open now.\n\
         Load\tshop_shelves_load_bytes_total\tcounter\tbytes\tBytes put on shelves.\n",
    );

    #[test]
    fn a_field_in_the_table_has_its_reviewed_type_and_unit() {
        let family = SHELVES.get("Load").unwrap();
        assert_eq!((family.kind, family.unit), (Kind::Counter, Unit::Bytes));
        assert_eq!(family.unit_suffix(), Some(("shop_shelves_load", "bytes")));
    }

    #[test]
    fn a_field_not_in_the_table_is_unknown_and_its_help_names_it() {
        let family = SHELVES.get_or_unknown("Höhe.max");
        assert_eq!(family.name, "shop_shelves_h_he_max");
        assert_eq!(family.kind, Kind::Unknown);
        assert!(family.help.contains("`Höhe.max` of SHOW SHELVES"), "{}", family.help);
    }

    #[test]
    fn a_row_with_a_column_too_many_or_too_few_is_refused() {
        assert!(row("a\tb\tgauge\t-\thelp.").is_some());
        assert!(row("a\tb\tgauge\t-").is_none());
        assert!(row("a\tb\tgauge\t-\thelp.\tmore").is_none());
        assert!(row("a\tb\tgauge\tpercent\thelp.").is_none());
    }
}
