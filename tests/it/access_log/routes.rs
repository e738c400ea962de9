//! The pages of five shop systems, and of Laravel's: asked of a real nginx, and counted by their routes.

use std::collections::BTreeMap;

use vitrin::collectors::access_log::format::Format;

use super::{LOG, following};
use crate::support::daemon::eventually;
use crate::support::http::Connection;
use crate::support::nginx::Nginx;

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// Asks for every page of a shop's fixture.
fn drive(shop: &str, fixture: &str) {
    let nginx = Nginx::logging(Format::RECOMMENDED, "location / { return 200 'page'; }\n");
    let settings = format!("format = \"combined_timed\"\nshop = \"{shop}\"\n");
    let exporter = following(&nginx.access_log(), &settings);
    let mut connection = Connection::open(([127, 0, 0, 1], nginx.port).into()).unwrap();
    let mut expected = BTreeMap::new();
    for row in fixture.lines().filter(|line| !line.starts_with("# ")) {
        let [method, target, agent, route] = row.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let agent = if agent == "browser" { BROWSER } else { agent };
        let answer = connection.ask(method, target, &[("User-Agent", agent)]).unwrap();
        assert_eq!(answer.status, 200, "{row}");
        *expected.entry(route.to_owned()).or_insert(0.0) += 1.0;
    }
    let all: f64 = expected.values().sum();
    let parsed = [("result", "parsed"), LOG[0], LOG[1]];
    eventually("all lines", || exporter.scrape().number("vitrin_log_lines_total", &parsed) == all);
    let page = exporter.scrape();
    let mut found = BTreeMap::new();
    for series in page.samples("shop_http_requests_total").filter(|series| series.value > 0.0) {
        *found.entry(series.labels["route"].clone()).or_insert(0.0) += series.value;
    }
    assert_eq!(found, expected);
}

macro_rules! shops {
    ($($claim:ident = $shop:literal,)+) => {$(
        #[test]
        fn $claim() {
            drive($shop, include_str!(concat!("../../fixtures/access_log/", $shop, ".tsv")));
        }
    )+};
}
shops! {
    opencart_3_has_its_routes = "opencart3",
    opencart_4_has_its_routes = "opencart4",
    woocommerce_has_its_routes = "woocommerce",
    magento_2_has_its_routes = "magento2",
    prestashop_has_its_routes = "prestashop",
    laravel_has_its_routes = "laravel",
}
