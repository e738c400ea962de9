//! Which format and encoding a scraper wants: RFC 9110, sections 12.5.1 (Accept) and 12.5.3 (Accept-Encoding).

use std::cmp::Reverse;

use crate::config::exposition::Exposition;

/// A format of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Prometheus text 0.0.4.
    Text,
    /// OpenMetrics text, under the version that was asked for; what we write is valid in both.
    OpenMetrics(&'static str),
    /// Prometheus protobuf.
    Protobuf {
        /// Whether histograms that have native buckets show them.
        native_histograms: bool,
    },
}

impl Format {
    /// The exact `Content-Type`; Prometheus 3 takes a target without one for down.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics("0.0.1") => "application/openmetrics-text; version=0.0.1; charset=utf-8",
            Self::OpenMetrics(_) => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Protobuf { .. } => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        }
    }

    /// How exactly a media range (in lower case) names this format, from `*/*` up; `None` when it names another.
    fn named_by<'a>(self, range: &str, parameter: impl Fn(&str) -> Option<&'a str>) -> Option<u8> {
        let (name, kind, version) = match self {
            Self::Text => ("text/plain", "text/*", "0.0.4"),
            Self::OpenMetrics(version) => ("application/openmetrics-text", "application/*", version),
            // Only ever by all of its name: who asks for anything is better off with something that can be read.
            Self::Protobuf { .. } => {
                let this = range == "application/vnd.google.protobuf"
                    && parameter("proto") == Some("io.prometheus.client.MetricFamily")
                    && parameter("encoding") == Some("delimited");
                return this.then_some(3);
            }
        };
        match parameter("version") {
            Some(asked) if range == name => (asked == version).then_some(3),
            None if range == name => Some(2),
            _ if range == kind => Some(1),
            _ => (range == "*/*").then_some(0),
        }
    }
}

/// The format for an `Accept` header: of each format the quality of the range that names it most exactly counts; the best
/// quality wins, then the format that is named more exactly, then the one named first.
///
/// With none that is wanted, or without the header, it is text 0.0.4, as Prometheus' own client libraries answer.
#[must_use]
pub fn format_for(accept: &str, settings: Exposition) -> Format {
    let wanted = |format: Format| {
        let ranges = entries(accept).enumerate().filter_map(|(place, (range, parameters))| {
            let parameter =
                |name: &str| parameters.clone().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v);
            let exactness = format.named_by(&range.to_ascii_lowercase(), parameter)?;
            Some((exactness, Reverse(place), quality(parameter("q"))))
        });
        let (exactness, place, quality) = ranges.max_by_key(|(exactness, place, _)| (*exactness, *place))?;
        (quality > 0.0).then_some((quality, exactness, place))
    };
    let mut best = (None, Format::Text);
    let protobuf = Format::Protobuf { native_histograms: settings.native_histograms };
    for format in [Format::Text, Format::OpenMetrics("1.0.0"), Format::OpenMetrics("0.0.1"), protobuf] {
        let wanted = wanted(format);
        if wanted > best.0 {
            best = (wanted, format);
        }
    }
    best.1
}

/// Whether an `Accept-Encoding` header takes gzip, by name or by `*`, and does not say that it would rather go without.
#[must_use]
pub fn accepts_gzip(accept_encoding: &str) -> bool {
    let quality_of = |wanted: &str| {
        entries(accept_encoding).find(|(coding, _)| coding.eq_ignore_ascii_case(wanted)).map(|(_, mut parameters)| {
            quality(parameters.find(|(key, _)| key.eq_ignore_ascii_case("q")).map(|(_, v)| v))
        })
    };
    let gzip = quality_of("gzip").or_else(|| quality_of("*")).unwrap_or(0.0);
    gzip > 0.0 && gzip >= quality_of("identity").unwrap_or(0.0)
}

/// The entries of a header: what is named, and its parameters.
fn entries(header: &str) -> impl Iterator<Item = (&str, impl Iterator<Item = (&str, &str)> + Clone)> {
    header.split(',').map(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let named = parts.next().unwrap_or_default();
        (named, parts.filter_map(|part| part.split_once('=')).map(|(key, value)| (key, value.trim_matches('"'))))
    })
}

/// A quality of 0 to 1; 1 without one, 0 for one that is no number.
fn quality(text: Option<&str>) -> f64 {
    text.map_or(1.0, |text| text.parse().ok().filter(|quality| (0.0..=1.0).contains(quality)).unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_quality_wins() {
        let openmetrics = Format::OpenMetrics("1.0.0");
        let protobuf = Format::Protobuf { native_histograms: false };
        for (accept, format) in [
            // Prometheus 2.42 and 3.5, without and with native histograms.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                openmetrics,
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                openmetrics,
            ),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                protobuf,
            ),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,*/*;q=0.2",
                protobuf,
            ),
            // Other messages, other encodings of it, and whoever takes anything.
            (
                "application/vnd.google.protobuf;proto=another.Message;encoding=delimited, text/plain;q=0.3",
                Format::Text,
            ),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text, */*;q=0.1",
                Format::Text,
            ),
            ("application/vnd.google.protobuf", Format::Text),
            ("text/plain;version=0.0.4, application/openmetrics-text;q=0.9", Format::Text),
            ("text/plain; q=0.2, Application/OpenMetrics-Text; version=\"1.0.0\"; q=0.3", openmetrics),
            ("application/openmetrics-text; version=0.0.1", Format::OpenMetrics("0.0.1")),
            ("application/openmetrics-text; version=2.0.0", Format::Text),
            ("application/openmetrics-text;q=0, */*", Format::Text),
            // The range that names a format most exactly is the one that counts.
            ("*/*;q=0.9, text/plain;q=0.5, application/openmetrics-text;q=0.7", openmetrics),
            ("text/plain;q=0, */*", openmetrics),
            (
                "application/openmetrics-text;version=1.0.0;q=0, application/openmetrics-text",
                Format::OpenMetrics("0.0.1"),
            ),
            ("application/*, text/plain;q=0.5", openmetrics),
            ("text/plain, application/openmetrics-text", Format::Text),
            ("*/*;q=0", Format::Text),
            ("application/openmetrics-text;q=high", Format::Text),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Format::Text),
            ("application/json", Format::Text),
            ("", Format::Text),
            (",;=,;;q", Format::Text),
        ] {
            assert_eq!(format_for(accept, Exposition::default()), format, "{accept}");
        }
    }

    #[test]
    fn gzip_is_used_when_it_is_asked_for() {
        for (header, gzip) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("*", true),
            ("gzip;q=0", false),
            ("gzip;q=0, *", false),
            ("gzip;q=0.5, identity", false),
            ("gzip, identity;q=0.5", true),
            ("br", false),
            ("", false),
        ] {
            assert_eq!(accepts_gzip(header), gzip, "{header}");
        }
    }
}
