//! `[objectives.thresholds]`: the numbers that alerts compare with, one key an alert.
//!
//! The table beside this file is the one place of their defaults. `prometheus/rules/thresholds.yml` and a part of
//! `docs/objectives.md` are made from it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};

use super::number::Given;
use super::unit::{self, Unit};

const TABLE: &str = include_str!("thresholds.tsv");

/// A row of the table: an alert whose number can be changed.
#[derive(Debug)]
pub struct Threshold {
    /// The topic it stands under.
    pub topic: &'static str,
    /// The alert's name.
    pub alert: &'static str,
    /// The alert's severity.
    pub severity: &'static str,
    /// On which side of the number it fires.
    pub bound: Bound,
    /// The number when nobody says otherwise.
    pub default: f64,
    /// What the number counts, for people.
    pub unit: &'static str,
    /// What is compared with the number.
    pub meaning: &'static str,
    kind: Unit,
}

/// On which side of its number an alert fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Above it: of several numbers, the lowest is the strictest.
    Upper,
    /// Below it: of several numbers, the highest is the strictest.
    Lower,
}

/// Every row of the table, in its order.
#[must_use]
pub fn thresholds() -> &'static [Threshold] {
    static ROWS: LazyLock<Vec<Threshold>> =
        LazyLock::new(|| rows(TABLE).unwrap_or_else(|line| panic!("not a row of thresholds.tsv: {line:?}")));
    &ROWS
}

/// Reads a table; a comment of one word is the topic of the rows below it.
///
/// # Errors
/// With the first line that is no row.
fn rows(text: &'static str) -> Result<Vec<Threshold>, &'static str> {
    let mut topic = "";
    let mut rows = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("# ") {
            Some(word) if !word.contains(' ') => topic = word,
            Some(_) => {}
            None => rows.push(row(topic, line).ok_or(line)?),
        }
    }
    Ok(rows)
}

fn row(topic: &'static str, line: &'static str) -> Option<Threshold> {
    let mut columns = line.split('\t');
    let [alert, severity, bound, default, unit, meaning] = std::array::from_fn(|_| columns.next());
    let bound = match bound? {
        "upper" => Bound::Upper,
        "lower" => Bound::Lower,
        _ => return None,
    };
    let severity = severity.filter(|word| ["critical", "warning", "info"].contains(word))?;
    let unit = unit?;
    let default = default?.parse().ok()?;
    columns.next().is_none().then_some(())?;
    Some(Threshold {
        topic,
        alert: alert?,
        severity,
        bound,
        default,
        unit,
        meaning: meaning?,
        kind: unit::named(unit)?,
    })
}

/// What is configured, by the place of its row in the table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thresholds(BTreeMap<usize, f64>);

impl Thresholds {
    /// The alerts whose number is configured, and that number, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Threshold, f64)> {
        self.0.iter().map(|(row, value)| (&thresholds()[*row], *value))
    }
}

impl<'de> Deserialize<'de> for Thresholds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ThresholdsVisitor)
    }
}

struct ThresholdsVisitor;

impl<'de> Visitor<'de> for ThresholdsVisitor {
    type Value = Thresholds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of alerts and their numbers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Thresholds, A::Error> {
        let mut configured = BTreeMap::new();
        while let Some(Row(row)) = map.next_key()? {
            configured.insert(row, map.next_value_seed(&thresholds()[row])?);
        }
        Ok(Thresholds(configured))
    }
}

/// The place of an alert's row in the table.
struct Row(usize);

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let alert = String::deserialize(deserializer)?;
        let row = thresholds().iter().position(|threshold| threshold.alert == alert);
        row.map(Self).ok_or_else(|| D::Error::custom(unknown(&alert)))
    }
}

/// What is said of an alert that has no number; the list of those that have is too long for a screen.
fn unknown(alert: &str) -> String {
    let known = thresholds().iter().map(|threshold| threshold.alert);
    let nearest = known.map(|known| (strsim::damerau_levenshtein(alert, known), known)).min();
    let hint = match nearest {
        Some((distance, known)) if distance <= (alert.len() / 4).max(2) => format!("did you mean `{known}`?"),
        _ => "docs/objectives.md lists the alerts whose number can be changed".to_owned(),
    };
    format!("no alert `{alert}` compares with a number\n{hint}")
}

impl<'de> DeserializeSeed<'de> for &Threshold {
    type Value = f64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<f64, D::Error> {
        let given = Given::deserialize(deserializer)?;
        let number = self.kind.number(&given, self.default).map_err(D::Error::custom)?;
        if number == 0.0 && self.bound == Bound::Lower {
            let default = self.default;
            return Err(D::Error::custom(format!(
                "nothing is less than {number}: the alert could never fire\nwrite a larger number, for example {default}"
            )));
        }
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Name and alert prefixes of each topic.
    fn topics() -> Vec<(&'static str, Vec<&'static str>)> {
        let table = include_str!("../../../docs/topics.tsv").lines().filter(|line| !line.starts_with('#'));
        let topic = |line: &'static str| {
            let columns: Vec<_> = line.split('\t').collect();
            assert_eq!(columns.len(), 4, "{line}");
            (columns[0], columns[2].split(' ').collect())
        };
        table.map(topic).collect()
    }

    #[test]
    fn an_alert_belongs_to_the_topic_that_it_stands_under() {
        let topics = topics();
        for Threshold { alert, topic, .. } in thresholds() {
            let fitting =
                topics.iter().flat_map(|(topic, prefixes)| prefixes.iter().map(move |prefix| (prefix, topic)));
            let (_, its) = fitting
                .filter(|(prefix, _)| alert.starts_with(**prefix))
                .max_by_key(|(prefix, _)| prefix.len())
                .unwrap_or_else(|| panic!("docs/topics.tsv has no prefix of {alert}"));
            assert_eq!(its, topic, "{alert}");
        }
    }

    #[test]
    fn topics_stand_in_the_order_of_the_vocabulary_and_alerts_once() {
        let order: Vec<_> = topics().into_iter().map(|(topic, _)| topic).collect();
        let places: Vec<_> =
            thresholds().iter().map(|row| order.iter().position(|topic| *topic == row.topic).unwrap()).collect();
        assert!(places.is_sorted(), "{places:?}");
        let alerts: BTreeSet<_> = thresholds().iter().map(|row| row.alert).collect();
        assert_eq!(alerts.len(), thresholds().len());
    }

    #[test]
    fn a_default_could_be_configured_and_a_meaning_is_a_sentence() {
        for Threshold { alert, default, meaning, .. } in thresholds() {
            let configured: Thresholds = toml::from_str(&format!("{alert} = {default}")).unwrap();
            assert_eq!(
                configured.iter().map(|(row, value)| (row.alert, value)).collect::<Vec<_>>(),
                [(*alert, *default)]
            );
            assert!(meaning.starts_with(char::is_uppercase) && meaning.ends_with('.'), "{alert}: {meaning}");
        }
    }

    #[test]
    fn a_line_that_is_no_row_is_found() {
        let good = "HostDiskFull\twarning\tupper\t0.9\tratio\tUsed.";
        assert_eq!(rows(good).unwrap().len(), 1);
        for (part, by) in [
            ("warning", "urgent"),
            ("upper", "up"),
            ("0.9", "much"),
            ("ratio", "parsec"),
            ("\tUsed.", ""),
            ("Used.", "\t"),
        ] {
            assert!(rows(String::leak(good.replacen(part, by, 1))).is_err(), "{part} as {by}");
        }
    }

    #[test]
    fn a_name_that_is_nearly_right_is_recognised() {
        let hint = |alert| unknown(alert).lines().nth(1).unwrap().to_owned();
        assert_eq!(hint("HostDiskFul"), "did you mean `HostDiskFull`?");
        assert_eq!(hint("PhpFPMSaturated"), "did you mean `PhpFpmSaturated`?");
        assert_eq!(hint("TrendyolDown"), "docs/objectives.md lists the alerts whose number can be changed");
    }

    #[test]
    fn a_lower_bound_of_none_is_refused() {
        let row = row("host", "HostIdle\twarning\tlower\t5\tevents\tWork.").unwrap();
        let refused = |number| (&row).deserialize(toml::de::ValueDeserializer::parse(number).unwrap()).is_err();
        assert!(refused("0") && refused("-1") && !refused("1"));
    }
}
