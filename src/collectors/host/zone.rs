//! Local time at a moment, from a compiled time zone (RFC 8536).

/// The abbreviation of local time (`CEST`) and its seconds ahead of UTC, at a Unix time; none when `file` is not a
/// time zone.
///
/// Version 1 data ends in 2038 and is skipped where version 2 follows, as it has since 2006.
pub(super) fn at(file: &[u8], time: i64) -> Option<(String, i32)> {
    let first = Block::parse(file, 4)?;
    if first.version < b'2' {
        return first.at(time);
    }
    let second = Block::parse(file.get(HEADER + first.length()..)?, 8)?;
    if second.last_transition().is_none_or(|last| time < last) {
        return second.at(time);
    }
    // What holds after the last transition is said by a rule in a line of text.
    let rule = second.after.strip_prefix(b"\n")?.split(|byte| *byte == b'\n').next()?;
    str::from_utf8(rule).ok().and_then(|rule| by_rule(rule, time)).or_else(|| second.at(time))
}

/// Length of the header, which begins with `TZif`.
const HEADER: usize = 44;

/// The data of one version.
struct Block<'a> {
    version: u8,
    /// Bytes of a moment: 4 in version 1, 8 from version 2 on.
    width: usize,
    moments: &'a [u8],
    kinds_of_moments: &'a [u8],
    kinds: &'a [u8],
    names: &'a [u8],
    rest: usize,
    after: &'a [u8],
}

/// Bytes of a kind of local time: offset, daylight saving, index of its name.
const KIND: usize = 6;

impl<'a> Block<'a> {
    fn parse(file: &'a [u8], width: usize) -> Option<Self> {
        let (header, data) = file.split_at_checked(HEADER)?;
        if !header.starts_with(b"TZif") {
            return None;
        }
        let count = |index: usize| -> Option<usize> {
            let bytes = header.get(20 + 4 * index..24 + 4 * index)?;
            usize::try_from(u32::from_be_bytes(bytes.try_into().ok()?)).ok().filter(|count| *count < 1 << 16)
        };
        let [is_ut, is_standard, leaps] = [count(0)?, count(1)?, count(2)?];
        let (moments, data) = data.split_at_checked(count(3)? * width)?;
        let (kinds_of_moments, data) = data.split_at_checked(count(3)?)?;
        let (kinds, data) = data.split_at_checked(count(4)? * KIND)?;
        let (names, data) = data.split_at_checked(count(5)?)?;
        let rest = leaps * (width + 4) + is_standard + is_ut;
        let after = data.get(rest..)?;
        Some(Self { version: header[4], width, moments, kinds_of_moments, kinds, names, rest, after })
    }

    /// Bytes after the header.
    fn length(&self) -> usize {
        self.moments.len() + self.kinds_of_moments.len() + self.kinds.len() + self.names.len() + self.rest
    }

    fn transitions(&self) -> impl DoubleEndedIterator<Item = i64> + ExactSizeIterator {
        self.moments.chunks_exact(self.width).map(|bytes| {
            // Sign-extended from the width in the file.
            let negative = bytes[0] & 0x80 != 0;
            bytes.iter().fold(if negative { -1 } else { 0 }, |sum, byte| sum << 8 | i64::from(*byte))
        })
    }

    fn last_transition(&self) -> Option<i64> {
        self.transitions().next_back()
    }

    /// The kind of the last transition before `time`; the first kind before all of them.
    fn at(&self, time: i64) -> Option<(String, i32)> {
        let past = self.transitions().take_while(|moment| *moment <= time).count();
        let kind = past.checked_sub(1).map_or(Some(0), |last| self.kinds_of_moments.get(last).copied())?;
        let kind = self.kinds.get(usize::from(kind) * KIND..)?.get(..KIND)?;
        let name = self.names.get(usize::from(kind[5])..)?.split(|byte| *byte == 0).next()?;
        Some((String::from_utf8_lossy(name).into_owned(), i32::from_be_bytes(kind[..4].try_into().ok()?)))
    }
}

/// A rule as in the variable `TZ`: `<+03>-3` or `CET-1CEST,M3.5.0,M10.5.0/3`.
fn by_rule(rule: &str, time: i64) -> Option<(String, i32)> {
    let (standard, rest) = name(rule)?;
    let (offset, rest) = offset(rest)?;
    if rest.is_empty() {
        return Some((standard, -offset));
    }
    let (summer, rest) = name(rest)?;
    let (summer_offset, rest) = if rest.starts_with(',') { (offset - 3600, rest) } else { self::offset(rest)? };
    let (begin, end) = rest.strip_prefix(',')?.split_once(',')?;
    let local = time - i64::from(offset);
    let year = civil(local.div_euclid(86_400)).0;
    let begin = moment(begin, year)? + i64::from(offset);
    let end = moment(end, year)? + i64::from(summer_offset);
    // On the southern half of the earth summer ends before it begins.
    let in_summer = if begin < end { (begin..end).contains(&time) } else { !(end..begin).contains(&time) };
    Some(if in_summer { (summer, -summer_offset) } else { (standard, -offset) })
}

/// Letters, or anything in angle brackets; and the rest.
fn name(text: &str) -> Option<(String, &str)> {
    if let Some(quoted) = text.strip_prefix('<') {
        let (name, rest) = quoted.split_once('>')?;
        return Some((name.to_owned(), rest));
    }
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    (end >= 3).then(|| (text[..end].to_owned(), &text[end..]))
}

/// `[+-]hours[:minutes[:seconds]]` as seconds, west of Greenwich positive; and the rest.
fn offset(text: &str) -> Option<(i32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && !"+-:".contains(c)).unwrap_or(text.len());
    let (clock, rest) = text.split_at(end);
    let (sign, clock) = match clock.strip_prefix('-') {
        Some(clock) => (-1, clock),
        None => (1, clock.strip_prefix('+').unwrap_or(clock)),
    };
    let mut seconds = 0;
    let mut unit = 3600;
    for part in clock.split(':') {
        seconds += part.parse::<u16>().map(i32::from).ok()?.checked_mul(unit)?;
        unit /= 60;
    }
    Some((sign * seconds, rest))
}

/// `M3.5.0/2`: local seconds since 1970 of two o'clock on the last (5) Sunday (0) of March (3) of a year. The two other
/// forms of POSIX, counted days, are used by no zone that keeps daylight saving time today.
fn moment(rule: &str, year: i64) -> Option<i64> {
    let (day, clock) = rule.split_once('/').unwrap_or((rule, "2"));
    let mut numbers = day.strip_prefix('M')?.split('.').map(|number| number.parse::<i64>().ok());
    let [month, week, weekday] = [numbers.next()??, numbers.next()??, numbers.next()??];
    if !((1..=12).contains(&month) && (1..=5).contains(&week) && (0..=6).contains(&weekday)) {
        return None;
    }
    let first = days(year, month, 1);
    // 1970-01-01 was a Thursday (4).
    let first_weekday = (first + 4).rem_euclid(7);
    let mut day = first + (weekday - first_weekday).rem_euclid(7) + 7 * (week - 1);
    let next_month = if month == 12 { days(year + 1, 1, 1) } else { days(year, month + 1, 1) };
    while day >= next_month {
        day -= 7;
    }
    Some(day * 86_400 + i64::from(offset(clock)?.0))
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the leap day is the last one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap_days + (153 * month + 2) / 5 + day - 719_469
}

/// Year and month of a day counted from 1970-01-01.
fn civil(day: i64) -> (i64, i64) {
    // A guess that is right or one too late, as years have 365.2425 days on average.
    let mut year = 1970 + day.div_euclid(365);
    while days(year, 1, 1) > day {
        year -= 1;
    }
    let month = (1..=12).rfind(|month| days(year, *month, 1) <= day).unwrap_or(1);
    (year, month)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Moments in July and January of the years 2026 and 2050, the latter behind all transitions in the files.
    const MOMENTS: [i64; 4] = [1_783_000_000, 1_768_000_000, 2_540_000_000, 2_525_000_000];

    fn zone(name: &str) -> [(String, i32); 4] {
        let file = std::fs::read(format!("/usr/share/zoneinfo/{name}")).unwrap();
        MOMENTS.map(|time| at(&file, time).unwrap())
    }

    #[test]
    fn zones_of_shops() {
        let summer_and_winter = |summer: (&str, i32), winter: (&str, i32)| {
            let [summer, winter] = [summer, winter].map(|(name, offset)| (name.to_owned(), offset));
            [summer.clone(), winter.clone(), summer, winter]
        };
        assert_eq!(zone("Europe/Istanbul"), summer_and_winter(("+03", 10_800), ("+03", 10_800)));
        assert_eq!(zone("Europe/Berlin"), summer_and_winter(("CEST", 7200), ("CET", 3600)));
        assert_eq!(zone("America/New_York"), summer_and_winter(("EDT", -14_400), ("EST", -18_000)));
        assert_eq!(zone("Asia/Kolkata"), summer_and_winter(("IST", 19_800), ("IST", 19_800)));
        assert_eq!(zone("Australia/Sydney"), summer_and_winter(("AEST", 36_000), ("AEDT", 39_600)));
        assert_eq!(zone("Etc/UTC"), summer_and_winter(("UTC", 0), ("UTC", 0)));
    }

    #[test]
    fn a_rule_changes_on_the_second() {
        // The summer of 2026 begins on 29 March and ends on 25 October, each at 01:00 UTC.
        let offset = |time| by_rule("CET-1CEST,M3.5.0,M10.5.0/3", time).unwrap().1;
        assert_eq!((offset(1_774_745_999), offset(1_774_746_000)), (3600, 7200));
        assert_eq!((offset(1_792_889_999), offset(1_792_890_000)), (7200, 3600));
    }

    #[test]
    fn anything_else_is_not_a_zone() {
        let good = std::fs::read("/usr/share/zoneinfo/Europe/Berlin").unwrap();
        assert_eq!(at(b"", 0), None);
        assert_eq!(at(b"TZif2", 0), None);
        for length in 0..good.len() {
            // Never a panic, whatever is cut off.
            at(&good[..length], MOMENTS[0]);
        }
    }

    #[test]
    fn a_rule_without_sense_is_none() {
        for rule in
            ["CET-1CEST,M3.9000000000000000000.0,M10.5.0", "CET-1CEST,M0.1.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0"]
        {
            assert_eq!(by_rule(rule, MOMENTS[0]), None, "{rule}");
        }
    }

    proptest! {
        #[test]
        fn no_rule_panics_or_goes_on_for_ever(
            rule in "[A-Z]{3}-?[0-9:]{0,9}([A-Z]{3}[0-9:]{0,5},M[0-9]{1,20}.[0-9]{1,20}.[0-9]{1,20}(/[0-9:+-]{1,12})?,M10.5.0)?"
        ) {
            by_rule(&rule, MOMENTS[0]);
        }

        #[test]
        fn no_file_panics(at_byte in 0_usize..4_000, bytes in proptest::collection::vec(any::<u8>(), 1..40)) {
            let mut file = std::fs::read("/usr/share/zoneinfo/Europe/Berlin").unwrap();
            let start = at_byte.min(file.len());
            let end = (start + bytes.len()).min(file.len());
            file.splice(start..end, bytes);
            at(&file, MOMENTS[2]);
        }
    }
}
