//! Something that bans, and reads the shop's logs (DD-06): fail2ban by its jails, CrowdSec by its figures.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::facts::Jail;
use super::super::seen::Seen;
use super::super::verdict::{Cause, Known, State, Unknown, Verdict};

/// How long a log that is alive may be silent, in seconds: a shop without a request for a day has other troubles, and
/// Vitrin's own requests alone are some in each hour.
const SILENCE: i64 = 86_400;

/// The most sources of CrowdSec's that are kept.
const SOURCES: usize = 500;

/// A log of the shop's web server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Log {
    /// Where its configuration has it.
    pub(crate) path: PathBuf,
    /// Where that is, links followed; `None` where it may not be looked at.
    pub(crate) real: Option<PathBuf>,
    /// When something was written to it.
    pub(crate) written: Option<i64>,
}

/// Looks at the logs below a root.
pub(super) fn logs(root: &Path, paths: &[PathBuf]) -> Vec<Log> {
    let log = |path: &PathBuf| {
        let inside = root.join(path.strip_prefix("/").unwrap_or(path));
        let on_host = |real: PathBuf| real.strip_prefix(root).map(|path| Path::new("/").join(path)).ok();
        Log {
            path: path.clone(),
            real: fs::canonicalize(&inside).ok().and_then(on_host),
            written: fs::metadata(&inside).map(|metadata| metadata.mtime()).ok(),
        }
    };
    paths.iter().map(log).collect()
}

/// What is kept of CrowdSec's counters between looks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counters {
    sources: BTreeMap<PathBuf, Counter>,
    bouncer: Option<Counter>,
}

/// A counter, and when it was seen to rise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Counter {
    count: u64,
    rose: Option<i64>,
}

/// CrowdSec, by what it counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CrowdSec {
    /// The logs that it reads, each with when it was seen to read on; `None` for one that has not yet been seen to.
    pub(crate) sources: BTreeMap<PathBuf, Option<i64>>,
    /// When a bouncer was last seen to ask for decisions: its bans are carried out.
    pub(crate) bouncer: Option<i64>,
    /// Whether there was a look before this one: what rises takes two to see.
    pub(crate) was_seen: bool,
}

/// What a page of CrowdSec's metrics says beside what the counters were.
pub(super) fn crowdsec(page: &str, now: i64, counters: &mut Counters) -> CrowdSec {
    let was_seen = !counters.sources.is_empty() || counters.bouncer.is_some();
    let mut sources: BTreeMap<PathBuf, u64> = BTreeMap::new();
    let mut bouncer = None;
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let Some((series, value)) = line.rsplit_once(' ') else { continue };
        let Some(count) = whole(value) else { continue };
        if let Some(labels) = series.strip_prefix("cs_filesource_hits_total{") {
            if let Some(source) = label(labels, "source").filter(|_| sources.len() < SOURCES) {
                let all = sources.entry(PathBuf::from(source)).or_default();
                *all = all.saturating_add(count);
            }
        } else if series.starts_with("cs_lapi_bouncer_requests_total") {
            bouncer = Some(bouncer.unwrap_or(0_u64).saturating_add(count));
        }
    }
    let advanced = |before: Option<Counter>, count: u64| {
        let before_count = before.map_or(count, |before| before.count);
        // One that starts anew counts from 0: what it has counted since is more, too.
        let rose = if count > before_count || count < before_count && count > 0 { Some(now) } else { before?.rose };
        rose.map(|rose| rose.min(now))
    };
    let next = |before: Option<Counter>, count| Counter { count, rose: advanced(before, count) };
    counters.bouncer = bouncer.map(|count| next(counters.bouncer, count));
    counters.sources = sources
        .into_iter()
        .map(|(source, count)| (source.clone(), next(counters.sources.get(&source).copied(), count)))
        .collect();
    CrowdSec {
        sources: counters.sources.iter().map(|(source, counter)| (source.clone(), counter.rose)).collect(),
        bouncer: counters.bouncer.and_then(|counter| counter.rose),
        was_seen,
    }
}

/// A count, as Go's client library writes it: `12`, `1.2345e+06`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within both, and a count is whole")]
fn whole(value: &str) -> Option<u64> {
    let value: f64 = value.trim().parse().ok()?;
    (0.0..9e15).contains(&value).then_some(value as u64)
}

/// The value of a label, in `a="b",source="/var/log/x"}`.
fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = labels.split_once(&format!("{name}=\""))?;
    rest.split('"').next()
}

/// Judges DD-06. Where both run, the better one counts; where one of them is not known and the other does not pass, neither
/// is the whole.
pub(super) fn judge(seen: &Seen) -> Verdict {
    let logs = &seen.system.logs;
    let jails = seen.facts.as_ref().and_then(|facts| facts.jails.as_ref());
    let fail2ban = jails.map_err(Clone::clone).and_then(|jails| by_jails(seen, jails, logs));
    let crowdsec = seen.system.crowdsec.as_ref().map_err(Clone::clone).and_then(|crowdsec| match crowdsec {
        Some(crowdsec) => by_counters(seen, crowdsec, logs),
        None => Ok(nothing("no CrowdSec answers on 127.0.0.1:6060")),
    });
    let both = [Verdict::from(fail2ban), Verdict::from(crowdsec)];
    let rank = |verdict: &Verdict| match verdict.state {
        State::Pass => 3,
        State::Unknown(_) => 2,
        State::Partial => 1,
        State::Fail | State::NotApplicable => 0,
    };
    let told = |verdicts: &[Verdict; 2]| verdicts.each_ref().map(|verdict| verdict.seen.clone()).join("; ");
    let all = told(&both);
    // The first of the best: fail2ban's fix where neither is there.
    let [fail2ban, crowdsec] = both;
    let best = if rank(&crowdsec) > rank(&fail2ban) { crowdsec } else { fail2ban };
    if best.state == State::Fail { Verdict { seen: all, ..best } } else { best }
}

fn nothing(seen: &str) -> Verdict {
    let fix = "apt-get install fail2ban\n# /etc/fail2ban/jail.d/shop.conf\n[nginx-limit-req]\nenabled = true\n\
               [nginx-botsearch]\nenabled = true\nlogpath = /var/log/nginx/access.log";
    Verdict::fail(seen, fix)
}

fn by_jails(seen: &Seen, jails: &[Jail], logs: &Known<Vec<Log>>) -> Known<Verdict> {
    if jails.is_empty() {
        return Ok(nothing("fail2ban watches nothing"));
    }
    let names = jails.iter().map(|jail| jail.name.as_str()).collect::<Vec<_>>().join(", ");
    let watched: Vec<_> = jails.iter().flat_map(|jail| jail.files.iter().map(move |file| (jail, file))).collect();
    if watched.is_empty() {
        return Ok(half(&format!("fail2ban's jails ({names}) read no file"), logs));
    }
    let logs = logs.as_ref().map_err(Clone::clone)?;
    let of_shop: Vec<_> = watched.iter().filter_map(|(jail, file)| same(logs, file).map(|log| (jail, log))).collect();
    if let Some((jail, log)) = of_shop.iter().find(|(_, log)| is_alive(seen, log)) {
        return Ok(Verdict::pass(format!("fail2ban's jail {} reads {}", jail.name, log.path.display())));
    }
    Ok(match of_shop.first() {
        Some((_, log)) if log.written.is_none() => {
            let why = format!("whether {} grows cannot be seen: it may not be looked at", log.path.display());
            return Err(Unknown::new(Cause::Permission, why));
        }
        Some((jail, log)) => half(
            &format!(
                "fail2ban's jail {} reads {}, to which nothing was written in a day",
                jail.name,
                log.path.display()
            ),
            &Ok(logs.clone()),
        ),
        None => half(&format!("fail2ban's jails ({names}) read none of the shop's logs"), &Ok(logs.clone())),
    })
}

fn by_counters(seen: &Seen, crowdsec: &CrowdSec, logs: &Known<Vec<Log>>) -> Known<Verdict> {
    let logs = logs.as_ref().map_err(Clone::clone)?;
    let of_shop: Vec<_> =
        crowdsec.sources.iter().filter_map(|(source, rose)| same(logs, source).map(|log| (log, *rose))).collect();
    let has_risen = |rose: Option<i64>| rose.is_some_and(|rose| seen.now.saturating_sub(rose) <= SILENCE);
    if let Some((log, _)) = of_shop.iter().find(|(_, rose)| has_risen(*rose)) {
        return Ok(Verdict::pass(format!("CrowdSec reads {}", log.path.display())));
    }
    if !of_shop.is_empty() && !crowdsec.was_seen {
        return Err(Unknown::new(
            Cause::Stale,
            "whether CrowdSec reads on takes a second look, which the next round is",
        ));
    }
    Ok(match of_shop.first() {
        Some((log, _)) => {
            half(&format!("CrowdSec was told to read {}, and does not read on", log.path.display()), &Ok(logs.clone()))
        }
        None => half("CrowdSec reads none of the shop's logs", &Ok(logs.clone())),
    })
}

/// An engine that runs and does not watch the shop.
fn half(seen: &str, logs: &Known<Vec<Log>>) -> Verdict {
    let log = logs.as_ref().ok().and_then(|logs| logs.first());
    let log = log.map_or_else(|| "/var/log/nginx/access.log".to_owned(), |log| log.path.display().to_string());
    Verdict::partial(
        seen,
        format!("# /etc/fail2ban/jail.d/shop.conf\n[nginx-botsearch]\nenabled = true\nlogpath = {log}"),
    )
}

/// The shop's log that this is, by its path or by where a link of that name leads.
fn same<'a>(logs: &'a [Log], path: &Path) -> Option<&'a Log> {
    logs.iter().find(|log| log.path == path || log.real.as_deref() == Some(path))
}

fn is_alive(seen: &Seen, log: &Log) -> bool {
    log.written.is_some_and(|written| seen.now.saturating_sub(written) <= SILENCE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::facts::Facts;
    use super::super::tests::{facts, seen};
    use super::*;

    const ACCESS: &str = "/var/log/nginx/shop.access.log";

    // In the form of CrowdSec 1.4.6.
    const PAGE: &str = "# TYPE cs_filesource_hits_total counter\n\
                        cs_filesource_hits_total{source=\"/var/log/auth.log\"} 12\n\
                        cs_filesource_hits_total{datasource_type=\"file\",source=\"/var/log/nginx/shop.access.log\"} 1.2345e+06\n\
                        cs_lapi_bouncer_requests_total{bouncer=\"fw\",method=\"GET\",route=\"/v1/decisions/stream\"} 7\n";

    fn judged(jails: Option<&[&str]>, crowdsec: Known<Option<CrowdSec>>, age: i64) -> State {
        let mut seen = seen();
        let written = Some(seen.now - age);
        seen.system.logs = Ok(vec![Log { path: ACCESS.into(), real: None, written }]);
        seen.system.crowdsec = crowdsec;
        if let Some(jails) = jails {
            let jail = |file: &&str| {
                let files = if file.is_empty() { vec![] } else { vec![(*file).into()] };
                Jail { name: "j".into(), files, banned: 0 }
            };
            seen.facts = Ok(Facts { jails: Ok(jails.iter().map(jail).collect()), ..facts() });
        }
        judge(&seen).state
    }

    #[test]
    fn a_jail_counts_when_it_reads_a_log_of_the_shop_that_grows() {
        let jails = |jails: &[&str], age| judged(Some(jails), Ok(None), age);
        assert_eq!(jails(&["", ACCESS], 60), State::Pass);
        assert_eq!(jails(&["/var/log/auth.log", ""], 60), State::Partial);
        assert_eq!(jails(&[ACCESS], SILENCE + 1), State::Partial);
        assert_eq!(jails(&[""], 60), State::Partial);
        assert_eq!(jails(&[], 60), State::Fail);
        assert_eq!(judged(None, Ok(None), 60), State::Unknown(Cause::Permission));
    }

    #[test]
    fn crowdsec_counts_when_it_is_seen_to_read_on() {
        let mut counters = Counters::default();
        let now = seen().now;
        let first = crowdsec(PAGE, now - 60, &mut counters);
        assert_eq!(judged(Some(&[]), Ok(Some(first.clone())), 60), State::Unknown(Cause::Stale));
        assert_eq!(first.bouncer, None);
        let same = crowdsec(PAGE, now - 30, &mut counters);
        assert_eq!(judged(Some(&[]), Ok(Some(same)), 60), State::Partial);
        let more = PAGE.replace("1.2345e+06", "1.234501e+06").replace("} 7", "} 8");
        let mut counters: Counters = serde_json::from_str(&serde_json::to_string(&counters).unwrap()).unwrap();
        let risen = crowdsec(&more, now, &mut counters);
        assert_eq!((risen.bouncer, risen.sources[Path::new("/var/log/auth.log")]), (Some(now), None));
        // Without any facts, too.
        assert_eq!(judged(None, Ok(Some(risen)), 60), State::Pass);
        // Started anew.
        let anew = crowdsec(&PAGE.replace("1.2345e+06", "3"), now + 60, &mut counters);
        assert_eq!(anew.sources[Path::new(ACCESS)], Some(now + 60));
    }

    #[test]
    fn no_page_of_whoever_listens_there_counts_too_far() {
        let mut counters = Counters::default();
        let page = "cs_filesource_hits_total{source=\"/x\"} 8e15\ncs_lapi_bouncer_requests_total 8e15\n".repeat(3_000);
        crowdsec(&page, 0, &mut counters);
        assert_eq!(counters.sources[Path::new("/x")].count, u64::MAX);
        assert_eq!(counters.bouncer.map(|bouncer| bouncer.count), Some(u64::MAX));
    }

    #[test]
    fn crowdsec_that_reads_other_logs_is_half_of_it() {
        let mut counters = Counters::default();
        let page = PAGE.replace(ACCESS, "/var/log/other.log");
        let now = seen().now;
        let other = crowdsec(&page, now, &mut counters);
        assert_eq!(judged(Some(&[]), Ok(Some(other.clone())), 60), State::Partial);
        assert_eq!(
            judged(None, Ok(Some(other.clone())), 60),
            State::Unknown(Cause::Permission),
            "a jail might read it"
        );
        assert_eq!(judged(Some(&[ACCESS]), Ok(Some(other)), 60), State::Pass);
        let unknown = Err(Unknown::new(Cause::Timeout, "x"));
        assert_eq!(judged(Some(&[""]), unknown, 60), State::Unknown(Cause::Timeout));
    }

    #[test]
    fn a_log_is_the_same_by_another_name() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("var/log/nginx")).unwrap();
        fs::write(root.path().join("var/log/nginx/shop.log"), "x").unwrap();
        std::os::unix::fs::symlink("nginx/shop.log", root.path().join("var/log/shop.log")).unwrap();
        let logs = logs(root.path(), &["/var/log/shop.log".into()]);
        assert!(logs[0].written.is_some());
        let is_same = |path: &str| same(&logs, Path::new(path)).is_some();
        assert!(is_same("/var/log/shop.log") && is_same("/var/log/nginx/shop.log") && !is_same("/var/log/other.log"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(cs_filesource_hits_total\\{source=\"|cs_lapi_bouncer_requests_total|[ -~]|\n){0,60}") {
            crowdsec(&text, 7, &mut Counters::default());
        }
    }
}
