//! Times that a request names: `{{time:rfc3339:-15m}}`, `{{time:date:Europe/Istanbul:-1d}}`.
//!
//! There are no rules of summer time here: a zone is a fixed offset (`+03:00`), or one of the few places that have had
//! one for years.

use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::config::types::Period;

const WAY_OUT: &str = "write {{time:ms:-1d}}, {{time:s:-1d}}, {{time:rfc3339:-15m}}, {{time:date:-1d}} (2026-03-01), \
                       {{time:dmy:-1d}} (01/03/2026), the last two also with a zone: {{time:date:+03:00:-1d}}";

/// The places whose clocks are never changed: Turkey has not since September 2016, Russia since October 2014 (IANA's
/// time zone database).
const PLACES: [(&str, i64); 3] = [("UTC", 0), ("Europe/Istanbul", 3 * 3600), ("Europe/Moscow", 3 * 3600)];

/// The end of the year 9999: what comes later has no four digits.
const LAST: i64 = 253_402_300_799;

/// When a request is made, and the how many-eth it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The time.
    pub now: SystemTime,
    /// One more at each request of the probe, for what is to be different each time. It begins at
    /// [`Moment::first_turn`], so that a restart does not repeat what has just been asked.
    pub turn: u64,
}

impl Moment {
    /// The first turn of a probe that is made so often.
    #[must_use]
    pub fn first_turn(now: SystemTime, every: Duration) -> u64 {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_secs() / every.as_secs().max(1)
    }
}

/// A time, so much before or after the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Time {
    form: Form,
    /// Milliseconds.
    shift: i64,
}

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Milliseconds since 1970.
    Ms,
    /// Seconds since 1970.
    S,
    /// `2026-03-01T12:00:00Z`.
    Rfc3339,
    /// `2026-03-01`, so many seconds east of Greenwich.
    Date(i64),
    /// `01/03/2026`, likewise.
    Dmy(i64),
}

impl Time {
    /// What is written for it in a request that is made now.
    pub(super) fn text(self, now: SystemTime) -> String {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let ms = i64::try_from(now).unwrap_or(LAST * 1000).saturating_add(self.shift).clamp(0, LAST * 1000);
        let at = |offset: i64| {
            let seconds = (ms / 1000 + offset).clamp(0, LAST);
            humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs())).to_string()
        };
        match self.form {
            Form::Ms => ms.to_string(),
            Form::S => (ms / 1000).to_string(),
            Form::Rfc3339 => at(0),
            // Ten characters, which a time in that form always begins with.
            Form::Date(offset) => at(offset).chars().take(10).collect(),
            Form::Dmy(offset) => {
                let date: String = at(offset).chars().take(10).collect();
                date.rsplit('-').collect::<Vec<_>>().join("/")
            }
        }
    }
}

impl FromStr for Time {
    type Err = String;

    /// What comes after `time:`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a time of a request\n{WAY_OUT}");
        let (form, rest) = text.split_once(':').ok_or_else(wrong)?;
        let (zone, shift) = match rest.rsplit_once(':') {
            Some((zone, shift)) => (Some(zone), shift),
            None => (None, rest),
        };
        let offset = zone.map_or(Ok(0), offset)?;
        let form = match form {
            "ms" if zone.is_none() => Form::Ms,
            "s" if zone.is_none() => Form::S,
            "rfc3339" if zone.is_none() => Form::Rfc3339,
            "date" => Form::Date(offset),
            "dmy" => Form::Dmy(offset),
            _ => return Err(wrong()),
        };
        let (sign, length) = match shift.strip_prefix('-') {
            Some(length) => (-1, length),
            None => (1, shift.strip_prefix('+').unwrap_or(shift)),
        };
        let length = humantime::parse_duration(length).ok().filter(|length| *length <= Period::LONGEST);
        let length = length.and_then(|length| i64::try_from(length.as_millis()).ok()).ok_or_else(wrong)?;
        Ok(Self { form, shift: sign * length })
    }
}

/// Seconds east of Greenwich.
fn offset(zone: &str) -> Result<i64, String> {
    let place = PLACES.into_iter().find_map(|(name, offset)| (name == zone).then_some(offset));
    let written = || {
        let (sign, rest) = match (zone.strip_prefix('+'), zone.strip_prefix('-')) {
            (Some(rest), _) => (1, rest),
            (_, Some(rest)) => (-1, rest),
            _ => return None,
        };
        let (hours, minutes) = rest.split_once(':')?;
        let number = |text: &str, most: i64| {
            let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
            text.parse::<i64>().ok().filter(|number| digits && *number <= most)
        };
        Some(sign * (number(hours, 14)? * 3600 + number(minutes, 59)? * 60))
    };
    place.or_else(written).ok_or_else(|| {
        let places = PLACES.map(|(name, _)| name).join(", ");
        format!("`{zone}` is not a zone without summer time\nwrite an offset, +03:00, or one of {places}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(time: &str, seconds: u64) -> String {
        time.parse::<Time>().unwrap().text(UNIX_EPOCH + Duration::from_secs(seconds))
    }

    #[test]
    fn a_time_is_written_as_the_marketplace_wants_it() {
        // 2026-02-28T22:30:00Z, which is the first of March in Istanbul.
        const NOW: u64 = 1_772_317_800;
        for (time, expected) in [
            ("ms:0d", "1772317800000"),
            ("ms:-1d", "1772231400000"),
            ("s:+1m", "1772317860"),
            ("rfc3339:-15m", "2026-02-28T22:15:00Z"),
            ("date:0d", "2026-02-28"),
            ("date:Europe/Istanbul:0d", "2026-03-01"),
            ("date:Europe/Istanbul:-1d", "2026-02-28"),
            ("date:+03:00:0d", "2026-03-01"),
            ("date:-10:00:1d", "2026-03-01"),
            ("dmy:UTC:-1d", "27/02/2026"),
            ("dmy:Europe/Moscow:0d", "01/03/2026"),
        ] {
            assert_eq!(text(time, NOW), expected, "{time}");
        }
    }

    #[test]
    fn no_clock_is_so_wrong_that_a_time_cannot_be_written() {
        for seconds in [0, 1, u64::from(u32::MAX), LAST.unsigned_abs(), 1 << 40] {
            for time in ["ms:-365d", "rfc3339:+365d", "date:-14:00:-1d", "dmy:+14:00:+365d"] {
                assert!(!text(time, seconds).is_empty());
            }
        }
        assert_eq!(text("rfc3339:-365d", 0), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn what_is_no_time_is_a_mistake() {
        for time in ["", "ms", "ms:", "ms:soon", "ms:UTC:-1d", "rfc3339:-", "iso:-1d", "date:-500d", "ms:--1d"] {
            let error = time.parse::<Time>().unwrap_err();
            assert!(error.contains("is not a time of a request\nwrite {{time:ms:-1d}}"), "{time}: {error}");
        }
        for zone in ["Europe/Berlin", "+3", "03:00", "+03:60", "+15:00", "+0a:00", "++1:00"] {
            let error = format!("date:{zone}:-1d").parse::<Time>().unwrap_err();
            assert!(error.contains("is not a zone without summer time\nwrite an offset, +03:00"), "{zone}: {error}");
        }
    }

    #[test]
    fn a_probes_turns_go_on_after_a_restart() {
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000);
        let every = Duration::from_mins(2);
        assert_eq!(Moment::first_turn(now, every), 8333);
        assert_eq!(Moment::first_turn(now + every, every), 8334);
        assert_eq!(Moment::first_turn(now, Duration::from_millis(50)), 1_000_000);
    }
}
