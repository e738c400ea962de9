//! A line of FPM's configuration, as FPM and PHP's ini reader take it.
//!
//! Only the directives named here are kept. `env[…]`, `php_value[…]` and `php_admin_value[…]` hold passwords often
//! enough that their values are not even copied, but for those of `error_log` and `post_max_size`.

/// The pool directives that are kept.
const POOL_KEYS: [&str; 21] = [
    "catch_workers_output",
    "chroot",
    "group",
    "listen",
    "listen.allowed_clients",
    PHP_ERROR_LOGS[0],
    PHP_ERROR_LOGS[1],
    POST_MAX_SIZE,
    "pm",
    "pm.max_children",
    "pm.max_requests",
    "pm.max_spare_servers",
    "pm.min_spare_servers",
    "pm.process_idle_timeout",
    "pm.start_servers",
    "pm.status_listen",
    "pm.status_path",
    "prefix",
    "request_slowlog_timeout",
    "request_terminate_timeout",
    "user",
];

/// One line of a configuration file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// `[name]`
    Section(String),
    /// `include = pattern`
    Include(String),
    /// A directive that is kept.
    Set(&'static str, String),
}

/// What a line says, if anything of interest.
pub(super) fn line(text: &str) -> Option<Line> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('[') {
        return Some(Line::Section(rest.split_once(']')?.0.trim().to_owned()));
    }
    let (key, value) = text.split_once('=')?;
    let key = key.trim();
    if key == "include" {
        return Some(Line::Include(unquoted(value)?));
    }
    // FPM does not mind the case of its directives, but of `include` it does.
    let mut known = POOL_KEYS.into_iter().chain(GLOBAL_KEYS);
    let key = known.find(|known| known.eq_ignore_ascii_case(key))?;
    Some(Line::Set(key, unquoted(value)?))
}

/// The directives that are kept of `[global]`.
pub(super) const GLOBAL_KEYS: [&str; 2] = [ERROR_LOG, PROCESS_MAX];

/// Where FPM writes.
pub(super) const ERROR_LOG: &str = "error_log";

/// The most processes of all pools together.
pub(super) const PROCESS_MAX: &str = "process.max";

/// Where a pool's PHP writes; the first one wins.
pub(super) const PHP_ERROR_LOGS: [&str; 2] = ["php_admin_value[error_log]", "php_value[error_log]"];

/// The largest request that a pool's PHP takes, where neither php.ini nor a script says otherwise.
pub(super) const POST_MAX_SIZE: &str = "php_admin_value[post_max_size]";

/// A value as PHP's ini reader takes it: parts in quotes and parts without, up to a comment. An empty one is none.
fn unquoted(value: &str) -> Option<String> {
    let mut plain = String::new();
    let mut quote = None;
    for character in value.trim().chars() {
        match (quote, character) {
            (None, '"' | '\'') => quote = Some(character),
            (None, ';') => break,
            (Some(open), _) if open == character => quote = None,
            _ => plain.push(character),
        }
    }
    let plain = plain.trim_end();
    (!plain.is_empty()).then(|| plain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_kept() {
        for text in
            ["env[DB_PASSWORD] = canary", "php_admin_value[mysqli.default_pw] = canary", "access.format = canary"]
        {
            assert_eq!(line(text), None);
        }
    }
}
