//! What the numbers of `[objectives]` are numbers of, and which of them make sense.

use super::number::Given;
use crate::config::types::Period;

/// Days in ten years: no certificate or forecast goes further.
const MOST_DAYS: f64 = 3_660.0;

/// What a number is a number of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// A part of a whole, between 0 and 1.
    Ratio,
    /// A length of time, shown in seconds.
    Seconds,
    /// Days.
    Days,
    /// How many there are of something.
    Count,
}

/// The unit that a word of the table stands for; `None` for a word that is not in it. What is counted is named, for the
/// reader.
pub(super) fn named(word: &str) -> Option<Unit> {
    match word {
        "ratio" => Some(Unit::Ratio),
        "seconds" => Some(Unit::Seconds),
        "days" => Some(Unit::Days),
        _ => COUNTED.contains(&word).then_some(Unit::Count),
    }
}

/// What is counted.
const COUNTED: [&str; 11] = [
    "connections",
    "crashes",
    "errors",
    "events",
    "keys",
    "orders",
    "points",
    "requests",
    "restarts",
    "statements",
    "times",
];

impl Unit {
    /// The number in this unit that was given, when there can be as much, and an alert that compares with it could both
    /// fire and be quiet.
    ///
    /// # Errors
    /// With what is wrong and, on a second line, what to write; `example` is a number that would do.
    pub(super) fn number(self, given: &Given, example: f64) -> Result<f64, String> {
        match (self, given) {
            (Self::Seconds, Given::Text(text)) => text.parse().map(|Period(time)| time.as_secs_f64()),
            (_, Given::Text(text)) => Err(format!("`{text}` is not a number\n{}", self.way_out(example))),
            (_, Given::Number(number)) if self.is_sensible(*number) => Ok(*number),
            (Self::Ratio, Given::Number(number)) if (1.0..100.0).contains(number) && *number > 1.0 => {
                let part = (number * 1e4).round() / 1e6;
                Err(format!("`{number}` is not a part of a whole\nwrite {part} for {number} %"))
            }
            (_, Given::Number(_)) => Err(format!("`{given}` is not {}\n{}", self.what(), self.way_out(example))),
        }
    }

    /// Whether it is within the unit's range.
    pub(super) fn is_sensible(self, number: f64) -> bool {
        match self {
            Self::Ratio => number > 0.0 && number < 1.0,
            Self::Seconds => number > 0.0 && number <= Period::LONGEST.as_secs_f64(),
            Self::Days => number > 0.0 && number <= MOST_DAYS,
            Self::Count => number >= 0.0 && number.is_finite(),
        }
    }

    const fn what(self) -> &'static str {
        match self {
            Self::Ratio => "between 0 and 1",
            Self::Seconds => "a length of time of at most a year",
            Self::Days => "a number of days of at most ten years",
            Self::Count => "a number from 0 on",
        }
    }

    fn way_out(self, example: f64) -> String {
        match self {
            Self::Ratio => format!("write a part of a whole, for example {example}"),
            Self::Seconds => format!("write seconds, for example {example}, or \"250ms\", \"2s\", \"5m\" or \"1h\""),
            Self::Days => format!("write days, for example {example}"),
            Self::Count => format!("write a number, for example {example}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_an_alert_cannot_cross_is_refused() {
        let refused = |unit: Unit, number: f64| unit.number(&Given::Number(number), 1.0).is_err();
        for unit in [Unit::Ratio, Unit::Seconds, Unit::Days, Unit::Count] {
            for number in [-1.0, -0.001, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                assert!(refused(unit, number), "{unit:?}: {number}");
            }
        }
        assert!(refused(Unit::Ratio, 0.0) && refused(Unit::Ratio, 1.0) && !refused(Unit::Ratio, 0.999_999));
        assert!(refused(Unit::Seconds, 0.0) && refused(Unit::Seconds, 4e7) && !refused(Unit::Seconds, 0.001));
        assert!(refused(Unit::Days, 0.0) && refused(Unit::Days, 1e4) && !refused(Unit::Days, 0.5));
        // Above none at all is sensible.
        assert!(!refused(Unit::Count, 0.0));
    }

    #[test]
    fn a_percentage_is_shown_how_it_is_written() {
        let error = Unit::Ratio.number(&Given::Number(99.95), 0.9).unwrap_err();
        assert_eq!(error, "`99.95` is not a part of a whole\nwrite 0.9995 for 99.95 %");
        let error = Unit::Ratio.number(&Given::Number(1.0), 0.9).unwrap_err();
        assert_eq!(error, "`1` is not between 0 and 1\nwrite a part of a whole, for example 0.9");
    }

    #[test]
    fn a_length_of_time_is_a_number_of_seconds_or_a_period() {
        assert_eq!(Unit::Seconds.number(&Given::Text("5m".to_owned()), 1.0), Ok(300.0));
        assert_eq!(Unit::Seconds.number(&Given::Number(2.5), 1.0), Ok(2.5));
        for text in ["soon", "0s", "-5m", "3years"] {
            assert!(Unit::Seconds.number(&Given::Text(text.to_owned()), 1.0).is_err(), "{text}");
        }
        assert!(Unit::Days.number(&Given::Text("14d".to_owned()), 14.0).is_err());
    }
}
