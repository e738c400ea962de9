//! The words of a PHP file, comments and all that would have to be run left out. Nothing is ever run.

/// A word of PHP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name: a keyword, a function, a constant, a class.
    Word(String),
    /// `$name`.
    Variable(String),
    /// A string, with what its escapes stand for.
    Text(String),
    /// A whole number, as it is written.
    Number(String),
    /// A sign.
    Sign(char),
    /// Something whose value only running tells: a string with variables in it, a shell command.
    Opaque,
}

impl Token {
    /// Whether it is this name; PHP's keywords and functions have no case.
    pub(super) fn is_word(&self, name: &str) -> bool {
        matches!(self, Self::Word(word) if word.trim_start_matches('\\').eq_ignore_ascii_case(name))
    }

    /// Whether it is this sign.
    pub(super) fn is_sign(&self, sign: char) -> bool {
        *self == Self::Sign(sign)
    }
}

/// The words of a file. Text that does not end is taken as what there is of it.
pub(super) fn tokens(file: &str) -> Vec<Token> {
    let mut reader = Reader { left: file, tokens: Vec::new() };
    reader.skip_page();
    while !reader.left.is_empty() {
        reader.step();
    }
    reader.tokens
}

struct Reader<'a> {
    left: &'a str,
    tokens: Vec<Token>,
}

impl<'a> Reader<'a> {
    /// What is not between PHP's tags is printed.
    fn skip_page(&mut self) {
        while !self.left.is_empty() {
            self.skip_past("<?");
            if let Some(php) = ["php", "="].iter().find_map(|tag| self.left.strip_prefix(tag)) {
                self.left = php;
                return;
            }
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.left = &self.left[bytes..];
    }

    /// Skips to behind the first of these, or to the end, and returns what was before it.
    fn skip_past(&mut self, end: &str) -> &'a str {
        let (before, after) = self.left.split_once(end).unwrap_or((self.left, ""));
        self.left = after;
        before
    }

    fn push(&mut self, token: Token) {
        self.tokens.push(token);
    }

    fn step(&mut self) {
        let Some(first) = self.left.chars().next() else { return };
        let starts = |text| self.left.starts_with(text);
        match first {
            '?' if starts("?>") => {
                // The tag ends a statement, too.
                self.push(Token::Sign(';'));
                self.skip(2);
                self.skip_page();
            }
            '#' if starts("#[") => {
                self.push(Token::Sign('#'));
                self.skip(1);
            }
            '#' => self.skip_line(),
            '/' if starts("//") => self.skip_line(),
            '/' if starts("/*") => {
                self.skip(2);
                self.skip_past("*/");
            }
            '<' if starts("<<<") => self.heredoc(),
            '\'' => self.plain_string(),
            '"' => self.string(),
            '`' => {
                self.skip(1);
                self.until_quote('`');
                self.push(Token::Opaque);
            }
            '$' => {
                self.skip(1);
                let end = self.left.find(|c| !is_of_word(c)).unwrap_or(self.left.len());
                let name = &self.left[..end];
                self.skip(end);
                self.push(if name.is_empty() { Token::Sign('$') } else { Token::Variable(name.to_owned()) });
            }
            _ if first.is_ascii_digit() => self.number(),
            _ if is_of_word(first) || first == '\\' => {
                let word = self.word();
                if word.is_empty() {
                    self.skip(1);
                } else {
                    self.push(Token::Word(word.to_owned()));
                }
            }
            _ => {
                if !first.is_whitespace() {
                    self.push(Token::Sign(first));
                }
                self.skip(first.len_utf8());
            }
        }
    }

    /// A comment up to the end of its line, or of PHP.
    fn skip_line(&mut self) {
        let line = self.left.split('\n').next().unwrap_or("");
        self.skip(line.find("?>").unwrap_or(line.len()));
    }

    /// A name, with its namespace.
    fn word(&mut self) -> &'a str {
        let end = self.left.find(|c| !is_of_word(c) && c != '\\').unwrap_or(self.left.len());
        let word = &self.left[..end];
        self.skip(end);
        word
    }

    fn number(&mut self) {
        let end = self.left.find(|c: char| !is_of_word(c)).unwrap_or(self.left.len());
        let digits = &self.left[..end];
        self.skip(end);
        // `1.5`; what follows is no name that strings are joined with.
        let is_fraction = self.left.starts_with('.') && self.left[1..].starts_with(|c: char| c.is_ascii_digit());
        // A leading zero is another base, and so is 0x; underscores are for the eye.
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
        if is_fraction {
            self.skip(1);
            self.word();
        }
        self.push(if is_plain && !is_fraction { Token::Number(digits.to_owned()) } else { Token::Opaque });
    }

    /// `'text'`, in which only `\\` and `\'` are escapes.
    fn plain_string(&mut self) {
        self.skip(1);
        let mut text = String::new();
        loop {
            let end = self.left.find(['\'', '\\']).unwrap_or(self.left.len());
            text.push_str(&self.left[..end]);
            self.skip(end);
            let mut next = self.left.chars();
            match (next.next(), next.next()) {
                (Some('\\'), Some(escaped @ ('\\' | '\''))) => {
                    text.push(escaped);
                    self.skip(2);
                }
                (Some('\\'), _) => {
                    text.push('\\');
                    self.skip(1);
                }
                (quote, _) => {
                    self.skip(quote.map_or(0, char::len_utf8));
                    break;
                }
            }
        }
        self.push(Token::Text(text));
    }

    /// `"text"`; opaque when a variable or a rare escape is in it.
    fn string(&mut self) {
        self.skip(1);
        let raw = self.until_quote('"');
        self.push(unescaped(raw).map_or(Token::Opaque, Token::Text));
    }

    /// What is before the next quote that no backslash escapes, which is skipped.
    fn until_quote(&mut self, quote: char) -> &'a str {
        let mut escaped = false;
        let end = self.left.find(|c| {
            let is_end = c == quote && !escaped;
            escaped = c == '\\' && !escaped;
            is_end
        });
        let text = &self.left[..end.unwrap_or(self.left.len())];
        self.skip(end.map_or(self.left.len(), |end| end + 1));
        text
    }

    /// `<<<NAME`, up to the line that begins with the name: a value that nobody here asks for.
    fn heredoc(&mut self) {
        self.skip(3);
        self.push(Token::Opaque);
        let begin = self.left.trim_start_matches([' ', '\t', '"', '\'']);
        let (name, rest) = begin.split_at(begin.find(|c| !is_of_word(c)).unwrap_or(begin.len()));
        let Some(body) = rest.trim_start_matches(['"', '\'', ' ', '\t', '\r']).strip_prefix('\n') else { return };
        if name.is_empty() {
            return;
        }
        self.left = body;
        while !self.left.is_empty() {
            let line = self.left.split('\n').next().unwrap_or("");
            let inner = line.trim_start();
            let rest = inner.strip_prefix(name).filter(|rest| !rest.starts_with(is_of_word));
            if let Some(rest) = rest {
                self.skip(line.len() - rest.len());
                return;
            }
            self.skip((line.len() + 1).min(self.left.len()));
        }
    }
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii()
}

/// What a string in double quotes stands for; `None` when only running it tells.
fn unescaped(raw: &str) -> Option<String> {
    let mut text = String::new();
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        let value = match (c, chars.peek()) {
            ('$', Some(&next)) if is_of_word(next) || next == '{' => return None,
            ('{', Some('$')) => return None,
            ('\\', Some(&next)) => {
                let value = match next {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    '\\' | '$' | '"' => next,
                    'v' | 'e' | 'f' | 'x' | 'u' | '0'..='7' => return None,
                    _ => {
                        text.push('\\');
                        continue;
                    }
                };
                chars.next();
                value
            }
            _ => c,
        };
        text.push(value);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Token::{Number, Opaque, Sign, Text, Variable, Word};
    use super::*;

    fn text(text: &str) -> Token {
        Text(text.to_owned())
    }

    fn word(word: &str) -> Token {
        Word(word.to_owned())
    }

    #[test]
    fn words_are_told_from_comments_and_strings() {
        let file = "page <?php // define('A', 'no');\n# define('B', 'no');\n/* define('C',\n'no') */ DEFINE('D' . \"e\\\"\", 12); ?> \
                    define('E', 'no') <?= $f\\G ?>";
        assert_eq!(
            tokens(file),
            [
                word("DEFINE"),
                Sign('('),
                text("D"),
                Sign('.'),
                text("e\""),
                Sign(','),
                Number("12".to_owned()),
                Sign(')'),
                Sign(';'),
                Sign(';'),
                Variable("f".to_owned()),
                word("\\G"),
                Sign(';'),
            ]
        );
    }

    #[test]
    fn what_only_running_tells_is_opaque() {
        for (php, expected) in [
            (r#""a $b""#, Opaque),
            (r#""{$b}""#, Opaque),
            (r#""cost: 5 $""#, text("cost: 5 $")),
            (r#""\x41""#, Opaque),
            (r#""a\d""#, text("a\\d")),
            (r"'a\'b\\c\d $e'", text(r"a'b\c\d $e")),
            ("`id`", Opaque),
            ("0755", Opaque),
            ("1.5", Opaque),
            ("0", Number("0".to_owned())),
            ("<<<'X'\ndefine('A', 'no');\n  X", Opaque),
            ("'never ends", text("never ends")),
        ] {
            assert_eq!(tokens(&format!("<?php {php}")), [expected], "{php}");
        }
    }

    #[test]
    fn a_comment_ends_with_php() {
        assert_eq!(tokens("<?php // a ?> b <?php c"), [Sign(';'), word("c")]);
    }

    proptest! {
        #[test]
        fn no_text_panics(file in r"(<\?php )?(\PC|[\\'\x22$#/*<?>.{}`\n]){0,60}") {
            tokens(&file);
        }
    }
}
