//! The same page in every format, as a real Prometheus stores it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::SocketAddr;

use crate::support::daemon::{program, until_content};
use crate::support::document::Document;
use crate::support::exporter::Exporter;
use crate::support::http::ask;
use crate::support::nginx::Nginx;
use crate::support::prometheus::Prometheus;
use crate::support::scrape::Labels;
use crate::support::stack::Stack;

const PROTOBUF: &str = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

/// A name for each format, and what is asked for to get it.
const FORMATS: [(&str, &str); 4] = [
    ("text", "text/plain;version=0.0.4"),
    ("openmetrics-1.0", "application/openmetrics-text;version=1.0.0"),
    ("openmetrics-0.0", "application/openmetrics-text;version=0.0.1"),
    ("protobuf", PROTOBUF),
];

/// The formats as Prometheus 3 names them, which asks for one when it is told to; 1.0.0 of text we answer with 0.0.4.
const PROTOCOLS: [&str; 5] =
    ["PrometheusText0.0.4", "PrometheusText1.0.0", "OpenMetricsText0.0.1", "OpenMetricsText1.0.0", "PrometheusProto"];

/// Long enough for a whole page on a busy machine.
const GLOBAL: &str = "global: { scrape_interval: 4s, scrape_timeout: 4s }\nscrape_configs:\n";

/// What makes Prometheus keep native histograms, and ask for protobuf first.
const NATIVE: &[&str] = &["--enable-feature=native-histograms"];

/// Whatever else runs on this machine may mount a file system or make an interface between two scrapes.
const STEADY_HOST: &str = "[host]\nmount_points_exclude = ['/']\ninterfaces_exclude = ['*']\n";

/// An nginx that asks the exporter for one format at each path, as old and new scrapers would, with and without gzip.
fn asking_for_each(exporter: SocketAddr) -> Nginx {
    let mut locations = String::new();
    for (name, accept) in FORMATS {
        for (path, coding) in [(format!("{name}/plain"), ""), (format!("{name}/gzip"), "gzip")] {
            writeln!(
                locations,
                "location = /{path} {{ proxy_pass http://{exporter}/metrics; proxy_set_header Accept \"{accept}\"; \
                 proxy_set_header Accept-Encoding \"{coding}\"; }}"
            )
            .unwrap();
        }
    }
    Nginx::start(&locations)
}

/// A job for each path of that nginx.
fn jobs_through(nginx: &Nginx) -> String {
    let job = |path: String| {
        format!(
            "- {{ job_name: {path}, metrics_path: /{path}, static_configs: [{{ targets: ['127.0.0.1:{}'] }}] }}\n",
            nginx.port
        )
    };
    FORMATS.iter().flat_map(|(name, _)| ["plain", "gzip"].map(|coding| job(format!("{name}/{coding}")))).collect()
}

/// A job that asks the exporter itself; `more` are settings of the job.
fn job(name: &str, exporter: SocketAddr, more: &str) -> String {
    format!("- {{ job_name: {name}, static_configs: [{{ targets: ['{exporter}'] }}]{more} }}\n")
}

/// Whether this Prometheus can be told which formats to ask for.
fn can_choose() -> bool {
    let output = program(&["prometheus"]).arg("--version").output().unwrap();
    // The older ones print it on the other side.
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).contains("version 3.")
}

/// What a job's pages hold, without what Prometheus adds.
fn series(prometheus: &Prometheus, job: &str) -> BTreeSet<Labels> {
    let selector = format!("{{job=\"{job}\",__name__!~\"up|scrape_.*\"}}");
    let without = |(mut labels, _): (Labels, f64)| {
        labels.retain(|name, _| name != "job" && name != "instance");
        labels
    };
    prometheus.query(&selector).into_iter().map(without).collect()
}

#[test]
fn prometheus_stores_the_same_series_in_every_format() {
    let stack = Stack::start();
    let exporter = Exporter::start(&format!("{STEADY_HOST}{}", stack.configuration()));
    let nginx = asking_for_each(exporter.address());
    let mut names: Vec<_> =
        FORMATS.iter().flat_map(|(name, _)| [format!("{name}/plain"), format!("{name}/gzip")]).collect();
    // As this Prometheus asks by itself, which with this feature is for protobuf.
    let mut jobs = jobs_through(&nginx) + &job("itself", exporter.address(), "");
    names.push("itself".to_owned());
    for protocol in PROTOCOLS.into_iter().filter(|_| can_choose()) {
        jobs += &job(protocol, exporter.address(), &format!(", scrape_protocols: [{protocol}]"));
        names.push(protocol.to_owned());
    }
    let prometheus = Prometheus::start_with(&format!("{GLOBAL}{jobs}"), NATIVE);
    prometheus.expect_all_up();

    until_content("every format to hold the same series", || {
        // The servers count our own queries by kind: what is new takes one more scrape everywhere.
        let text = series(&prometheus, &names[0]);
        if text.len() < 1_000 {
            return Some(format!("only {} of them yet", text.len()));
        }
        names.iter().find_map(|name| {
            let other = series(&prometheus, name);
            let difference: Vec<_> = text.symmetric_difference(&other).take(5).collect();
            (!difference.is_empty()).then(|| format!("{name}: {difference:#?}"))
        })
    });

    // Values that do not change, of counters, gauges and unknown ones.
    for constant in ["node_boot_time_seconds", "mysql_global_variables_.+", "redis_config_.+", "vitrin_build_info"] {
        let sum = |name| {
            let sum = format!("sum({{__name__=~\"{constant}\",job=\"{name}\"}})");
            prometheus.answer(&sum)[0].1
        };
        let sums: Vec<f64> = names.iter().map(sum).collect();
        assert!(sums[0] > 0.0 && sums.iter().all(|other| *other == sums[0]), "{constant}: {sums:?}");
    }
    assert_eq!(prometheus.complaints(), [""; 0]);
}

/// The documented ways to switch native histograms on in Prometheus: 2 has the flag, 3 both.
#[test]
fn native_histograms_can_be_asked_for_and_queried() {
    let document = Document::read("docs/formats.md");
    assert_eq!(document.names(), ["configuration", "native"]);
    let exporter = Exporter::start(&format!("{STEADY_HOST}{}", document.block("configuration")));
    let mut jobs = document.with("native", &[("127.0.0.1:22100", &exporter.address().to_string())]);
    if can_choose() {
        let both = job("both", exporter.address(), ", always_scrape_classic_histograms: true");
        jobs = jobs + "  " + &both;
    }
    let prometheus =
        Prometheus::start_with(&format!("global: {{ scrape_interval: 4s, scrape_timeout: 4s }}\n{jobs}"), NATIVE);
    prometheus.expect_all_up();

    let runs = "vitrin_collect_run_duration_seconds{job=\"vitrin\",collector=\"host\",target=\"main\"}";
    let number = |expression: &str| prometheus.answer(expression)[0].1;
    assert!(number(&format!("histogram_count({runs})")) > 0.0);
    let (median, sum) =
        (number(&format!("histogram_quantile(0.5, {runs})")), number(&format!("histogram_sum({runs})")));
    assert!(median > 0.0 && median <= sum, "the median of a few runs is not above their sum: {median} {sum}");
    assert!(number("histogram_count(vitrin_scrape_duration_seconds)") >= 0.0);
    // Instead of the classic one, not beside it.
    assert_eq!(prometheus.query("vitrin_collect_run_duration_seconds_count{job=\"vitrin\"}"), []);
    if can_choose() {
        assert!(number("vitrin_collect_run_duration_seconds_count{job=\"both\"}") > 0.0);
        assert!(number("histogram_count(vitrin_collect_run_duration_seconds{job=\"both\"})") > 0.0);
    }
    assert_eq!(prometheus.complaints(), [""; 0]);
}

#[test]
fn a_histogram_is_classic_until_native_ones_are_asked_for() {
    let exporter = Exporter::start(STEADY_HOST);
    let prometheus = Prometheus::start_with(&format!("{GLOBAL}{}", job("itself", exporter.address(), "")), NATIVE);
    prometheus.expect_all_up();
    assert!(exporter.get("/metrics", &[("Accept", PROTOBUF)]).header("content-type").unwrap().contains("protobuf"));
    assert!(prometheus.answer("vitrin_collect_run_duration_seconds_count{collector=\"host\"}")[0].1 > 0.0);
    assert_eq!(prometheus.query("histogram_count(vitrin_collect_run_duration_seconds)"), []);
}

#[test]
fn native_histograms_come_and_go_with_a_reload() {
    let exporter = Exporter::start("[host]\nenabled = false\n");
    // The field 6 of a histogram, its zero threshold: only native ones have it.
    let mark = [&[6 << 3 | 1][..], &(2_f64.powi(-20)).to_le_bytes()].concat();
    let is_native = || {
        let body = exporter.get("/metrics", &[("Accept", PROTOBUF)]).body;
        body.windows(mark.len()).any(|window| window == mark)
    };
    assert!(!is_native());
    for (switch, native) in [("true", true), ("false", false)] {
        exporter.configure(&format!("[host]\nenabled = false\n[exposition]\nnative_histograms = {switch}\n"));
        ask(exporter.address(), "POST", "/-/reload", &[]).unwrap();
        assert_eq!(is_native(), native);
    }
}
