//! `docs/access-log.md`: its configurations load, its format is the one that is recommended, and Prometheus answers its
//! questions.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use vitrin::collectors::access_log::format::Format;
use vitrin::config;

use crate::support::daemon::{eventually, folder};
use crate::support::document::Document;
use crate::support::exporter::Exporter;
use crate::support::prometheus::Prometheus;

/// What shoppers ask for, and how it ends: a time, and words of the cache.
const VISITS: [(&str, u16, &str, &str); 5] = [
    ("/", 200, "0.020", "HIT"),
    ("/index.php?route=product/product&product_id=7", 200, "0.120", "MISS"),
    ("/index.php?route=checkout/checkout", 200, "0.080", "BYPASS"),
    ("/index.php?route=checkout/cart", 502, "0.300", "BYPASS"),
    ("/index.php?route=product/search", 499, "3.000", "MISS"),
];

fn document() -> Document {
    Document::read("docs/access-log.md")
}

#[test]
fn its_configurations_load_and_its_format_is_the_recommended_one() {
    let document = document();
    assert_eq!(document.names(), ["configuration", "questions", "recommended", "vhosts"]);
    for block in ["configuration", "vhosts"] {
        let loaded = config::parse(Path::new(block), document.block(block)).unwrap();
        assert!(!loaded.collectors.access_log.targets.is_empty(), "{block}");
    }
    let recommended = document.block("recommended").trim_end();
    assert_eq!(recommended, format!("{}\naccess_log /var/log/nginx/access.log combined_timed;", Format::RECOMMENDED));
}

#[test]
fn prometheus_answers_its_questions() {
    let folder = folder();
    let log = folder.path().join("access.log");
    let mut file = OpenOptions::new().append(true).create(true).open(&log).unwrap();
    let mut visit = move || {
        for (target, status, time, cache) in VISITS {
            let line = format!(
                "192.0.2.7 - - [23/Nov/2026:03:00:00 +0000] \"GET {target} HTTP/1.1\" {status} 512 \"-\" \"Mozilla/5.0\" \
                 \"shop.example\" {time} \"{time}\" \"{cache}\" \"PASSED\" \"-\"\n"
            );
            file.write_all(line.as_bytes()).unwrap();
        }
    };
    let exporter = Exporter::start(&format!(
        "[access_log.targets.main]\nfiles = ['{}']\nformat = 'combined_timed'\nshop = 'opencart4'\n",
        log.display()
    ));
    let prometheus = Prometheus::scraping(&[exporter.address()]);
    let document = document();
    let questions: Vec<_> = document.block("questions").split("\n\n").collect();
    assert_eq!(questions.len(), 8);
    for question in questions {
        eventually(&format!("an answer to\n{question}"), || {
            visit();
            let answers = prometheus.query(question);
            !answers.is_empty() && answers.iter().all(|(_, value)| value.is_finite())
        });
    }
}
