//! Time compression: 1 minute of the shipped files is 1 second of a drill.
//!
//! A duration is written anew one unit lower, so that the drill's file can be read beside the shipped one, and read
//! back to it byte for byte:
//!
//! | shipped | drill | |
//! |---|---|---|
//! | `2h` | `2m` | |
//! | `5m` | `5s` | |
//! | `15s` | `250ms` | only multiples of 3 s: servers count in whole milliseconds |
//! | `1d` | `24m0s` | the `0s` says that it was days |
//! | `1w` | `168m0s0ms` | and this, weeks |
//!
//! What counts as a duration: PromQL's ranges, subqueries and offsets (`[5m]`, `[1h:1m]`, `offset 1d`), values of YAML
//! (`for: 15m`), the second argument of `predict_linear`, which is in seconds (of a product
//! the last factor), and numbers of nanoseconds in templates
//! (eleven digits and more). Names are left as they are (`slo:burn_rate:5m`), as are labels' values (`window="2h"`), times
//! of day and what an alert says in words. Anything else that looks like a duration is an error: it would silently stay
//! 60 times too long.
//!
//! Not durations, and so not compressed, are rates (events a second), ages of things that do not age faster here
//! (certificates), and the numbers of seconds in `alert:threshold`: those are set in the drill's vitrin.toml, as an
//! operator would.

use std::ops::Range;
use std::sync::LazyLock;
use std::time::Duration;

use regex::{Captures, Match, Regex};

/// How much faster a drill's clock runs. The units that follow each other are 60 apart, which the table above rests on.
pub(crate) const FACTOR: u32 = 60;

/// Where a duration, or a number that is one, may stand, with what is around it.
static PLACES: LazyLock<Regex> = LazyLock::new(|| {
    let duration = r"(?:\d+(?:ms|[smhdwy]))+";
    let places = [
        format!(r"\[(?P<range>{duration}(?::(?:{duration})?)?)\](?:\s*,\s*(?:\d+\s*\*\s*)?(?P<ahead>\d+)\s*\))?"),
        format!(r"\boffset\s+-?(?P<offset>{duration})\b"),
        format!(r#"(?m):[ ]["']?(?P<value>{duration})(?:["']?(?:[\s,\}}\]]|$))"#),
        r"[ (]-?(?P<nanos>\d{11,})\b".to_owned(),
    ];
    Regex::new(&places.join("|")).expect("a constant")
});

/// One part of a duration.
static PART: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(\d+)(ms|[smhdwy])").expect("a constant"));

/// What looks like a duration and stands for itself: names of series end in one (`:5m`), and so do words (`increase1h`);
/// a label's value may be one (`window="2h"`).
static LOOKS: LazyLock<Regex> = LazyLock::new(|| {
    let before = r#"(?:^"?|[^=]"|[^\w:.%/"\-])"#;
    Regex::new(&format!(r"{before}(?P<it>\d+(?:ms|[smhdwy]))(?:\b|$)")).expect("a constant")
});

/// The drill's form of a shipped file. The error says what cannot be written, and in which line.
pub(crate) fn compress(text: &str) -> Result<String, String> {
    let mut known = Vec::new();
    let compressed = rewritten(text, &mut known, duration_down, |number| divided(number, FACTOR))?;
    // It takes a range; without one in front of the number the place is not found.
    let asked = text.matches("predict_linear(").count();
    let found = PLACES.captures_iter(text).filter(|place| place.name("ahead").is_some()).count();
    if asked > found {
        return Err(format!("{asked} predict_linear, but {found} with a plain number of seconds behind the range"));
    }
    strangers(text, &known)?;
    Ok(compressed)
}

/// The shipped file that a drill's form was made from.
pub(crate) fn decompress(text: &str) -> Result<String, String> {
    rewritten(text, &mut Vec::new(), duration_up, |number| {
        let number: u64 = number.parse().map_err(|error| format!("{number}: {error}"))?;
        number
            .checked_mul(FACTOR.into())
            .map(|number| number.to_string())
            .ok_or_else(|| format!("{number} is too much"))
    })
}

/// A flag's value, in a drill.
pub(crate) fn flag(real: &str) -> String {
    duration_down(real).unwrap_or_else(|error| panic!("{error}"))
}

/// A length of real time, in a drill.
pub(crate) fn compressed(real: Duration) -> Duration {
    real / FACTOR
}

/// Minutes of the operator's clock, in a drill.
pub(crate) fn minutes(minutes: f64) -> Duration {
    compressed(Duration::from_secs_f64(minutes * 60.0))
}

/// A drill's time in minutes of the operator's clock.
pub(crate) fn in_minutes(drill: Duration) -> f64 {
    drill.as_secs_f64() * f64::from(FACTOR) / 60.0
}

type Written = Result<String, String>;

fn rewritten(
    text: &str,
    known: &mut Vec<Range<usize>>,
    duration: fn(&str) -> Written,
    number: impl Fn(&str) -> Written,
) -> Written {
    let mut written = String::new();
    let mut end = 0;
    for (what, it) in PLACES.captures_iter(text).flat_map(|place| found(&place)) {
        let new = match what {
            "ahead" | "nanos" => number(it.as_str()),
            // The second part of a subquery may be left out.
            "range" => it.as_str().split(':').map(duration).collect::<Result<Vec<_>, _>>().map(|parts| parts.join(":")),
            _ => duration(it.as_str()),
        };
        written.push_str(&text[end..it.start()]);
        written.push_str(&new.map_err(|error| format!("line {}: {error}", line_of(text, it.start())))?);
        end = it.end();
        known.push(it.range());
    }
    written.push_str(&text[end..]);
    Ok(written)
}

/// The durations of one place, and of which kind they are.
fn found<'t>(place: &Captures<'t>) -> Vec<(&'static str, Match<'t>)> {
    let kinds = ["range", "ahead", "offset", "value", "nanos"];
    kinds.into_iter().filter_map(|kind| Some((kind, place.name(kind)?))).collect()
}

fn divided(number: &str, by: u32) -> Written {
    let number: u64 = number.parse().map_err(|error| format!("{number}: {error}"))?;
    if !number.is_multiple_of(by.into()) {
        return Err(format!("{number} cannot be divided by {by}"));
    }
    Ok((number / u64::from(by)).to_string())
}

fn duration_down(text: &str) -> Written {
    let part = |(amount, unit): (u64, &str)| {
        Ok(match unit {
            "w" => format!("{}m0s0ms", amount * 7 * 24),
            "d" => format!("{}m0s", amount * 24),
            "h" => format!("{amount}m"),
            "m" => format!("{amount}s"),
            "s" if amount.is_multiple_of(3) => format!("{}ms", amount * 1000 / u64::from(FACTOR)),
            _ => return Err(format!("{amount}{unit} in {text} is no whole number of milliseconds a 60th as long")),
        })
    };
    let parts = parts(text)?;
    if parts.len() > 1 && parts.iter().any(|(amount, unit)| *amount == 0 || "wd".contains(unit)) {
        return Err(format!("{text} would be read back as something else"));
    }
    parts.into_iter().map(part).collect()
}

fn duration_up(text: &str) -> Written {
    for (mark, hours, unit) in [("m0s0ms", 7 * 24, "w"), ("m0s", 24, "d")] {
        if let Some(amount) = text.strip_suffix(mark) {
            return Ok(divided(amount, hours)? + unit);
        }
    }
    let part = |(amount, unit): (u64, &str)| {
        Ok(match unit {
            "m" => format!("{amount}h"),
            "s" => format!("{amount}m"),
            "ms" => format!("{}s", divided(&(amount * u64::from(FACTOR)).to_string(), 1000)?),
            _ => return Err(format!("{text} is no duration of a drill")),
        })
    };
    parts(text)?.into_iter().map(part).collect()
}

/// Amounts and units, in their order.
fn parts(text: &str) -> Result<Vec<(u64, &str)>, String> {
    let part = |part: Captures<'_>| {
        let (_, [amount, _]) = part.extract();
        let amount = amount.parse().map_err(|error| format!("{text}: {error}"))?;
        Ok((amount, &text[part.get(2).expect("a unit").range()]))
    };
    PART.captures_iter(text).map(part).collect()
}

/// Whether something that looks like a duration was left as it is, outside of comments and of what alerts say.
fn strangers(text: &str, known: &[Range<usize>]) -> Result<(), String> {
    let mut start = 0;
    for (index, line) in text.split('\n').enumerate() {
        let words = ["#", "summary:", "description:", "Subject:"];
        let in_words = words.iter().any(|word| line.trim_start().trim_start_matches("- ").starts_with(word));
        let code = line.find(" #").map_or(line, |comment| &line[..comment]);
        for place in LOOKS.captures_iter(if in_words { "" } else { code }) {
            let it = place.name("it").expect("part of the pattern");
            let at = start + it.start();
            if !known.iter().any(|range| range.contains(&at)) {
                return Err(format!("line {}: {} may be a duration: {}", index + 1, it.as_str(), line.trim()));
            }
        }
        start += line.len() + 1;
    }
    Ok(())
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// What must hold of this file; `main` runs it before any drill, since a drill is worth no more than its clock.
pub(crate) fn claims() {
    for (shipped, drill) in [
        ("for: 15m\n", "for: 15s\n"),
        ("interval: 30s\n", "interval: 500ms\n"),
        ("{for: 1h, keep_firing_for: 5m}", "{for: 1m, keep_firing_for: 5s}"),
        ("rate(x[5m]) - rate(x[1h:1m] offset 1d)", "rate(x[5s]) - rate(x[1m:1s] offset 24m0s)"),
        ("max_over_time(x[7d]) + x[1w]", "max_over_time(x[168m0s]) + x[168m0s0ms]"),
        ("y[1h:]", "y[1m:]"),
        ("predict_linear(a[6h], 86400) < 0", "predict_linear(a[6m], 1440) < 0"),
        ("predict_linear(a[6h], 24 * 3600)", "predict_linear(a[6m], 24 * 60)"),
        ("record: slo:burn_rate:5m", "record: slo:burn_rate:5m"),
        ("expr: sum(x{window=\"2h\"})", "expr: sum(x{window=\"2h\"})"),
        ("(.StartsAt.Add -900000000000)", "(.StartsAt.Add -15000000000)"),
        ("start_time: '09:00' # within 30m", "start_time: '09:00' # within 30m"),
        ("group_wait: 0s", "group_wait: 0ms"),
        ("expire: '1h30m'", "expire: '1m30s'"),
    ] {
        assert_eq!(compress(shipped).as_deref(), Ok(drill), "{shipped}");
        assert_eq!(decompress(drill).as_deref(), Ok(shipped), "{drill}");
    }
    for (shipped, complaint) in [
        ("repeat_interval: 50s", "line 1: 50s in 50s is no whole number of milliseconds a 60th as long"),
        ("a: b\nfor: 100ms", "line 2: 100ms in 100ms is no whole number of milliseconds a 60th as long"),
        ("x(\"5m\")", "line 1: 5m may be a duration: x(\"5m\")"),
        ("x: [5m, 6m]", "line 1: 5m may be a duration: x: [5m, 6m]"),
        ("for: 1d12h", "line 1: 1d12h would be read back as something else"),
        ("predict_linear(a[6h], 86401)", "line 1: 86401 cannot be divided by 60"),
        ("predict_linear(a[6h], scalar(b))", "1 predict_linear, but 0 with a plain number of seconds behind the range"),
    ] {
        assert_eq!(compress(shipped), Err(complaint.to_owned()), "{shipped}");
    }
}
