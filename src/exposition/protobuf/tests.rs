//! What another implementation reads from our messages.

use std::fmt::Write as _;

use prost::Message;

use super::super::tests::page;
use super::super::{Format, format_for};
use crate::config::exposition::Exposition;

/// Declares messages as in `metrics.proto`; the fields that are not here would be an error in what was written.
macro_rules! messages {
    ($($name:ident { $($(#[$prost:meta])+ $field:ident: $kind:ty,)+ })+) => {
        $(#[derive(Message)]
        struct $name { $($(#[$prost])+ $field: $kind,)+ })+
    };
}

messages! {
    MetricFamily {
        #[prost(string, tag = "1")] name: String,
        #[prost(string, tag = "2")] help: String,
        #[prost(int32, tag = "3")] kind: i32,
        #[prost(message, repeated, tag = "4")] metric: Vec<Metric>,
        #[prost(string, tag = "5")] unit: String,
    }
    Metric {
        #[prost(message, repeated, tag = "1")] label: Vec<LabelPair>,
        #[prost(message, optional, tag = "2")] gauge: Option<Number>,
        #[prost(message, optional, tag = "3")] counter: Option<Number>,
        #[prost(message, optional, tag = "5")] untyped: Option<Number>,
        #[prost(message, optional, tag = "7")] histogram: Option<Histogram>,
    }
    LabelPair {
        #[prost(string, tag = "1")] name: String,
        #[prost(string, tag = "2")] value: String,
    }
    Number {
        #[prost(double, tag = "1")] value: f64,
    }
    Histogram {
        #[prost(uint64, tag = "1")] sample_count: u64,
        #[prost(double, tag = "2")] sample_sum: f64,
        #[prost(message, repeated, tag = "3")] bucket: Vec<Bucket>,
        #[prost(sint32, tag = "5")] schema: i32,
        #[prost(double, tag = "6")] zero_threshold: f64,
        #[prost(uint64, tag = "7")] zero_count: u64,
        #[prost(message, repeated, tag = "12")] positive_span: Vec<BucketSpan>,
        #[prost(sint64, repeated, tag = "13")] positive_delta: Vec<i64>,
    }
    Bucket {
        #[prost(uint64, tag = "1")] cumulative_count: u64,
        #[prost(double, tag = "2")] upper_bound: f64,
    }
    BucketSpan {
        #[prost(sint32, tag = "1")] offset: i32,
        #[prost(uint32, tag = "2")] length: u32,
    }
}

/// A line for each family and for each of its metrics. Read again and written by the other side, they are the same bytes: there
/// is nothing in them that it does not know.
fn read(bytes: &[u8]) -> String {
    let mut text = String::new();
    let (mut rest, mut again) = (bytes, Vec::new());
    while !rest.is_empty() {
        let family = MetricFamily::decode_length_delimited(&mut rest).unwrap();
        family.encode_length_delimited(&mut again).unwrap();
        let MetricFamily { name, help, kind, metric, unit } = family;
        writeln!(text, "{name} {kind} {unit:?} {help:?}").unwrap();
        for Metric { label, gauge, counter, untyped, histogram } in metric {
            let labels: Vec<_> = label.iter().map(|label| format!("{}={:?}", label.name, label.value)).collect();
            write!(text, "  {{{}}}", labels.join(",")).unwrap();
            for (word, number) in [("gauge", gauge), ("counter", counter), ("untyped", untyped)] {
                if let Some(number) = number {
                    write!(text, " {word} {}", number.value).unwrap();
                }
            }
            if let Some(histogram) = histogram {
                write!(text, " {histogram:?}").unwrap();
            }
            text.push('\n');
        }
    }
    assert_eq!(again.len(), bytes.len(), "of the same length in any order of fields");
    text
}

#[test]
fn another_implementation_reads_every_kind_of_family() {
    let bytes = page(&["cache"]).render(Format::Protobuf { native_histograms: false }, false);
    expect_test::expect![[r#"
        peer_accepted 0 "" "Connections accepted."
          {target="cache"} counter 7
        peer_times_usec 3 "" "Times a \"quoted\" \\ thing was done."
          {command="get",target="cache",quantile="0.5"} untyped 3
          {command="get",target="cache",quantile="1.0"} untyped 9.5
        peer_times_usec_count 3 "" "Times a \"quoted\" \\ thing was done."
          {command="get",target="cache"} untyped 4
        shop_calls_total 0 "" "Calls."
          {path="a\"b\\c\nd",target="cache"} counter 18446744073709552000
        shop_duration_seconds 4 "seconds" "How long calls took."
          {target="cache"} Histogram { sample_count: 3, sample_sum: 0.75, bucket: [Bucket { cumulative_count: 2, upper_bound: 0.1 }, Bucket { cumulative_count: 3, upper_bound: 1.0 }, Bucket { cumulative_count: 3, upper_bound: inf }], schema: 0, zero_threshold: 0.0, zero_count: 0, positive_span: [], positive_delta: [] }
        shop_hit_ratio 1 "ratio" "The share of hits."
          {target="cache"} gauge 0.25
        shop_time_seconds_total 0 "seconds" "Time used."
          {target="cache"} counter 1.5
    "#]].assert_eq(&read(&bytes));
}

#[test]
fn native_buckets_are_there_when_they_are_asked_for() {
    let format = format_for(
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
        Exposition { native_histograms: true },
    );
    let text = read(&page(&["cache"]).render(format, false));
    let histogram = text.lines().find(|line| line.contains("Histogram")).unwrap();
    expect_test::expect![[r#"  {target="cache"} Histogram { sample_count: 3, sample_sum: 0.75, bucket: [Bucket { cumulative_count: 2, upper_bound: 0.1 }, Bucket { cumulative_count: 3, upper_bound: 1.0 }, Bucket { cumulative_count: 3, upper_bound: inf }], schema: 3, zero_threshold: 9.5367431640625e-7, zero_count: 1, positive_span: [BucketSpan { offset: -26, length: 1 }, BucketSpan { offset: 21, length: 1 }], positive_delta: [1, 0] }"#]].assert_eq(histogram);
}

#[test]
fn a_page_larger_than_a_length_of_one_byte_is_read_whole() {
    let targets: Vec<_> = (0..500).map(|target| format!("target-{target}")).collect();
    let targets: Vec<_> = targets.iter().map(String::as_str).collect();
    let text = read(&page(&targets).render(Format::Protobuf { native_histograms: true }, false));
    assert_eq!(text.lines().filter(|line| line.contains("{target=\"target-499\"} ")).count(), 4);
}
