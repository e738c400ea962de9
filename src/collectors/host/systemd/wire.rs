//! D-Bus' wire format ("Message Protocol" of the specification), as far as our calls and systemd's answers need it.
//!
//! Every length in a message is the sender's word: nothing is read or kept beyond what has really arrived.

/// The largest message we read: the list of a machine with 10,000 units.
const MESSAGE_BYTES: usize = 4 << 20;

/// The part of a message that every message has; the header fields and the body follow.
pub(super) const HEAD_BYTES: usize = 16;

/// Types of messages.
const METHOD_CALL: u8 = 1;
const METHOD_RETURN: u8 = 2;
const ERROR: u8 = 3;

/// Codes of header fields.
const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const ERROR_NAME: u8 = 4;
const REPLY_SERIAL: u8 = 5;
const DESTINATION: u8 = 6;
const SIGNATURE: u8 = 8;

/// A flag of calls: whoever is not there is not to be started for us.
const NO_AUTO_START: u8 = 2;

/// A call of a method whose arguments are strings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) destination: &'a str,
    pub(super) path: &'a str,
    pub(super) interface: &'a str,
    pub(super) method: &'a str,
    pub(super) arguments: &'a [&'a str],
}

impl Call<'_> {
    /// The message; `serial` is what its answer refers to.
    pub(super) fn message(&self, serial: u32) -> Vec<u8> {
        let mut body = Vec::new();
        for argument in self.arguments {
            put_text(&mut body, argument);
        }
        let mut message = vec![b'l', METHOD_CALL, NO_AUTO_START, 1];
        put_length(&mut message, body.len());
        message.extend(serial.to_le_bytes());
        message.extend([0; 4]);
        put_field(&mut message, PATH, b'o', self.path);
        put_field(&mut message, INTERFACE, b's', self.interface);
        put_field(&mut message, MEMBER, b's', self.method);
        put_field(&mut message, DESTINATION, b's', self.destination);
        if !self.arguments.is_empty() {
            put_field(&mut message, SIGNATURE, b'g', &"s".repeat(self.arguments.len()));
        }
        let mut length = Vec::new();
        put_length(&mut length, message.len() - HEAD_BYTES);
        message[HEAD_BYTES - 4..HEAD_BYTES].copy_from_slice(&length);
        pad(&mut message, 8);
        message.extend(body);
        message
    }
}

fn pad(message: &mut Vec<u8>, to: usize) {
    message.resize(message.len().next_multiple_of(to), 0);
}

fn put_length(message: &mut Vec<u8>, length: usize) {
    message.extend(u32::try_from(length).expect("our calls are short").to_le_bytes());
}

fn put_text(message: &mut Vec<u8>, text: &str) {
    pad(message, 4);
    put_length(message, text.len());
    message.extend(text.as_bytes());
    message.push(0);
}

fn put_field(message: &mut Vec<u8>, code: u8, kind: u8, value: &str) {
    pad(message, 8);
    message.extend([code, 1, kind, 0]);
    if kind == b'g' {
        message.push(u8::try_from(value.len()).expect("our calls have few arguments"));
        message.extend(value.as_bytes());
        message.push(0);
    } else {
        put_text(message, value);
    }
}

/// What a message begins with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    kind: u8,
    little: bool,
    fields: usize,
    body: usize,
}

impl Head {
    /// From a message's first bytes; `None` when they are not those of a message.
    pub(super) fn parse(bytes: [u8; HEAD_BYTES]) -> Option<Self> {
        let little = match bytes[0] {
            b'l' => true,
            b'B' => false,
            _ => return None,
        };
        let mut reader = Reader { bytes: &bytes, at: 4, little };
        let body = reader.length()?;
        reader.number(4)?;
        let fields = reader.length()?;
        (bytes[3] == 1).then_some(Self { kind: bytes[1], little, fields, body })
    }

    /// How many bytes follow; `None` when they are more than we read.
    pub(super) fn rest(self) -> Option<usize> {
        let rest = self.fields.next_multiple_of(8).checked_add(self.body)?;
        (rest <= MESSAGE_BYTES).then_some(rest)
    }
}

/// An answer.
#[derive(Debug)]
pub(super) struct Message {
    /// The serial of the call it answers.
    pub(super) answers: u32,
    /// The error's name, when that is the answer.
    error: Option<String>,
    signature: String,
    little: bool,
    /// Header fields and body.
    rest: Vec<u8>,
    body: usize,
}

impl Message {
    /// From its two parts: `Ok(None)` is a message that answers nothing, such as a signal, `Err` none at all.
    pub(super) fn parse(head: Head, rest: Vec<u8>) -> Result<Option<Self>, NotDBus> {
        let (mut answers, mut error, mut signature) = (None, None, String::new());
        let fields = rest.get(..head.fields).ok_or(NotDBus)?;
        let mut reader = Reader { bytes: fields, at: 0, little: head.little };
        while reader.at < fields.len() {
            let (code, value) = reader.field().ok_or(NotDBus)?;
            match (code, value) {
                (REPLY_SERIAL, Value::Number(serial)) => answers = u32::try_from(serial).ok(),
                (ERROR_NAME, Value::Text(name)) => error = Some(name.to_owned()),
                (SIGNATURE, Value::Text(kinds)) => kinds.clone_into(&mut signature),
                _ => {}
            }
        }
        match (head.kind, answers) {
            (METHOD_RETURN, Some(answers)) => Ok(Some((answers, None))),
            (ERROR, Some(answers)) => Ok(Some((answers, Some(error.unwrap_or_default())))),
            (METHOD_RETURN | ERROR, None) => Err(NotDBus),
            _ => Ok(None),
        }
        .map(|answer| {
            let body = head.fields.next_multiple_of(8).min(rest.len());
            answer.map(|(answers, error)| Self { answers, error, signature, little: head.little, rest, body })
        })
    }

    /// What the call was refused with: the error's name, and what it says.
    pub(super) fn refusal(&self) -> Option<(&str, &str)> {
        let name = self.error.as_deref()?;
        let says = self.signature.starts_with('s').then(|| self.reader().text()).flatten();
        Some((name, says.unwrap_or_default()))
    }

    /// The one value that a property is answered with.
    pub(super) fn property(&self) -> Option<Value<'_>> {
        if self.error.is_some() || self.signature != "v" {
            return None;
        }
        self.reader().variant()
    }

    /// The units that `ListUnits` is answered with.
    pub(super) fn units(&self) -> Option<Vec<Listed<'_>>> {
        if self.error.is_some() || self.signature != "a(ssssssouso)" {
            return None;
        }
        let mut reader = self.reader();
        let length = reader.length()?;
        reader.align(8)?;
        let end = reader.at.checked_add(length).filter(|end| *end == reader.bytes.len())?;
        let mut units = Vec::new();
        while reader.at < end {
            reader.align(8)?;
            let [name, _, load, active, _, _, path] = reader.texts()?;
            reader.number(4)?;
            reader.texts::<2>()?;
            units.push(Listed { name, load, active, path });
        }
        Some(units)
    }

    fn reader(&self) -> Reader<'_> {
        Reader { bytes: &self.rest[self.body..], at: 0, little: self.little }
    }
}

/// What is read does not follow the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotDBus;

/// A unit in systemd's list, by the words of systemd's `ListUnits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listed<'a> {
    pub(super) name: &'a str,
    pub(super) load: &'a str,
    pub(super) active: &'a str,
    pub(super) path: &'a str,
}

/// A value that is a text or a number without a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Text(&'a str),
    Number(u64),
}

/// Reads from the start of what is aligned to eight bytes: a header's fields, or a body.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    little: bool,
}

impl<'a> Reader<'a> {
    fn align(&mut self, to: usize) -> Option<()> {
        self.at = self.at.next_multiple_of(to);
        (self.at <= self.bytes.len()).then_some(())
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(taken)
    }

    /// A number of one, four or eight bytes, which is what it is aligned to as well.
    fn number(&mut self, size: usize) -> Option<u64> {
        self.align(size)?;
        let digit = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        let bytes = self.take(size)?;
        Some(if self.little { bytes.iter().rev().fold(0, digit) } else { bytes.iter().fold(0, digit) })
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.number(4)?).ok()
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.length()?;
        self.text_of(length)
    }

    /// A text of this length and the zero after it.
    fn text_of(&mut self, length: usize) -> Option<&'a str> {
        let text = self.take(length)?;
        (self.take(1)? == [0]).then_some(())?;
        str::from_utf8(text).ok()
    }

    fn texts<const N: usize>(&mut self) -> Option<[&'a str; N]> {
        let mut texts = [""; N];
        for text in &mut texts {
            *text = self.text()?;
        }
        Some(texts)
    }

    fn signature(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number(1)?).ok()?;
        self.text_of(length)
    }

    fn variant(&mut self) -> Option<Value<'a>> {
        match self.signature()? {
            "s" | "o" => self.text().map(Value::Text),
            "g" => self.signature().map(Value::Text),
            "u" => self.number(4).map(Value::Number),
            "t" => self.number(8).map(Value::Number),
            _ => None,
        }
    }

    fn field(&mut self) -> Option<(u8, Value<'a>)> {
        self.align(8)?;
        Some((u8::try_from(self.number(1)?).ok()?, self.variant()?))
    }
}

#[cfg(test)]
mod tests;
