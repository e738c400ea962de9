//! What a topic makes of a machine: the servers of its kind, and how each may be watched.

use std::fmt::Write as _;

use super::Machine;

/// How a topic finds its servers: one of these for each topic that does, in the list of collectors.
#[derive(Clone, Copy, Debug)]
pub struct Discovery {
    /// The topic, as its table in the configuration is called.
    pub topic: &'static str,
    /// What people call such a server.
    pub title: &'static str,
    /// The names of its processes, as [`super::Process::is`] takes them.
    pub processes: &'static [&'static str],
    /// What stands in a target's table, for somebody who has one that was not found.
    pub example: &'static str,
    /// The servers, the most usual one first. Blocks; reads configurations, and talks to nobody.
    pub look: fn(&Machine) -> Vec<Sighting>,
}

/// A server, by what can be seen of it from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// What it is known by from one look to the next, and where it is: `/run/mysqld/mysqld.sock`.
    pub place: String,
    /// What tells it from its like, for its target's name when it is not the first: `3307`.
    pub name: String,
    /// Why it is thought to be there: "mariadbd listens at /run/mysqld/mysqld.sock".
    pub seen: String,
    /// The ways to watch it, the best first: what stands in its target's table. None holds a secret.
    pub ways: Vec<String>,
}

/// A text as TOML has it.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            character if character.is_control() => {
                write!(quoted, "\\u{:04X}", u32::from(character)).expect("writing to memory does not fail");
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn toml_reads_what_was_quoted(text: String) {
            let table: std::collections::BTreeMap<String, String> =
                toml::from_str(&format!("a = {}", quoted(&text))).unwrap();
            prop_assert_eq!(&table["a"], &text);
        }
    }
}
