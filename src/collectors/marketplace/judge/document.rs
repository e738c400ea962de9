//! XML, read within limits.
//!
//! quick-xml finds the tags. It does not recurse, does not look into attributes, and expands nothing: what names stand
//! for is decided here, which is the five of XML itself and numbers of characters. Names are compared without their
//! namespaces.

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};

use super::xml::XmlPath;

/// How many elements a document may have; answers to a probe have some dozens.
const ELEMENTS: usize = 20_000;

/// How deep elements may stand in each other.
const DEPTH: usize = 64;

/// How much is read of the text of an element. Names of errors, numbers and times are shorter.
const TEXT_BYTES: usize = 1_024;

/// A document of XML, whole and within the limits: its elements in the order in which they begin, the root first.
pub(super) struct Xml(Vec<Element>);

struct Element {
    /// The place in the list of the element that it stands in.
    parent: Option<usize>,
    name: String,
    /// What stands in it directly, no more than [`TEXT_BYTES`].
    text: String,
}

/// What is said of a text that is not one whole element, without a word of it.
const NO_XML: &str = "no XML, or only the beginning of it";

impl Xml {
    /// Reads a document; what is wrong is said without a word of it.
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        let mut reader = Reader::from_str(text);
        let mut read = Self(Vec::new());
        let mut open: Vec<usize> = Vec::new();
        loop {
            match reader.read_event().map_err(|_| NO_XML)? {
                Event::Start(_) | Event::Empty(_) if open.len() == DEPTH => return Err("elements nested too deeply"),
                Event::Start(tag) => open.push(read.begin(&tag, open.last().copied())?),
                Event::Empty(tag) => drop(read.begin(&tag, open.last().copied())?),
                // That it has the name of the one that it ends, the reader has seen to.
                Event::End(_) => drop(open.pop()),
                Event::Text(text) => read.add(open.last(), &text.xml10_content())?,
                Event::CData(text) => read.add(open.last(), &text.xml10_content())?,
                Event::GeneralRef(name) => match name.resolve_char_ref().map_err(|_| NO_XML)? {
                    Some(char) => read.add(open.last(), char.encode_utf8(&mut [0; 4]))?,
                    None => read.add(open.last(), resolve_xml_entity(&name.xml10_content()).ok_or(NO_XML)?)?,
                },
                Event::DocType(_) => return Err("a document type, which is not read"),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::Eof if open.is_empty() && !read.0.is_empty() => return Ok(read),
                Event::Eof => return Err(NO_XML),
            }
        }
    }

    /// Adds an element, and says its place in the list. There is one that stands in no other.
    fn begin(&mut self, tag: &BytesStart<'_>, parent: Option<usize>) -> Result<usize, &'static str> {
        if self.0.len() == ELEMENTS {
            return Err("more than 20,000 elements");
        }
        let name = tag.local_name().as_ref().to_owned();
        if name.is_empty() || (parent.is_none() && !self.0.is_empty()) {
            return Err(NO_XML);
        }
        self.0.push(Element { parent, name, text: String::new() });
        Ok(self.0.len() - 1)
    }

    /// Adds to the text of an element; outside of all there is none.
    fn add(&mut self, element: Option<&usize>, text: &str) -> Result<(), &'static str> {
        match element {
            Some(element) => {
                let so_far = &mut self.0[*element].text;
                so_far.push_str(&text[..text.floor_char_boundary(TEXT_BYTES - so_far.len())]);
                Ok(())
            }
            None if text.trim().is_empty() => Ok(()),
            None => Err(NO_XML),
        }
    }

    /// The texts of the elements at this path, without space around them; of one that is too long its beginning.
    pub(super) fn find(&self, path: &XmlPath) -> Vec<String> {
        let mut reached: Vec<u32> = Vec::with_capacity(self.0.len());
        let mut texts = Vec::new();
        for element in &self.0 {
            let above = element.parent.map_or_else(|| path.start(), |parent| reached[parent]);
            let here = path.follow(above, &element.name);
            if path.is_all_of(here) {
                texts.push(element.text.trim().to_owned());
            }
            reached.push(here);
        }
        texts
    }

    /// Whether it is a message of SOAP about an error.
    pub(super) fn is_fault(&self) -> bool {
        let is_soap = self.0.first().is_some_and(|root| matches!(root.name.as_str(), "Envelope" | "Fault"));
        is_soap && self.0.iter().any(|element| element.name == "Fault")
    }

    /// Whether it is a page of XHTML.
    pub(super) fn is_page(&self) -> bool {
        self.0.first().is_some_and(|root| root.name.eq_ignore_ascii_case("html"))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    const SOAP: &str = r#"<?xml version="1.0" encoding="utf-8"?>
        <!-- a <comment/> -->
        <soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>
          <ns3:ListResponse xmlns:ns3="http://www.n11.com/ws/schemas">
            <result><status> failure </status><errorCode>A<![CDATA[&]]>B&amp;&#67;<!-- x -->D<b>!</b>E</errorCode></result>
            <list><item><status>one</status></item><item><status/></item></list>
          </ns3:ListResponse></soapenv:Body></soapenv:Envelope>"#;

    fn find(document: &str, path: &str) -> Vec<String> {
        Xml::read(document).unwrap().find(&path.parse().unwrap())
    }

    #[test]
    fn elements_are_found_by_their_names_without_namespaces() {
        for (path, texts) in [
            ("**/result/status", vec!["failure"]),
            ("*/*/*/result/status", vec!["failure"]),
            ("Envelope/**/result/**/status", vec!["failure"]),
            ("Envelope/Body/ListResponse/result/status", vec!["failure"]),
            ("**/status", vec!["failure", "one", ""]),
            ("**/item/status", vec!["one", ""]),
            ("**/result/*", vec!["failure", "A&B&CDE"]),
            ("Envelope", vec![""]),
            ("**/Envelope", vec![""]),
            ("*", vec![""]),
            ("*/status", vec![]),
            ("**/Status", vec![]),
            ("**/comment", vec![]),
        ] {
            assert_eq!(find(SOAP, path), texts, "{path}");
        }
    }

    #[test]
    fn a_fault_is_one_of_soap() {
        let fault = "<s:Envelope xmlns:s='u'><s:Body><a><s:Fault/></a></s:Body></s:Envelope>";
        for (document, is_fault) in [(fault, true), ("<Fault/>", true), (SOAP, false), ("<Car><Fault/></Car>", false)] {
            assert_eq!(Xml::read(document).unwrap().is_fault(), is_fault, "{document}");
        }
    }

    #[test]
    fn what_is_no_whole_document_within_the_limits_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(65), "</a>".repeat(65));
        let deepest = format!("{}{}", "<a>".repeat(64), "</a>".repeat(64));
        assert!(Xml::read(&deepest).is_ok());
        let laughs = "<!DOCTYPE a [<!ENTITY b 'ha'><!ENTITY c '&b;&b;'>]><a>&c;</a>";
        for (document, says) in [
            ("", "no XML, or only the beginning of it"),
            ("{}", "no XML, or only the beginning of it"),
            ("<a><b></a>", "no XML, or only the beginning of it"),
            ("<a><b/>", "no XML, or only the beginning of it"),
            ("<a>&nbsp;</a>", "no XML, or only the beginning of it"),
            ("<a/><b/>", "no XML, or only the beginning of it"),
            ("<a/>x", "no XML, or only the beginning of it"),
            ("x<a/>", "no XML, or only the beginning of it"),
            ("<a>&", "no XML, or only the beginning of it"),
            ("<a>&#0;</a>", "no XML, or only the beginning of it"),
            ("<a></a></a>", "no XML, or only the beginning of it"),
            ("<></>", "no XML, or only the beginning of it"),
            (laughs, "a document type, which is not read"),
            ("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "a document type, which is not read"),
            (&deep, "elements nested too deeply"),
            (&format!("<a>{}</a>", "<b/>".repeat(20_000)), "more than 20,000 elements"),
        ] {
            assert_eq!(Xml::read(document).err(), Some(says), "{}", &document[..document.len().min(60)]);
        }
    }

    #[test]
    fn as_much_nesting_as_a_body_can_hold_is_refused_not_overflowed() {
        assert!(Xml::read(&"<a>".repeat(100_000)).is_err());
        let whole = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        assert!(Xml::read(&whole).is_err());
    }

    #[test]
    fn as_many_attributes_and_namespaces_as_a_body_can_hold_take_no_time() {
        // What takes another reader a minute: namespaces that each of many elements has.
        let mut many = String::new();
        for n in 0..6_500 {
            write!(many, " xmlns:n{n}='{n}' a{n}='{n}'").unwrap();
        }
        let document = format!("<a{many}>{}<n1:c>x</n1:c></a>", "<b xmlns:x='u'/>".repeat(6_800));
        assert_eq!(find(&document, "a/c"), ["x"]);
    }

    #[test]
    fn of_a_long_text_the_beginning_is_read() {
        let document = format!("<a><b>{}</b></a>", "ş".repeat(5_000));
        assert_eq!(find(&document, "a/b"), ["ş".repeat(512)]);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(
            text in "(<[ab]>|</[ab]>|<a/>|&[a#;]|<!--|-->|<!\\[CDATA\\[|\\]\\]>|<\\?|\\?>|[ş<>'\"=]){0,40}",
        ) {
            if let Ok(xml) = Xml::read(&text) {
                prop_assert!(!xml.find(&"**/*".parse().unwrap()).is_empty());
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn the_reader_keeps_its_limits(
            pieces in proptest::collection::vec(
                (proptest::sample::select(vec!["<b/>", "<b>x</b>", "ş", "&lt;", "<![CDATA[x]]>", "<!--x-->"]), 0..12_000_usize),
                1..4,
            ),
            depth in 0..100_usize,
        ) {
            let inner: String = pieces.iter().map(|(piece, count)| piece.repeat(*count)).collect();
            let text = format!("{}{inner}{}", "<a>".repeat(depth + 1), "</a>".repeat(depth + 1));
            let of_pieces = pieces.iter().filter(|(piece, _)| piece.starts_with("<b")).map(|(_, count)| count).sum::<usize>();
            let elements = depth + 1 + of_pieces;
            match Xml::read(&text) {
                Ok(xml) => {
                    prop_assert_eq!(xml.0.len(), elements);
                    prop_assert!(elements <= ELEMENTS && depth < DEPTH);
                    prop_assert!(xml.0.iter().all(|element| element.text.len() <= TEXT_BYTES));
                }
                Err(_) => prop_assert!(elements > ELEMENTS || depth + 1 >= DEPTH),
            }
        }
    }
}
