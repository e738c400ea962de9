//! Numbers as integers, without the roundings of floating point.

/// How many digits of a number count; what is behind the point may have more, which are dropped.
pub(super) const DIGITS: usize = 18;

/// A number with 10 to the power of `digits` as its unit, what is smaller dropped: `decimal(b"0.0129", 3)` is 12.
///
/// An exponent is understood, which JSON may have: `1.2e-05`.
pub(super) fn decimal(text: &[u8], digits: u32) -> Option<u64> {
    let mut number: u64 = 0;
    let mut read = 0;
    let mut power = i32::try_from(digits).ok()?;
    let mut behind_point = false;
    let mut at = 0;
    while at < text.len() {
        let digit = text[at].wrapping_sub(b'0');
        if digit < 10 {
            if read < DIGITS {
                number = number * 10 + u64::from(digit);
                read += usize::from(number > 0);
                power -= i32::from(behind_point);
            } else if !behind_point {
                return None;
            }
        } else if text[at] == b'.' && !behind_point && at > 0 && at + 1 < text.len() {
            behind_point = true;
        } else if matches!(text[at], b'e' | b'E') && at > 0 {
            power += exponent(&text[at + 1..])?;
            break;
        } else {
            return None;
        }
        at += 1;
    }
    if text.is_empty() {
        return None;
    }
    let factor = 10_u64.checked_pow(power.unsigned_abs());
    if power >= 0 { number.checked_mul(factor?) } else { Some(factor.map_or(0, |factor| number / factor)) }
}

/// Two digits at most, with or without a sign.
fn exponent(text: &[u8]) -> Option<i32> {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] | digits => (1, digits),
    };
    if !(1..=2).contains(&digits.len()) {
        return None;
    }
    let number =
        digits.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i32::from(byte - b'0')));
    Some(sign * number?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_exact_or_refused() {
        for (text, digits, number) in [
            ("0.000", 6, Some(0)),
            ("12.345", 6, Some(12_345_000)),
            ("1.9999999", 6, Some(1_999_999)),
            ("0.1234567890123456789012", 6, Some(123_456)),
            ("1795489508.5241024", 0, Some(1_795_489_508)),
            ("1.2e-05", 6, Some(12)),
            ("1e3", 0, Some(1_000)),
            ("1.5E+2", 1, Some(1_500)),
            ("5e-99", 6, Some(0)),
            ("0e99", 6, None),
            ("5e123", 6, None),
            ("1e", 6, None),
            ("", 6, None),
            (".5", 6, None),
            ("5.", 6, None),
            ("1.2.3", 6, None),
            ("-1", 6, None),
            ("+1", 6, None),
            ("NaN", 6, None),
            ("inf", 6, None),
            ("1,5", 6, None),
            ("18446744073709551616", 0, None),
            ("99999999999999999999", 6, None),
        ] {
            assert_eq!(decimal(text.as_bytes(), digits), number, "{text}");
        }
    }
}
