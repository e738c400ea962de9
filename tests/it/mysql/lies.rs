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

/// An answer whose rows do not end, from the greeting on.
pub(crate) fn endless_rows() -> (Vec<u8>, Vec<u8>) {
    let head = [welcome(), columns(1), column(2, 1), packet(3, b"\xfe\0\0\x02\0")].concat();
    (head, (0..256).flat_map(|number| packet(4 + number, b"\0")).collect())
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

/// The description of a column, whose name is so long.
fn column(number: usize, name: u8) -> Vec<u8> {
    let names = [b"\x03def\0\0\0".as_slice(), &[name], &vec![b'c'; name.into()], b"\0"].concat();
    packet(number, &[&names, b"\x0c\x21\0\0\0\0\0\xfd\0\0\0\0\0".as_slice()].concat())
}

/// Asserts that this is noticed, for this reason, and takes no memory.
fn assert_noticed(answer: Answer, reason: &str, says: &str) {
    let (page, memory, log) = page(answer);
    assert!(failures(&page, reason) >= 1.0, "{reason} {says}; the log:\n{log}");
    assert!(log.contains(says), "{says}; the log:\n{log}");
    assert!(memory < HEAP, "{memory} bytes of heap: {says}");
}

#[test]
fn an_announced_number_of_columns_takes_no_memory() {
    for count in [u64::MAX, 1 << 60, 1 << 40, 1 << 24, 4_097] {
        let head = Vec::leak([welcome(), columns(count)].concat());
        assert_noticed(Answer::then_silence(head), "limit", "more than 4096 columns");
    }
}

#[test]
fn descriptions_of_columns_have_a_limit() {
    // One that is too long, too many, and some that are too long together.
    let long = packet(2, &vec![3; 3 << 20]);
    let head = Vec::leak([welcome(), columns(4_000), long].concat());
    assert_noticed(Answer::then_silence(head), "limit", "a packet of more than 2097152 bytes");

    let descriptions: Vec<u8> = (0..256).flat_map(|number| column(2 + number, 250)).collect();
    let head = Vec::leak([welcome(), columns(4_000)].concat());
    assert_noticed(Answer::endless(head, Vec::leak(descriptions)), "protocol", "not an answer of a MySQL server");

    let long = |number| {
        let names = [b"\x03def\xfd\0\0\x08".as_slice(), &vec![b's'; 8 << 16], b"\0\0\x01c\0"].concat();
        packet(number, &[&names, b"\x0c\x21\0\0\0\0\0\xfd\0\0\0\0\0".as_slice()].concat())
    };
    let head = Vec::leak([welcome(), columns(4_000), long(2), long(3), long(4), long(5)].concat());
    assert_noticed(Answer::then_silence(head), "limit", "columns whose descriptions are more than 2097152 bytes");
}

#[test]
fn rows_have_limits() {
    const COLUMNS: usize = 4_000;
    let mut head = [welcome(), columns(COLUMNS as u64)].concat();
    for number in 0..COLUMNS {
        head.extend(column(2 + number, 1));
    }
    head.extend(packet(2 + COLUMNS, b"\xfe\0\0\x02\0"));
    let rows: Vec<u8> = (0..256).flat_map(|number| packet(3 + COLUMNS + number, &[0xfb; COLUMNS])).collect();
    assert_noticed(Answer::endless(Vec::leak(head), Vec::leak(rows)), "limit", "more than 500000 cells");

    let (head, rows) = endless_rows();
    let head: &[u8] = Vec::leak(head);
    assert_noticed(Answer::endless(head, Vec::leak(rows)), "limit", "more than 50000 rows");
    let wide = [b"\xfd\0\0\x01".as_slice(), &vec![b'x'; 1 << 16]].concat();
    let wide: Vec<u8> = (0..256).flat_map(|number| packet(4 + number, &wide)).collect();
    assert_noticed(Answer::endless(head, Vec::leak(wide)), "limit", "more than 8 MiB");
    let huge = [head, b"\0\0\x41\x04"].concat();
    assert_noticed(Answer::endless(Vec::leak(huge), b"x"), "limit", "a packet of more than 4194304 bytes");
}

#[test]
fn garbage_is_noticed_in_each_phase() {
    const GARBAGE: &[u8] = b"\x01\x02 garbage \xc3\x28";
    let greeting = welcome()[..welcome().len() - 11].to_vec();
    let one = [welcome(), columns(1)].concat();
    let described = [one.clone(), column(2, 1)].concat();
    let ended = [described.clone(), packet(3, b"\xfe\0\0\x02\0")].concat();
    for (head, number) in [(Vec::new(), 0), (greeting, 2), (welcome(), 1), (one, 2), (described, 3), (ended, 4)] {
        for wrong in [packet(number, GARBAGE), packet(number, b""), packet(number + 7, b"\0\0\0\x02\0\0\0")] {
            let answer = Vec::leak([head.clone(), wrong].concat());
            assert_noticed(Answer::then_silence(answer), "protocol", "not an answer of a MySQL server");
        }
    }
}

#[test]
fn no_file_of_ours_is_sent() {
    let head = Vec::leak([welcome(), packet(1, b"\xfb/etc/passwd")].concat());
    assert_noticed(Answer::then_silence(head), "protocol", "the server asks for a file of ours");
}

#[test]
fn a_way_to_log_in_that_gives_the_password_away_is_refused() {
    let greeting = welcome()[..welcome().len() - 11].to_vec();
    let switch = |plugin: &[u8]| Vec::leak([greeting.clone(), packet(2, &[b"\xfe", plugin, b"\0"].concat())].concat());
    assert_noticed(Answer::then_silence(switch(b"mysql_clear_password")), "auth", "mysql_clear_password");
    assert_noticed(Answer::then_silence(switch(b"new_plugin")), "auth", "new_plugin");
}
