//! What the tests share: lines as nginx writes them, and what was seen in them.

mod hiding;
mod lines;
mod logs;

use std::fmt::Write;

use super::super::format::Format;
use super::super::route::{AdminPath, Base, Routes, Shops};
use super::*;
use crate::snapshot::Value;

const ALL_SHOPS: &[Preset] = &[Preset::Woocommerce, Preset::Magento2, Preset::Prestashop, Preset::Laravel];

fn config(text: &str) -> Config {
    toml::from_str(text).unwrap()
}

fn signals() -> Signals {
    Signals::new(&Config::default(), Surroundings { shops: ALL_SHOPS, ..Surroundings::default() })
}

/// A shop of every system, whose administration is known.
fn routes() -> Routes {
    #[derive(serde::Deserialize)]
    struct Shop {
        shop: Shops,
        admin_path: AdminPath,
    }
    let text = "shop = ['opencart3', 'opencart4', 'woocommerce', 'magento2', 'prestashop', 'laravel']\n\
                admin_path = ['/admin', '/backoffice', '/admin123']";
    let Shop { shop, admin_path } = toml::from_str(text).unwrap();
    Routes::new(&shop, &Base::default(), &admin_path, &[]).unwrap()
}

fn see(signals: &mut Signals, log: &str) {
    let (format, routes) = (Format::compile("combined").unwrap(), routes());
    for line in log.lines().filter(|line| !line.starts_with('#')) {
        let line = format.parse(line.as_bytes()).unwrap_or_else(|unparsed| panic!("{line}: {unparsed:?}"));
        signals.see(&line, routes.route(&line));
    }
}

/// All series that are not zero.
fn reported(signals: &Signals) -> String {
    let mut out = Snapshot::default();
    signals.report(&mut out);
    let (findings, _, dropped) = out.finish();
    assert!(dropped.is_empty(), "{dropped:?}");
    let mut text = String::new();
    for (family, group) in findings.families() {
        for (labels, value) in group.samples() {
            let Value::Number(number) = value else { panic!("{}: {value:?}", family.name) };
            if *number != 0.0 {
                let labels: Vec<_> = labels.collect();
                writeln!(text, "{} {} {number}", family.name, labels.join(" ")).unwrap();
            }
        }
    }
    text
}

/// What people are told.
const DOCUMENT: &str = include_str!("../../../../docs/security-signals.md");

#[test]
fn the_document_names_every_metric_and_every_label() {
    for metric in METRICS {
        assert!(DOCUMENT.contains(&*metric.name), "{}", metric.name);
    }
    let labels = [
        Realm::ALL.iter().map(|label| label.as_str()).collect::<Vec<_>>(),
        Outcome::ALL.iter().map(|label| label.as_str()).filter(|label| *label != "success").collect(),
        Violation::ALL.iter().map(|label| label.as_str()).collect(),
        Answer::ALL.iter().map(|label| label.as_str()).collect(),
        Call::ALL.iter().map(|label| label.as_str()).collect(),
        Abuse::ALL.iter().map(|label| label.as_str()).collect(),
        Incident::ALL.iter().map(|label| label.as_str()).filter(|label| !label.starts_with("brute_force_")).collect(),
    ];
    for label in labels.concat() {
        assert!(DOCUMENT.contains(&format!("`{label}`")), "{label}");
    }
}

#[test]
fn the_documents_configuration_is_one() {
    let (_, block) = DOCUMENT.split_once("```toml\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let mut table: toml::Table = block.replace("\"/etc/vitrin/googlebot.json\"", "").parse().unwrap();
    for key in ["access_log", "targets", "main", "security"] {
        let toml::Value::Table(inner) = table.remove(key).unwrap() else { panic!("{key}") };
        table = inner;
    }
    assert_eq!(table.len(), 7, "every key is shown");
    let config: Config = table.try_into().unwrap();
    assert_eq!((config.logins.len(), config.disable.as_slice()), (1, &[Violation::Xss][..]));
}
