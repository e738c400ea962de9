//! An answer as it is looked at: its status, its content type, and its body read as what it may be.

use std::cell::OnceCell;

use hyper::header::CONTENT_TYPE;
use serde_json::Value;

use super::document::Xml;
use super::template::clean;
use crate::collectors::marketplace::exchange::Answer;

/// The mark at the beginning of a text that some write before UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// An answer, and of what environment the account is.
pub(super) struct Seen<'a> {
    pub(super) answer: &'a Answer,
    pub(super) environment: &'a str,
    /// The content type without its parameters, in lower case.
    pub(super) content_type: String,
    /// The body, with marks for what is no UTF-8.
    text: &'a str,
    json: OnceCell<Result<Value, &'static str>>,
    xml: OnceCell<Result<Xml, &'static str>>,
}

impl<'a> Seen<'a> {
    /// Looks at an answer; `text` is its body, with marks for what is no UTF-8.
    pub(super) fn new(answer: &'a Answer, environment: &'a str, text: &'a str) -> Self {
        let content_type = answer.headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let content_type = content_type.as_deref().and_then(|value| value.split(';').next()).unwrap_or_default();
        Self {
            answer,
            environment,
            content_type: clean(content_type).to_ascii_lowercase(),
            text: text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text),
            json: OnceCell::new(),
            xml: OnceCell::new(),
        }
    }

    pub(super) fn status(&self) -> u16 {
        self.answer.status.as_u16()
    }

    /// Whether its status says that there is no body (RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5).
    pub(super) fn has_no_body(&self) -> bool {
        matches!(self.status(), 204 | 205 | 304)
    }

    /// The body as JSON, or why it is none, without a word of it. Of a key that is there twice the last counts.
    pub(super) fn json(&self) -> Result<&Value, &'static str> {
        let read = || {
            let body = &self.answer.body;
            let body = body.strip_prefix(BYTE_ORDER_MARK.as_bytes()).unwrap_or(body);
            if body.is_empty() {
                return Err("it is empty");
            }
            // No reader of JSON in the shop takes any other text either: RFC 8259, section 8.1.
            let text = str::from_utf8(body).map_err(|_| "it is not UTF-8")?;
            serde_json::from_str(text).map_err(|error| {
                if error.is_eof() {
                    "it breaks off"
                } else if error.to_string().starts_with("recursion limit") {
                    "it is nested too deeply"
                } else {
                    "it is something else"
                }
            })
        };
        self.json.get_or_init(read).as_ref().map_err(|why| *why)
    }

    /// The body as XML, or why it is none, without a word of it.
    pub(super) fn xml(&self) -> Result<&Xml, &'static str> {
        self.xml.get_or_init(|| Xml::read(self.text)).as_ref().map_err(|why| *why)
    }

    /// Whether it is a page for people: by how it begins, or by its content type when it is nothing else.
    pub(super) fn is_page(&self) -> bool {
        let start = self.text.trim_start();
        let begins = |with: &str| start.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
        begins("<!doctype html")
            || begins("<html")
            || (matches!(self.content_type.as_str(), "text/html" | "application/xhtml+xml")
                && self.json().is_err()
                && self.xml().map_or(true, Xml::is_page))
    }

    /// Whether it is a message of SOAP about an error.
    pub(super) fn is_fault(&self) -> bool {
        self.text.contains("Fault") && self.xml().is_ok_and(Xml::is_fault)
    }

    /// Whether the body has these words.
    pub(super) fn contains(&self, words: &str, ignore_case: bool) -> bool {
        let fold = |text: &str| if ignore_case { folded(text) } else { text.to_owned() };
        let words = fold(words);
        // Some servers of JSON escape every letter that is not ASCII.
        fold(self.text).contains(&words)
            || (self.text.contains('\\')
                && self.json().is_ok_and(|json| has(json, &|text| fold(text).contains(&words))))
    }

    /// What it is, for people: with no word of the body.
    pub(super) fn summary(&self) -> String {
        let content_type = match self.content_type.as_str() {
            "" => "no content type".to_owned(),
            content_type => format!("content type `{content_type}`"),
        };
        let body = if self.answer.body.is_empty() {
            "no body"
        } else if self.is_page() {
            "a page of HTML"
        } else if self.json().is_ok() {
            "a body of JSON"
        } else if self.xml().is_ok() {
            "a body of XML"
        } else {
            "a body that is neither JSON nor XML nor HTML"
        };
        format!("the answer has status {}, {content_type} and {body}", self.status())
    }
}

/// A text in which letters are alike that differ in case. In lower case, `İ` is an `i` with a dot of its own above it,
/// and who writes without Turkish letters has `i` for `ı`.
fn folded(text: &str) -> String {
    text.to_lowercase().replace('\u{307}', "").replace('ı', "i")
}

/// Whether a text in the document is of that kind.
fn has(document: &Value, wanted: &dyn Fn(&str) -> bool) -> bool {
    match document {
        Value::String(text) => wanted(text),
        Value::Array(elements) => elements.iter().any(|element| has(element, wanted)),
        Value::Object(fields) => fields.values().any(|value| has(value, wanted)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use hyper::{HeaderMap, StatusCode};

    use super::*;

    fn summary(content_type: &str, body: &[u8]) -> String {
        let mut headers = HeaderMap::new();
        if !content_type.is_empty() {
            headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        }
        let answer = Answer { status: StatusCode::OK, headers, body: body.to_vec() };
        Seen::new(&answer, "production", &String::from_utf8_lossy(body)).summary()
    }

    fn contains(body: &str, words: &str) -> [bool; 2] {
        let answer = Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: body.into() };
        [false, true].map(|ignore_case| Seen::new(&answer, "production", body).contains(words, ignore_case))
    }

    #[test]
    fn a_body_is_what_it_is_whatever_its_content_type_says() {
        for (content_type, body, says) in [
            ("", &b""[..], "status 200, no content type and no body"),
            ("application/json; charset=utf-8", b"{}", "content type `application/json` and a body of JSON"),
            ("text/html", b"\xef\xbb\xbf{}", "content type `text/html` and a body of JSON"),
            ("text/html", b"<a/>", "a body of XML"),
            ("text/html", b"maintenance", "a page of HTML"),
            ("text/html", b"<html xmlns='u'><body/></html>", "a page of HTML"),
            ("application/json", b"  <!DOCTYPE HTML><p>", "a page of HTML"),
            ("text/plain", b"\xff\xfe{\x00}\x00", "neither JSON nor XML nor HTML"),
            ("TEXT/Plain\t; a", b"{\"a\":\"\xe7\"}", "content type `text/plain` and a body that is neither"),
        ] {
            let summary = summary(content_type, body);
            assert!(summary.contains(says), "{summary}");
        }
    }

    #[test]
    fn why_a_body_is_no_json_is_said_without_a_word_of_it() {
        for (body, why) in [
            (&b""[..], "it is empty"),
            (b"{\"a\":\"canary", "it breaks off"),
            (b"canary", "it is something else"),
            (b"{\"a\":1e999}", "it is something else"),
            (b"{\"canary\":\"\xe7\"}", "it is not UTF-8"),
            ("[".repeat(500).as_bytes(), "it is nested too deeply"),
        ] {
            let answer = Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: body.to_vec() };
            assert_eq!(Seen::new(&answer, "", &String::from_utf8_lossy(body)).json(), Err(why));
        }
    }

    #[test]
    fn the_last_of_two_equal_keys_counts() {
        let answer = Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: br#"{"a":1,"a":2}"#.to_vec() };
        assert_eq!(Seen::new(&answer, "", "").json(), Ok(&serde_json::json!({"a": 2})));
    }

    #[test]
    fn words_are_found_in_either_case_and_behind_escapes() {
        for (body, words, found) in [
            ("Geçersiz API Key", "geçersiz api key", [false, true]),
            ("GEÇERSİZ API KEY", "geçersiz api key", [false, true]),
            ("GECERSIZ", "gecersız", [false, true]),
            (r#"{"message":"Ge\u00e7ersiz API Key"}"#, "Geçersiz API Key", [true, true]),
            (r#"[{"message":["GE\u00c7ERSIZ API Key"]}]"#, "geçersiz api key", [false, true]),
            ("authentication failed", "Authentication failed", [false, true]),
            ("fine", "failed", [false, false]),
        ] {
            assert_eq!(contains(body, words), found, "{body}");
        }
    }
}
