//! A line of an error log: FPM's, PHP's own (`error_log`), or nginx' where PHP has none and writes to the web server.
//!
//! All lines of one file need not be of one writer: FPM's log has what its workers write, too. Who wrote a line shows at
//! its beginning: FPM's time has no zone, PHP's has one, and nginx' has slashes. A line without a time goes on with the
//! entry before it and is none by itself, unless it says so.

#[cfg(test)]
mod tests;

use memchr::memmem;

use super::entry::{Entry, Kind, Level};
use super::kind;

/// What FPM writes before each message of PHP's, in its own log and to the web server.
const MESSAGE: &[u8] = b"PHP message: ";

/// The longest name of a time zone that is taken for one: `America/Argentina/ComodRivadavia` has 32 bytes.
const ZONE: usize = 40;

/// Gives the entries that begin in this line.
pub(super) fn entries(line: &[u8], mut each: impl FnMut(Entry)) {
    match time(line) {
        Some(Time { zoned: true, rest }) => each_of_php(rest, &mut each),
        Some(Time { zoned: false, rest }) => each_of_fpm(rest, &mut each),
        None => match nginx(line) {
            Some(text) => each_of_nginx(text, &mut each),
            None => each_of_the_rest(line, &mut each),
        },
    }
}

/// `[23-Nov-2026 02:53:34] `, `[23-Nov-2026 02:53:34.123456] `, `[23-Nov-2026 02:53:34 Europe/Istanbul] `.
struct Time<'a> {
    zoned: bool,
    rest: &'a [u8],
}

fn time(line: &[u8]) -> Option<Time<'_>> {
    let rest = has_shape(line, b"[00-Aaa-0000 00:00:00")?;
    let digits = rest.strip_prefix(b".").map(|rest| &rest[digits(rest)..]);
    if let Some(rest) = digits.unwrap_or(rest).strip_prefix(b"] ") {
        return Some(Time { zoned: false, rest });
    }
    let zone = rest.strip_prefix(b" ")?;
    let end = zone.iter().take(ZONE).position(|byte| *byte == b']')?;
    let rest = zone[end + 1..].strip_prefix(b" ")?;
    Some(Time { zoned: true, rest })
}

/// What nginx was sent in this line: `2026/11/23 02:53:34 [error] 7#7: *1 FastCGI sent in stderr: "…" while …`.
///
/// A URL may hold the same words, but further on.
fn nginx(line: &[u8]) -> Option<&[u8]> {
    let rest = has_shape(line, b"0000/00/00 00:00:00 [")?;
    let rest = &rest[memchr::memchr(b']', &rest[..rest.len().min(10)])?..].strip_prefix(b"] ")?;
    let rest = rest[digits(rest)..].strip_prefix(b"#")?;
    let rest = rest[digits(rest)..].strip_prefix(b": *")?;
    rest[digits(rest)..].strip_prefix(b" FastCGI sent in stderr: \"")
}

/// What is behind a beginning of this shape: `0` is a digit, `A` a capital and `a` a small letter.
fn has_shape<'a>(line: &'a [u8], shape: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = line.split_at_checked(shape.len())?;
    let fits = head.iter().zip(shape).all(|(byte, shape)| match shape {
        b'0' => byte.is_ascii_digit(),
        b'A' => byte.is_ascii_uppercase(),
        b'a' => byte.is_ascii_lowercase(),
        _ => byte == shape,
    });
    fits.then_some(rest)
}

/// How many digits there are at the beginning.
fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// `WARNING: [pool www] child 7 exited on …`; at `log_level = debug` with `pid 1, fpm_children_bury(), line 291: `.
fn each_of_fpm(text: &[u8], each: &mut impl FnMut(Entry)) {
    // What FPM's log has a time for is FPM's or a worker's, and of a worker's PHP says that it is PHP's.
    let Some((level, text)) = level(text) else { return each_of_php(text, each) };
    let text = pooled(text);
    match said(text) {
        Some(words) => each_of_a_worker(words, each),
        None => each(Entry::fpm(level, kind::of_fpm(text))),
    }
}

/// FPM's level, and what is behind it and behind the place in FPM's source that it has while debugging.
fn level(text: &[u8]) -> Option<(Level, &[u8])> {
    let colon = memchr::memchr(b':', &text[..text.len().min(8)])?;
    let level = match &text[..colon] {
        b"ALERT" => Level::Alert,
        b"ERROR" => Level::Error,
        b"WARNING" => Level::Warning,
        b"NOTICE" => Level::Notice,
        b"DEBUG" => Level::Debug,
        _ => return None,
    };
    let rest = text[colon..].strip_prefix(b": ")?;
    let rest = placed(rest).unwrap_or(rest);
    // FPM leaves one behind a message that was too long for a line.
    Some((level, rest.strip_prefix(b"\0").unwrap_or(rest)))
}

/// What is behind `pid 7, function(), line 12: ` or, of a worker, behind `function(), line 12: `.
fn placed(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"pid ").and_then(|rest| rest[digits(rest)..].strip_prefix(b", ")).unwrap_or(text);
    let name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_()".contains(byte);
    let rest = rest[rest.iter().take_while(|byte| name(byte)).count()..].strip_prefix(b", line ")?;
    rest[digits(rest)..].strip_prefix(b": ")
}

/// What is behind `[pool www] `.
fn pooled(text: &[u8]) -> &[u8] {
    let named = text.strip_prefix(b"[pool ").and_then(|rest| Some(&rest[memchr::memchr(b']', rest)?..]));
    named.and_then(|rest| rest.strip_prefix(b"] ")).unwrap_or(text)
}

/// The words of `child 7 said into stderr: "…"`.
fn said(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"child ")?;
    let rest = rest[digits(rest)..].strip_prefix(b" said into std")?;
    let rest = rest.strip_prefix(b"err").or_else(|| rest.strip_prefix(b"out"))?;
    rest.strip_prefix(b": \"")
}

/// A line that a worker wrote: PHP's, with the level of the worker's FPM before it or with a time; FPM's, in a worker;
/// OPcache's; or anybody's.
fn each_of_a_worker(words: &[u8], each: &mut impl FnMut(Entry)) {
    if let Some((level, text)) = level(words) {
        match text.strip_prefix(MESSAGE) {
            Some(message) => each_of_php(message, each),
            None => each(Entry::fpm(level, kind::of_fpm(text))),
        }
    } else if let Some(Time { rest, .. }) = time(words) {
        each_of_php(rest, each);
    } else if let Some(level) = opcache(words) {
        each(Entry::php(level, Kind::Opcache));
    } else if let Some(entry) = php(words) {
        if entry.level != Level::Message {
            each(entry);
        } else if !is_trace(words) {
            each(Entry::fpm(Level::Warning, Kind::Output));
        }
    }
}

/// What a worker sent the web server, which joins it by `; `, at most 2,048 bytes of it.
fn each_of_nginx(text: &[u8], each: &mut impl FnMut(Entry)) {
    let text = sent(text);
    match text.strip_prefix(MESSAGE) {
        Some(messages) => {
            for message in joined(messages) {
                each_of_php(message, each);
            }
        }
        // FPM takes them for no more, and nginx does not tell its levels apart.
        None => each(Entry::fpm(Level::Notice, kind::of_fpm(text))),
    }
}

/// A line without a time: the rest of what nginx was sent, what a worker wrote undecorated, or OPcache's. All else goes
/// on with an entry before it.
fn each_of_the_rest(line: &[u8], each: &mut impl FnMut(Entry)) {
    if let Some(message) = level(line).and_then(|(_, text)| text.strip_prefix(MESSAGE)) {
        each_of_php(message, each);
    } else if let Some(level) = opcache(line) {
        each(Entry::php(level, Kind::Opcache));
    } else {
        for message in joined(sent(line)).skip(1) {
            each_of_php(message, each);
        }
    }
}

/// What was sent to nginx, without what nginx says of the request, which anybody can write.
fn sent(text: &[u8]) -> &[u8] {
    &text[..memmem::find(text, b"\" while ").unwrap_or(text.len())]
}

/// The messages that nginx has joined.
fn joined(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    const SEPARATOR: &[u8] = b"; PHP message: ";
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = memmem::find(text, SEPARATOR);
        rest = end.map(|end| &text[end + SEPARATOR.len()..]);
        Some(&text[..end.unwrap_or(text.len())])
    })
}

fn each_of_php(text: &[u8], each: &mut impl FnMut(Entry)) {
    if let Some(entry) = php(text) {
        each(entry);
    }
}

/// `PHP Warning:  …`, or what a script has written; `None` for a stack trace of Xdebug's.
fn php(text: &[u8]) -> Option<Entry> {
    let Some(rest) = text.strip_prefix(b"PHP ") else { return Some(message(text)) };
    if rest.starts_with(b"  ") || rest.starts_with(b"Stack trace:") {
        return None;
    }
    let Some(colon) = memmem::find(&rest[..rest.len().min(32)], b":  ") else { return Some(message(text)) };
    let level = match &rest[..colon] {
        b"Fatal error" | b"Recoverable fatal error" | b"Catchable fatal error" => Level::Fatal,
        b"Parse error" => Level::Parse,
        b"Warning" => Level::Warning,
        b"Notice" | b"Strict Standards" => Level::Notice,
        b"Deprecated" => Level::Deprecated,
        b"Unknown error" => Level::Error,
        _ => return Some(message(text)),
    };
    Some(Entry::php(level, kind::of_php(level, &rest[colon + 3..])))
}

fn message(text: &[u8]) -> Entry {
    Entry::php(Level::Message, kind::of_php(Level::Message, text))
}

/// The level of a line of OPcache's own: `Mon Nov 23 03:12:44 2026 (7): Warning …`.
fn opcache(line: &[u8]) -> Option<Level> {
    // The day has two digits, or a space and one (`asctime`).
    let rest =
        has_shape(line, b"Aaa Aaa 00 00:00:00 0000 (").or_else(|| has_shape(line, b"Aaa Aaa  0 00:00:00 0000 ("))?;
    let rest = rest[digits(rest)..].strip_prefix(b"): ")?;
    let levels: [(&[u8], Level); 5] = [
        (b"Fatal Error ", Level::Fatal),
        (b"Error ", Level::Error),
        (b"Warning ", Level::Warning),
        (b"Message ", Level::Notice),
        (b"Debug ", Level::Debug),
    ];
    levels.into_iter().find(|(word, _)| rest.starts_with(word)).map(|(_, level)| level)
}

/// Whether a line a worker wrote is one of those that follow an exception's first.
fn is_trace(words: &[u8]) -> bool {
    let numbered = words.strip_prefix(b"#").is_some_and(|rest| digits(rest) > 0);
    numbered || words.starts_with(b"Stack trace:") || words.starts_with(b"  thrown in ")
}
