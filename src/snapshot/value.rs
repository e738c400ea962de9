//! The value of one sample, and what cannot be one.

use std::sync::Arc;

use super::Cause;
use crate::histogram::Histogram;
use crate::metric::Kind;

/// A sample's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A counter, gauge or unknown.
    Number(f64),
    /// A histogram.
    Histogram(Arc<Histogram>),
    /// A summary.
    Summary(Box<Summary>),
}

impl Value {
    /// Why it cannot be the value of such a family, which servers that lie give as well as ones that count past an end.
    pub(super) fn fault(&self, kind: Kind) -> Option<Cause> {
        let (is_number, is_possible) = match self {
            Self::Number(number) => (number.is_finite(), kind != Kind::Counter || *number >= 0.0),
            Self::Histogram(histogram) => {
                let total = histogram.buckets.iter().try_fold(0_u64, |sum, (_, count)| sum.checked_add(*count));
                let in_order = histogram.buckets.is_sorted_by(|(a, _), (b, _)| a < b);
                (histogram.sum.is_finite(), in_order && total.is_some())
            }
            Self::Summary(summary) => {
                let in_order = summary.quantiles.is_sorted_by(|(a, _), (b, _)| a < b);
                (true, in_order && summary.quantiles.iter().all(|(quantile, _)| (0.0..=1.0).contains(quantile)))
            }
        };
        if !is_number {
            return Some(Cause::NotANumber);
        }
        (!is_possible).then_some(Cause::Impossible)
    }
}

/// Quantiles that a source computed itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Quantile (0 to 1), ascending, and its value.
    pub quantiles: Vec<(f64, f64)>,
    /// Number of observations, where the source says.
    pub count: Option<u64>,
    /// Sum of all observations, where the source says.
    pub sum: Option<f64>,
}

/// A number that can be a sample's value.
pub trait Number {
    /// The value as Prometheus keeps it; integers above 2^53 lose their last digits.
    fn number(self) -> f64;
}

impl Number for f64 {
    fn number(self) -> f64 {
        self
    }
}

impl Number for bool {
    fn number(self) -> f64 {
        f64::from(u8::from(self))
    }
}

macro_rules! number {
    ($($small:ty),+; $($large:ty),+) => {
        $(impl Number for $small {
            fn number(self) -> f64 {
                f64::from(self)
            }
        })+
        $(impl Number for $large {
            #[expect(clippy::cast_precision_loss, reason = "Prometheus keeps every value as f64")]
            fn number(self) -> f64 {
                self as f64
            }
        })+
    };
}
number!(u8, u16, u32, i32; u64, i64, usize);
