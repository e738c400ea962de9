//! asks for what must not be served, and believes only what is really in it: a shop may answer 200 to everything.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::LOCATION;
use serde::{Deserialize, Serialize};

use crate::collectors::security::outside::answer::is_no_answer;
use crate::collectors::security::outside::visitor::{Missed, Silence, Visitor};
use crate::collectors::security::verdict::{Cause, Known, Unknown};
use crate::tls::certificate::shown;

/// The most requests.
const REQUESTS: usize = 20;

/// How much of a file is looked at, and forgotten.
const BYTES: usize = 256;

/// What no shop has on purpose where everybody can fetch it.
const ALWAYS: [&str; 4] = ["/.git/HEAD", "/.env", "/config.php.bak", "/install/index.php"];

/// What came of asking for files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Files {
    /// How many were answered.
    pub(crate) asked: usize,
    /// Those of which nothing was learned: nobody answered, or not now.
    #[serde(default)]
    pub(crate) unasked: Vec<String>,
    /// Those that were served and hold what nobody may know.
    pub(crate) secrets: Vec<String>,
    /// The installer, where it answers.
    pub(crate) installer: Option<String>,
}

/// Asks for files, once a day: those that no shop has on purpose, then those that lie below its root.
///
/// Where nobody answers two of them in a row, the rest is not asked for.
///
/// # Errors
/// When the shop does not answer at all.
pub(crate) async fn ask_files(visitor: &Visitor, exposed: &[String], installer: Option<&str>) -> Known<Files> {
    let mut paths: Vec<&str> = ALWAYS.to_vec();
    paths.extend(installer);
    paths.extend(exposed.iter().map(String::as_str));
    let mut files = Files::default();
    let mut missed = None;
    let mut known = std::collections::BTreeSet::new();
    let mut silence = Silence::default();
    for (at, path) in paths.into_iter().filter(|path| known.insert(path.to_owned())).enumerate() {
        // A path that leads to another host is none of ours.
        let Ok(url) = visitor.home.join(path) else { continue };
        if url.origin() != visitor.home.origin() {
            continue;
        }
        if at >= REQUESTS || silence.lasts() {
            files.unasked.push(shown(path));
            continue;
        }
        let asked = visitor.ask(&url, |request| request.body(Full::<Bytes>::default()), BYTES).await;
        let asked = silence.note(asked.map_err(Missed::unknown)).and_then(|(head, first)| match head.status.as_u16() {
            status if is_no_answer(status) => {
                Err(Unknown::new(Cause::Unreachable, format!("{} answers {status}", shown(path))))
            }
            _ => Ok((head, first)),
        });
        let (head, first) = match asked {
            Ok(answered) => answered,
            Err(unknown) => {
                files.unasked.push(shown(path));
                missed = Some(unknown);
                continue;
            }
        };
        files.asked += 1;
        let location = head.headers.get(LOCATION).and_then(|location| location.to_str().ok());
        match head.status.as_u16() {
            200 | 206 if holds_secrets(path, &first) => files.secrets.push(shown(path)),
            200 if is_installer_path(path) && is_installer(&first) => files.installer = Some(shown(path)),
            301 | 302 | 303 | 307 | 308 if is_installer_path(path) && location.is_some_and(leads_on) => {
                files.installer = Some(shown(path));
            }
            _ => {}
        }
    }
    match missed {
        Some(unknown) if files.asked == 0 => Err(unknown),
        _ => Ok(files),
    }
}

impl Files {
    /// The same, with what was found before of those of which nothing was learned now.
    pub(super) fn held(mut self, before: &Self) -> Self {
        let is_unasked = |path: &&String| self.unasked.contains(path);
        let secrets: Vec<_> = before.secrets.iter().filter(is_unasked).cloned().collect();
        let installer = before.installer.as_ref().filter(is_unasked).cloned();
        self.secrets.extend(secrets);
        self.installer = self.installer.or(installer);
        self
    }
}

/// Whether a file is what its name says, by its first bytes: a repository, settings with passwords, a program's text that
/// was not run, a dump of a database, an archive.
pub(super) fn holds_secrets(path: &str, first: &[u8]) -> bool {
    let name = path.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let text = String::from_utf8_lossy(first);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    if name.contains("/.git/") {
        return text.starts_with("ref: refs/")
            || has(&["[core]"])
            || (text.trim().len() == 40 && text.trim().bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    let is_page = text.starts_with('<') && !text.starts_with("<?php") && !text.starts_with("<?=");
    if is_page {
        return false;
    }
    if name.contains("/.env") {
        let is_setting = |line: &str| {
            line.split_once('=').is_some_and(|(key, _)| {
                !key.is_empty()
                    && key.trim().bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
            })
        };
        return text.lines().any(is_setting);
    }
    if ends(&[".gz", ".tgz"]) {
        return first.starts_with(&[0x1f, 0x8b]);
    }
    if ends(&[".zip"]) {
        return first.starts_with(b"PK\x03\x04");
    }
    if ends(&[".sql"]) || name.contains(".sql.") {
        return has(&[
            "INSERT INTO",
            "CREATE TABLE",
            "MySQL dump",
            "MariaDB dump",
            "/*M!999999",
            "phpMyAdmin SQL Dump",
            "DROP TABLE",
        ]);
    }
    text.starts_with("<?php") || has(&["DB_PASSWORD"])
}

fn is_installer_path(path: &str) -> bool {
    path.starts_with("/install/") || path.contains("/install/index.php") || path.contains("/wp-admin/install.php")
}

/// Whether a page is an installer's first, as OpenCart has it: its links start below `/install/`.
fn is_installer(first: &[u8]) -> bool {
    let text = String::from_utf8_lossy(first);
    text.contains("/install/\"") && text.contains("<base") || text.contains("OpenCart - Installation")
}

/// Whether a redirect is that of an installer to its first step.
fn leads_on(location: &str) -> bool {
    location.contains("route=install/")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_is_in_it_makes_it_a_secret() {
        for (path, first, is_secret) in [
            ("/.git/HEAD", "ref: refs/heads/main\n", true),
            ("/.git/HEAD", "4f7c9ad0b3bb5bb1b3f5b3bb5bb1b3f5b3bb5bb1\n", true),
            ("/.git/config", "[core]\n\trepositoryformatversion = 0\n", true),
            ("/.git/HEAD", "<!DOCTYPE html><title>Not found</title>", false),
            ("/.env", "APP_ENV=production\nDB_PASSWORD=x", true),
            ("/.env", "<html>a=b</html>", false),
            ("/.env", "nothing here", false),
            ("/config.php.bak", "<?php\n// HTTP\ndefine('HTTP_SERVER', 'http://shop.example/');", true),
            ("/config.php.bak", "<!DOCTYPE html>", false),
            ("/config.php~", "\u{feff}<?php", true),
            ("/backup.sql", "-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB", true),
            ("/backup.sql", "<html>INSERT INTO</html>", false),
            ("/backup.sql", "", false),
            ("/a.zip", "PK\u{3}\u{4}", true),
            ("/a.zip", "no archive", false),
        ] {
            assert_eq!(holds_secrets(path, first.as_bytes()), is_secret, "{path}: {first}");
        }
        assert!(holds_secrets("/backup.sql.gz", &[0x1f, 0x8b, 8, 0]) && !holds_secrets("/backup.sql.gz", b"<html>"));
    }

    #[test]
    fn an_installer_is_known_by_its_links() {
        let page = "<!DOCTYPE html>\n<html dir=\"ltr\" lang=\"en\">\n<head>\n<meta charset=\"UTF-8\" />\n\
            <title>License agreement</title>\n<base href=\"https://shop.example/install/\" />";
        assert!(is_installer(page.as_bytes()));
        assert!(!is_installer(b"<html><a href=\"/install/\">how to install our shelves</a>"));
        assert!(leads_on("https://shop.example/install/index.php?route=install/step_1") && !leads_on("/"));
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_much(path in "/[a-z.~]{0,20}", first in prop::collection::vec(any::<u8>(), 0..256)) {
            holds_secrets(&path, &first);
            is_installer(&first);
        }
    }
}
