//! A server that speaks MySQL's protocol, and lies in it.

use crate::support::broken::{Answer, Broken};
use crate::support::exporter::Exporter;
use crate::support::process;
use crate::support::scrape::Page;

/// What no lie may make the exporter hold in memory, in bytes.
const HEAP: u64 = 64 << 20;

/// A packet: length, number in the conversation, payload.
fn packet(number: usize, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
    let number = u8::try_from(number % 256).unwrap();
    [&length[..3], &[number], payload].concat()
}

/// All that a server says until its first answer: its greeting, and that whoever it is may come in. The client's
/// packets between them are not waited for: they are one each, whatever is in them.
fn welcome() -> Vec<u8> {
    const PLUGIN: &[u8] = b"mysql_native_password\0";
    // Protocol 10, a version, an id, and the first part of a nonce; what it can do (4.1's protocol, secure passwords,
    // plugins), a character set and a state; the second part of the nonce.
    let greeting = [
        b"\x0a8.0.36\0\x01\0\0\0eightbyt\0".as_slice(),
        &[0x00, 0x82, 0x21, 0x02, 0x00, 0x08, 0x00, 21],
        &[0; 10],
        b"twelve bytes\0",
        PLUGIN,
    ];
    [packet(0, &greeting.concat()), packet(2, b"\0\0\0\x02\0\0\0")].concat()
}

/// The number of columns as an answer begins with it.
fn columns(count: u64) -> Vec<u8> {
    packet(1, &[&[0xfe], count.to_le_bytes().as_slice()].concat())
}

/// The page of an exporter that watches this server.
fn page(answer: Answer) -> (Page, u64, String) {
    let server = Broken::tcp(answer.unasked());
    let exporter =
        Exporter::start(&format!("[mysql.targets.main]\naddress = '{}'\nuser = 'nobody'\n", server.address()));
    exporter.scrape_within(3.0);
    // Still there.
    let page = exporter.scrape_within(3.0);
    assert_eq!(page.number("vitrin_up", &[("collector", "host"), ("target", "main")]), 1.0);
    assert_eq!(page.number("mysql_up", &[]), 0.0);
    (page, process::anonymous_bytes(exporter.pid()), exporter.log())
}

fn failures(page: &Page, reason: &str) -> f64 {
    let labels = [("collector", "mysql"), ("target", "main"), ("reason", reason)];
    page.number("vitrin_collect_failures_total", &labels)
}

#[test]
fn an_announced_number_of_columns_takes_no_memory() {
    // More than there are addresses: the driver panics. And half a gigabyte of columns that never come. What is between
    // the machine's memory and the first ends the process; see `connection.rs`.
    for (count, reason) in [(1 << 60, "bug"), (1 << 24, "timeout")] {
        let head = Vec::leak([welcome(), columns(count)].concat());
        let (page, memory, log) = page(Answer::then_silence(head));
        assert!(failures(&page, reason) >= 1.0, "{count} columns; the log:\n{log}");
        assert!(memory < HEAP, "{memory} bytes of heap after {count} columns");
    }
}

#[test]
fn rows_of_nothing_have_a_limit() {
    const COLUMNS: usize = 5_000;
    let definition = b"\x03def\0\0\0\x01c\0\x0c\x21\0\0\0\0\0\xfd\0\0\0\0\0";
    let mut head = [welcome(), columns(COLUMNS as u64)].concat();
    for number in 0..COLUMNS {
        head.extend(packet(2 + number, definition));
    }
    head.extend(packet(2 + COLUMNS, b"\xfe\0\0\x02\0"));
    let rows: Vec<u8> = (0..256).flat_map(|number| packet(3 + COLUMNS + number, &[0xfb; COLUMNS])).collect();
    let (page, memory, log) = page(Answer::endless(Vec::leak(head), Vec::leak(rows)));
    assert!(failures(&page, "limit") >= 1.0, "the log:\n{log}");
    assert!(memory < HEAP, "{memory} bytes of heap");
}
