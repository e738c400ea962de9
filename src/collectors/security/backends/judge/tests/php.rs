//! PHP: its settings and its branch.

use super::*;

#[test]
fn each_setting_of_php_flips_its_own_check() {
    use State::{Fail, Partial};
    assert_eq!(differs(set("display_errors", "1")), [("API-08", Partial)]);
    assert_eq!(differs(set("display_startup_errors", "On")), [("API-08", Partial)]);
    assert_eq!(differs(set("allow_url_include", "1")), [("API-19", Fail)]);
    assert_eq!(differs(set("open_basedir", "")), [("API-19", Partial)]);
    assert_eq!(differs(set("open_basedir", "/")), [("API-19", Partial)]);
    let callable = |seen: &mut Seen| seen.php.as_mut().unwrap().functions.extend(["exec".to_owned()]);
    assert_eq!(differs(callable), [("API-19", Partial)]);
    assert_eq!(differs(|seen| seen.php.as_mut().unwrap().user = Some(0)), [("API-19", Partial)]);
    let weak = |seen: &mut Seen| {
        let php = seen.php.as_mut().unwrap();
        php.functions = PROGRAMS.map(str::to_owned).into();
        php.user = Some(0);
        php.settings.insert("open_basedir".to_owned(), String::new());
    };
    assert_eq!(differs(weak), [("API-19", Fail)]);
    let guarded = |seen: &mut Seen| {
        weak(seen);
        seen.php.as_mut().unwrap().snuffleupagus = Some(true);
    };
    assert_eq!(differs(guarded), []);
    let broken = |seen: &mut Seen| {
        weak(seen);
        seen.php.as_mut().unwrap().snuffleupagus = Some(false);
    };
    assert_eq!(differs(broken), [("API-19", Fail)], "rules that are not read guard nothing");
    let by_folder = |seen: &mut Seen| {
        let folder = [("display_errors".to_owned(), "On".to_owned())];
        seen.php.as_mut().unwrap().folder = Ok(folder.into());
    };
    assert_eq!(differs(by_folder), [("API-08", Partial)]);
    let closed = |seen: &mut Seen| seen.php.as_mut().unwrap().folder = unseen(Cause::Permission);
    assert_eq!(differs(closed), [("API-08", State::Unknown(Cause::Permission))]);
    let silent = |seen: &mut Seen| drop(seen.php.as_mut().unwrap().settings.remove("allow_url_include"));
    assert_eq!(differs(silent), [("API-19", State::Unknown(Cause::Unsupported))]);
}

#[test]
fn a_branch_of_php_is_supported_by_php_net_or_by_the_distribution_whose_own_it_is() {
    let run = |version: &str, package: Known<Package>, now: i64| {
        let mut seen = hardened();
        seen.now = now;
        let php = seen.php.as_mut().unwrap();
        php.version = version.to_owned();
        php.package = package;
        let verdict = judged(&seen, &[]).remove(&Check::Api18).unwrap();
        (verdict.state, verdict.cap)
    };
    let debian = |version: &str| {
        Ok(Package { system: "debian 12".to_owned(), installed: Some(("php8.2-fpm".to_owned(), version.to_owned())) })
    };
    let none = || Ok(Package { system: "debian 12".to_owned(), installed: None });
    let (pass, partial) = ((State::Pass, None), (State::Partial, None));
    let fail = (State::Fail, Some(Cap::PhpUnsupported));
    let unknown = |cause| (State::Unknown(cause), None);
    assert_eq!(run("8.3.37", none(), NOW), pass);
    assert_eq!(run("8.2.36", none(), NOW), partial, "38 days are less than 90");
    assert_eq!(run("8.2.36", debian("8.2.36-1~deb12u1"), NOW), pass);
    assert_eq!(run("8.2.36", debian("8.2.36-1+0~20261120.1+debian12~1.gbp1"), NOW), partial, "not Debian's");
    assert_eq!(run("8.2.36", debian("8.2.36-1~deb12u1"), NOW + 100 * DAY), pass);
    assert_eq!(run("8.2.36", none(), NOW + 100 * DAY), fail);
    assert_eq!(
        run("8.2.35", debian("8.2.36-1~deb12u1"), NOW + 100 * DAY),
        unknown(Cause::Unsupported),
        "not restarted"
    );
    assert_eq!(run("8.1.34", none(), NOW), fail);
    assert_eq!(run("5.3.29", none(), NOW), fail);
    assert_eq!(run("8.1.34", unseen(Cause::Unsupported), NOW), unknown(Cause::Unsupported), "rpm's may be mended");
    assert_eq!(run("9.0.1", none(), NOW), unknown(Cause::Stale));
    assert_eq!(run("canary", none(), NOW), unknown(Cause::Unparsable));
    assert_eq!(run("8.6.0", none(), NOW + 399 * DAY), pass);
    assert_eq!(run("8.6.0", none(), NOW + 402 * DAY), unknown(Cause::Stale));
}
