//! When the window of a limit ends, and how many requests it has, as answers write them.

use super::number;
use super::rules::{ResetForm, Unit};
use super::wait::seconds;

/// The largest number of requests that is believed.
const LARGEST: f64 = 1e15;

/// How long after now a window may end; and how long before, since clocks differ.
const LATEST: f64 = 400.0 * DAY;
const DAY: f64 = 86_400.0;

/// The two clocks, in seconds since 1970.
#[derive(Clone, Copy)]
pub(super) struct Clocks {
    pub(super) ours: f64,
    pub(super) theirs: f64,
}

/// A number of requests. What follows it in a list or as a parameter is the matter of other windows: `100, 100;w=60`.
pub(super) fn count(text: &str) -> Option<f64> {
    let text = text.split([',', ';']).next()?.trim();
    number::plain(text).filter(|number| (0.0..=LARGEST).contains(number))
}

/// When a window ends, in seconds since 1970, and how many seconds that is from now.
pub(super) fn end(text: &str, form: ResetForm, clocks: Clocks) -> Option<(f64, f64)> {
    let from_now = |wait: f64| (clocks.ours + wait, wait);
    let at = |time: f64| (time, time - clocks.theirs);
    let end = match form {
        ResetForm::DeltaSeconds => from_now(count(text)?),
        ResetForm::EpochSeconds => at(count(text)?),
        ResetForm::EpochMs => at(count(text)? / 1_000.0),
        ResetForm::Auto => match count(text)? {
            wait if wait < 1e6 => from_now(wait),
            time if time > 1e11 => at(time / 1_000.0),
            time => at(time),
        },
        ResetForm::Rfc3339 => at(number::of_text(text, Unit::Rfc3339)?),
        ResetForm::HttpDate => at(seconds(httpdate::parse_http_date(text.trim()).ok()?)),
    };
    Some(end).filter(|(at, _)| (clocks.ours - DAY..clocks.ours + LATEST).contains(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_window_is_written_in_six_ways() {
        // Their clock is ten seconds late, so there are ten more to wait.
        let clocks = Clocks { ours: 1_795_446_000.0, theirs: 1_795_445_990.0 };
        for (form, text, expected) in [
            (ResetForm::DeltaSeconds, "30", Some((30.0, 30.0))),
            (ResetForm::DeltaSeconds, "2.5", Some((2.5, 2.5))),
            (ResetForm::DeltaSeconds, "0", Some((0.0, 0.0))),
            (ResetForm::DeltaSeconds, "1795446030", None),
            (ResetForm::EpochSeconds, "1795446030", Some((30.0, 40.0))),
            (ResetForm::EpochSeconds, "30", None),
            (ResetForm::EpochSeconds, "soon", None),
            (ResetForm::EpochMs, "1795446030500", Some((30.5, 40.5))),
            (ResetForm::Auto, "30", Some((30.0, 30.0))),
            (ResetForm::Auto, "1795446030", Some((30.0, 40.0))),
            (ResetForm::Auto, "1795446030000", Some((30.0, 40.0))),
            (ResetForm::Rfc3339, "2026-11-23T15:00:30.000Z", Some((30.0, 40.0))),
            (ResetForm::Rfc3339, "2026-11-24T15:00:30+03:00", Some((75_630.0, 75_640.0))),
            (ResetForm::Rfc3339, "2026-11-23T15:00:30", None),
            (ResetForm::HttpDate, "Mon, 23 Nov 2026 15:00:30 GMT", Some((30.0, 40.0))),
            (ResetForm::HttpDate, "Mon, 20 Nov 2028 15:00:30 GMT", None),
            (ResetForm::HttpDate, "30", None),
        ] {
            let end = end(text, form, clocks).map(|(at, wait)| (at - clocks.ours, wait));
            assert_eq!(end, expected, "{form:?} {text}");
        }
    }

    #[test]
    fn a_number_of_requests_is_the_first_of_a_list() {
        for (text, expected) in [
            ("100", Some(100.0)),
            ("100, 100;w=60", Some(100.0)),
            (" 0.0056 ", Some(0.0056)),
            ("-1", None),
            ("1/40", None),
            ("inf", None),
            ("1e99", None),
            ("", None),
        ] {
            assert_eq!(count(text), expected, "{text}");
        }
    }
}
