//! The option files of MySQL's own programs (`~/.my.cnf`), of which the section `[client]` says how to log in.

/// What `[client]` says. Not for messages: the password is in it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// `user`
    pub user: Option<String>,
    /// `password`
    pub password: Option<String>,
    /// `host`
    pub host: Option<String>,
    /// `port`
    pub port: Option<u16>,
    /// `socket`
    pub socket: Option<String>,
}

impl Client {
    /// Reads a file's text as MySQL's programs do: the last of several values counts. Files that it includes are not
    /// looked at.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut client = Self::default();
        let mut is_client = false;
        for line in text.lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix('[') {
                is_client = rest.split(']').next().is_some_and(|name| name.trim() == "client");
            } else if is_client && let Some((key, value)) = line.split_once('=') {
                client.set(key.trim(), value);
            }
        }
        client
    }

    fn set(&mut self, key: &str, value: &str) {
        let value = || Some(plain(value));
        // A dash and an underscore are the same there, but none of these has one.
        match key {
            "user" => self.user = value(),
            "password" => self.password = value(),
            "host" => self.host = value(),
            "port" => self.port = value().and_then(|port| port.parse().ok()),
            "socket" => self.socket = value(),
            _ => {}
        }
    }
}

/// A value without its comment, quotes and escapes (`my_getopt`, "Using Option Files").
fn plain(value: &str) -> String {
    let value = value.trim();
    let quote = value.chars().next().filter(|first| ['"', '\''].contains(first));
    let quoted = quote.and_then(|quote| value[1..].rfind(quote).map(|end| &value[1..=end]));
    let value = quoted.unwrap_or_else(|| value.split('#').next().unwrap_or_default().trim_end());
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
            "[mysqld]\nuser = mysql\n[client]\nuser=exporter\n# password=no\nport = 3307\nssl\n[mysql]\npassword=no\n\
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
        ] {
            let client = Client::parse(&format!("[client]\npassword={value}\n"));
            assert_eq!(client.password.as_deref(), Some(password), "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[\\[\\]client=\"'\\\\# \npasword]{0,60}", any: String) {
            prop_assert!(Client::parse(&text) == Client::parse(&text));
            let client = Client::parse(&format!("[client]\npassword={any}"));
            prop_assert!(client.password.is_some());
        }
    }
}
