//! How long logs are kept, by logrotate's configuration (`logrotate(8)`).

use std::path::{Path, PathBuf};

use super::files::Files;
use crate::collectors::security::verdict::Known;
use crate::glob;

const MAIN: &str = "/etc/logrotate.conf";
const FOLDER: &str = "/etc/logrotate.d/*";

/// The largest file, the most of them, and the most logs that are looked for.
const FILE_BYTES: u64 = 64 << 10;
const FILES: usize = 500;
const LOGS: usize = 5_000;

/// What becomes of some logs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rotation {
    /// The logs that it is about, of those that are there.
    logs: Vec<PathBuf>,
    /// For how many days they are kept.
    pub(super) days: f64,
}

/// What is said of logs, as far as it decides on how long they are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Terms {
    /// Every how many days a new one is begun; nothing where its size decides.
    every: Option<f64>,
    /// How many old ones are kept; less than none: all.
    rotate: f64,
    /// After how many days an old one goes, whatever their number.
    max_age: Option<f64>,
}

/// logrotate's own.
pub(super) const DEFAULT: Terms = Terms { every: Some(7.0), rotate: 0.0, max_age: None };

impl Terms {
    fn take(&mut self, line: &str) {
        let (name, value) = line.split_once([' ', '\t', '=']).unwrap_or((line, ""));
        let value = value.trim();
        match name {
            "hourly" => self.every = Some(1.0 / 24.0),
            "daily" => self.every = Some(1.0),
            "weekly" => self.every = Some(7.0),
            "monthly" => self.every = Some(30.0),
            "yearly" => self.every = Some(365.0),
            // It is rotated at each run that finds it as large, however often that is.
            "size" => self.every = None,
            "rotate" => self.rotate = value.parse().unwrap_or(self.rotate),
            "maxage" => self.max_age = value.parse().ok().or(self.max_age),
            _ => {}
        }
    }

    fn days(self) -> f64 {
        let kept = match self.every {
            _ if self.rotate < 0.0 => f64::INFINITY,
            Some(days) => self.rotate * days,
            None => 0.0,
        };
        self.max_age.map_or(kept, |age| kept.min(age))
    }
}

impl Rotation {
    /// Whether it is about this log.
    pub(super) fn holds(&self, log: &Path) -> bool {
        self.logs.iter().any(|other| other == log)
    }
}

/// All that logrotate does.
pub(super) fn read(files: &Files) -> Known<Vec<Rotation>> {
    let mut terms = DEFAULT;
    let mut found = Vec::new();
    if files.metadata(Path::new(MAIN)).is_ok() {
        terms = take(files, &files.text(Path::new(MAIN), FILE_BYTES)?, terms, &mut found);
    }
    for path in glob::expand(files.root(), FOLDER).into_iter().take(FILES) {
        let on_host = path.strip_prefix(files.root()).map(|path| Path::new("/").join(path)).unwrap_or(path);
        take(files, &files.text(&on_host, FILE_BYTES)?, terms, &mut found);
    }
    Ok(found)
}

/// Takes what a file says, and returns what it says of all logs.
pub(super) fn take(files: &Files, text: &str, around: Terms, found: &mut Vec<Rotation>) -> Terms {
    let mut general = around;
    let mut open: Option<(Vec<String>, Terms)> = None;
    let mut names = Vec::new();
    let mut is_script = false;
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if is_script {
            is_script = line != "endscript";
            continue;
        }
        is_script = ["postrotate", "prerotate", "firstaction", "lastaction", "preremove"].contains(&line);
        match &mut open {
            Some((logs, terms)) if line.starts_with('}') => {
                let days = terms.days();
                found.push(Rotation { logs: logs.iter().flat_map(|log| on_host(files, log)).collect(), days });
                open = None;
            }
            Some((_, terms)) => terms.take(line),
            None if line.starts_with(['/', '"', '\'', '{']) => {
                let (logs, rest) = line.split_once('{').map_or((line, None), |(logs, rest)| (logs, Some(rest)));
                names.extend(logs.split_whitespace().map(|log| log.trim_matches(['"', '\'']).to_owned()));
                if let Some(rest) = rest {
                    let mut terms = general;
                    terms.take(rest.trim());
                    open = Some((std::mem::take(&mut names), terms));
                }
            }
            None => general.take(line),
        }
    }
    general
}

fn on_host(files: &Files, pattern: &str) -> Vec<PathBuf> {
    let found = glob::expand(files.root(), pattern).into_iter().take(LOGS);
    found.filter_map(|path| Some(Path::new("/").join(path.strip_prefix(files.root()).ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn logs_are_kept_for_as_long_as_logrotate_keeps_them() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for (file, text) in [
            ("etc/logrotate.conf", "weekly\nrotate 4\ncreate\ninclude /etc/logrotate.d\n"),
            (
                "etc/logrotate.d/nginx",
                "/var/log/nginx/*.log {\n\tdaily\n\tmissingok\n\trotate 14\n\tpostrotate\n\t\trotate 99\n\tendscript\n}\n",
            ),
            (
                "etc/logrotate.d/shop",
                "\"/srv/a.log\" /srv/b.log\n/srv/c.log {\n  monthly\n  rotate 12\n  maxage 100\n}\n/srv/d.log { size 10M\n rotate 60\n}\n/srv/e.log {\n}\n",
            ),
            ("var/log/nginx/access.log", ""),
            ("srv/a.log", ""),
            ("srv/c.log", ""),
            ("srv/d.log", ""),
            ("srv/e.log", ""),
        ] {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), text).unwrap();
        }
        let found = read(&Files::new(root)).unwrap();
        let days =
            |log: &str| found.iter().find(|rotation| rotation.holds(Path::new(log))).map(|rotation| rotation.days);
        let logs = ["/var/log/nginx/access.log", "/srv/a.log", "/srv/c.log", "/srv/d.log", "/srv/e.log", "/srv/x.log"];
        assert_eq!(logs.map(days), [Some(14.0), Some(100.0), Some(100.0), Some(0.0), Some(28.0), None]);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a-z{}/ \n\"]{0,80}", any: String) {
            let files = Files::new(Path::new("/proc/nowhere"));
            for text in [text, any] {
                take(&files, &text, DEFAULT, &mut Vec::new());
            }
        }
    }
}
