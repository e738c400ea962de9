//! Values of `SHOW GLOBAL STATUS`, `SHOW GLOBAL VARIABLES` and the replication status: what they are as a number.

use super::rows::number;

/// The number a value stands for, as the drop-in names have it: numbers as they are, words of yes and no as 1 and 0,
/// moments as Unix time; other words are no numbers.
pub(super) fn numeric(value: &str) -> Option<f64> {
    // A digit first is a number or a moment: most values are, so look there first.
    if value.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.') {
        return number(value).or_else(|| moment(value));
    }
    match value.to_ascii_lowercase().as_str() {
        // `primary` is a Galera node in the part of the cluster that may write.
        "yes" | "on" | "primary" => Some(1.0),
        // A replica that is still `connecting` does not replicate.
        "no" | "off" | "disabled" | "connecting" | "non-primary" | "disconnected" => Some(0.0),
        _ => certificate_moment(value),
    }
}

/// `2026-11-22 21:05:57`, taken for UTC as the server does not say its zone.
fn moment(text: &str) -> Option<f64> {
    let (date, time) = text.split_once(' ')?;
    let mut date = date.split('-').map(|part| part.parse().ok());
    let [year, month, day] = std::array::from_fn(|_| date.next().flatten());
    unix(year?, month?, day?, time)
}

/// `Nov 19 21:05:51 2036 GMT`, how OpenSSL writes a certificate's dates.
fn certificate_moment(text: &str) -> Option<f64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let mut words = text.split_whitespace();
    let [month, day, time, year, zone] = std::array::from_fn(|_| words.next());
    let month = MONTHS.find(month.filter(|month| month.len() == 3)?)?;
    let month = i64::try_from(month / 3).ok()? + 1;
    (zone? == "GMT").then(|| unix(year?.parse().ok()?, month, day?.parse().ok()?, time?)).flatten()
}

/// Seconds since 1970 of a day of the Gregorian calendar and a time of day; `None` for a day or time there is not.
fn unix(year: i64, month: i64, day: i64, time: &str) -> Option<f64> {
    let mut time = time.split(':').map(|part| part.parse().ok());
    let [hour, minute, second] = std::array::from_fn(|_| time.next().flatten());
    let (hour, minute, second): (i64, i64, i64) = (hour?, minute?, second?);
    let sane = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !sane || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Years from March on, so that the leap day is a year's last: then months are 153 days in five, and leap days are
    // counted by division.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    number(&seconds.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_yes_and_no_are_one_and_zero() {
        for (value, expected) in [
            ("ON", Some(1.0)),
            ("Yes", Some(1.0)),
            ("OFF", Some(0.0)),
            ("DISABLED", Some(0.0)),
            ("Connecting", Some(0.0)),
            ("Disconnected", Some(0.0)),
            ("151", Some(151.0)),
            ("-1", Some(-1.0)),
            ("", None),
            ("utf8mb4", None),
            ("9.7.4", None),
            ("0-34011-4", None),
        ] {
            assert_eq!(numeric(value), expected, "{value}");
        }
    }

    #[test]
    fn moments_are_unix_time() {
        assert_eq!(numeric("2026-11-22 21:05:57"), Some(1_795_381_557.0));
        assert_eq!(numeric("Nov 19 21:05:51 2036 GMT"), Some(2_110_741_551.0));
        assert_eq!(numeric("2000-02-29 00:00:00"), Some(951_782_400.0));
        for value in ["0000-00-00 00:00:00", "2026-13-01 00:00:00", "2026-11-22 25:00:00", "Nov 19 2036"] {
            assert_eq!(numeric(value), None, "{value}");
        }
    }
}
