//! Rows of prepared statements, whose cells are each written in the way of their column's type.

use mysql_common::constants::ColumnType;

use super::answer::text;
use super::bytes::Bytes;
use super::stranger;
use crate::collector::Failure;
use crate::collectors::mysql::rows::Rows;

/// What we keep of a column's description.
#[derive(Debug)]
pub(super) struct Column {
    /// Its name in the answer.
    pub(super) name: String,
    kind: u8,
    is_unsigned: bool,
}

impl Column {
    /// The column that this packet describes.
    pub(super) fn parse(packet: &[u8]) -> Result<Self, Failure> {
        const UNSIGNED: u16 = 0x0020;
        let mut bytes = Bytes(packet);
        // Catalogue, schema, table and its true name.
        for _ in 0..4 {
            bytes.text()?;
        }
        let name = text(bytes.text()?).into_owned();
        bytes.text()?;
        let mut fixed = Bytes(bytes.text()?);
        // Character set and display width.
        fixed.take(6)?;
        Ok(Self { name, kind: fixed.byte()?, is_unsigned: fixed.short()? & UNSIGNED != 0 })
    }
}

/// Adds the row in this packet.
pub(super) fn row(packet: &[u8], columns: &[Column], rows: &mut Rows) -> Result<(), Failure> {
    let mut bytes = Bytes(packet);
    if bytes.byte()? != 0 {
        return Err(stranger());
    }
    // A bit for each column, from the third on.
    let nulls = bytes.take((columns.len() + 9) / 8)?;
    for (index, column) in columns.iter().enumerate() {
        let bit = index + 2;
        if nulls[bit / 8] >> (bit % 8) & 1 == 1 {
            rows.push(None);
        } else {
            cell(&mut bytes, column, rows)?;
        }
    }
    bytes.end()
}

fn cell(bytes: &mut Bytes<'_>, column: &Column, rows: &mut Rows) -> Result<(), Failure> {
    use ColumnType as Type;
    let number = match (ColumnType::try_from(column.kind).map_err(|_| stranger())?, column.is_unsigned) {
        (Type::MYSQL_TYPE_NULL, _) => {
            rows.push(None);
            return Ok(());
        }
        (Type::MYSQL_TYPE_TINY, true) => bytes.byte()?.to_string(),
        (Type::MYSQL_TYPE_TINY, false) => i8::from_le_bytes(bytes.array()?).to_string(),
        (Type::MYSQL_TYPE_SHORT | Type::MYSQL_TYPE_YEAR, true) => bytes.short()?.to_string(),
        (Type::MYSQL_TYPE_SHORT | Type::MYSQL_TYPE_YEAR, false) => i16::from_le_bytes(bytes.array()?).to_string(),
        (Type::MYSQL_TYPE_LONG | Type::MYSQL_TYPE_INT24, true) => bytes.long()?.to_string(),
        (Type::MYSQL_TYPE_LONG | Type::MYSQL_TYPE_INT24, false) => i32::from_le_bytes(bytes.array()?).to_string(),
        (Type::MYSQL_TYPE_LONGLONG, true) => u64::from_le_bytes(bytes.array()?).to_string(),
        (Type::MYSQL_TYPE_LONGLONG, false) => i64::from_le_bytes(bytes.array()?).to_string(),
        (Type::MYSQL_TYPE_FLOAT, _) => f32::from_le_bytes(bytes.array()?).to_string(),
        (Type::MYSQL_TYPE_DOUBLE, _) => f64::from_le_bytes(bytes.array()?).to_string(),
        (
            Type::MYSQL_TYPE_TIMESTAMP | Type::MYSQL_TYPE_DATE | Type::MYSQL_TYPE_NEWDATE | Type::MYSQL_TYPE_DATETIME,
            _,
        ) => moment(bytes)?,
        (Type::MYSQL_TYPE_TIME, _) => time(bytes)?,
        (
            Type::MYSQL_TYPE_STRING
            | Type::MYSQL_TYPE_VAR_STRING
            | Type::MYSQL_TYPE_VARCHAR
            | Type::MYSQL_TYPE_BLOB
            | Type::MYSQL_TYPE_TINY_BLOB
            | Type::MYSQL_TYPE_MEDIUM_BLOB
            | Type::MYSQL_TYPE_LONG_BLOB
            | Type::MYSQL_TYPE_SET
            | Type::MYSQL_TYPE_ENUM
            | Type::MYSQL_TYPE_DECIMAL
            | Type::MYSQL_TYPE_NEWDECIMAL
            | Type::MYSQL_TYPE_BIT
            | Type::MYSQL_TYPE_GEOMETRY
            | Type::MYSQL_TYPE_VECTOR
            | Type::MYSQL_TYPE_JSON,
            _,
        ) => {
            rows.push(Some(&text(bytes.text()?)));
            return Ok(());
        }
        _ => return Err(stranger()),
    };
    rows.push(Some(&number));
    Ok(())
}

/// A day, and a time of it unless that is midnight, as SQL writes them.
fn moment(bytes: &mut Bytes<'_>) -> Result<String, Failure> {
    let mut bytes = part(bytes)?;
    if bytes.0.is_empty() {
        return Ok("0000-00-00".to_owned());
    }
    let (year, month, day) = (bytes.short()?, bytes.byte()?, bytes.byte()?);
    let date = format!("{year:04}-{month:02}-{day:02}");
    if bytes.0.is_empty() {
        return Ok(date);
    }
    let clock = clock(&mut bytes, 0)?;
    Ok(if clock == "00:00:00" { date } else { format!("{date} {clock}") })
}

/// A duration, as SQL writes it.
fn time(bytes: &mut Bytes<'_>) -> Result<String, Failure> {
    let mut bytes = part(bytes)?;
    if bytes.0.is_empty() {
        return Ok("000:00:00".to_owned());
    }
    let sign = if bytes.byte()? == 0 { "" } else { "-" };
    let days = bytes.long()?;
    let clock = clock(&mut bytes, u64::from(days) * 24)?;
    // Hours of a duration have three digits.
    let padding = if clock.find(':') == Some(2) { "0" } else { "" };
    Ok(format!("{sign}{padding}{clock}"))
}

fn part<'a>(bytes: &mut Bytes<'a>) -> Result<Bytes<'a>, Failure> {
    let length = bytes.byte()?;
    bytes.take(length.into()).map(Bytes)
}

fn clock(bytes: &mut Bytes<'_>, more: u64) -> Result<String, Failure> {
    let (hours, minutes, seconds) = (more + u64::from(bytes.byte()?), bytes.byte()?, bytes.byte()?);
    let micros = if bytes.0.is_empty() { 0 } else { bytes.long()? };
    bytes.end()?;
    let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
    Ok(format!("{hours:02}:{minutes:02}:{seconds:02}{fraction}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn column(kind: ColumnType, is_unsigned: bool) -> Column {
        Column { name: "c".to_owned(), kind: kind as u8, is_unsigned }
    }

    fn one(kind: ColumnType, is_unsigned: bool, cell: &[u8]) -> Option<String> {
        let mut rows = Rows::of(["c"]);
        row(&[b"\0\0", cell].concat(), &[column(kind, is_unsigned)], &mut rows).ok()?;
        rows.iter().next()?.at(0).map(str::to_owned)
    }

    #[test]
    fn cells_are_written_as_sql_writes_them() {
        use ColumnType as Type;
        for (kind, is_unsigned, cell, text) in [
            (Type::MYSQL_TYPE_TINY, false, &b"\xff"[..], "-1"),
            (Type::MYSQL_TYPE_TINY, true, b"\xff", "255"),
            (Type::MYSQL_TYPE_LONGLONG, true, &[0xff; 8], "18446744073709551615"),
            (Type::MYSQL_TYPE_DOUBLE, false, &1.5_f64.to_le_bytes(), "1.5"),
            (Type::MYSQL_TYPE_NEWDECIMAL, false, b"\x041.50", "1.50"),
            (Type::MYSQL_TYPE_DATE, false, b"\x04\xe8\x07\x02\x1d", "2024-02-29"),
            (
                Type::MYSQL_TYPE_DATETIME,
                false,
                b"\x0b\xe8\x07\x02\x1d\x01\x02\x03\x01\0\0\0",
                "2024-02-29 01:02:03.000001",
            ),
            (Type::MYSQL_TYPE_DATETIME, false, b"\0", "0000-00-00"),
            (Type::MYSQL_TYPE_TIME, false, b"\x08\x01\x01\0\0\0\x02\x03\x04", "-026:03:04"),
            (Type::MYSQL_TYPE_TIME, false, b"\x08\0\xff\xff\xff\xff\x17\x3b\x3b", "103079215103:59:59"),
        ] {
            assert_eq!(one(kind, is_unsigned, cell).as_deref(), Some(text), "{kind:?}");
        }
        let mut rows = Rows::of(["c"]);
        row(b"\0\x04", &[column(Type::MYSQL_TYPE_LONG, false)], &mut rows).unwrap();
        assert_eq!(rows.iter().next().unwrap().at(0), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_row_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..40), kinds: [u8; 3]) {
            let columns = kinds.map(|kind| Column { name: "c".to_owned(), kind, is_unsigned: kind % 2 == 0 });
            row(&[&[0], &bytes[..]].concat(), &columns, &mut Rows::of(["a", "b", "c"])).ok();
            Column::parse(&bytes).ok();
        }
    }
}
