//! A request's path, as nginx reads it before it looks at any location.

/// The path and the arguments of a request line's target; `None` for one that nginx answers with 400.
///
/// Percents are decoded once, `.` and `..` are resolved, and slashes that follow one another are one (`merge_slashes`).
pub(super) fn normal(target: &str, merges_slashes: bool) -> Option<(String, String)> {
    let target = target.split('#').next().unwrap_or_default();
    let (path, arguments) = target.split_once('?').unwrap_or((target, ""));
    if !path.starts_with('/') {
        return None;
    }
    let decoded = decoded(path)?;
    let mut parts: Vec<&str> = Vec::new();
    let mut is_folder = false;
    for part in decoded[1..].split('/') {
        is_folder = matches!(part, "" | "." | "..");
        match part {
            "." => {}
            "" if merges_slashes => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    // Without merging, the last of several slashes is a part of its own and is there already.
    let end = if is_folder && !parts.is_empty() && parts.last() != Some(&"") { "/" } else { "" };
    Some((format!("/{}{end}", parts.join("/")), arguments.to_owned()))
}

/// A text with its percents decoded.
pub(super) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let byte = u8::try_from(digit()? * 16 + digit()?).ok().filter(|byte| *byte != 0)?;
        bytes.push(byte);
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The value of an argument, as it was sent (`ngx_http_arg`).
pub(super) fn argument<'a>(arguments: &'a str, name: &str) -> &'a str {
    let found =
        arguments.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map_or("", |(_, value)| value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_read_as_nginx_does() {
        for (target, expected) in [
            ("/", Some("/")),
            ("/a//b/", Some("/a/b/")),
            ("/a/./b", Some("/a/b")),
            ("/a/b/..", Some("/a/")),
            ("/a/../b", Some("/b")),
            ("/..", None),
            ("/%2e%2e/", None),
            ("/a%2Fb%20c", Some("/a/b c")),
            ("/%252e", Some("/%2e")),
            ("/%00", None),
            ("/%zz", None),
            ("a", None),
            ("//", Some("/")),
        ] {
            assert_eq!(normal(target, true).map(|(path, _)| path).as_deref(), expected, "{target}");
        }
        assert_eq!(normal("/a?b=//..", true), Some(("/a".to_owned(), "b=//..".to_owned())));
        assert_eq!(normal("/a//b", false).unwrap().0, "/a//b");
        assert_eq!(argument("a=1&Route=x/y&route=z", "route"), "x/y");
    }

    proptest! {
        #[test]
        fn no_target_panics(target in "[/.a%2e?#]{0,30}", any: String, merges: bool) {
            for target in [target, any] {
                if let Some((path, _)) = normal(&target, merges) {
                    prop_assert!(path.starts_with('/'));
                }
            }
        }
    }
}
