//! Rate, errors and duration of a shop's requests.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;

use vitrin::collectors::access_log::format::Format;

use super::{LOG, configuration, following, requests};
use crate::support::daemon::{eventually, folder};
use crate::support::exporter::Exporter;
use crate::support::http::{self, ask};
use crate::support::nginx::Nginx;
use crate::support::process;

const SHOP: &str = "location / { return 200 'page'; }\nlocation /checkout { return 503; }\nlocation /gone { return 410; }\n\
                    location = /index.php { return 200 'shop'; }\n";

#[test]
fn a_scrape_sees_every_line_that_nginx_has_written_before_it() {
    let nginx = Nginx::logging(Format::RECOMMENDED, SHOP);
    let exporter =
        following(&nginx.access_log(), "format = \"combined_timed\"\nshop = \"opencart4\"\nvhost = \"shop\"\n");
    for round in 1..=5_u32 {
        nginx.get("/");
        nginx.get("/index.php?route=product/product&product_id=42");
        nginx.get("/index.php?route=checkout/cart");
        nginx.get("/checkout");
        nginx.get("/image/catalog/logo.png");
        // nginx answers first, and writes then.
        let lines = || fs::read_to_string(nginx.access_log()).unwrap().lines().count();
        eventually("the lines to be written", || lines() == 5 * round as usize);
        let page = exporter.scrape();
        let count = f64::from(round);
        assert_eq!(requests(&page, "home"), [("GET 2xx".to_owned(), count)]);
        assert_eq!(requests(&page, "product"), [("GET 2xx".to_owned(), count)]);
        assert_eq!(requests(&page, "cart"), [("GET 2xx".to_owned(), count)]);
        assert_eq!(requests(&page, "checkout"), [("GET 503".to_owned(), count)]);
        assert_eq!(requests(&page, "static"), [("GET 2xx".to_owned(), count)]);
        let home = [("vhost", "shop"), ("route", "home"), ("target", "main")];
        assert_eq!(page.number("shop_http_request_duration_seconds_count", &home), count);
        assert!(page.number("shop_http_within_objective_total", &home) <= count);
        assert_eq!(page.number("shop_http_response_bytes_total", &home), 4.0 * count, "of the body");
        assert_eq!(page.number("vitrin_log_lines_total", &[("result", "parsed"), LOG[0], LOG[1]]), 5.0 * count);
    }
}

#[test]
fn whatever_clients_make_up_the_series_and_the_memory_stay_the_same() {
    let folder = folder();
    let path = folder.path().join("access.log");
    let mut log = File::create(&path).unwrap();
    let exporter =
        following(&path, "format = \"combined_timed\"\nshop = \"woocommerce\"\nvhosts = [\"shop.example\"]\n");
    let mut write = |numbers: std::ops::Range<u32>| {
        let mut lines = String::new();
        for number in numbers {
            let (a, b) = (number >> 8 & 255, number & 255);
            writeln!(
                lines,
                "198.{}.{a}.{b} - user{number} [23/Nov/2026:03:{:02}:{:02} +0000] \"M{number} /p{number}?q={number} HTTP/1.1\" \
                 {} 512 \"http://r{number}.example/\" \"agent {number}\" \"host{number}.example\" 0.{:03} \"0.001\" \"S{number}\" \
                 \"PASSED\" \"-\"",
                number >> 16 & 255,
                number / 6_000 % 60,
                number / 100 % 60,
                100 + number % 500,
                number % 1_000,
            )
            .unwrap();
        }
        log.write_all(lines.as_bytes()).unwrap();
        log.flush().unwrap();
    };
    let parsed = [("result", "parsed"), LOG[0], LOG[1]];
    let mut after = |numbers: std::ops::Range<u32>| {
        let all = f64::from(numbers.end);
        write(numbers);
        eventually("the log to be read", || exporter.scrape().number("vitrin_log_lines_total", &parsed) == all);
        (exporter.scrape(), process::anonymous_bytes(exporter.pid()))
    };
    let (first, small) = after(0..20_000);
    let (last, large) = after(20_000..120_000);
    assert_eq!(first.len(), last.len(), "series");
    assert!(last.samples("shop_http_requests_total").all(|series| series.labels["vhost"] == "other"));
    // 100,000 addresses fill the tables of clients; lines are not kept.
    assert!(large < small + (8 << 20), "from {small} to {large} bytes");
    let text = exporter.get("/metrics", &[]).text();
    for client in ["agent", "host1", "198.0.", "198.1."] {
        assert!(!text.contains(client), "{client} in {text}");
    }
}

#[test]
fn a_reload_goes_on_counting_where_it_was() {
    let nginx = Nginx::logging(Format::RECOMMENDED, SHOP);
    let exporter = following(&nginx.access_log(), "format = \"combined_timed\"\nshop = \"opencart4\"\n");
    // nginx writes a line after its answer.
    let counted = |count: f64| {
        let mut page = exporter.scrape();
        eventually("the requests", || {
            page = exporter.scrape();
            requests(&page, "home") == [("GET 2xx".to_owned(), count)]
        });
        page
    };
    nginx.get("/");
    counted(1.0);
    let changed = "format = \"combined_timed\"\nshop = \"opencart4\"\nobjective = \"250ms\"\n";
    let state = exporter.configuration().with_file_name("state");
    let changed = configuration(&nginx.access_log(), changed).replace("{folder}/state", state.to_str().unwrap());
    exporter.configure(&changed);
    assert_eq!(ask(exporter.address(), "POST", "/-/reload", &[]).unwrap().status, 200);
    eventually("the new objective", || {
        exporter.scrape().get("shop_http_latency_objective_seconds", &[("target", "main")]) == Some(0.25)
    });
    nginx.get("/");
    let page = counted(2.0);
    let home = [("vhost", ""), ("route", "home"), ("target", "main")];
    assert_eq!(page.number("shop_http_request_duration_seconds_count", &home), 1.0, "of another objective");
}

#[test]
fn what_is_no_log_says_why() {
    let folder = folder();
    let path = folder.path().join("access.log");
    let exporter = Exporter::start(&configuration(&path, ""));
    let down = |reason: &str| {
        let page = exporter.scrape();
        let labels = [("collector", "access_log"), ("reason", reason), ("target", "main")];
        page.get("vitrin_collect_failures_total", &labels).is_some_and(|count| count > 0.0)
    };
    eventually("it to be missed", || down("connect"));
    let page = exporter.scrape();
    let told = page.names().into_iter().filter(|name| name.starts_with("shop_") || name.starts_with("vitrin_log_"));
    assert_eq!(told.collect::<Vec<_>>(), [""; 0], "nothing is known");
    let mut log = OpenOptions::new().create(true).append(true).open(&path).unwrap();
    eventually("it to be found", || exporter.scrape().get("vitrin_log_files", &LOG) == Some(1.0));
    log.write_all(b"this is no access log\n").unwrap();
    eventually("its lines not to be understood", || down("protocol"));
    assert!(exporter.log().contains("1 of 1 new lines are not of this format"), "{}", exporter.log());
    assert!(!exporter.log().contains("this is no"), "what stands in a log is nobody's business");
    let up = exporter.scrape().number("vitrin_up", &[("collector", "access_log"), ("target", "main")]);
    assert_eq!(up, 1.0, "the file is there");
}

#[test]
fn odd_requests_are_lines_like_others() {
    let nginx = Nginx::logging(Format::RECOMMENDED, SHOP);
    let exporter = following(&nginx.access_log(), "format = \"combined_timed\"\n");
    let address = ([127, 0, 0, 1], nginx.port).into();
    for bytes in [
        &b"\x16\x03\x01\x02\x00\n\r\n\r\n"[..],
        b"GET /a \"b\" \\x22 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"BREW /\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ] {
        let mut connection = http::Connection::open(address).unwrap();
        connection.send(bytes).unwrap();
        // What nginx thinks of it does not matter here.
        drop(connection.answer("GET"));
    }
    let lines = |result| exporter.scrape().number("vitrin_log_lines_total", &[("result", result), LOG[0], LOG[1]]);
    eventually("three lines", || lines("parsed") == 3.0);
    assert_eq!(lines("unparsed"), 0.0);
}
