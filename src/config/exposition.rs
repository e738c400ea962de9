//! `[exposition]`: how pages are written.

use serde::Deserialize;

/// How pages are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Exposition {
    /// Whether histograms of what Vitrin has seen itself carry native buckets too, where protobuf was negotiated.
    ///
    /// Off by default, because Prometheus then keeps the native histogram *instead* of the series `_bucket`, `_sum` and
    /// `_count`, unless it is told to keep both.
    pub native_histograms: bool,
}
