//! The series of `[objectives]` on the exporter's pages.

use crate::support::exporter::Exporter;
use crate::support::http::ask;
use crate::support::scrape::Page;

const ALL: &str = "[host]\nenabled = true\n\
                   [objectives]\nhttp_consistency = '25ms'\nquery_time = '40ms'\nsecurity_score = 95\n\
                   [objectives.slo.errors]\nratio = 0.995\nmin_bad_events = 20\n\
                   [objectives.thresholds]\nHostDiskFull = 0.8\nVitrinCollectorStale = '10m'\n";

/// The labels of one of its thresholds.
const LABELS: [(&str, &str); 2] = [("alert", "HostDiskFull"), ("severity", "critical")];

/// The families of `[objectives]` on a page.
fn families(page: &Page) -> Vec<&str> {
    let names = page.families.iter().map(|family| family.name.as_str());
    names.filter(|name| name.contains("objective") || name.starts_with("slo_") || *name == "alert_threshold").collect()
}

#[test]
fn what_is_configured_is_on_the_whole_page_and_on_no_other() {
    let exporter = Exporter::start(ALL);
    let page = exporter.scrape();
    assert_eq!(
        families(&page),
        [
            "alert_threshold",
            "mysql_query_time_objective_seconds",
            "security_score_objective",
            "shop_http_consistency_objective_seconds",
            "slo_min_bad_events",
            "slo_objective_ratio"
        ]
    );
    assert_eq!(page.number("alert_threshold", &LABELS), 0.8);
    assert_eq!(page.number("alert_threshold", &[("alert", "VitrinCollectorStale"), ("severity", "warning")]), 600.0);
    assert_eq!(page.samples("alert_threshold").count(), 2);
    assert_eq!(page.number("mysql_query_time_objective_seconds", &[]), 0.04);
    assert_eq!(page.number("security_score_objective", &[]), 95.0);
    assert_eq!(page.number("shop_http_consistency_objective_seconds", &[]), 0.025);
    assert_eq!(page.number("slo_min_bad_events", &[("slo", "errors")]), 20.0);
    assert_eq!(page.number("slo_objective_ratio", &[("slo", "errors")]), 0.995);
    for path in ["/metrics?collect[]=host", "/metrics?exclude[]=redis", "/probe?collector=host&target=main"] {
        assert_eq!(families(&exporter.page(path, &[])), [""; 0], "{path}");
    }
}

#[test]
fn an_exporter_that_was_told_nothing_says_nothing() {
    assert_eq!(families(&Exporter::start("").scrape()), [""; 0]);
}

#[test]
fn a_reload_changes_what_the_page_says_and_a_bad_file_does_not() {
    let exporter = Exporter::start(ALL);
    let reload = || ask(exporter.address(), "POST", "/-/reload", &[]).unwrap().status;
    let limit = || exporter.scrape().number("alert_threshold", &LABELS);
    assert_eq!(limit(), 0.8);
    exporter.configure(&ALL.replace("0.8", "0.7"));
    assert_eq!((limit(), reload(), limit()), (0.8, 200, 0.7));
    exporter.configure(&ALL.replace("0.8", "80"));
    assert_eq!((reload(), limit()), (500, 0.7));
    exporter.configure("");
    assert_eq!(reload(), 200);
    assert_eq!(families(&exporter.scrape()), [""; 0]);
}
