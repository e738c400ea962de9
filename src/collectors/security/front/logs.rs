//! What nginx logs of a request, where to, and how long that is kept.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::files::{Files, unread};
use super::measure::seconds;
use super::rotation::Rotation;
use super::tree::{Directive, Place};
use super::values::names;
use super::walk::Walk;
use crate::collectors::security::seen::Mode;
use crate::collectors::security::verdict::{Cause, Known, Unknown};

/// What stands in a log whose format is `combined`, or not said (`ngx_http_log_module`).
const COMBINED: &str = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \"$http_user_agent\"";

/// Where Debian's nginx, and nginx.org's, log when they are not told to.
const USUAL: &str = "/var/log/nginx/access.log";
const USUAL_ERRORS: &str = "/var/log/nginx/error.log";

/// Where lines are lost.
const NOWHERE: &str = "/dev/null";

/// The level of a log of errors that names none.
const LEVEL: &str = "error";

/// A log of requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AccessLog {
    /// The file; none where lines go to syslog or a terminal.
    pub(crate) file: Option<PathBuf>,
    /// What a line has, by the names of nginx' variables.
    pub(crate) fields: Vec<String>,
    /// The milliseconds that a line waits before it is written; `None` for as long as the buffer is not full.
    pub(crate) waits: Option<u64>,
    /// Where it is said; none for nginx' default.
    pub(crate) place: Option<Place>,
}

/// A log of errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ErrorLog {
    /// The file; none where lines go to syslog or a terminal.
    pub(crate) file: Option<PathBuf>,
    /// From which level on.
    pub(crate) level: String,
    /// Where it is said; none for nginx' default.
    pub(crate) place: Option<Place>,
}

/// A log, as it lies on the disk.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    /// Its permissions, and those of the folders that lead to it, the nearest first.
    pub(crate) modes: Known<Vec<Mode>>,
    /// When something was written to it, in seconds since 1970.
    pub(crate) written: Known<i64>,
    /// For how many days it is kept by logrotate; nothing where that does not touch it.
    pub(crate) days: Known<Option<f64>>,
}

impl Kept {
    /// Looks at a log of the host.
    pub(super) fn look(files: &Files, rotations: &Known<Vec<Rotation>>, log: &Path) -> Self {
        let mode = |path: &Path| files.mode(path).map_err(|error| unread(path, &error));
        let written = files.metadata(log).map(|metadata| metadata.mtime()).map_err(|error| unread(log, &error));
        let days = rotations
            .as_ref()
            .map_err(Clone::clone)
            .map(|all| all.iter().find(|rotation| rotation.holds(log)).map(|rotation| rotation.days));
        Self { modes: log.ancestors().map(mode).collect(), written, days }
    }

    /// Whether everybody on the machine may read it: its own permission, and that of each folder on the way.
    pub(crate) fn is_open(&self) -> Known<bool> {
        let modes = self.modes.as_ref().map_err(Clone::clone)?;
        let (log, folders) =
            modes.split_first().ok_or_else(|| Unknown::new(Cause::Unparsable, "a log without a name"))?;
        Ok(log.mode & 0o004 != 0 && folders.iter().all(|folder| folder.mode & 0o001 != 0))
    }
}

impl Walk<'_> {
    /// Where this request is logged.
    pub(super) fn access_logs(&self) -> Known<Vec<AccessLog>> {
        let said = self.effective(&["access_log"]);
        if said.iter().any(|said| said.value() == "off") {
            return Ok(Vec::new());
        }
        if said.is_empty() {
            let file = Some(USUAL.into());
            return Ok(vec![AccessLog { file, fields: fields(COMBINED), waits: Some(0), place: None }]);
        }
        let mut found = Vec::new();
        for said in said.into_iter().filter(|said| said.value() != NOWHERE) {
            let options = || said.values.iter().skip(1);
            let condition = options().find_map(|value| value.strip_prefix("if="));
            if let Some(condition) = condition
                && ["", "0"].contains(&self.text(condition)?.as_str())
            {
                continue;
            }
            let format = said.values.get(1).filter(|value| !value.contains('='));
            found.push(AccessLog {
                file: self.log_file(said)?,
                fields: self.fields_of(format.map_or("combined", String::as_str), said)?,
                waits: waits(said),
                place: Some(said.place.clone()),
            });
        }
        Ok(found)
    }

    /// Where errors of this request are logged.
    pub(super) fn error_logs(&self) -> Known<Vec<ErrorLog>> {
        let mut said = self.effective(&["error_log"]);
        if said.is_empty() {
            said = self.front.tree.main.iter().filter(|said| said.name == "error_log").collect();
        }
        if said.is_empty() {
            return Ok(vec![ErrorLog { file: Some(USUAL_ERRORS.into()), level: LEVEL.to_owned(), place: None }]);
        }
        let log = |said: &&Directive| {
            let level = said.values.get(1).map_or(LEVEL, String::as_str).to_owned();
            Ok(ErrorLog { file: self.log_file(said)?, level, place: Some(said.place.clone()) })
        };
        said.iter().filter(|said| said.value() != NOWHERE).map(log).collect()
    }

    fn log_file(&self, said: &Directive) -> Known<Option<PathBuf>> {
        let file = said.value();
        if file.starts_with("syslog:") || file.starts_with("memory:") || file == "stderr" || file.starts_with("/dev/") {
            return Ok(None);
        }
        let file = self.text(file)?;
        if !file.starts_with('/') {
            let why = format!("{}: where `{file}` is depends on how nginx was built", said.place);
            return Err(Unknown::new(Cause::Unsupported, why));
        }
        Ok(Some(file.into()))
    }

    fn fields_of(&self, format: &str, said: &Directive) -> Known<Vec<String>> {
        let is_it = |other: &&Directive| other.name == "log_format" && other.value() == format;
        match self.front.tree.http.iter().find(is_it) {
            Some(defined) => Ok(fields(&defined.values[1..].concat())),
            None if format == "combined" => Ok(fields(COMBINED)),
            None => Err(Unknown::new(Cause::Unparsable, format!("{}: there is no format `{format}`", said.place))),
        }
    }
}

fn fields(format: &str) -> Vec<String> {
    names(format).into_iter().map(str::to_lowercase).collect()
}

/// How long lines wait for being written.
fn waits(said: &Directive) -> Option<u64> {
    let option = |name: &str| said.values.iter().find_map(|value| value.strip_prefix(name));
    if let Some(flush) = option("flush=") {
        return seconds(flush).map(super::measure::milliseconds);
    }
    let is_buffered =
        said.values.iter().any(|value| value == "gzip" || value.starts_with("gzip=") || value.starts_with("buffer="));
    (!is_buffered).then_some(0)
}
