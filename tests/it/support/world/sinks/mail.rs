//! A mail as it is written (RFC 5322, MIME) read back, as far as Alertmanager writes it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::world::timeline::Mail;

/// Reads a mail that came for these.
pub(super) fn read(to: Vec<String>, whole: String) -> Mail {
    let (head, body) = whole.split_once("\n\n").unwrap_or((&whole, ""));
    let subject = header(head, "subject").map_or_else(String::new, |subject| words(&subject));
    let text = text(head, body).unwrap_or_default();
    Mail { to, subject, text, whole }
}

/// A header's value, its lines made one.
fn header(head: &str, name: &str) -> Option<String> {
    let unfolded = head.replace("\n ", " ").replace("\n\t", " ");
    unfolded.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// The plain text: of the mail itself, or of the first part that is.
fn text(head: &str, body: &str) -> Option<String> {
    let kind = header(head, "content-type").unwrap_or_else(|| "text/plain".to_owned());
    if let Some((_, boundary)) = kind.split_once("boundary=") {
        let boundary = format!("--{}", boundary.split(';').next()?.trim_matches('"'));
        let mut parts = body.split(&boundary).filter_map(|part| part.trim_start_matches('\n').split_once("\n\n"));
        return parts.find_map(|(head, body)| text(head, body));
    }
    if !kind.starts_with("text/plain") {
        return None;
    }
    match header(head, "content-transfer-encoding").map(|coding| coding.to_lowercase()).as_deref() {
        Some("quoted-printable") => Some(quoted(body)),
        Some("base64") => {
            let body: String = body.split_whitespace().collect();
            Some(String::from_utf8_lossy(&STANDARD.decode(body).ok()?).into_owned())
        }
        _ => Some(body.to_owned()),
    }
}

/// Quoted-printable (RFC 2045): `=3D` is a byte, `=` at a line's end joins it with the next.
fn quoted(text: &str) -> String {
    let mut bytes = Vec::new();
    let joined = text.replace("=\n", "");
    let mut rest = joined.as_bytes();
    while let [first, after @ ..] = rest {
        let byte = after.get(..2).filter(|_| *first == b'=').and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(byte) = byte.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A subject whose encoded words (RFC 2047) are read.
fn words(subject: &str) -> String {
    let mut text = String::new();
    // The blank between two encoded words belongs to neither.
    for (index, piece) in subject.replace("?= =?", "?==?").split("=?").enumerate() {
        let mut parts = piece.splitn(4, '?');
        match (index, parts.next(), parts.next(), parts.next(), parts.next()) {
            (1.., Some(_), Some(coding), Some(coded), Some(rest)) if rest.starts_with('=') => {
                if coding.eq_ignore_ascii_case("q") {
                    text.push_str(&quoted(&coded.replace('_', " ")));
                } else {
                    text.push_str(&String::from_utf8_lossy(&STANDARD.decode(coded).unwrap_or_default()));
                }
                text.push_str(&rest[1..]);
            }
            _ => text.push_str(piece),
        }
    }
    text
}

/// What must hold of this file.
pub(crate) fn claims() {
    let whole = "Subject: =?utf-8?q?Sepet_=C3=A7al=C4=B1=C5=9Fm=C4=B1yor?= =?utf-8?q?,_1?=\nTo: a\n\
                 Content-Type: multipart/alternative;  boundary=ab\n\n--ab\nContent-Transfer-Encoding: quoted-printable\n\
                 Content-Type: text/plain; charset=UTF-8\n\na =3D b=\nc\n\n--ab\nContent-Type: text/html\n\n<p>\n--ab--\n";
    let mail = read(vec!["x@y".to_owned()], whole.to_owned());
    assert_eq!((mail.subject.as_str(), mail.text.trim_end()), ("Sepet çalışmıyor, 1", "a = bc"));
}
