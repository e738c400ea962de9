//! Times and sizes as nginx writes them: `1m30s`, `500ms`, `32m`.

/// A time in seconds (`ngx_parse_time`); a number alone is seconds.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let mut sum = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let number: u32 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3_600.0), ("d", 86_400.0), ("w", 604_800.0)];
        let unit = units.into_iter().find(|(unit, _)| rest.starts_with(unit));
        let (unit, factor) = if rest.is_empty() { ("", 1.0) } else { unit? };
        rest = rest[unit.len()..].trim_start();
        sum += f64::from(number) * factor;
    }
    (!text.is_empty()).then_some(sum)
}

/// Seconds as whole milliseconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a time of nginx' is positive and far smaller"
)]
pub(super) fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1_000.0).round() as u64
}

/// A size in bytes: `k`, `m` and `g` as nginx has them, and PHP, too.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_lowercase();
    let (number, factor) = match text.char_indices().last()? {
        (at, 'k') => (&text[..at], 1 << 10),
        (at, 'm') => (&text[..at], 1 << 20),
        (at, 'g') => (&text[..at], 1 << 30),
        _ => (text.as_str(), 1),
    };
    number.trim().parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_and_sizes_are_read_as_nginx_does() {
        let times = [("15s", 15.0), ("20", 20.0), ("1m30s", 90.0), ("500ms", 0.5), ("1h", 3_600.0), ("1m 5s", 65.0)];
        for (text, expected) in times {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        assert_eq!(["", "x", "5x"].map(seconds), [None; 3]);
        assert_eq!(
            ["32m", "1K", "8G", "100", "0", "x"].map(bytes),
            [Some(32 << 20), Some(1 << 10), Some(8 << 30), Some(100), Some(0), None]
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[0-9smhdk ]{0,12}", any: String) {
            for text in [text, any] {
                seconds(&text);
                bytes(&text);
            }
        }
    }
}
