//! MON-01, MON-02: whether the web server's logs tell what happened, for long enough, and to nobody else.

use super::Sight;
use super::samples::dynamic;
use crate::collectors::security::front::Outcome;
use crate::collectors::security::front::logs::AccessLog;
use crate::collectors::security::verdict::{Cause, Known, Unknown, Verdict};

/// The longest that a line may wait, in milliseconds.
const WAITS: u64 = 60_000;

/// After how many seconds without a line a log is not where requests go. The shop's own pages are asked for each hour.
const SILENT: i64 = 24 * 3_600;

/// For how many days logs are to be kept.
const DAYS: f64 = 30.0;

/// The levels of `error_log` that hold what a warning is.
const LEVELS: [&str; 4] = ["debug", "info", "notice", "warn"];

/// What a line must have, each of it by one of these (CIS NGINX, 3.1; ASVS 5.0, 16.2.1).
const FIELDS: [(&str, &[&str]); 6] = [
    ("the client's address", &["remote_addr", "binary_remote_addr", "realip_remote_addr"]),
    ("the time", &["time_local", "time_iso8601", "msec"]),
    ("the method", &["request", "request_method"]),
    ("the path with its arguments", &["request", "request_uri"]),
    ("the status", &["status"]),
    ("the browser", &["http_user_agent"]),
];

/// Judges MON-01.
pub(super) fn access(sight: &Sight<'_>) -> Known<Verdict> {
    let shop = sight.shop.clone()?;
    let mut lacks = None;
    let mut files = Vec::new();
    let mut count = 0;
    for asked in sight.ask(dynamic(shop)?) {
        let answer = asked.answer?;
        if !matches!(answer.outcome, Outcome::Php { .. }) {
            continue;
        }
        count += 1;
        let logs = answer.settings.logs.clone()?;
        if logs.is_empty() {
            let seen = format!("{} is not logged: {} (`{}`)", asked.sample.shown(), answer.place, answer.location);
            let fix = format!("access_log /var/log/nginx/access.log combined;  # in {}", answer.place);
            return Ok(Verdict::fail(seen, fix));
        }
        // One good log is enough.
        let best = logs.iter().map(|log| (log, lack(sight, log))).find(|(_, lack)| *lack == Ok(None));
        match best {
            Some((log, _)) => files.extend(log.file.clone()),
            None => lacks = lacks.or(Some((logs[0].clone(), lack(sight, &logs[0])?))),
        }
    }
    if count == 0 {
        let why = "none of the shop's pages that were looked for is handed to PHP by this nginx";
        return Err(Unknown::new(Cause::Unsupported, why));
    }
    files.sort();
    files.dedup();
    if let Some((log, Some(lack))) = lacks {
        let place = log.place.map_or_else(|| "nginx' default".to_owned(), |place| place.to_string());
        let file = log.file.map_or_else(|| "/var/log/nginx/access.log".to_owned(), |file| file.display().to_string());
        return Ok(Verdict::partial(format!("{place}: {lack}"), format!("access_log {file} combined;  # at {place}")));
    }
    if files.is_empty() {
        return Ok(Verdict::pass("every sample is logged to syslog with all that an investigation needs"));
    }
    let named: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    let named = named.join(", ");
    Ok(Verdict::pass(format!("every sample is logged with all that an investigation needs, in {named}")))
}

/// What a log lacks.
fn lack(sight: &Sight<'_>, log: &AccessLog) -> Known<Option<String>> {
    let has = |names: &[&str]| log.fields.iter().any(|field| names.contains(&field.as_str()));
    // `$uri` is the path as nginx made it, and `$args` what stood behind it.
    let has_parts = has(&["uri", "document_uri"]) && has(&["args", "query_string"]);
    let missing: Vec<_> = FIELDS
        .iter()
        .filter(|(what, names)| !(has(names) || what.starts_with("the path") && has_parts))
        .map(|(what, _)| *what)
        .collect();
    if !missing.is_empty() {
        return Ok(Some(format!("the log's lines lack {}", missing.join(", "))));
    }
    if log.waits.is_none_or(|waits| waits > WAITS) {
        return Ok(Some("lines wait in a buffer for more than a minute".to_owned()));
    }
    // Where lines go to syslog, there is no file to look at.
    let Some(file) = &log.file else { return Ok(None) };
    let kept = sight.front.kept(file).ok_or_else(|| unlooked(file))?;
    let age = sight.seen.now - kept.written.clone()?;
    Ok((age > SILENT).then(|| format!("nothing was written to {} for {} hours", file.display(), age / 3_600)))
}

fn unlooked(file: &std::path::Path) -> Unknown {
    Unknown::new(Cause::Unsupported, format!("{} was not looked at", file.display()))
}

/// Judges MON-02. A log that logrotate does not touch is kept for nobody knows how long.
pub(super) fn errors(sight: &Sight<'_>) -> Known<Verdict> {
    let answer = sight.front.answer("/index.php", "", "GET")?;
    let errors = answer.settings.errors.clone()?;
    let access = answer.settings.logs.clone()?;
    let mut lines = Vec::new();
    let mut lacks = Vec::new();
    if !errors.iter().any(|log| LEVELS.contains(&log.level.as_str())) {
        let file = errors.first().and_then(|log| log.file.clone()).unwrap_or_else(|| "/var/log/nginx/error.log".into());
        lacks.push(match errors.first() {
            Some(log) => format!("errors are logged from `{}` on", log.level),
            None => "errors are not logged".to_owned(),
        });
        lines.push(format!("error_log {} warn;  # in the server at {}", file.display(), sight.front.server_place()));
    }
    let mut files: Vec<_> = access
        .iter()
        .filter_map(|log| log.file.clone())
        .chain(errors.iter().filter_map(|log| log.file.clone()))
        .collect();
    files.sort();
    files.dedup();
    if files.is_empty() {
        let why = "the logs go to syslog, and how long that keeps them, and from whom, is not known";
        return Err(Unknown::new(Cause::Unsupported, why));
    }
    let (mut open, mut short) = (Vec::new(), Vec::new());
    for file in &files {
        let kept = sight.front.kept(file).ok_or_else(|| unlooked(file))?;
        if kept.is_open()? {
            open.push(file.display().to_string());
        }
        let days = kept.days.clone()?;
        if days.is_none_or(|days| days < DAYS) {
            short.push((file.display().to_string(), days));
        }
    }
    if !open.is_empty() {
        lacks.push(format!("everybody on the machine may read {}", open.join(", ")));
        lines.push(format!("chmod o= {}  # and `create 0640` in logrotate's configuration", open.join(" ")));
    }
    if let Some((file, days)) = short.first() {
        lacks.push(match days {
            Some(days) => format!("{file} is kept for {days:.0} days"),
            None => format!("logrotate does not know {file}"),
        });
        lines.push("rotate 60  # with `daily`, in /etc/logrotate.d/nginx".to_owned());
    }
    let (seen, fix) = (lacks.join("; "), lines.join("\n"));
    Ok(match lacks.len() {
        0 => Verdict::pass(
            "errors are logged from warnings on, the logs are closed to others, and kept for 30 days or more",
        ),
        1 => Verdict::partial(seen, fix),
        _ => Verdict::fail(seen, fix),
    })
}
