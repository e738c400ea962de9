//! Until when somebody mends the security holes of a PHP: a table with a date of its own, for it ages as well.

use std::time::UNIX_EPOCH;

const TABLE: &str = include_str!("eol.tsv");

/// How long the table is believed, in seconds: 400 days.
const BELIEVED: i64 = 400 * DAY;

const DAY: i64 = 24 * 60 * 60;

/// A row of the table: whose PHP, which branch, and the last second that it is mended in, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    whose: &'static str,
    branch: (u32, u32),
    until: &'static str,
    end: i64,
}

/// How long a PHP is mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// The last day, as a person reads it.
    pub(super) day: &'static str,
    /// Its last second, since 1970.
    pub(super) second: i64,
}

/// The day the table was made.
pub(in crate::collectors::security) fn dated() -> &'static str {
    TABLE.lines().find_map(|line| line.strip_prefix("dated\t")).unwrap_or_default()
}

/// Whether the table is too old to be believed at this time.
pub(super) fn is_stale(now: i64) -> bool {
    end_of(dated()).is_none_or(|dated| now - dated > BELIEVED)
}

/// Until when php.net mends a branch; `None` for one that is not in the table.
pub(super) fn upstream(branch: (u32, u32)) -> Option<End> {
    find("php", branch)
}

/// The newest branch that the table knows.
pub(super) fn newest() -> (u32, u32) {
    rows().filter(|row| row.whose == "php").map(|row| row.branch).max().unwrap_or_default()
}

/// Until when a release of a distribution, `debian 12`, mends the branch; `None` where it is not its own.
pub(super) fn distribution(system: &str, branch: (u32, u32)) -> Option<End> {
    find(system, branch)
}

/// The branch of a version: of `8.2.36-1` it is 8.2.
pub(super) fn branch(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn find(whose: &str, branch: (u32, u32)) -> Option<End> {
    let row = rows().find(|row| row.whose == whose && row.branch == branch)?;
    Some(End { day: row.until, second: row.end })
}

fn rows() -> impl Iterator<Item = Row> {
    TABLE.lines().filter_map(|line| {
        let mut fields = line.split('\t');
        let (whose, branch, until) = (fields.next()?, branch(fields.next()?)?, fields.next()?);
        Some(Row { whose, branch, until, end: end_of(until)? })
    })
}

/// The last second of a day.
fn end_of(day: &str) -> Option<i64> {
    let time = humantime::parse_rfc3339(&format!("{day}T23:59:59Z")).ok()?;
    i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines = TABLE.lines().filter(|line| !line.starts_with(['#']) && !line.starts_with("dated")).count();
        assert_eq!((rows().count(), lines), (20, 20));
        assert_eq!((dated(), newest()), ("2026-11-23", (8, 6)));
        assert_eq!(upstream((8, 2)).unwrap().second, 1_798_761_599);
        assert_eq!(distribution("debian 12", (8, 2)).unwrap().day, "2028-06-30");
        assert_eq!(distribution("debian 12", (8, 3)), None);
        assert_eq!(branch("8.2.36-1~deb12u1"), Some((8, 2)));
        assert_eq!((branch("8"), branch(""), branch("a.b")), (None, None, None));
    }

    #[test]
    fn the_table_is_believed_for_400_days() {
        let dated = end_of(dated()).unwrap();
        assert!(!is_stale(dated + BELIEVED) && is_stale(dated + BELIEVED + 1));
    }
}
