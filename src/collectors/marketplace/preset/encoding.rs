//! How values are written so that they stay values: in an address, a form, XML and JSON.

use super::hole::Escape;
use super::template::Place;

/// How a value is written in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Plain,
    /// Percent-encoded but for what is never special in an address (RFC 3986, 2.3).
    Address,
    /// As browsers send a form.
    Field,
    Xml,
    Json,
}

impl Encoding {
    /// What values need in this place.
    pub(super) const fn of(place: Place, escape: Escape) -> Self {
        match (place, escape) {
            (_, Escape::Xml) => Self::Xml,
            (_, Escape::Json) => Self::Json,
            (Place::Path | Place::Query, Escape::Usual) => Self::Address,
            (Place::Form, Escape::Usual) => Self::Field,
            (_, Escape::Raw)
            | (Place::Base | Place::TokenUrl | Place::Header | Place::Body | Place::Login, Escape::Usual) => {
                Self::Plain
            }
        }
    }

    /// Writes a value so.
    pub(super) fn write(self, value: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Plain => out.extend_from_slice(value),
            Self::Field => out.extend(form_urlencoded::byte_serialize(value).flat_map(str::bytes)),
            Self::Address => value.iter().for_each(|byte| match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(*byte),
                _ => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
            }),
            Self::Xml => value.iter().for_each(|byte| match byte {
                b'&' => out.extend_from_slice(b"&amp;"),
                b'<' => out.extend_from_slice(b"&lt;"),
                b'>' => out.extend_from_slice(b"&gt;"),
                b'"' => out.extend_from_slice(b"&quot;"),
                b'\'' => out.extend_from_slice(b"&apos;"),
                _ => out.push(*byte),
            }),
            Self::Json => value.iter().for_each(|byte| match byte {
                b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
                0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
                _ => out.push(*byte),
            }),
        }
    }

    /// The same for text.
    pub(super) fn text(self, value: &str) -> String {
        let mut written = Vec::new();
        self.write(value.as_bytes(), &mut written);
        // What is written for text is text: no byte above ASCII is taken apart but into ASCII.
        String::from_utf8_lossy(&written).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_means_something_in_its_place_is_written_otherwise() {
        let text = "a&b=<\"c\\'>/ ş\t";
        for (encoding, written) in [
            (Encoding::Plain, text),
            (Encoding::Address, "a%26b%3D%3C%22c%5C%27%3E%2F%20%C5%9F%09"),
            (Encoding::Field, "a%26b%3D%3C%22c%5C%27%3E%2F+%C5%9F%09"),
            (Encoding::Xml, "a&amp;b=&lt;&quot;c\\&apos;&gt;/ ş\t"),
            (Encoding::Json, "a&b=<\\\"c\\\\'>/ ş\\u0009"),
        ] {
            assert_eq!(encoding.text(text), written, "{encoding:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_again_is_what_was_written(text in ".{0,40}") {
            let address = Encoding::Address.text(&text);
            prop_assert!(address.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
            for form in [address, Encoding::Field.text(&text)] {
                let form = format!("k={form}");
                let read: Vec<_> = form_urlencoded::parse(form.as_bytes()).collect();
                prop_assert_eq!(&read[..], &[("k".into(), text.as_str().into())]);
            }
            let json: String = serde_json::from_str(&format!("\"{}\"", Encoding::Json.text(&text))).unwrap();
            prop_assert_eq!(json, text);
        }
    }
}
