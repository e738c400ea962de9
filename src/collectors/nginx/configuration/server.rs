//! A `server` of nginx's, with what it has of the levels around it.

use super::logs::{AccessLog, LOG_BYTES, Level};

/// A `server` of `http`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::collectors) struct Server {
    /// What follows each `listen`; where there is none, it is port 80 on all addresses.
    pub(in crate::collectors::nginx) listens: Vec<Vec<String>>,
    /// What follows `server_name`.
    pub(in crate::collectors) names: Vec<String>,
    /// The paths of its `stub_status` pages.
    pub(in crate::collectors::nginx) pages: Vec<String>,
    /// The folder of its files.
    pub(in crate::collectors) root: Option<String>,
    /// Its logs of requests: the server's own, then those of locations that have their own. A request is written to all
    /// of one set.
    pub(in crate::collectors) logs: Vec<Vec<AccessLog>>,
    /// Its logs of errors.
    pub(in crate::collectors) errors: Vec<String>,
}

/// A server whose block is not closed yet.
#[derive(Default)]
pub(super) struct Open {
    pub(super) server: Server,
    pub(super) level: Level,
    /// The root of its first location that has one.
    pub(super) location_root: Option<String>,
    /// What `set` gives to variables.
    pub(super) variables: Vec<(String, String)>,
}

impl Open {
    /// The server, once `http` and what is around it are known as a whole.
    pub(super) fn finish(self, http: &Level, main: &Level) -> Server {
        let Self { mut server, level, location_root, variables } = self;
        let plain = |text| put_in(text, &variables);
        let own = level.access_or(http);
        if !own.is_empty() {
            server.logs.insert(0, own);
        }
        for log in server.logs.iter_mut().flatten() {
            log.path = plain(std::mem::take(&mut log.path));
        }
        server.errors = level.errors_or([http, main]);
        server.root = level.root.or(location_root).or_else(|| http.root.clone()).map(plain);
        server
    }
}

/// A path with what `set` has given to its variables, unless it becomes too long.
fn put_in(path: String, variables: &[(String, String)]) -> String {
    if !path.contains('$') || path.len() > LOG_BYTES {
        return path;
    }
    // What holds variables itself is left alone: it might double with each step.
    let is_plain = |(name, value): &&(String, String)| name.starts_with('$') && name.len() > 1 && !value.contains('$');
    variables.iter().filter(is_plain).fold(path, |path, (name, value)| replaced(path, name, value))
}

/// A text with what a variable stands for, unless it becomes too long.
pub(in crate::collectors) fn replaced(text: String, name: &str, value: &str) -> String {
    let more = text.matches(name).count().saturating_mul(value.len());
    if more == 0 && !text.contains(name) || text.len().saturating_add(more) > LOG_BYTES {
        return text;
    }
    text.replace(name, value)
}
