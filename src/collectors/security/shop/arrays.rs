//! Settings that a PHP file returns as an array (Magento's `env.php`) or puts into `$_` (OpenCart's `system/config/`).

use std::collections::BTreeMap;
use std::path::Path;

use super::constants::{Constants, WORDS};
use super::php::Token;
use super::{Cause, Known, Unknown};

/// How deep arrays are nested at most.
const DEPTH: usize = 16;

/// The longest path of a setting.
const PATH_BYTES: usize = 256;

/// Settings by their path: `db/connection/default/host`. Those that only running the file tells are `None`.
#[derive(Default)]
pub(super) struct Settings {
    values: BTreeMap<String, Option<String>>,
}

impl Settings {
    /// The array that a file returns.
    pub(super) fn returned(tokens: &[Token]) -> Known<Self> {
        let begin = tokens.iter().position(|token| token.is_word("return")).unwrap_or(tokens.len());
        // What is worked out before is not looked at, so there must be nothing.
        let is_plain = tokens[..begin].iter().all(|token| !matches!(token, Token::Variable(_) | Token::Opaque));
        let mut reader = Reader { left: tokens.get(begin + 1..).unwrap_or(&[]), settings: Self::default() };
        let is_array = is_plain && reader.array("", 0).is_some();
        // `[…] + $more`, `[…] ?: …`
        if !is_array || reader.left.first().is_some_and(|token| !token.is_sign(';')) {
            return Err(Unknown::new(Cause::Unparsable, "only running the shop's configuration tells its settings"));
        }
        Ok(reader.settings)
    }

    /// What a file puts into `$_`, over what is there from other files.
    pub(super) fn assign(&mut self, tokens: &[Token], constants: &Constants, folder: &Path) {
        let mut depth = 0_u32;
        for (at, token) in tokens.iter().enumerate() {
            match token {
                Token::Sign('{') => depth += 1,
                Token::Sign('}') => depth = depth.saturating_sub(1),
                _ => {}
            }
            let [Token::Variable(name), open, Token::Text(key), close, equals, rest @ ..] = &tokens[at..] else {
                continue;
            };
            let is_assignment = name == "_" && open.is_sign('[') && close.is_sign(']') && equals.is_sign('=');
            if !is_assignment || is_secret(key) || rest.first().is_some_and(|token| token.is_sign('=')) {
                continue;
            }
            let end = rest.iter().take(WORDS).position(|token| token.is_sign(';'));
            let end = end.unwrap_or(if rest.len() > WORDS { 0 } else { rest.len() });
            let begins = at.checked_sub(1).is_none_or(|last| [';', '}'].iter().any(|&sign| tokens[last].is_sign(sign)));
            let value = constants.worth(&rest[..end], folder).filter(|_| depth == 0 && begins);
            self.values.insert(key.clone(), value);
        }
    }

    /// All that is known of settings.
    #[cfg(any(test, fuzzing))]
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.values.values().filter_map(Option::as_deref)
    }

    /// A setting; `None` where it is certain that there is none.
    pub(super) fn text(&self, path: &str) -> Known<Option<&str>> {
        match self.values.get(path) {
            None => Ok(None),
            Some(Some(text)) => Ok(Some(text)),
            Some(None) => {
                Err(Unknown::new(Cause::Unparsable, format!("only running the shop's configuration tells {path}")))
            }
        }
    }
}

/// Whether a setting is nobody's business.
fn is_secret(key: &str) -> bool {
    ["pass", "secret", "key", "salt", "token", "crypt"].iter().any(|word| key.to_ascii_lowercase().contains(word))
}

struct Reader<'a> {
    left: &'a [Token],
    settings: Settings,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<&Token> {
        let (first, rest) = self.left.split_first()?;
        self.left = rest;
        Some(first)
    }

    fn is_next(&self, sign: char) -> bool {
        self.left.first().is_some_and(|token| token.is_sign(sign))
    }

    /// `[…]` or `array(…)`, whose settings are below `path`.
    fn array(&mut self, path: &str, depth: usize) -> Option<()> {
        let close = if self.is_next('[') {
            self.next();
            ']'
        } else {
            let is_array = self.left.first()?.is_word("array") && self.left.get(1)?.is_sign('(');
            is_array.then_some(())?;
            self.left = &self.left[2..];
            ')'
        };
        if depth > DEPTH {
            return None;
        }
        let mut number = 0;
        while !self.is_next(close) {
            let key = match self.left {
                [Token::Text(key) | Token::Number(key), equals, arrow, ..]
                    if equals.is_sign('=') && arrow.is_sign('>') =>
                {
                    let key = key.clone();
                    self.left = &self.left[3..];
                    key
                }
                _ => {
                    number += 1;
                    format!("{}", number - 1)
                }
            };
            let below = if path.is_empty() { key.clone() } else { format!("{path}/{key}") };
            if below.len() > PATH_BYTES {
                return None;
            }
            let is_array = self.is_next('[') || self.left.first()?.is_word("array");
            if is_array {
                self.array(&below, depth + 1)?;
            } else {
                let words = self.value(close)?;
                if !is_secret(&key) {
                    self.settings.values.insert(below, worth(words));
                }
            }
            if !self.is_next(close) {
                self.next().filter(|token| token.is_sign(','))?;
            }
        }
        self.next();
        Some(())
    }

    /// What is before the next comma.
    fn value(&mut self, close: char) -> Option<&'a [Token]> {
        let mut open = 0_u32;
        let end = self.left.iter().position(|token| {
            if open == 0 && (token.is_sign(',') || token.is_sign(close)) {
                return true;
            }
            open = match token {
                Token::Sign('(' | '[' | '{') => open + 1,
                Token::Sign(')' | ']' | '}') => open.saturating_sub(1),
                _ => open,
            };
            false
        })?;
        let (value, left) = self.left.split_at(end);
        self.left = left;
        Some(value)
    }
}

/// What a value comes to; known when it is one word.
fn worth(value: &[Token]) -> Option<String> {
    match value {
        [Token::Text(text) | Token::Number(text)] => Some(text.clone()),
        [token] if token.is_word("null") || token.is_word("false") => Some(String::new()),
        [token] if token.is_word("true") => Some("1".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::php::tokens;
    use super::*;

    fn returned(php: &str) -> Known<Settings> {
        Settings::returned(&tokens(&format!("<?php\n{php}")))
    }

    #[test]
    fn a_returned_array_is_read_and_its_secrets_are_not() {
        let settings = returned(
            "return array('backend' => ['frontName' => 'office'], 'crypt' => ['key' => 'canary'], 'db' => [
               'table_prefix' => '', 'connection' => ['default' => ['host' => 'localhost', 'password' => 'canary',
               'port' => 3307, 'active' => '1', 'options' => f(1, [2])]]], 'list' => ['a', 'b',],);",
        )
        .unwrap();
        let text = |path| settings.text(path).map(|text| text.map(str::to_owned));
        assert_eq!(text("backend/frontName"), Ok(Some("office".to_owned())));
        assert_eq!(text("db/connection/default/port"), Ok(Some("3307".to_owned())));
        assert_eq!(text("list/1"), Ok(Some("b".to_owned())));
        assert_eq!(text("session/save"), Ok(None));
        assert_eq!(text("db/connection/default/options").unwrap_err().cause, Cause::Unparsable);
        assert!(!settings.values.values().flatten().any(|text| text.contains("canary")));
    }

    #[test]
    fn an_array_that_is_not_alone_is_unclear() {
        for php in ["return $a;", "return ['a' => 1] + $b;", "$b = 1; return ['a' => $b];", "", "return ['a' => 'b'"] {
            assert!(returned(php).is_err(), "{php}");
        }
    }

    #[test]
    fn the_last_assignment_is_the_setting() {
        let mut settings = Settings::default();
        let (constants, folder) = (Constants::default(), Path::new("/"));
        let mut assign = |php: &str| settings.assign(&tokens(&format!("<?php {php}")), &constants, folder);
        assign("$_['cache_engine'] = 'file'; // $_['cache_engine'] = 'redis';\n$_['db_password'] = 'canary';");
        assign("$_['session_engine'] = 'redis'; if ($x) { $_['template'] = 'a'; } if ($_['site'] == 'a') f();");
        assert_eq!(settings.text("cache_engine"), Ok(Some("file")));
        assert_eq!(settings.text("session_engine"), Ok(Some("redis")));
        assert_eq!((settings.text("db_password"), settings.text("site")), (Ok(None), Ok(None)));
        assert!(settings.text("template").is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(php in r"((return|array|'a'|\$_|=>|=|[(){}\[\];,]|\PC) ?){0,40}") {
            let _settings = returned(&php);
            Settings::default().assign(&tokens(&php), &Constants::default(), Path::new("/"));
        }
    }
}
