//! What a PHP file defines: `define('DIR_STORAGE', DIR_SYSTEM . 'storage/')`, worked out from strings and other constants.
//!
//! Only what certainly comes to pass counts. A definition that depends on a condition, on a variable or on another file is
//! known to be unclear, which is not the same as not being there. Passwords and keys are not even worked out.

use std::collections::BTreeMap;
use std::path::Path;

use super::php::Token;
use super::{Cause, Known, Unknown};

/// How deep expressions are nested at most.
const DEPTH: usize = 16;

/// The most words of an expression, and the longest text (`PATH_MAX`), that are worked out: whoever may write a
/// configuration can double a text in every line of it.
pub(super) const WORDS: usize = 1_000;
const TEXT_BYTES: usize = 4 << 10;

/// What names of constants that hold secrets have in them.
const SECRETS: [&str; 6] = ["PASS", "SECRET", "SALT", "TOKEN", "CRYPT", "KEY"];

/// A constant.
#[derive(Clone, PartialEq, Eq)]
enum Value {
    Text(String),
    /// It is defined, or may be, and only running the file tells what as.
    Unclear,
}

/// What files define, the first definition of each name: PHP ignores all further ones.
#[derive(Clone, Default)]
pub(super) struct Constants {
    values: BTreeMap<String, Value>,
    /// Whether something was run that may have defined others.
    is_open: bool,
}

/// Whether the words in braces are run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    Runs,
    Unsure,
    Skipped,
}

impl Constants {
    /// What a file in this folder defines.
    pub(super) fn of(tokens: &[Token], folder: &Path) -> Self {
        let mut constants = Self::default();
        // `if (…): … endif;` has no braces by which it could be told what depends on what.
        let is_unclear = tokens.iter().any(|token| ENDS.iter().any(|end| token.is_word(end)));
        constants.read(tokens, folder, is_unclear);
        constants
    }

    fn read(&mut self, tokens: &[Token], folder: &Path, is_unclear: bool) {
        let outer = if is_unclear { Block::Unsure } else { Block::Runs };
        // Each with all that are around it.
        let mut blocks = Vec::new();
        let mut at = 0;
        let mut guard = None;
        while at < tokens.len() {
            let here = blocks.last().copied().unwrap_or(outer);
            let token = &tokens[at];
            let begins = at.checked_sub(1).is_none_or(|last| [';', '{', '}'].iter().any(|&c| tokens[last].is_sign(c)));
            if token.is_sign('{') {
                blocks.push(narrower(here, guard.take().unwrap_or(Block::Unsure)));
            } else if token.is_sign('}') {
                blocks.pop();
            } else if let Some((name, length)) = guarded(&tokens[at..]).filter(|_| begins) {
                // `if (!defined('A')) {`, `defined('A') or define('A', …)`: the usual ways to let another file go first.
                let block = match self.values.get(name) {
                    None if !self.is_open => Block::Runs,
                    Some(Value::Text(_)) => Block::Skipped,
                    _ => Block::Unsure,
                };
                at += length;
                guard = Some(block);
                continue;
            } else if let Some((name, value)) = definition(&tokens[at..]) {
                let block = guard.take().or_else(|| begins.then_some(Block::Runs)).unwrap_or(Block::Unsure);
                self.define(name, value, narrower(here, block), folder);
            } else if ["require", "require_once", "include", "include_once", "eval"]
                .iter()
                .any(|word| token.is_word(word))
            {
                self.is_open |= here != Block::Skipped && !is_of_the_shop(&tokens[at..]);
            } else if begins && here == Block::Runs && ["exit", "die", "return"].iter().any(|word| token.is_word(word))
            {
                return;
            }
            if !token.is_sign('{') && !token.is_sign('}') {
                guard = None;
            }
            at += 1;
        }
    }

    fn define(&mut self, name: &str, expression: &[Token], block: Block, folder: &Path) {
        if block == Block::Skipped || self.values.contains_key(name) || SECRETS.iter().any(|word| name.contains(word)) {
            return;
        }
        let value = match block {
            Block::Runs if !self.is_open => self.worth(expression, folder).map_or(Value::Unclear, Value::Text),
            _ => Value::Unclear,
        };
        self.values.insert(name.to_owned(), value);
    }

    /// What an expression of strings, constants and dots comes to.
    pub(super) fn worth(&self, expression: &[Token], folder: &Path) -> Option<String> {
        let mut expression = Expression { left: expression, constants: self, folder };
        let text = expression.joined(0)?;
        (expression.left.is_empty() || expression.left[0].is_sign(',')).then_some(text)
    }

    /// All that is known of constants.
    #[cfg(any(test, fuzzing))]
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.values.values().filter_map(|value| if let Value::Text(text) = value { Some(text.as_str()) } else { None })
    }

    /// The constant with this name; `None` where it is certain that there is none.
    pub(super) fn text(&self, name: &str) -> Known<Option<&str>> {
        let unclear = || Unknown::new(Cause::Unparsable, format!("only running the shop's configuration tells {name}"));
        match self.values.get(name) {
            Some(Value::Text(text)) => Ok(Some(text)),
            None if !self.is_open => Ok(None),
            _ => Err(unclear()),
        }
    }
}

/// Whether what is included is the shop itself, which defines nothing of what is asked for: the last line of WordPress'
/// configuration.
fn is_of_the_shop(tokens: &[Token]) -> bool {
    let end = tokens.iter().take(WORDS).position(|token| token.is_sign(';'));
    let last = end.and_then(|end| tokens.get(end.checked_sub(1)?));
    last.is_some_and(|token| matches!(token, Token::Text(file) if file.ends_with("wp-settings.php")))
}

const ENDS: [&str; 5] = ["endif", "endwhile", "endfor", "endforeach", "endswitch"];

/// Whether what is in both of these is run.
const fn narrower(one: Block, other: Block) -> Block {
    match (one, other) {
        (Block::Skipped, _) | (_, Block::Skipped) => Block::Skipped,
        (Block::Runs, Block::Runs) => Block::Runs,
        _ => Block::Unsure,
    }
}

/// The constant that must not be defined for what follows to be run, and how many words say so.
fn guarded(tokens: &[Token]) -> Option<(&str, usize)> {
    let is = |at: usize, sign: char| tokens.get(at).is_some_and(|token| token.is_sign(sign));
    let defined = |at: usize| -> Option<&str> {
        let name = match tokens.get(at + 2)? {
            Token::Text(name) if tokens[at].is_word("defined") => name,
            _ => return None,
        };
        (is(at + 1, '(') && is(at + 3, ')')).then_some(name)
    };
    if tokens.first()?.is_word("if") {
        let name = defined(3).filter(|_| is(1, '(') && is(2, '!') && is(7, ')'))?;
        return Some((name, 8));
    }
    let name = defined(0)?;
    let is_or = tokens.get(4).is_some_and(|token| token.is_word("or"));
    if is_or {
        return Some((name, 5));
    }
    (is(4, '|') && is(5, '|')).then_some((name, 6))
}

/// What `define(name, expression)` or `const NAME = expression;` defines.
fn definition(tokens: &[Token]) -> Option<(&str, &[Token])> {
    let (name, rest, ends) = match tokens {
        [define, open, Token::Text(name), comma, rest @ ..]
            if define.is_word("define") && open.is_sign('(') && comma.is_sign(',') =>
        {
            (name, rest, ')')
        }
        [constant, Token::Word(name), equals, rest @ ..] if constant.is_word("const") && equals.is_sign('=') => {
            (name, rest, ';')
        }
        _ => return None,
    };
    let mut open = 0_u32;
    let end = rest.iter().take(WORDS).position(|token| {
        if open == 0 && token.is_sign(ends) {
            return true;
        }
        open = match token {
            Token::Sign('(' | '[') => open + 1,
            Token::Sign(')' | ']') => open.saturating_sub(1),
            _ => open,
        };
        false
    });
    match end {
        Some(end) => Some((name, &rest[..end])),
        // What has no words cannot be worked out.
        None => (rest.len() > WORDS).then_some((name, &[])),
    }
}

struct Expression<'a> {
    left: &'a [Token],
    constants: &'a Constants,
    folder: &'a Path,
}

impl<'a> Expression<'a> {
    fn next(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.left.split_first()?;
        self.left = rest;
        Some(first)
    }

    fn take(&mut self, sign: char) -> Option<()> {
        self.next()?.is_sign(sign).then_some(())
    }

    /// Values with dots between them.
    fn joined(&mut self, depth: usize) -> Option<String> {
        let mut text = self.value(depth)?;
        while text.len() <= TEXT_BYTES && self.left.first().is_some_and(|token| token.is_sign('.')) {
            self.left = &self.left[1..];
            text.push_str(&self.value(depth)?);
        }
        (text.len() <= TEXT_BYTES).then_some(text)
    }

    fn value(&mut self, depth: usize) -> Option<String> {
        if depth > DEPTH {
            return None;
        }
        match self.next()? {
            Token::Text(text) | Token::Number(text) => Some(text.clone()),
            Token::Sign('(') => {
                let text = self.joined(depth + 1)?;
                self.take(')')?;
                Some(text)
            }
            token if token.is_word("__DIR__") => Some(self.folder.to_str()?.to_owned()),
            token if token.is_word("DIRECTORY_SEPARATOR") => Some("/".to_owned()),
            token if token.is_word("dirname") => self.parent(depth),
            Token::Word(name) => match self.constants.values.get(name.trim_start_matches('\\'))? {
                Value::Text(text) => Some(text.clone()),
                Value::Unclear => None,
            },
            _ => None,
        }
    }

    /// `dirname(path)`, `dirname(path, levels)`.
    fn parent(&mut self, depth: usize) -> Option<String> {
        self.take('(')?;
        let path = if self.left.first()?.is_word("__FILE__") {
            self.left = &self.left[1..];
            format!("{}/x", self.folder.to_str()?)
        } else {
            self.joined(depth + 1)?
        };
        let levels: usize = if self.left.first()?.is_sign(',') {
            self.left = &self.left[1..];
            match self.next()? {
                Token::Number(levels) => levels.parse().ok()?,
                _ => return None,
            }
        } else {
            1
        };
        self.take(')')?;
        // Of a path that is not absolute, it is a matter of where PHP was started.
        let parent =
            path.starts_with('/').then(|| Path::new(&path).ancestors().take(levels.saturating_add(1)).last())??;
        Some(parent.to_str()?.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::php::tokens;
    use super::*;

    /// What becomes of a constant.
    fn shown(known: &Known<Option<&str>>) -> String {
        match known {
            Ok(Some(text)) => format!("`{text}`"),
            Ok(None) => "none".to_owned(),
            Err(unknown) => unknown.cause.as_str().to_owned(),
        }
    }

    fn of(php: &str) -> Constants {
        Constants::of(&tokens(&format!("<?php\n{php}")), Path::new("/srv/shop"))
    }

    #[test]
    fn definitions_are_worked_out_from_strings_and_constants() {
        for (php, expected) in [
            ("define('A', '/srv/'); define('X', A . 'storage/');", "`/srv/storage/`"),
            ("define('X', 'a');define('X', 'b');", "`a`"),
            ("define(\"X\", ('a' . \"b\") . 3306, true);", "`ab3306`"),
            ("define('X', __DIR__ . DIRECTORY_SEPARATOR . 'system/');", "`/srv/shop/system/`"),
            ("define('X', dirname(__DIR__) . '/storage/');", "`/srv/storage/`"),
            ("define('X', dirname(__FILE__, 2) . '/storage/');", "`/srv/storage/`"),
            ("const X = '/a' . '/b';", "`/a/b`"),
            ("// define('X', 'a');", "none"),
            ("$y = \"define('X', 'a')\";", "none"),
            ("define('X', $_SERVER['DOCUMENT_ROOT'] . '/storage/');", "unparsable"),
            ("define('X', getenv('STORAGE'));", "unparsable"),
            ("define('X', OTHER . 'a');", "unparsable"),
            ("define('X', 'a' . \"$b\");", "unparsable"),
            ("define('X', 'a' 'b');", "unparsable"),
            ("define('X', dirname('a/b'));", "unparsable"),
        ] {
            assert_eq!(shown(&of(php).text("X")), expected, "{php}");
        }
    }

    #[test]
    fn what_depends_on_something_is_unclear() {
        for (php, expected) in [
            ("if ($live) { define('X', 'a'); } else { define('X', 'b'); }", "unparsable"),
            ("if ($live) define('X', 'a'); define('X', 'b');", "unparsable"),
            ("if ($live): define('X', 'a'); endif;", "unparsable"),
            ("function f() { define('X', 'a'); }", "unparsable"),
            ("if (!defined('X')) { define('X', 'a'); }", "`a`"),
            ("if (!defined('X')) define('X', 'a');", "`a`"),
            ("if (!defined('X')) { define('X', 'a'); } else { define('Y', 'b'); }", "`a`"),
            ("define('X', 'a'); if (!defined('X')) { define('X', 'b'); }", "`a`"),
            ("defined('X') or define('X', 'a');", "`a`"),
            ("defined('X') || define('X', 'a');", "`a`"),
            ("if ($y) { if (!defined('X')) { define('X', 'a'); } }", "unparsable"),
            ("require 'local.php'; define('X', 'a');", "unparsable"),
            ("require 'local.php';", "unparsable"),
            ("define('X', 'a'); require 'rest.php';", "`a`"),
            ("require_once ABSPATH . 'wp-settings.php';", "none"),
            ("return; define('X', 'a');", "none"),
            ("defined('Y') || exit; define('X', 'a');", "`a`"),
            ("} define('X', 'a');", "`a`"),
        ] {
            assert_eq!(shown(&of(php).text("X")), expected, "{php}");
        }
    }

    #[test]
    fn passwords_are_not_worked_out() {
        let constants = of("define('DB_PASSWORD', 'canary'); define('AUTH_KEY', 'canary'); define('X', DB_PASSWORD);");
        assert!(!constants.values.values().any(|value| matches!(value, Value::Text(text) if text.contains("canary"))));
        assert_eq!(shown(&constants.text("X")), "unparsable");
    }

    #[test]
    fn a_text_that_doubles_in_every_line_is_not_worked_out() {
        let doubled = |lines: usize| {
            let lines = (1..=lines).map(|n| format!("const A{n} = A{} . A{};\n", n - 1, n - 1));
            of(&format!("const A0 = 'x';\n{}", lines.collect::<String>()))
        };
        assert_eq!(doubled(12).text("A12").unwrap().unwrap().len(), 4096);
        let doubled = doubled(60);
        assert_eq!(["A12", "A13", "A60"].map(|name| doubled.text(name).is_ok()), [true, false, false]);
    }

    #[test]
    fn no_folder_is_above_the_root() {
        let constants =
            of("const A = dirname('/a/b', 18446744073709551615); const B = dirname('/a/b', 18446744073709551616);");
        assert_eq!(["A", "B"].map(|name| shown(&constants.text(name))), ["`/`", "unparsable"]);
    }

    #[test]
    fn an_expression_of_too_many_words_is_unclear_and_not_absent() {
        let long = format!("define('A', '' {});\nconst B = 'b';", ". 'a'".repeat(WORDS));
        assert_eq!(shown(&of(&long).text("A")), "unparsable");
        assert_eq!(shown(&of(&long).text("B")), "`b`");
    }

    proptest! {
        #[test]
        fn strings_joined_with_dots_are_what_they_were(parts in prop::collection::vec(r"[a-z'\\/ $\x22]{0,8}", 1..6)) {
            let quoted = |part: &String| format!("'{}'", part.replace('\\', r"\\").replace('\'', r"\'"));
            let defined = (0..parts.len()).fold(String::new(), |php, n| format!("{php}define('P{n}', {});\n", quoted(&parts[n])));
            let names: Vec<_> = (0..parts.len()).map(|n| format!("P{n}")).collect();
            let constants = of(&format!("{defined}define('X', {});", names.join(" . ")));
            prop_assert_eq!(constants.text("X").unwrap(), Some(&*parts.concat()));
        }

        #[test]
        fn no_text_panics(php in r"((if|define|defined|const|or|require|return|dirname|X|'X'|[(){};,.!|=:]|\PC) ?){0,40}") {
            let constants = of(&php);
            prop_assert!(constants.text("X").is_ok() || constants.text("X").is_err());
        }
    }
}
