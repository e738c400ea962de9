//! Numbers and times, as answers write them.

use serde_json::Value;

use super::rules::Unit;
use crate::collectors::access_log::format::time::Clock;

/// Beyond this nothing is counted: a number that large is something else, such as an id.
const LARGEST: f64 = 1e15;

/// The years from 2000 to 2200, in seconds since 1970. Outside of them are the times that mean "never": the year 1,
/// 1970, the year 9999; and counts that are in another unit.
const TIMES: std::ops::Range<f64> = 946_684_800.0..7_258_118_400.0;

/// A value of JSON in base units; `None` when it is no such number.
pub(super) fn of_json(value: &Value, unit: Unit) -> Option<f64> {
    match (value, unit) {
        (Value::Bool(value), Unit::Bool) => Some(f64::from(*value)),
        (Value::Number(number), Unit::Number | Unit::EpochSeconds | Unit::EpochMs) => scaled(number.as_f64()?, unit),
        (Value::String(text), _) => of_text(text, unit),
        _ => None,
    }
}

/// A text in base units; `None` when it is no such number.
pub(super) fn of_text(text: &str, unit: Unit) -> Option<f64> {
    let text = text.trim();
    match unit {
        Unit::Bool if text.eq_ignore_ascii_case("true") => Some(1.0),
        Unit::Bool if text.eq_ignore_ascii_case("false") => Some(0.0),
        Unit::Bool => None,
        // Years before 2000 and after 2200 are exact in f64, too.
        #[expect(clippy::cast_precision_loss, reason = "the year 9999 has 12 digits")]
        Unit::Rfc3339 => Some(Clock::Iso.read(text.as_bytes())? as f64).filter(|time| TIMES.contains(time)),
        Unit::Number | Unit::EpochSeconds | Unit::EpochMs => scaled(plain(text)?, unit),
    }
}

/// A number that is written in digits: no `inf`, and no comma, which is a point here and a thousand there.
pub(super) fn plain(text: &str) -> Option<f64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    is_plain.then(|| text.parse().ok())?
}

fn scaled(number: f64, unit: Unit) -> Option<f64> {
    match unit {
        Unit::EpochSeconds => Some(number).filter(|time| TIMES.contains(time)),
        Unit::EpochMs => Some(number / 1_000.0).filter(|time| TIMES.contains(time)),
        _ => Some(number).filter(|number| number.abs() <= LARGEST),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_and_times_are_read_as_their_unit_says() {
        for (value, unit, expected) in [
            (json!(7), Unit::Number, Some(7.0)),
            (json!(-7.25), Unit::Number, Some(-7.25)),
            (json!(" 42 "), Unit::Number, Some(42.0)),
            (json!("1e3"), Unit::Number, Some(1_000.0)),
            (json!("1.234,56"), Unit::Number, None),
            (json!("nan"), Unit::Number, None),
            (json!("inf"), Unit::Number, None),
            (json!("1e999"), Unit::Number, None),
            (json!(1e300), Unit::Number, None),
            (json!(""), Unit::Number, None),
            (json!(true), Unit::Number, None),
            (json!([7]), Unit::Number, None),
            (json!(true), Unit::Bool, Some(1.0)),
            (json!("False"), Unit::Bool, Some(0.0)),
            (json!(1), Unit::Bool, None),
            (json!("yes"), Unit::Bool, None),
            (json!(1_795_449_600), Unit::EpochSeconds, Some(1_795_449_600.0)),
            (json!("1795449600"), Unit::EpochSeconds, Some(1_795_449_600.0)),
            (json!(0), Unit::EpochSeconds, None),
            (json!(1_795_449_600_500_u64), Unit::EpochSeconds, None),
            (json!(1_795_449_600_500_u64), Unit::EpochMs, Some(1_795_449_600.5)),
            (json!(1_795_449_600), Unit::EpochMs, None),
            (json!("2026-11-23T14:40:00Z"), Unit::Rfc3339, Some(1_795_444_800.0)),
            (json!("2026-11-23T17:40:00.123+03:00"), Unit::Rfc3339, Some(1_795_444_800.0)),
            (json!("2026-11-23T17:40:00"), Unit::Rfc3339, None),
            (json!("0001-01-01T00:00:00Z"), Unit::Rfc3339, None),
            (json!("9999-12-31T23:59:59Z"), Unit::Rfc3339, None),
            (json!(1_795_449_600), Unit::Rfc3339, None),
        ] {
            assert_eq!(of_json(&value, unit), expected, "{value} {unit:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_gives_a_number_that_is_none(text in "[-+.eE0-9aifnTZ: ]{0,24}|\\PC{0,8}") {
            for unit in [Unit::Number, Unit::Bool, Unit::EpochSeconds, Unit::EpochMs, Unit::Rfc3339] {
                if let Some(number) = of_text(&text, unit) {
                    prop_assert!(number.is_finite() && number.abs() <= LARGEST, "{}", number);
                }
            }
        }
    }
}
