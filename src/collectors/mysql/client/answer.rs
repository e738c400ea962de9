//! Answers to statements: columns and rows, in the text and the binary protocol.

use std::borrow::Cow;

use super::binary::{self, Column};
use super::bytes::Bytes;
use super::packets::Packets;
use super::stranger;
use crate::collector::{Failure, Reason};
use crate::collectors::mysql::rows::Rows;

/// The largest packet, which is the largest row, that we read.
const PACKET_BYTES: usize = 4 << 20;

/// The most columns of one answer: no server's table has more.
const COLUMNS: usize = 4_096;

/// The most bytes that describe the columns of one answer.
const COLUMNS_BYTES: usize = 2 << 20;

/// The most text of one answer.
const ANSWER_BYTES: usize = 8 << 20;

/// The most cells of one answer: NULL has no text, but it costs memory too.
const ANSWER_CELLS: usize = 500_000;

/// Of the state that ends an answer: another one follows.
const MORE: u16 = 0x0008;

/// How cells are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// As text, of a statement that was sent as text.
    Text,
    /// Each type in its own way, of a prepared statement.
    Binary,
}

/// Reads an answer of `most` rows at most; a statement that answers with none has no columns either.
pub(super) async fn read(packets: &mut Packets, protocol: Protocol, most: usize) -> Result<Rows, Failure> {
    let packet = packets.read(PACKET_BYTES).await?;
    let count = match packet {
        [0, rest @ ..] => {
            let mut bytes = Bytes(rest);
            // Affected rows and the last id.
            bytes.number()?;
            bytes.number()?;
            return ended(bytes.short()?).map(|()| Rows::default());
        }
        [0xfb, ..] => {
            return Err(Failure::message(
                Reason::Protocol,
                "the server asks for a file of ours, which it does not get",
            ));
        }
        _ => {
            let mut bytes = Bytes(packet);
            let count = bytes.number()?;
            bytes.end()?;
            count
        }
    };
    let columns = columns(packets, count).await?;
    let mut rows = Rows::of(columns.iter().map(|column| column.name.as_str()));
    loop {
        let packet = packets.read(PACKET_BYTES).await?;
        if let Some(state) = end(packet) {
            return ended(state).map(|()| rows);
        }
        if rows.len() >= most {
            return Err(Failure::message(Reason::Limit, format!("more than {most} rows")));
        }
        if rows.cells() + columns.len() > ANSWER_CELLS {
            return Err(Failure::message(Reason::Limit, format!("more than {ANSWER_CELLS} cells")));
        }
        match protocol {
            Protocol::Text => text_row(packet, columns.len(), &mut rows)?,
            Protocol::Binary => binary::row(packet, &columns, &mut rows)?,
        }
        if rows.bytes() > ANSWER_BYTES {
            return Err(Failure::message(Reason::Limit, format!("more than {} MiB", ANSWER_BYTES >> 20)));
        }
    }
}

/// Reads the descriptions of so many columns, and the mark behind them.
pub(super) async fn columns(packets: &mut Packets, count: u64) -> Result<Vec<Column>, Failure> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count > COLUMNS {
        return Err(Failure::message(Reason::Limit, format!("more than {COLUMNS} columns")));
    }
    let mut columns = Vec::new();
    let mut left = COLUMNS_BYTES;
    if count == 0 {
        return Ok(columns);
    }
    for _ in 0..count {
        let packet = packets.read(COLUMNS_BYTES).await?;
        left = left.checked_sub(packet.len()).ok_or_else(|| {
            Failure::message(Reason::Limit, format!("columns whose descriptions are more than {COLUMNS_BYTES} bytes"))
        })?;
        columns.push(Column::parse(packet)?);
    }
    end(packets.read(PACKET_BYTES).await?).map(|_| columns).ok_or_else(stranger)
}

/// The server's state, if this packet ends a list.
fn end(packet: &[u8]) -> Option<u16> {
    match packet {
        // Behind the mark, a number of warnings.
        [0xfe, _, _, low, high] => Some(u16::from_le_bytes([*low, *high])),
        _ => None,
    }
}

fn ended(state: u16) -> Result<(), Failure> {
    // Nobody asked for a second answer, nor for it to be told from the first.
    if state & MORE == 0 { Ok(()) } else { Err(stranger()) }
}

fn text_row(packet: &[u8], columns: usize, rows: &mut Rows) -> Result<(), Failure> {
    const NULL: u8 = 0xfb;
    let mut bytes = Bytes(packet);
    for _ in 0..columns {
        if bytes.0.first() == Some(&NULL) {
            bytes.take(1)?;
            rows.push(None);
        } else {
            rows.push(Some(&text(bytes.text()?)));
        }
    }
    bytes.end()
}

/// A text that should be UTF-8, for we asked for it.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    // Replacing what is none goes character by character, which a thousand times a scrape is felt.
    str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_as_long_as_its_columns() {
        let mut rows = Rows::of(["a", "b"]);
        text_row(b"\x02xy\xfb", 2, &mut rows).unwrap();
        assert_eq!(rows.iter().next().unwrap().text("a"), Some("xy"));
        assert_eq!(rows.iter().next().unwrap().text("b"), None);
        for packet in [&b""[..], b"\x02xy", b"\x02xy\xfb\0", b"\x02x", b"\xfe\xff\xff\xff\xff\xff\xff\xff\xffx"] {
            assert!(text_row(packet, 2, &mut rows).is_err(), "{packet:?}");
        }
    }

    #[test]
    fn only_five_bytes_are_an_end() {
        assert_eq!(end(b"\xfe\0\0\x02\x01"), Some(0x0102));
        assert_eq!(end(b"\xfe"), None);
        assert!(ended(MORE).is_err());
    }
}
