//! Rules that contradict themselves, could never hold, or always would: found when a preset is loaded.

mod numbers;

use super::rules::{Classify, CodeFrom, Condition, Expect, Rules, Scalar, Success};
use super::template::clean;
use crate::collectors::marketplace::result::Outcome;

/// How many rules of each kind a probe may have, and how many values a rule.
const RULES: usize = 32;
const VALUES: usize = 64;

/// How long a text may be that is compared.
const TEXT_BYTES: usize = 256;

/// What is wrong, and in a second line the way out.
type Checked = Result<(), String>;

fn wrong(what: impl std::fmt::Display, hint: &str) -> Checked {
    Err(format!("{what}\n{hint}"))
}

/// Puts the place before what is wrong.
fn at<T>(place: &str, rules: &[T], check: impl Fn(&T) -> Checked) -> Checked {
    if rules.len() > RULES {
        return wrong(format!("there are {} of `{place}`", rules.len()), &format!("{RULES} are the most"));
    }
    for (n, rule) in rules.iter().enumerate() {
        check(rule).map_err(|what| format!("`{place}` {}: {what}", n + 1))?;
    }
    Ok(())
}

impl Rules {
    /// Finds what contradicts itself.
    ///
    /// # Errors
    /// Which rule, what is wrong with it, and in a second line the way out.
    pub fn check(&self) -> Result<(), String> {
        at("classify", &self.classify, |rule| rule.check(self.expect))?;
        self.success.check(self.expect)?;
        at("extract", &self.extract, |rule| rule.check(self.expect))?;
        at("rate_limit", &self.rate_limit, |rule| rule.check(self.expect))
    }
}

/// A place in JSON where XML is expected, or the other way round.
fn expected(expect: Expect, is_json: bool) -> Checked {
    match (expect, is_json) {
        (Expect::Xml, true) => {
            wrong("a place in JSON, where XML is expected", "write `xml = \"*/Element\"`, or expect = \"json\"")
        }
        (Expect::Json, false) => {
            wrong("a place in XML, where JSON is expected", "write `json = \"/key\"`, or expect = \"xml\"")
        }
        _ => Ok(()),
    }
}

impl Classify {
    fn check(&self, expect: Expect) -> Checked {
        self.when.check()?;
        if !self.result.is_of_an_answer() {
            let good: Vec<&str> = Outcome::ALL
                .iter()
                .filter(|outcome| outcome.is_of_an_answer())
                .map(|outcome| outcome.as_str())
                .collect();
            return wrong(format!("no answer can say `{}`", self.result), &format!("it is one of {}", good.join(", ")));
        }
        match &self.code_from {
            None if !self.codes.is_empty() => {
                return wrong(
                    "`codes` without `code_from`",
                    "say where the answer names its error: code_from = \"/code\"",
                );
            }
            Some(_) if self.result == Outcome::Ok => {
                return wrong("`code_from` in what is `ok`", "what goes well has no error");
            }
            Some(CodeFrom::Json(_)) => expected(expect, true)?,
            Some(CodeFrom::Xml(_)) => expected(expect, false)?,
            None => {}
        }
        if self.codes.len() > VALUES {
            return wrong(format!("{} `codes`", self.codes.len()), &format!("{VALUES} are the most"));
        }
        match self.codes.iter().find(|code| code.is_empty() || clean(code) != **code) {
            Some(code) => wrong(format!("the code `{code}` cannot be a label"), "1 to 64 bytes that can be printed"),
            None => Ok(()),
        }
    }
}

impl Condition {
    /// Finds what contradicts itself: also for conditions on answers that are no probe's, such as a token's.
    ///
    /// # Errors
    /// What is wrong, and in a second line the way out.
    pub fn check(&self) -> Result<(), String> {
        let Self {
            status,
            content_type,
            body_contains,
            environment,
            json,
            xml,
            exists,
            equals,
            one_of,
            kind,
            ignore_case,
        } = self;
        if self.parts().is_empty() {
            return wrong(
                "a condition that asks for nothing",
                "name a `status`, `content_type`, `body_contains`, `environment`, `json` or `xml`",
            );
        }
        let texts = [("content_type", content_type), ("body_contains", body_contains), ("environment", environment)];
        for (key, text) in texts {
            if text.as_ref().is_some_and(|text| text.trim().is_empty() || text.len() > TEXT_BYTES) {
                return wrong(format!("`{key}` is empty or too long"), &format!("1 to {TEXT_BYTES} bytes"));
            }
        }
        statuses(status.as_deref())?;
        if json.is_some() && xml.is_some() {
            return wrong("`json` and `xml` in one condition", "a body is one of them; write two rules");
        }
        let demands = [equals.is_some(), one_of.is_some(), kind.is_some(), *exists == Some(false)];
        let count = demands.iter().filter(|is_said| **is_said).count();
        if (count > 0 || exists.is_some()) && json.is_none() && xml.is_none() {
            return wrong("`exists`, `equals`, `in` or `type` of nothing", "name the place with `json` or `xml`");
        }
        if count > 1 {
            return wrong("more than one of `equals`, `in`, `type` and `exists = false`", "one of them says it all");
        }
        if kind.is_some() && xml.is_some() {
            return wrong("`type` of an element of XML", "everything there is text; compare with `equals` or `in`");
        }
        let values = equals.iter().chain(one_of.iter().flatten());
        if one_of.as_ref().is_some_and(|values| values.is_empty() || values.len() > VALUES) {
            return wrong("`in` has no values or too many", &format!("1 to {VALUES}"));
        }
        if values.into_iter().any(|value| matches!(value, Scalar::Text(text) if text.len() > TEXT_BYTES)) {
            return wrong("a value is too long", &format!("{TEXT_BYTES} bytes are the most"));
        }
        if *ignore_case && body_contains.is_none() && json.is_none() {
            return wrong(
                "`ignore_case` without `body_contains` or `json`",
                "these are what it is about; leave it out",
            );
        }
        Ok(())
    }
}

fn statuses(statuses: Option<&[u16]>) -> Checked {
    let Some(statuses) = statuses else { return Ok(()) };
    let is_good = (1..=VALUES).contains(&statuses.len()) && statuses.iter().all(|status| (100..=599).contains(status));
    if is_good { Ok(()) } else { wrong("`status` is no list of statuses", "some from 100 to 599: status = [200]") }
}

impl Success {
    fn check(&self, expect: Expect) -> Checked {
        let said = [self.status.is_some(), self.status_below.is_some(), self.status_range.is_some()];
        if said.iter().filter(|is_said| **is_said).count() > 1 {
            return wrong(
                "`success` has more than one of `status`, `status_below` and `status_range`",
                "one of them says it all",
            );
        }
        statuses(self.status.as_deref()).map_err(|what| format!("`success`: {what}"))?;
        let is_good = self.status_below.is_none_or(|below| (101..=600).contains(&below))
            && self.status_range.is_none_or(|[first, last]| first <= last && first >= 100 && last <= 599);
        if !is_good {
            return wrong("`success` has no statuses from 100 to 599", "for example status_range = [200, 299]");
        }
        at("require", &self.require, |condition| {
            condition.check()?;
            if condition.json.is_some() || condition.xml.is_some() {
                expected(expect, condition.json.is_some())
            } else {
                Ok(())
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), String> {
        toml::from_str::<Rules>(text).unwrap().check()
    }

    /// What is wrong with one condition.
    fn condition(text: &str) -> String {
        check(&format!("[[classify]]\nresult = 'app_error'\nwhen = {{ {text} }}")).unwrap_err()
    }

    #[test]
    fn a_condition_that_contradicts_itself_is_refused() {
        for (text, says) in [
            ("", "a condition that asks for nothing"),
            ("ignore_case = true", "a condition that asks for nothing"),
            ("exists = true", "a condition that asks for nothing"),
            ("json = '/a', xml = 'a'", "`json` and `xml` in one condition"),
            ("status = [200], equals = 1", "of nothing"),
            ("status = [200], exists = false", "of nothing"),
            ("json = '/a', equals = 1, in = [1]", "more than one of"),
            ("json = '/a', equals = 1, type = 'number'", "more than one of"),
            ("json = '/a', exists = false, equals = 1", "more than one of"),
            ("json = '/a', in = []", "`in` has no values"),
            ("xml = 'a', type = 'number'", "`type` of an element of XML"),
            ("xml = 'a', ignore_case = true", "`ignore_case` without"),
            ("status = []", "`status` is no list"),
            ("status = [99]", "`status` is no list"),
            ("status = [600]", "`status` is no list"),
            ("body_contains = ''", "`body_contains` is empty"),
            ("content_type = ' '", "`content_type` is empty"),
            ("environment = ''", "`environment` is empty"),
        ] {
            let message = condition(text);
            assert!(message.starts_with("`classify` 1: ") && message.contains(says), "{text}: {message}");
            assert_eq!(message.lines().count(), 2, "{message}");
        }
        assert_eq!(
            check("[[classify]]\nresult = 'app_error'\nwhen = { json = '/a', exists = true, equals = 1 }"),
            Ok(())
        );
    }

    #[test]
    fn a_rule_that_no_answer_can_meet_is_refused() {
        for (text, says) in [
            ("[[classify]]\nwhen = { status = [400] }\nresult = 'dns_error'", "no answer can say `dns_error`"),
            ("[[classify]]\nwhen = { status = [400] }\nresult = 'token_error'", "no answer can say `token_error`"),
            (
                "[[classify]]\nwhen = { status = [400] }\nresult = 'app_error'\ncodes = ['a']",
                "`codes` without `code_from`",
            ),
            ("[[classify]]\nwhen = { status = [400] }\nresult = 'ok'\ncode_from = '/a'", "`code_from` in what is `ok`"),
            (
                "[[classify]]\nwhen = { status = [400] }\nresult = 'app_error'\ncode_from = '/a'\ncodes = ['']",
                "the code `` cannot",
            ),
            (
                "expect = 'xml'\n[[classify]]\nwhen = { status = [400] }\nresult = 'app_error'\ncode_from = '/a'",
                "where XML is expected",
            ),
            (
                "expect = 'json'\n[[classify]]\nwhen = { status = [400] }\nresult = 'app_error'\ncode_from = '*/a'",
                "where JSON is expected",
            ),
            ("[success]\nstatus = [200]\nstatus_below = 500", "`success` has more than one of"),
            ("[success]\nstatus_range = [300, 200]", "`success` has no statuses"),
            ("[success]\nstatus_below = 100", "`success` has no statuses"),
            ("[success]\nstatus = []", "`success`: `status` is no list"),
            ("[success]\nrequire = [{}]", "`require` 1: a condition that asks for nothing"),
            (
                "expect = 'xml'\n[success]\nrequire = [{ json = '/a' }]",
                "`require` 1: a place in JSON, where XML is expected",
            ),
        ] {
            let message = check(text).unwrap_err();
            assert!(message.contains(says) && message.lines().count() == 2, "{text}: {message}");
        }
        assert!(check(&"[[classify]]\nwhen = { status = [400] }\nresult = 'app_error'\n".repeat(33)).is_err());
    }
}
