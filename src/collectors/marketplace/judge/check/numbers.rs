//! The same for what numbers and limits are taken from.

use hyper::header::HeaderName;

use super::{Checked, TEXT_BYTES, VALUES, expected, wrong};
use crate::collectors::marketplace::judge::pointer::Pointer;
use crate::collectors::marketplace::judge::rules::{Business, Expect, Extract, Names, RateLimit, Source};
use crate::collectors::marketplace::judge::template::{Template, clean};

/// How many buckets a limit may be of.
const BUCKETS: usize = 100;

/// The credentials whose end can be told.
const CREDENTIALS: [&str; 3] = ["api_key", "client_secret", "refresh_token"];

impl Extract {
    pub(super) fn check(&self, expect: Expect) -> Checked {
        let name = self.metric.name();
        match (&self.value.json, &self.value.xml) {
            (Some(_), Some(_)) | (None, None) => {
                return wrong(
                    "`value` is at one place, in `json` or in `xml`",
                    "for example value = { json = \"/totalCount\" }",
                );
            }
            (Some(_), None) => expected(expect, true)?,
            (None, Some(_)) if self.foreach.is_some() => {
                return wrong("`foreach` in XML", "elements are gone through in JSON only");
            }
            (None, Some(_)) => expected(expect, false)?,
        }
        if self.value.ignore_case && self.value.json.is_none() {
            return wrong("`ignore_case` without `json`", "names of XML elements are as they are; leave it out");
        }
        if self.metric.is_time() && !self.value.unit.is_time() {
            return wrong(
                format!("`{name}` is a time"),
                "write unit = \"rfc3339\", \"epoch_seconds\" or \"epoch_ms\" into its `value`",
            );
        }
        if !self.metric.is_time() && self.value.unit.is_time() && self.metric != Business::Value {
            return wrong(format!("`{name}` is no time"), "leave `unit` out, or write unit = \"bool\"");
        }
        let given: Vec<&str> = self.labels.keys().map(String::as_str).collect();
        let wanted: Vec<&str> = self.metric.label().into_iter().collect();
        if given != wanted {
            return match self.metric.label() {
                Some(label) => wrong(
                    format!("`{name}` has the label `{label}`, and only this one"),
                    &format!("write labels = {{ {label} = \"…\" }}"),
                ),
                None => wrong(format!("`{name}` has no labels"), "leave `labels` out"),
            };
        }
        match (self.labels.values().next(), &self.foreach) {
            (None, Some(_)) => {
                wrong(format!("`{name}` has one value, not one for each element"), "leave `foreach` out")
            }
            (Some(text), None) => self.plain(text),
            (Some(text), Some(_)) if text.is_plain() => wrong(
                format!("`{text}` is the same for all elements of `foreach`"),
                "write \"{{item./country}}\" for what tells them apart",
            ),
            (Some(_), Some(_)) if self.metric == Business::AuthCredentialExpiryTimestampSeconds => {
                wrong(format!("`{name}` is of one credential"), "leave `foreach` out")
            }
            (Some(text), Some(_)) if text.levels().any(|(_, is_item)| !is_item) => {
                wrong(format!("`{text}` has levels"), "an element of this `foreach` is `item`: \"{{item./country}}\"")
            }
            (None, None) | (Some(_), Some(_)) => Ok(()),
        }
    }

    /// A label that is written in the preset.
    fn plain(&self, text: &Template) -> Checked {
        if !text.is_plain() {
            return wrong(format!("`{text}` without `foreach`"), "there are no elements to take it from");
        }
        label(text)?;
        if self.metric == Business::AuthCredentialExpiryTimestampSeconds
            && !CREDENTIALS.contains(&text.to_string().as_str())
        {
            return wrong(format!("`{text}` is no credential"), "it is api_key, client_secret or refresh_token");
        }
        Ok(())
    }
}

fn label(text: &Template) -> Checked {
    let text = text.to_string();
    if text.is_empty() || clean(&text) != text {
        return wrong(format!("`{text}` cannot be a label"), "1 to 64 bytes that can be printed");
    }
    Ok(())
}

impl RateLimit {
    pub(super) fn check(&self, expect: Expect) -> Checked {
        let from_reset = self.reset.as_ref().map(|reset| &reset.from);
        let says = [&self.limit, &self.remaining, &self.rate].into_iter().chain(from_reset);
        if says.clone().all(|names| names.0.is_empty()) {
            return wrong("it says nothing", "name where `limit`, `remaining`, `rate` or `reset` is said");
        }
        if from_reset.is_some_and(|names| names.0.is_empty()) {
            return wrong(
                "`reset` is said nowhere",
                "for example reset = { from = \"X-RateLimit-Reset\", as = \"auto\" }",
            );
        }
        for names in says.chain([&self.window_from]) {
            self.names(names)?;
        }
        if self.window.is_some() && !self.window_from.0.is_empty() {
            return wrong("`window` and `window_from`", "a window is as long as one of them says");
        }
        if self.foreach.len() > 3 {
            return wrong("`foreach` has more than three levels", "name the arrays within arrays");
        }
        if !(1..=BUCKETS).contains(&self.max_buckets) {
            return wrong(format!("max_buckets = {}", self.max_buckets), &format!("1 to {BUCKETS}"));
        }
        let deepest = self.bucket.levels().map(|(level, _)| level).max();
        match self.source {
            Source::Header if !self.foreach.is_empty() || deepest.is_some() || !self.allow.is_empty() => {
                return wrong(
                    "`foreach`, `allow` or a place in `bucket`, with headers",
                    "these are for source = \"body\"",
                );
            }
            Source::Header => label(&self.bucket)?,
            Source::Body => expected(expect, true)?,
        }
        match deepest {
            None if !self.foreach.is_empty() => {
                return wrong(
                    format!("`{}` is the same for all elements of `foreach`", self.bucket),
                    "write \"{{0./name}}\" for what tells them apart",
                );
            }
            None => label(&self.bucket)?,
            Some(deepest) if deepest >= self.foreach.len() => {
                return wrong(
                    format!("`{}` has a place in an array that `foreach` does not name", self.bucket),
                    "`0` is the first of them, `1` the second",
                );
            }
            Some(_) => {}
        }
        let is_good = |pattern: &String| {
            !pattern.trim_end_matches('*').contains('*') && (1..=TEXT_BYTES).contains(&pattern.len())
        };
        if self.allow.len() > VALUES || !self.allow.iter().all(is_good) {
            return wrong(
                "`allow` has a pattern that is none",
                "a name, or its beginning and `*`: allow = [\"sell.*\"]",
            );
        }
        Ok(())
    }

    fn names(&self, names: &Names) -> Checked {
        if names.0.len() > VALUES {
            return wrong(format!("{} names", names.0.len()), &format!("{VALUES} are the most"));
        }
        for name in &names.0 {
            match self.source {
                Source::Header if HeaderName::from_bytes(name.as_bytes()).is_err() => {
                    return wrong(format!("`{name}` is not the name of a header"), "for example \"X-RateLimit-Limit\"");
                }
                Source::Header => {}
                Source::Body => drop(name.parse::<Pointer>()?),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::collectors::marketplace::judge::rules::Rules;

    fn check(text: &str) -> Result<(), String> {
        toml::from_str::<Rules>(text).unwrap().check()
    }

    #[test]
    fn a_number_has_the_label_and_the_unit_of_its_metric() {
        for (text, says) in [
            ("metric = 'listings'\nvalue = { json = '/a' }", "has the label `status`, and only this one"),
            ("metric = 'listings'\nlabels = { site = 'a' }\nvalue = { json = '/a' }", "has the label `status`"),
            (
                "metric = 'listings'\nlabels = { status = 'a', site = 'a' }\nvalue = { json = '/a' }",
                "has the label `status`",
            ),
            ("metric = 'orders_open'\nlabels = { status = 'a' }\nvalue = { json = '/a' }", "has no labels"),
            ("metric = 'listings'\nlabels = { status = '' }\nvalue = { json = '/a' }", "`` cannot be a label"),
            ("metric = 'listings'\nlabels = { status = '{{item./a}}' }\nvalue = { json = '/a' }", "without `foreach`"),
            (
                "metric = 'listings'\nforeach = '/b'\nlabels = { status = 'a' }\nvalue = { json = '/a' }",
                "is the same for all elements",
            ),
            (
                "metric = 'listings'\nforeach = '/b'\nlabels = { status = '{{1./a}}' }\nvalue = { json = '/a' }",
                "has levels",
            ),
            (
                "metric = 'orders_open'\nforeach = '/b'\nvalue = { json = '/a' }",
                "has one value, not one for each element",
            ),
            ("metric = 'orders_open'\nforeach = '/b'\nvalue = { xml = 'a' }", "`foreach` in XML"),
            ("metric = 'orders_open'\nvalue = { json = '/a', xml = 'a' }", "`value` is at one place"),
            ("metric = 'orders_open'\nvalue = {}", "`value` is at one place"),
            ("metric = 'orders_open'\nvalue = { xml = 'a', ignore_case = true }", "`ignore_case` without `json`"),
            ("metric = 'orders_open'\nvalue = { json = '/a', unit = 'rfc3339' }", "is no time"),
            ("metric = 'order_newest_timestamp_seconds'\nvalue = { json = '/a' }", "is a time"),
            (
                "metric = 'auth_credential_expiry_timestamp_seconds'\nlabels = { credential = 'password' }\nvalue = { json = '/a', unit = 'rfc3339' }",
                "`password` is no credential",
            ),
        ] {
            let message = check(&format!("[[extract]]\n{text}")).unwrap_err();
            assert!(message.starts_with("`extract` 1: ") && message.contains(says), "{text}: {message}");
            assert_eq!(message.lines().count(), 2, "{message}");
        }
        assert!(check("expect = 'json'\n[[extract]]\nmetric = 'orders_open'\nvalue = { xml = 'a' }").is_err());
    }

    #[test]
    fn a_limit_says_something_and_says_where() {
        for (text, says) in [
            ("bucket = 'a'", "it says nothing"),
            ("bucket = 'a'\nlimit = []", "it says nothing"),
            ("bucket = 'a'\nlimit = 'b'\nreset = { from = [], as = 'auto' }", "`reset` is said nowhere"),
            ("bucket = ''\nlimit = 'b'", "`` cannot be a label"),
            ("bucket = 'a'\nlimit = 'X Limit'", "`X Limit` is not the name of a header"),
            ("bucket = 'a'\nsource = 'body'\nlimit = 'b'", "`b` is not a JSON pointer"),
            ("bucket = 'a'\nlimit = 'b'\nforeach = ['/c']", "with headers"),
            ("bucket = '{{0./a}}'\nlimit = 'b'", "with headers"),
            ("bucket = 'a'\nlimit = 'b'\nallow = ['c']", "with headers"),
            ("bucket = 'a'\nsource = 'body'\nlimit = '/b'\nforeach = ['/c']", "is the same for all elements"),
            ("bucket = '{{1./a}}'\nsource = 'body'\nlimit = '/b'\nforeach = ['/c']", "that `foreach` does not name"),
            (
                "bucket = '{{0./a}}'\nsource = 'body'\nlimit = '/b'\nforeach = ['/c', '/c', '/c', '/c']",
                "more than three levels",
            ),
            (
                "bucket = '{{0./a}}'\nsource = 'body'\nlimit = '/b'\nforeach = ['/c']\nallow = ['a*b']",
                "a pattern that is none",
            ),
            (
                "bucket = '{{0./a}}'\nsource = 'body'\nlimit = '/b'\nforeach = ['/c']\nmax_buckets = 0",
                "max_buckets = 0",
            ),
            ("bucket = 'a'\nlimit = 'b'\nwindow = '1s'\nwindow_from = 'c'", "`window` and `window_from`"),
        ] {
            let message = check(&format!("[[rate_limit]]\n{text}")).unwrap_err();
            assert!(message.starts_with("`rate_limit` 1: ") && message.contains(says), "{text}: {message}");
            assert_eq!(message.lines().count(), 2, "{message}");
        }
        assert!(check("expect = 'xml'\n[[rate_limit]]\nbucket = 'a'\nsource = 'body'\nlimit = '/b'").is_err());
    }
}
