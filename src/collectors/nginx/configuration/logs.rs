//! Where nginx writes what it was asked: `access_log`, `error_log` and `log_format`.

use std::path::{Path, PathBuf};

/// The most logs that are kept of one level.
const LOGS: usize = 16;

/// The longest path of a log with all that stands behind it, and the longest path of a folder. They are kept anew for
/// each server that has them of `http`.
pub(super) const LOG_BYTES: usize = 2 << 10;

/// The longest format.
const FORMAT_BYTES: usize = 32 << 10;

/// The format of a log that names none.
const COMBINED: &str = "combined";

/// Where nginx logs when it is not told; the folder is what it was built with.
const DEFAULT: &str = "logs/access.log";

/// One log of requests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::collectors) struct AccessLog {
    /// The file as it is written: relative to nginx's prefix, or with variables in it.
    pub(in crate::collectors) path: String,
    /// The name of its format.
    pub(in crate::collectors) format: String,
    /// What stands behind: `buffer=64k`.
    pub(in crate::collectors) options: Vec<String>,
    /// The file of the configuration that says so; none for nginx's default.
    pub(in crate::collectors) said_in: Option<PathBuf>,
}

impl AccessLog {
    /// Whether `if=` leaves requests out.
    pub(in crate::collectors) fn is_partial(&self) -> bool {
        self.has("if=")
    }

    /// Whether lines wait in a buffer for as long as it is not full.
    pub(in crate::collectors) fn is_held_back(&self) -> bool {
        self.has("buffer=") && !self.has("flush=")
    }

    fn has(&self, option: &str) -> bool {
        self.options.iter().any(|other| other.starts_with(option))
    }
}

/// A `log_format`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::collectors) struct LogFormat {
    /// What `escape=` says: `default`, `json` or `none`.
    pub(in crate::collectors) escape: String,
    /// The text, its parts put together.
    pub(in crate::collectors) text: String,
}

/// What one level (`http`, a `server`, a `location`) says by itself; what it does not, it has of the level above.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Level {
    access: Option<Vec<AccessLog>>,
    is_off: bool,
    errors: Option<Vec<String>>,
    pub(super) root: Option<String>,
}

impl Level {
    /// Takes `access_log` with these values.
    pub(super) fn access_log(&mut self, values: &[String], said_in: &Path) {
        let logs = self.access.get_or_insert_default();
        // `off`, or what is no file that could be read again: another machine's syslog, a terminal, gzip.
        let Some((path, options)) = values.split_first() else { return };
        if path == "off" {
            self.is_off = true;
            logs.clear();
        }
        let is_read = is_file(path) && is_plain(values) && !options.iter().any(|option| is_gzip(option));
        if self.is_off || !is_read || logs.len() == LOGS {
            return;
        }
        let (format, options) = match options.split_first() {
            Some((format, options)) if !format.contains('=') => (format.as_str(), options),
            _ => (COMBINED, options),
        };
        logs.push(AccessLog {
            path: path.clone(),
            format: format.to_owned(),
            options: options.to_vec(),
            said_in: Some(said_in.to_owned()),
        });
    }

    /// Takes `error_log` with these values.
    pub(super) fn error_log(&mut self, values: &[String]) {
        let errors = self.errors.get_or_insert_default();
        if let Some(path) = values.first().filter(|path| is_file(path) && !path.starts_with("memory:"))
            && is_plain(values)
            && errors.len() < LOGS
        {
            errors.push(path.clone());
        }
    }

    /// The logs of this level's own, if it has any.
    pub(super) fn own(&self) -> Option<&[AccessLog]> {
        self.access.as_deref()
    }

    /// The logs of requests here, in a level above, or where nginx was built to write them.
    pub(super) fn access_or(&self, above: &Self) -> Vec<AccessLog> {
        self.access.clone().or_else(|| above.access.clone()).unwrap_or_else(|| {
            vec![AccessLog {
                path: DEFAULT.to_owned(),
                format: COMBINED.to_owned(),
                options: Vec::new(),
                said_in: None,
            }]
        })
    }

    /// The logs of errors here, or in the levels above.
    pub(super) fn errors_or(&self, above: [&Self; 2]) -> Vec<String> {
        [self, above[0], above[1]].iter().find_map(|level| level.errors.clone()).unwrap_or_default()
    }
}

/// What `log_format` defines with these values.
pub(super) fn log_format(values: &[String]) -> Option<(String, LogFormat)> {
    let (name, parts) =
        values.split_first().filter(|_| values.iter().map(String::len).sum::<usize>() <= FORMAT_BYTES)?;
    let (escape, parts) = match parts.split_first() {
        Some((first, rest)) if first.starts_with("escape=") => (first["escape=".len()..].to_owned(), rest),
        _ => ("default".to_owned(), parts),
    };
    Some((name.clone(), LogFormat { escape, text: parts.concat() }))
}

/// Whether this can stand in a list, and in a line that people are shown.
pub(in crate::collectors) fn is_plain(values: &[String]) -> bool {
    values.iter().map(String::len).sum::<usize>() <= LOG_BYTES
        && !values.iter().any(|value| value.contains(char::is_control))
}

/// Whether a log is written to a file.
fn is_file(path: &str) -> bool {
    !path.starts_with("syslog:") && path != "stderr" && !path.starts_with("/dev/") && !path.starts_with('|')
}

fn is_gzip(option: &str) -> bool {
    option == "gzip" || option.starts_with("gzip=")
}
