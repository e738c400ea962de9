//! The words of nginx's configuration, as nginx itself reads them.

/// A piece of a configuration.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::collectors) enum Token {
    /// A word, without its quotes.
    Word(String),
    /// `;`
    End,
    /// `{`
    Open,
    /// `}`
    Close,
}

/// The next token, and what is behind it (`ngx_conf_read_token`).
pub(in crate::collectors) fn token(text: &str) -> Option<(Token, &str)> {
    let mut text = text.trim_start();
    while text.starts_with('#') {
        text = text.split_once('\n')?.1.trim_start();
    }
    let single = match text.chars().next()? {
        ';' => Some(Token::End),
        '{' => Some(Token::Open),
        '}' => Some(Token::Close),
        _ => None,
    };
    if let Some(token) = single {
        return Some((token, &text[1..]));
    }
    let quote = text.chars().next().filter(|first| ['"', '\''].contains(first));
    let mut word = String::new();
    let mut characters = text.char_indices().skip(usize::from(quote.is_some())).peekable();
    while let Some((at, character)) = characters.next() {
        match (quote, character) {
            (_, '\\') => escaped(characters.next().map(|(_, next)| next), &mut word),
            (Some(quote), _) if character == quote => return Some((Token::Word(word), &text[at + 1..])),
            // A variable's name may stand in braces.
            (None, '$') if characters.peek().is_some_and(|(_, next)| *next == '{') => {
                word.push(character);
                for (_, part) in characters.by_ref() {
                    word.push(part);
                    if part == '}' {
                        break;
                    }
                }
            }
            // A `}` in a word is a letter like any other.
            (None, ';' | '{') => return Some((Token::Word(word), &text[at..])),
            (None, _) if character.is_whitespace() => return Some((Token::Word(word), &text[at..])),
            _ => word.push(character),
        }
    }
    Some((Token::Word(word), ""))
}

/// What a backslash and what follows it come to: it stays where it means nothing, as in a pattern.
fn escaped(next: Option<char>, word: &mut String) {
    match next {
        Some(quote @ ('"' | '\'' | '\\')) => word.push(quote),
        Some('t') => word.push('\t'),
        Some('r') => word.push('\r'),
        Some('n') => word.push('\n'),
        Some(other) => word.extend(['\\', other]),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_and_escapes_are_read_as_nginx_does() {
        for (text, expected) in [
            (r"'$a\t\'$b\'\n'", "$a\t'$b'\n"),
            (r#""{\"a\": \"$b\"}";"#, r#"{"a": "$b"}"#),
            (r"\.php$ {", r"\.php$"),
            (r"a\ b;", r"a\ b"),
            (r"${a}-b;", "${a}-b"),
            ("# '\n x", "x"),
            ("a}b;", "a}b"),
        ] {
            assert_eq!(token(text).unwrap().0, Token::Word(expected.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a-z{};#\"'\\\\$ \n]{0,80}", any: String) {
            for text in [text, any] {
                let mut rest = text.as_str();
                while let Some((_, behind)) = token(rest) {
                    prop_assert!(behind.len() < rest.len());
                    rest = behind;
                }
            }
        }
    }
}
