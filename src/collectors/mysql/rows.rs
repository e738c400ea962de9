//! An answer of the server: rows of text cells, kept back to back in one string.

use std::ops::Range;

/// Rows and the names of their columns.
#[derive(Debug, Default)]
pub(super) struct Rows {
    columns: Vec<String>,
    text: String,
    /// Row after row; `None` is NULL.
    cells: Vec<Option<Range<usize>>>,
}

impl Rows {
    /// No rows yet, of these columns.
    pub(super) fn of(columns: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        // MySQL 8 answers information_schema's columns in capitals, whatever the statement says.
        let columns = columns.into_iter().map(|name| name.as_ref().to_ascii_lowercase()).collect();
        Self { columns, ..Self::default() }
    }

    /// Adds the next cell of the current row.
    pub(super) fn push(&mut self, cell: Option<&str>) {
        let start = self.text.len();
        self.cells.push(cell.map(|cell| {
            self.text.push_str(cell);
            start..self.text.len()
        }));
    }

    /// How many bytes of text there are.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// How many cells there are in all rows.
    pub(super) fn cells(&self) -> usize {
        self.cells.len()
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.cells.len() / self.columns.len().max(1)
    }

    /// The rows, in the server's order.
    pub(super) fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.cells.chunks(self.columns.len().max(1)).map(|cells| Row { rows: self, cells })
    }

    /// The columns' names, in lower case.
    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The second column of the row whose first column is `name`: `SHOW VARIABLES` and `SHOW STATUS` are such pairs.
    pub(super) fn setting(&self, name: &str) -> Option<&str> {
        self.iter().find(|row| row.at(0).is_some_and(|first| first.eq_ignore_ascii_case(name)))?.at(1)
    }

    /// An answer as the command-line client prints it with `--batch`: tabs between cells, a line of names first.
    #[cfg(test)]
    pub(super) fn recorded(text: &str) -> Self {
        let mut lines = text.lines();
        let mut rows = Self::of(lines.next().expect("a recorded answer has a line of names").split('\t'));
        for line in lines {
            for cell in line.split('\t') {
                rows.push((cell != "NULL").then_some(cell));
            }
        }
        rows
    }
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    rows: &'a Rows,
    cells: &'a [Option<Range<usize>>],
}

impl<'a> Row<'a> {
    /// The text of a column; `None` when it is NULL or there is no such column.
    pub(super) fn text(self, column: &str) -> Option<&'a str> {
        self.at(self.rows.columns.iter().position(|name| name == column)?)
    }

    /// The number in a column.
    pub(super) fn number(self, column: &str) -> Option<f64> {
        number(self.text(column)?)
    }

    /// The text of the column at this place.
    pub(super) fn at(self, index: usize) -> Option<&'a str> {
        Some(&self.rows.text[self.cells.get(index)?.clone()?])
    }

    /// Name and text of every column that is not NULL.
    pub(super) fn cells(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.rows.columns.iter().enumerate().filter_map(move |(index, name)| Some((name.as_str(), self.at(index)?)))
    }
}

/// The number a text is, the whole of it; the words that floating-point parsers know (`inf`, `nan`) are none.
pub(super) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text.starts_with(|c: char| c.is_ascii_digit() || "-+.".contains(c));
    text.parse().ok().filter(|number: &f64| digits && number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_answer_is_read_by_name_and_place() {
        let rows = Rows::recorded("Name\tSIZE\na\t1\nb\tNULL");
        let sizes: Vec<_> = rows.iter().map(|row| (row.text("name"), row.number("size"))).collect();
        assert_eq!(sizes, [(Some("a"), Some(1.0)), (Some("b"), None)]);
        assert_eq!((rows.len(), rows.setting("A")), (2, Some("1")));
        assert_eq!(rows.iter().next().unwrap().text("colour"), None);
    }

    #[test]
    fn words_and_versions_are_no_numbers() {
        assert_eq!(number(" 18446744073709551615 "), Some(18_446_744_073_709_552_000.0));
        assert_eq!(number("-0.5e1"), Some(-5.0));
        for text in ["", "inf", "nan", "1.2.3", "127.0.0.1", "-", "0x10", "1 row"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
