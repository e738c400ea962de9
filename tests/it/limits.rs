//! What a backend may say, and what becomes of it on the page: too many series, the same one twice, broken text.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use crate::support::exporter::Exporter;
use crate::support::judges;
use crate::support::scrape::Page;

/// A server that speaks Redis' protocol and answers `INFO` with this text, and every other command with an empty list.
fn redis_that_says(info: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // It ends with the test's process: nothing else knows its port.
    thread::spawn(move || {
        for stream in listener.incoming() {
            // A connection that breaks is the exporter's to end.
            answer(stream.unwrap(), &info).unwrap_or_default();
        }
    });
    address
}

/// Reads commands as RESP has them, arrays of bulk strings, until the client is gone.
fn answer(mut stream: TcpStream, info: &[u8]) -> std::io::Result<()> {
    let mut requests = BufReader::new(stream.try_clone()?);
    let mut number = |mark: char| -> std::io::Result<Option<usize>> {
        let mut line = String::new();
        requests.read_line(&mut line)?;
        let Some(number) = line.trim_end().strip_prefix(mark) else { return Ok(None) };
        let number = number.parse().map_err(std::io::Error::other)?;
        if mark == '$' {
            let mut word = vec![0; number + 2];
            requests.read_exact(&mut word)?;
            return Ok(Some(usize::from(word.starts_with(b"INFO"))));
        }
        Ok(Some(number))
    };
    while let Some(words) = number('*')? {
        let mut is_info = false;
        for _ in 0..words {
            is_info |= number('$')? == Some(1);
        }
        if is_info {
            write!(stream, "${}\r\n", info.len())?;
            stream.write_all(info)?;
            stream.write_all(b"\r\n")?;
        } else {
            stream.write_all(b"*0\r\n")?;
        }
    }
    Ok(())
}

/// The page of an exporter that watches a Redis which answers this; it must please the strictest parser in both
/// formats.
fn page_of(info: Vec<u8>) -> Page {
    let config = format!("[redis.targets.main]\nurl = 'redis://{}'\n", redis_that_says(info));
    let exporter = Exporter::start(&config);
    let openmetrics = exporter.get("/metrics", &[("Accept", "application/openmetrics-text")]).text();
    judges::prometheus_client(&openmetrics).unwrap();
    judges::prometheus_client(&exporter.get("/metrics", &[]).text()).unwrap();
    exporter.scrape()
}

const HEAD: &str = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n# Clients\r\nconnected_clients:3\r\n\
                    # Commandstats\r\n";

#[test]
fn a_hundred_thousand_label_values_are_one_full_family() {
    let mut info = HEAD.to_owned().into_bytes();
    for command in 0..100_000 {
        write!(info, "cmdstat_c{command}:calls=1,usec=1,usec_per_call=1.00\r\n").unwrap();
    }
    let page = page_of(info);
    assert_eq!(page.samples("redis_commands_total").count(), 2_000);
    let dropped = [("family", "redis_commands_total"), ("cause", "limit")];
    // Three runs at least: the first look around, and the scrapes above.
    assert!(page.number("vitrin_series_dropped_total", &dropped) >= 3.0 * 98_000.0);
    assert_eq!(page.number("redis_connected_clients", &[]), 3.0);
}

#[test]
fn a_series_that_comes_twice_is_one_series_and_a_count() {
    let twice = "cmdstat_get:calls=7,usec=1,usec_per_call=1.00\r\n".repeat(2);
    let page = page_of(format!("{HEAD}{twice}").into_bytes());
    assert_eq!(page.number("redis_commands_total", &[("cmd", "get")]), 7.0);
    let dropped = [("family", "redis_commands_total"), ("cause", "duplicate")];
    assert!(page.number("vitrin_series_dropped_total", &dropped) >= 1.0);
}

#[test]
fn text_that_is_no_utf_8_is_shown_as_such() {
    let info = [HEAD.as_bytes(), b"cmdstat_g\xffe\"t\\:calls=7,usec=1,usec_per_call=1.00\r\n"].concat();
    let page = page_of(info);
    assert_eq!(page.number("redis_commands_total", &[("cmd", "g\u{fffd}e\"t\\")]), 7.0);
}
