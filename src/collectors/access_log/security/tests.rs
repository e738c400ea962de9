//! What the tests share: lines as nginx writes them, and what was seen in them.

mod lines;
mod logs;

use std::fmt::Write;

use super::super::format::Format;
use super::*;
use crate::snapshot::Value;

const ALL_SHOPS: &[Shop] = &[Shop::Woocommerce, Shop::Magento2, Shop::Prestashop, Shop::Laravel];

fn config(text: &str) -> Config {
    toml::from_str(text).unwrap()
}

fn signals() -> Signals {
    Signals::new(&Config::default(), Surroundings { shops: ALL_SHOPS, ..Surroundings::default() })
}

/// What the table of routes says of such a target.
fn route(target: &[u8]) -> Route {
    let text = String::from_utf8_lossy(target);
    let path = text.split('?').next().unwrap();
    match () {
        () if path.starts_with("/admin") || path.starts_with("/backoffice") => Route::Admin,
        () if path.starts_with("/rest/") || text.contains("route=api/") => Route::Api,
        () if [".js", ".css", ".png", ".jpg", ".ico"].iter().any(|end| path.ends_with(end)) => Route::Static,
        () => Route::Other,
    }
}

fn see(signals: &mut Signals, log: &str) {
    let format = Format::compile("combined").unwrap();
    for line in log.lines().filter(|line| !line.starts_with('#')) {
        let line = format.parse(line.as_bytes()).unwrap_or_else(|unparsed| panic!("{line}: {unparsed:?}"));
        signals.see(&line, route(line.target));
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
