//! Numbers as text: those of values, alike in both text formats, and those of bounds, which must be spelled in one way.

use std::fmt::Write as _;

/// 2^53: below it every whole number has a float of its own.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// Appends a sample's value: shortest decimal that reads back as the same float, never with an exponent.
pub(super) fn push(text: &mut String, value: f64) {
    if value.abs() < WHOLE && value.trunc() == value {
        // Most values; a whole number's digits take a tenth of the time.
        #[expect(clippy::cast_possible_truncation, reason = "a whole number in the range of an i64")]
        text.push_str(itoa::Buffer::new().format(value as i64));
    } else if value.is_infinite() {
        text.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    } else {
        write!(text, "{value}").expect("writing to memory does not fail");
    }
}

/// Appends a count.
pub(super) fn push_count(text: &mut String, count: u64) {
    text.push_str(itoa::Buffer::new().format(count));
}

/// Appends the value of an `le` or `quantile` label as OpenMetrics 1.0 ("Canonical Numbers") and Go spell it: `1.0`,
/// `1e-05`, `1.5e+06`.
///
/// Prometheus makes these labels itself when it reads protobuf; spelled in another way, they would be other series.
pub(super) fn push_bound(text: &mut String, bound: f64) {
    if bound.is_infinite() {
        return push(text, bound);
    }
    let scientific = format!("{bound:e}");
    let (digits, exponent) = scientific.split_once('e').expect("`{:e}` has an exponent");
    let exponent: i32 = exponent.parse().expect("`{:e}` has a number for an exponent");
    let written = if (-4..6).contains(&exponent) {
        write!(text, "{bound:?}")
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        write!(text, "{digits}e{sign}{:02}", exponent.abs())
    };
    written.expect("writing to memory does not fail");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(write: impl FnOnce(&mut String)) -> String {
        let mut text = String::new();
        write(&mut text);
        text
    }

    #[test]
    fn a_value_reads_back_as_itself() {
        for (value, written) in [
            (0.0, "0"),
            (-0.0, "0"),
            (7.0, "7"),
            (-3.0, "-3"),
            (0.1, "0.1"),
            (-1.5, "-1.5"),
            (1_700_000_000.25, "1700000000.25"),
            (1e-7, "0.0000001"),
            (9_007_199_254_740_991.0, "9007199254740991"),
            (9_007_199_254_740_992.0, "9007199254740992"),
            (18_446_744_073_709_551_615.0, "18446744073709552000"),
            (1e300, &format!("1{}", "0".repeat(300))),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            let text = text(|text| push(text, value));
            assert_eq!(text, written);
            assert!(value.is_infinite() || text.parse() == Ok(value), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_number_reads_back_as_itself(value in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL) {
            prop_assert_eq!(text(|text| push(text, value)).parse(), Ok(value));
            prop_assert_eq!(text(|text| push_bound(text, value)).parse(), Ok(value));
        }
    }

    #[test]
    fn a_bound_is_spelled_as_go_spells_it() {
        for (bound, written) in [
            (0.0, "0.0"),
            (1.0, "1.0"),
            (0.005, "0.005"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (0.000_002_5, "2.5e-06"),
            (999_999.0, "999999.0"),
            (1_000_000.0, "1e+06"),
            (1_048_576.0, "1.048576e+06"),
            (1e100, "1e+100"),
            (-2.0, "-2.0"),
            (f64::INFINITY, "+Inf"),
        ] {
            assert_eq!(text(|text| push_bound(text, bound)), written);
        }
    }
}
