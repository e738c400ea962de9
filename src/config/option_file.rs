//! The option files of MySQL's own programs (`~/.my.cnf`), of which the section `[client]` says how to log in.

/// What `[client]` says. Not for messages: the password is in it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// `user`
    pub user: Option<String>,
    /// `password`
    pub password: Option<Vec<u8>>,
    /// `host`
    pub host: Option<String>,
    /// `port`
    pub port: Option<u16>,
    /// `socket`
    pub socket: Option<String>,
}

impl Client {
    /// Reads a file as MySQL's programs do: the last of several values counts. Files that it includes are not looked at.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        // A password is bytes in no particular encoding: each becomes a character until it is bytes again.
        let text: String = bytes.iter().copied().map(char::from).collect();
        let mut client = Self::default();
        let mut is_client = false;
        for line in text.split('\n').map(trimmed) {
            if let Some(rest) = line.strip_prefix('[') {
                is_client = rest.split(']').next().is_some_and(|name| trimmed(name) == "client");
            } else if is_client && let Some((key, value)) = line.split_once('=') {
                client.set(trimmed(key), value);
            }
        }
        client
    }

    fn set(&mut self, key: &str, value: &str) {
        let bytes = || plain(value).chars().filter_map(|c| u8::try_from(c).ok()).collect::<Vec<u8>>();
        let value = || Some(String::from_utf8_lossy(&bytes()).into_owned());
        // A dash and an underscore are the same there, but none of these has one.
        match key {
            "user" => self.user = value(),
            "password" => self.password = Some(bytes()),
            "host" => self.host = value(),
            "port" => self.port = value().and_then(|port| port.parse().ok()),
            "socket" => self.socket = value(),
            _ => {}
        }
    }
}

/// Without the white space around it, which is ASCII's alone.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_ascii_whitespace())
}

/// A value without its comment, quotes and escapes (`my_getopt`, "Using Option Files").
fn plain(value: &str) -> String {
    let value = trimmed(value);
    let quote = value.chars().next().filter(|first| ['"', '\''].contains(first));
    let quoted = quote.and_then(|quote| value[1..].rfind(quote).map(|end| &value[1..=end]));
    let value = quoted.unwrap_or_else(|| {
        value.split('#').next().unwrap_or_default().trim_end_matches(|c: char| c.is_ascii_whitespace())
    });
    let mut text = String::new();
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match (character, character == '\\') {
            (_, false) => text.push(character),
            (_, true) => match characters.next() {
                Some('b') => text.push('\u{8}'),
                Some('t') => text.push('\t'),
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some('s') => text.push(' '),
                Some(known @ ('\\' | '"' | '\'')) => text.push(known),
                Some(other) => text.extend(['\\', other]),
                None => text.push('\\'),
            },
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_client_section_counts_and_its_last_value() {
        let client = Client::parse(
            b"[mysqld]\nuser = mysql\n[client]\nuser=exporter\n# password=no\nport = 3307\nssl\n[mysql]\npassword=no\n\
             [client]\nuser = 'shop exporter'\nsocket=/run/a.sock # ours\n",
        );
        assert_eq!(client.user.as_deref(), Some("shop exporter"));
        assert_eq!((client.password, client.port, client.host), (None, Some(3307), None));
        assert_eq!(client.socket.as_deref(), Some("/run/a.sock"));
    }

    #[test]
    fn passwords_are_read_as_mysql_reads_them() {
        for (value, password) in [
            ("plain", "plain"),
            (" \"with # and ; and ' in it\" ", "with # and ; and ' in it"),
            ("a#comment", "a"),
            (r"tab\tspace\send\\", "tab\tspace end\\"),
            (r"un\known", r"un\known"),
            ("'", "'"),
            ("", ""),
            ("a=b", "a=b"),
            ("şifre à", "şifre à"),
        ] {
            let client = Client::parse(format!("[client]\npassword={value}\n").as_bytes());
            assert_eq!(client.password.as_deref(), Some(password.as_bytes()), "{value}");
        }
        assert_eq!(Client::parse(b"[client]\npassword = \xff\xa0\r\n").password.as_deref(), Some(&b"\xff\xa0"[..]));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[\\[\\]client=\"'\\\\# \npasword]{0,60}", any: String) {
            prop_assert!(Client::parse(text.as_bytes()) == Client::parse(text.as_bytes()));
            let client = Client::parse(format!("[client]\npassword={any}").as_bytes());
            prop_assert!(client.password.is_some());
        }
    }
}
