//! What was found, as a configuration for people to go on from.

use std::fmt::Write as _;

use super::{Discovered, section};
use crate::collectors::DISCOVERIES;
use crate::machine::Discovery;

/// The most columns of a comment.
const WIDTH: usize = 100;

const HEAD: &str = "\
# What Vitrin watches on this machine, as `vitrin init` found it. It is yours to change. Without this
# file Vitrin looks for itself; with it, nothing is watched but what stands here.
#
# `vitrin check` says which of these let Vitrin in, and prints the lines that open the others. After a
# change: systemctl reload vitrin
#
# The drop-in metrics of a target named `main` have no `target` label, those of all others do. A
# password never stands here, but where it is kept: password = { file = \"/etc/vitrin/mysql.password\" }

# --- The machine itself: watched unless this says false.
[host]
enabled = true

# --- How secure the shop is, as one number; `vitrin security` says it at once, and what would bring more.
# The page then names what is weak. With `url`, pages and the certificate are looked at as visitors do.
#[security]
#url = \"https://shop.example/\"
";

impl Discovered {
    /// A commented configuration with everything that was found, and an example of what was not.
    #[must_use]
    pub fn file(&self) -> String {
        let mut text = HEAD.to_owned();
        for discovery in &DISCOVERIES {
            self.topic(discovery, &mut text).expect("writing to memory does not fail");
        }
        text
    }

    fn topic(&self, discovery: &Discovery, text: &mut String) -> std::fmt::Result {
        let Discovery { topic, title, example, .. } = discovery;
        let mut found = self.found().filter(|found| found.topic == *topic).peekable();
        if found.peek().is_none() {
            writeln!(text, "\n# --- {title}: none was found. One is watched like this:")?;
            writeln!(text, "#[{topic}.targets.main]")?;
            return example.lines().try_for_each(|line| writeln!(text, "#{line}"));
        }
        write!(text, "\n# --- {title}")?;
        for found in found {
            text.push('\n');
            comment(&format!("Found: {}.", found.seen), text)?;
            text.push_str(&section(topic, &found.target, &found.table));
        }
        Ok(())
    }
}

/// Words as a comment. What servers and files say in it cannot end it.
fn comment(words: &str, text: &mut String) -> std::fmt::Result {
    let words: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut line = "#".to_owned();
    for word in words.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > WIDTH && line.len() > 1 {
            writeln!(text, "{line}")?;
            "#".clone_into(&mut line);
        }
        line.push(' ');
        line.push_str(word);
    }
    writeln!(text, "{line}")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config;
    use crate::config::types::TargetName;
    use crate::discovery::Found;

    fn found(topic: &'static str, target: &str, seen: &str, table: &str) -> ((&'static str, String), Found) {
        let found = Found {
            topic,
            target: target.parse().unwrap(),
            seen: seen.to_owned(),
            table: table.to_owned(),
            ways: Vec::new(),
            locked: None,
        };
        ((topic, target.to_owned()), found)
    }

    #[test]
    fn what_was_found_and_what_was_not_is_said() {
        let discovered = Discovered {
            found: [
                found("redis", "6380", "redis-server listens at 127.0.0.1:6380", "url = \"redis://127.0.0.1:6380\"\n"),
                found("redis", "main", "redis-server listens at 127.0.0.1:6379", "url = \"redis://127.0.0.1:6379\"\n"),
            ]
            .into(),
            looks: 1,
        };
        let text = discovered.file();
        expect_test::expect![[r##"
            # What Vitrin watches on this machine, as `vitrin init` found it. It is yours to change. Without this
            # file Vitrin looks for itself; with it, nothing is watched but what stands here.
            #
            # `vitrin check` says which of these let Vitrin in, and prints the lines that open the others. After a
            # change: systemctl reload vitrin
            #
            # The drop-in metrics of a target named `main` have no `target` label, those of all others do. A
            # password never stands here, but where it is kept: password = { file = "/etc/vitrin/mysql.password" }

            # --- The machine itself: watched unless this says false.
            [host]
            enabled = true

            # --- How secure the shop is, as one number; `vitrin security` says it at once, and what would bring more.
            # The page then names what is weak. With `url`, pages and the certificate are looked at as visitors do.
            #[security]
            #url = "https://shop.example/"

            # --- PHP-FPM: none was found. One is watched like this:
            #[php_fpm.targets.main]
            #configuration = "/etc/php/8.2/fpm/php-fpm.conf"

            # --- MySQL or MariaDB: none was found. One is watched like this:
            #[mysql.targets.main]
            #address = "/run/mysqld/mysqld.sock"
            #user = "vitrin"

            # --- Redis or Valkey
            # Found: redis-server listens at 127.0.0.1:6379.
            [redis.targets.main]
            url = "redis://127.0.0.1:6379"

            # Found: redis-server listens at 127.0.0.1:6380.
            [redis.targets.6380]
            url = "redis://127.0.0.1:6380"

            # --- nginx: none was found. One is watched like this:
            #[nginx.targets.main]
            #url = "http://127.0.0.1:8080/stub_status"

            # --- Access logs: none was found. One is watched like this:
            #[access_log.targets.main]
            #files = ["/var/log/nginx/access.log"]
        "##]]
        .assert_eq(&text);
        let config = config::parse(Path::new("a"), &text).unwrap();
        assert_eq!(
            config.collectors.redis.targets.keys().map(TargetName::as_str).collect::<Vec<_>>(),
            ["6380", "main"]
        );
    }

    #[test]
    fn every_example_loads() {
        let text = Discovered::default().file();
        let is_example = |line: &str| line.starts_with('#') && !line.starts_with("# ") && line.len() > 1;
        let on: Vec<_> = text.lines().map(|line| if is_example(line) { &line[1..] } else { line }).collect();
        let config = config::parse(Path::new("a"), &on.join("\n")).unwrap();
        let sections = config.collectors;
        assert_eq!((sections.php_fpm.targets.len(), sections.mysql.targets.len()), (1, 1));
        assert_eq!((sections.redis.targets.len(), sections.nginx.targets.len()), (1, 1));
    }

    #[test]
    fn what_is_odd_in_a_path_stays_in_its_comment() {
        let odd = "/srv/a\nenabled = false\n/".repeat(10);
        let discovered =
            Discovered { found: [found("php_fpm", "a.b", &odd, "configuration = \"/a\"\n")].into(), looks: 1 };
        let config = config::parse(Path::new("a"), &discovered.file()).unwrap();
        assert!(config.collectors.host.enabled);
        assert_eq!(config.collectors.php_fpm.targets.len(), 1);
    }
}
