//! Numbers of the business, taken from the body of a good answer.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Number;
use super::number;
use super::rules::{Business, Extract, Place};
use super::seen::Seen;

/// How many series a metric may have of one answer.
const SERIES: usize = 20;

/// How many elements of an array are looked at.
const ELEMENTS: usize = 1_000;

/// The numbers that an answer has, in the order of the rules. Of two rules for the same series the first counts that
/// finds something; of two elements the larger number.
///
/// # Errors
/// What was not found and may not be missing, in words.
pub(super) fn numbers(rules: &[Extract], seen: &Seen<'_>, because: &mut Vec<String>) -> Result<Vec<Number>, String> {
    let mut numbers: Vec<Number> = Vec::new();
    for rule in rules {
        let found = match found(rule, seen) {
            Ok(found) => found,
            Err(what) if rule.optional => {
                because.push(format!("{what}, which may be"));
                continue;
            }
            Err(what) => return Err(what),
        };
        let before = numbers.len();
        for (labels, value) in found {
            let is_same = |number: &Number| number.metric == rule.metric && number.labels == labels;
            match numbers.iter().position(is_same) {
                Some(at) if at >= before => numbers[at].value = numbers[at].value.max(value),
                Some(_) => {}
                None => numbers.push(Number { metric: rule.metric, labels, value }),
            }
        }
    }
    let mut counts: BTreeMap<Business, usize> = BTreeMap::new();
    numbers.retain(|number| {
        let count = counts.entry(number.metric).or_default();
        *count += 1;
        *count <= SERIES
    });
    for (metric, count) in counts.into_iter().filter(|(_, count)| *count > SERIES) {
        because.push(format!("`{}` has {count} series; {SERIES} are kept", metric.name()));
    }
    Ok(numbers)
}

type Labels = BTreeMap<String, String>;

/// The numbers of one rule, or what is missing.
fn found(rule: &Extract, seen: &Seen<'_>) -> Result<Vec<(Labels, f64)>, String> {
    let name = rule.metric.name();
    let Some(foreach) = &rule.foreach else {
        let labels = rule.labels.iter().map(|(label, text)| (label.clone(), text.to_string())).collect();
        return Ok(vec![(labels, of_body(&rule.value, seen).map_err(|what| format!("`{name}`: {what}"))?)]);
    };
    let array = seen.json().ok().and_then(|json| foreach.find(json, rule.value.ignore_case)?.as_array());
    let array = array.ok_or_else(|| format!("`{name}`: there is no array at `{foreach}`"))?;
    let numbers = array.iter().take(ELEMENTS).map(|element| {
        let mut labels = Labels::new();
        for (label, text) in &rule.labels {
            let value = text.label(&[element]);
            let value = value.ok_or_else(|| format!("`{name}`: an element of `{foreach}` has no `{text}`"))?;
            labels.insert(label.clone(), value);
        }
        let value = of_element(&rule.value, element);
        Ok((labels, value.map_err(|what| format!("`{name}`: in an element of `{foreach}`, {what}"))?))
    });
    // An element that lacks something does not hide the others, when it may.
    if rule.optional { Ok(numbers.flatten().collect()) } else { numbers.collect() }
}

/// The number at a place of the body.
fn of_body(place: &Place, seen: &Seen<'_>) -> Result<f64, String> {
    if let Some(path) = &place.xml {
        let texts = seen.xml().map_or_else(|_| Vec::new(), |xml| xml.find(path));
        let text = texts.first().ok_or_else(|| format!("there is no `{path}`"))?;
        return number::of_text(text, place.unit).ok_or_else(|| format!("`{path}` is {}", place.unit.lacking()));
    }
    of_element(place, seen.json().unwrap_or(&Value::Null))
}

/// The number at a place of a value of JSON.
fn of_element(place: &Place, element: &Value) -> Result<f64, String> {
    let pointer = place.json.as_ref().ok_or("there is no place to look at")?;
    let value = pointer.find(element, place.ignore_case).ok_or_else(|| format!("there is no `{pointer}`"))?;
    number::of_json(value, place.unit).ok_or_else(|| format!("`{pointer}` is {}", place.unit.lacking()))
}

#[cfg(test)]
mod tests {
    use hyper::{HeaderMap, StatusCode};

    use super::super::rules::Rules;
    use super::*;
    use crate::collectors::marketplace::exchange::Answer;

    /// The numbers as text, and what is said of them.
    fn numbers(rules: &str, body: &str) -> (Result<Vec<String>, String>, Vec<String>) {
        let rules: Rules = toml::from_str(rules).unwrap();
        rules.check().unwrap();
        let answer = Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: body.into() };
        let mut because = Vec::new();
        let numbers = super::numbers(&rules.extract, &Seen::new(&answer, "production", body), &mut because);
        let shown = |number: &Number| {
            let labels: Vec<String> = number.labels.iter().map(|(label, value)| format!("{label}={value}")).collect();
            format!("{}{{{}}} {}", number.metric.name(), labels.join(","), number.value)
        };
        (numbers.map(|numbers| numbers.iter().map(shown).collect()), because)
    }

    #[test]
    fn a_number_is_found_in_json_and_in_xml() {
        let rules =
            "[[extract]]\nmetric = 'listings'\nlabels = { status = 'approved' }\nvalue = { json = '/totalElements' }";
        assert_eq!(
            numbers(rules, r#"{"totalElements":"12"}"#).0.unwrap(),
            ["marketplace_listings{status=approved} 12"]
        );
        let rules = "[[extract]]\nmetric = 'auth_credential_expiry_timestamp_seconds'\nlabels = { credential = 'refresh_token' }\n\
                     value = { xml = '*/TokenStatus/ExpirationTime', unit = 'rfc3339' }";
        let body = "<R><TokenStatus><ExpirationTime>2028-01-01T00:00:00.000Z</ExpirationTime></TokenStatus></R>";
        assert_eq!(
            numbers(rules, body).0.unwrap(),
            ["marketplace_auth_credential_expiry_timestamp_seconds{credential=refresh_token} 1830297600"]
        );
    }

    #[test]
    fn what_is_missing_or_no_number_is_an_error_unless_it_may_be() {
        for (body, says) in [
            ("{}", "`marketplace_orders_open`: there is no `/total`"),
            ("{\"total\":null}", "`marketplace_orders_open`: there is no `/total`"),
            ("{\"total\":\"canary\"}", "`marketplace_orders_open`: `/total` is no number"),
            ("{\"total\":1e40}", "`marketplace_orders_open`: `/total` is no number"),
            ("canary", "`marketplace_orders_open`: there is no `/total`"),
        ] {
            let rules = "[[extract]]\nmetric = 'orders_open'\nvalue = { json = '/total' }\n";
            assert_eq!(numbers(rules, body).0.unwrap_err(), says, "{body}");
            let (found, because) = numbers(&format!("{rules}optional = true"), body);
            assert_eq!((found.unwrap(), because), (vec![], vec![format!("{says}, which may be")]));
        }
    }

    const SITES: &str = "[[extract]]\nmetric = 'account_suspended_listings'\nforeach = '/payload'\n\
                         labels = { site = '{{item./marketplace/countryCode}}' }\nvalue = { json = '/suspended', unit = 'bool' }\n";

    #[test]
    fn each_element_gives_a_number_and_the_larger_of_two_counts() {
        let body = r#"{"payload":[
            {"marketplace":{"countryCode":"TR"},"suspended":true},
            {"marketplace":{"countryCode":"DE"},"suspended":false},
            {"marketplace":{"countryCode":"TR"},"suspended":false}]}"#;
        let expected =
            ["marketplace_account_suspended_listings{site=TR} 1", "marketplace_account_suspended_listings{site=DE} 0"];
        assert_eq!(numbers(SITES, body), (Ok(expected.map(String::from).to_vec()), vec![]));
        assert_eq!(numbers(SITES, r#"{"payload":[]}"#).0.unwrap(), Vec::<String>::new());
    }

    #[test]
    fn an_element_that_lacks_something_is_an_error_or_left_out() {
        for (element, says) in [
            (r#"{"suspended":true}"#, "an element of `/payload` has no `{{item./marketplace/countryCode}}`"),
            (r#"{"marketplace":{"countryCode":"FR"}}"#, "in an element of `/payload`, there is no `/suspended`"),
            (
                r#"{"marketplace":{"countryCode":"FR"},"suspended":3}"#,
                "in an element of `/payload`, `/suspended` is neither true nor false",
            ),
        ] {
            let body =
                format!(r#"{{"payload":[{element},{{"marketplace":{{"countryCode":"TR"}},"suspended":true}}]}}"#);
            let error = numbers(SITES, &body).0.unwrap_err();
            assert_eq!(error, format!("`marketplace_account_suspended_listings`: {says}"));
            let kept = numbers(&format!("{SITES}optional = true"), &body).0.unwrap();
            assert_eq!(kept, ["marketplace_account_suspended_listings{site=TR} 1"]);
        }
        assert_eq!(
            numbers(SITES, r#"{"payload":{}}"#).0.unwrap_err(),
            "`marketplace_account_suspended_listings`: there is no array at `/payload`"
        );
    }

    #[test]
    fn a_metric_has_twenty_series_at_most_and_labels_are_clean() {
        let elements: Vec<String> = (0..30)
            .map(|n| format!(r#"{{"marketplace":{{"countryCode":"\u001b{n} {}"}},"suspended":true}}"#, "x".repeat(90)))
            .collect();
        let (found, because) = numbers(SITES, &format!(r#"{{"payload":[{}]}}"#, elements.join(",")));
        let found = found.unwrap();
        assert_eq!(found.len(), 20);
        assert_eq!(found[0], format!("marketplace_account_suspended_listings{{site=0 {}}} 1", "x".repeat(62)));
        assert_eq!(because, ["`marketplace_account_suspended_listings` has 30 series; 20 are kept"]);
    }

    #[test]
    fn of_two_spellings_the_first_that_is_there_counts() {
        let rule =
            |at: &str| format!("[[extract]]\nmetric = 'orders_open'\noptional = true\nvalue = {{ json = '{at}' }}\n");
        let rules = rule("/totalCount") + &rule("/total");
        for (body, expected) in [(r#"{"total":2}"#, 2), (r#"{"total":2,"totalCount":1}"#, 1)] {
            assert_eq!(numbers(&rules, body).0.unwrap(), [format!("marketplace_orders_open{{}} {expected}")]);
        }
    }
}
