//! What the active checks find lowers, and never raises.

use super::burst::Limit;
use super::*;
use crate::collectors::security::outside::sample::seen;
use crate::collectors::security::verdict::{Cause, Unknown};

fn lowered(active: Active, before: impl IntoIterator<Item = (Check, Verdict)>) -> Verdicts {
    let mut verdicts: Verdicts = before.into_iter().collect();
    let mut seen = seen("url = 'https://shop.example/'\nedge.provider = 'cloudflare'");
    seen.active = active;
    lower(&seen, &mut verdicts);
    verdicts
}

fn open(ports: &[u16]) -> Active {
    let ports = ports.iter().map(|port| OpenPort { port: *port, is_address: true });
    let ports = Ports { open: ports.collect(), closed: Vec::new() };
    Active { vantage: Some(Ok(ports)), ..Active::default() }
}

/// Files that were found.
fn found(secrets: &[&str], installer: Option<&str>) -> Files {
    let secrets = secrets.iter().map(|path| (*path).to_owned()).collect();
    Files { asked: 20, secrets, installer: installer.map(str::to_owned), ..Files::default() }
}

#[test]
fn what_was_found_stays_while_nobody_answers() {
    let late = || Unknown::new(Cause::Timeout, "late");
    let before = Active {
        files: Some(Ok(found(&["/.env"], None))),
        logins: Some(Ok(Logins { path: "/admin/".into(), sent: 12, refused: 0 })),
        burst: Some(Ok(Burst { sent: 200, refused: 0, milliseconds: 500, limit: Limit { rate: 10.0, burst: 20 } })),
        ..open(&[3306])
    };
    let silent = Active {
        files: Some(Err(late())),
        vantage: Some(Err(late())),
        logins: Some(Err(late())),
        burst: Some(Err(late())),
    };
    assert_eq!(held(&before, silent.clone()), before);
    assert_eq!(held(&before, Active::default()), before);
    let answered = Active {
        files: Some(Ok(found(&[], None))),
        vantage: Some(Ok(Ports { open: Vec::new(), closed: vec![3306] })),
        logins: Some(Ok(Logins { path: "/admin/".into(), sent: 12, refused: 7 })),
        burst: Some(Ok(Burst { sent: 60, refused: 9, milliseconds: 500, limit: Limit { rate: 10.0, burst: 20 } })),
    };
    assert_eq!(held(&before, answered.clone()), answered);
    // Where nothing was found, silence is what it is.
    assert_eq!(held(&answered, silent.clone()), silent);
}

#[test]
fn what_was_found_stays_where_that_very_path_or_port_was_not_asked() {
    let before = Active { files: Some(Ok(found(&["/.env", "/a.sql"], Some("/install/")))), ..open(&[3306, 6379]) };
    let unasked = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect();
    let now = |paths| Active {
        files: Some(Ok(Files { unasked: unasked(paths), ..found(&[], None) })),
        vantage: Some(Ok(Ports { open: Vec::new(), closed: vec![6379] })),
        ..Active::default()
    };
    let after = held(&before, now(&["/.env", "/install/"]));
    let Some(Ok(files)) = &after.files else { panic!("{after:?}") };
    assert_eq!((files.secrets.as_slice(), files.installer.as_deref()), (&["/.env".to_owned()][..], Some("/install/")));
    let Some(Ok(ports)) = &after.vantage else { panic!("{after:?}") };
    assert_eq!(ports.open, [OpenPort { port: 3306, is_address: true }]);
    // And the one after that, which answers for them, clears them.
    let Some(Ok(files)) = held(&after, now(&[])).files else { panic!("{after:?}") };
    assert_eq!((files.secrets.len(), files.installer), (0, None));
}

#[test]
fn nothing_found_changes_nothing() {
    let before: Verdicts = Check::ALL.into_iter().map(|check| (check, Verdict::partial("half", "more"))).collect();
    let clean = Active {
        files: Some(Ok(Files { asked: 20, ..Files::default() })),
        vantage: open(&[22]).vantage,
        logins: Some(Ok(Logins { path: "/admin/".into(), sent: 12, refused: 7 })),
        burst: Some(Err(Unknown::new(Cause::Timeout, "late"))),
    };
    assert_eq!(lowered(clean, before.clone()), before);
    assert_eq!(lowered(Active::default(), before.clone()), before);
}

#[test]
fn what_was_served_fails_whatever_was_thought_of_it() {
    let files = found(&["/.env"], Some("/install/index.php"));
    let active = Active { files: Some(Ok(files)), ..Active::default() };
    for before in [Verdict::pass("denied"), Verdict::fail("servable", "rm").with_cap(Cap::InstallerServable)] {
        let after = lowered(active.clone(), [(Check::Api01, before.clone()), (Check::Api05, before)]);
        assert_eq!((after[&Check::Api05].state, after[&Check::Api05].cap), (State::Fail, Some(Cap::SecretServed)));
        assert_eq!((after[&Check::Api01].state, after[&Check::Api01].cap), (State::Fail, Some(Cap::InstallerServed)));
    }
}

#[test]
fn an_open_port_fails_the_check_that_it_belongs_to() {
    for (port, check, cap) in [
        (3306, Check::Fw03, Some(Cap::DatabaseExposed)),
        (6379, Check::Fw04, Some(Cap::CacheExposed)),
        (9000, Check::Fw05, Some(Cap::PhpOpen)),
        (8080, Check::Fw06, None),
        (443, Check::Fw10, None),
    ] {
        let before = Check::ALL.map(|check| (check, Verdict::not_applicable("none in sight")));
        let after = lowered(open(&[port]), before);
        let failed: Vec<_> = after.iter().filter(|(_, verdict)| verdict.state == State::Fail).collect();
        assert_eq!(failed.iter().map(|(check, verdict)| (**check, verdict.cap)).collect::<Vec<_>>(), [(check, cap)]);
    }
    assert_eq!(lowered(open(&[22]), []), Verdicts::new());
}

#[test]
fn a_lower_limit_stays() {
    let before = Verdict::fail("open", "close").with_cap(Cap::PhpOpen);
    let after = lowered(open(&[9000]), [(Check::Fw05, before)]);
    assert_eq!(after[&Check::Fw05].cap, Some(Cap::PhpOpen));
    assert_eq!(after[&Check::Fw05].seen, "open; port 9000 is open, seen from elsewhere");
}

#[test]
fn whoever_answers_everything_limits_nothing() {
    let active = Active {
        logins: Some(Ok(Logins { path: "/admin/".into(), sent: 12, refused: 0 })),
        burst: Some(Ok(Burst { sent: 200, refused: 0, milliseconds: 500, limit: Limit { rate: 10.0, burst: 20 } })),
        ..Active::default()
    };
    let after = lowered(active, [(Check::Api14, Verdict::pass("limited")), (Check::Dd01, Verdict::pass("limited"))]);
    assert_eq!((after[&Check::Api14].state, after[&Check::Dd01].state), (State::Fail, State::Fail));
}
