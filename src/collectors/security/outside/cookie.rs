//! A cookie as it is set: its name and its flags. Its value is never kept.

use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::tls::certificate::excerpt;

/// The most of a name that is kept.
const NAME_CHARS: usize = 64;

/// A cookie, without its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cookie {
    /// Its name.
    pub(crate) name: String,
    /// Whether it is sent by HTTPS alone.
    pub(crate) is_secure: bool,
    /// Whether scripts cannot read it.
    pub(crate) is_http_only: bool,
    /// Whether other sites' requests bring it along.
    pub(crate) same_site: SameSite,
    /// Whether it is taken back rather than set.
    pub(crate) is_removal: bool,
}

/// `SameSite`, as it is written: that some browsers take a cookie without it for `Lax` is theirs, not the shop's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SameSite {
    /// None is written, or none that exists.
    #[default]
    Absent,
    /// Every request does.
    None,
    /// Only those that lead a visitor there.
    Lax,
    /// None does.
    Strict,
}

impl Cookie {
    /// What `Set-Cookie` says (RFC 6265bis, section 5.6); `None` when browsers ignore it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (name, value) = parts.next()?.split_once('=')?;
        let mut cookie = Self {
            name: excerpt(name.trim(), NAME_CHARS),
            is_secure: false,
            is_http_only: false,
            same_site: SameSite::Absent,
            is_removal: false,
        };
        if cookie.name.is_empty() && value.trim().is_empty() {
            return None;
        }
        let (mut until, mut age) = (None, None);
        for part in parts {
            let (attribute, value) =
                part.split_once('=').map_or((part, ""), |(name, value)| (name.trim(), value.trim()));
            // Of two that are alike the last one counts.
            match attribute.to_ascii_lowercase().as_str() {
                "secure" => cookie.is_secure = true,
                "httponly" => cookie.is_http_only = true,
                "samesite" => cookie.same_site = SameSite::parse(value),
                "max-age" => age = value.parse::<i64>().ok().or(age),
                "expires" => until = httpdate::parse_http_date(value).ok().or(until),
                _ => {}
            }
        }
        // A day of 1970 is how those are taken back that have no age; a clock that is wrong does not matter then.
        let is_long_over =
            until.is_some_and(|until| until.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()) < 86_400);
        cookie.is_removal = age.map_or(is_long_over, |age| age <= 0);
        Some(cookie)
    }

    /// Whether it is a session's, by its name: `OCSESSID`, `PHPSESSID`, `wp_woocommerce_session_…`, `laravel_session`.
    pub(crate) fn is_session(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        !self.is_removal && ["sess", "login"].iter().any(|word| name.contains(word))
    }

    /// What protects it, as it is written: `Secure, SameSite=Lax`.
    pub(crate) fn flags(&self) -> String {
        let site = match self.same_site {
            SameSite::Absent => None,
            SameSite::None => Some("SameSite=None"),
            SameSite::Lax => Some("SameSite=Lax"),
            SameSite::Strict => Some("SameSite=Strict"),
        };
        let flags = [self.is_secure.then_some("Secure"), self.is_http_only.then_some("HttpOnly"), site];
        let flags: Vec<_> = flags.into_iter().flatten().collect();
        if flags.is_empty() { "nothing".to_owned() } else { flags.join(", ") }
    }
}

impl SameSite {
    fn parse(value: &str) -> Self {
        match value.to_ascii_lowercase().as_str() {
            "none" => Self::None,
            "lax" => Self::Lax,
            "strict" => Self::Strict,
            _ => Self::Absent,
        }
    }

    /// Whether it keeps other sites' requests from being a visitor's.
    pub(crate) fn protects(self) -> bool {
        matches!(self, Self::Lax | Self::Strict)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Cookie {
        Cookie::parse(text).unwrap()
    }

    #[test]
    fn opencart_3_sets_a_session_that_nothing_protects() {
        let cookie = parsed("OCSESSID=1f0a; path=/");
        assert_eq!((cookie.name.as_str(), cookie.flags().as_str()), ("OCSESSID", "nothing"));
        assert!(cookie.is_session());
    }

    #[test]
    fn flags_are_read_however_they_are_written() {
        for (text, flags) in [
            ("a_sess=1; Secure; HttpOnly; SameSite=Lax", "Secure, HttpOnly, SameSite=Lax"),
            ("a_sess=1;secure;HTTPONLY;samesite=STRICT", "Secure, HttpOnly, SameSite=Strict"),
            ("a_sess=1 ; Secure=yes; SameSite = lax", "Secure, SameSite=Lax"),
            ("a_sess=1; SameSite=None; Secure", "Secure, SameSite=None"),
            ("a_sess=1; SameSite=Lax; SameSite=None", "SameSite=None"),
            ("a_sess=1; SameSite=banana; HttpOnly", "HttpOnly"),
            ("a_sess=Secure", "nothing"),
            ("a_sess=1; path=/; Secure;;;", "Secure"),
            // What a flag is part of is none.
            ("a_sess=1; NotSecure; HttpOnlyish", "nothing"),
        ] {
            assert_eq!(parsed(text).flags(), flags, "{text}");
        }
    }

    #[test]
    fn what_is_taken_back_is_no_session() {
        for text in [
            "OCSESSID=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0; path=/",
            "OCSESSID=; Max-Age=-1",
            "OCSESSID=deleted; expires=Thu, 01 Jan 1970 00:00:01 GMT",
        ] {
            assert!(!parsed(text).is_session(), "{text}");
        }
        assert!(parsed("OCSESSID=1; expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=60").is_session());
        assert!(!parsed("currency=EUR").is_session());
        assert!(parsed("__Host-login=1").is_session());
    }

    #[test]
    fn a_value_is_kept_nowhere() {
        let cookie = parsed("OCSESSID=tr0ub4dor; path=/tr0ub4dor; Secure");
        assert!(!format!("{cookie:?}").contains("tr0ub4dor"));
        assert_eq!(Cookie::parse("no cookie"), None);
        assert_eq!(Cookie::parse(" = ; Secure"), None);
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in "(?s).{0,200}") {
            if let Some(cookie) = Cookie::parse(&text) {
                // Each character that is kept may be shown as `\u{10ffff}`.
                prop_assert!(cookie.name.chars().count() <= 10 * NAME_CHARS + 1);
            }
        }

        #[test]
        fn flags_hold_in_any_order_and_case(
            flags in Just(["Secure", "httponly", "SAMESITE=lax", "Path=/", "x"]).prop_shuffle(), value in "[a-z0-9]{0,9}"
        ) {
            let cookie = parsed(&format!("sess={value}; {}", flags.join("; ")));
            prop_assert_eq!(cookie.flags(), "Secure, HttpOnly, SameSite=Lax");
        }
    }
}
