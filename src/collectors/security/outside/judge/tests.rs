//! Verdicts of what visitors might get, header by header; servers as they are have their tests in `live`.

use std::fmt::Write as _;

use expect_test::expect;

use super::*;
use crate::collectors::security::outside::answer::tests::answered;
use crate::collectors::security::outside::encryption::{Encryption, Flaw, Leaf, Offers, Shown};
use crate::collectors::security::outside::pages::{Crossing, Plain};
use crate::collectors::security::outside::renewal::Renewal;
use crate::collectors::security::outside::sample::{self, NOW, unasked};
use crate::collectors::security::verdict::Cap;

const HOME: &str = "https://shop.example/";
const DAY: i64 = 86_400;

/// A visit that met these answers: status and lines.
fn visit(path: &str, answers: &[(u16, &[(&str, &str)])]) -> Visit {
    let url = format!("https://shop.example{path}");
    let answers = answers.iter().map(|(status, lines)| answered(&url, *status, lines)).collect();
    Visit { path: path.to_owned(), answers }
}

/// Pages of a shop without an administration, whose first page has these lines.
fn pages(lines: &[(&str, &str)]) -> Pages {
    Pages {
        host: "shop.example".to_owned(),
        shop: Ok(visit("/", &[(200, lines)])),
        admin: Ok(None),
        plain_shop: Ok(Plain::Closed),
        plain_admin: Ok(None),
        crossings: vec![Ok(crossing(&[], false))],
    }
}

/// What another origin's script would be told.
fn crossing(allow_origin: &[&str], allows_credentials: bool) -> Crossing {
    Crossing {
        path: "/".to_owned(),
        origin: "https://4f2a.invalid".to_owned(),
        status: 200,
        allow_origin: allow_origin.iter().map(|origin| (*origin).to_owned()).collect(),
        allows_credentials,
        is_own_refusal: false,
    }
}

fn with_admin(pages: Pages, status: u16, lines: &[(&str, &str)]) -> Pages {
    Pages { admin: Ok(Some(visit("/admin/", &[(status, lines)]))), ..pages }
}

/// What comes of a check: its state and what was seen.
fn told(pages: &Pages, check: Check) -> String {
    let mut seen = sample::seen(&format!("url = '{HOME}'"));
    seen.pages = Ok(pages.clone());
    let mut verdicts = Verdicts::new();
    judge(&seen, &mut verdicts);
    let verdict = &verdicts[&check];
    format!("{:?}: {}", verdict.state, verdict.seen)
}

#[test]
fn each_check_has_its_verdict_whatever_is_known() {
    let unconfigured = sample::seen("");
    let unseen = sample::seen(&format!("url = '{HOME}'"));
    for (seen, cause) in [(unconfigured, Cause::NotConfigured), (unseen, Cause::Unsupported)] {
        let mut verdicts = Verdicts::new();
        judge(&seen, &mut verdicts);
        assert!(verdicts.keys().eq(&CHECKS), "{verdicts:?}");
        for verdict in verdicts.values() {
            assert_eq!((verdict.state, verdict.cap), (State::Unknown(cause), None));
            assert_eq!(verdict.fix.is_empty(), cause != Cause::NotConfigured);
        }
    }
}

#[test]
fn the_worst_of_all_session_cookies_counts_wherever_it_is_set() {
    const GOOD: (&str, &str) = ("set-cookie", "OCSESSID=1; Secure; HttpOnly; SameSite=Lax");
    const BAD: (&str, &str) = ("set-cookie", "OCSESSID=1; path=/");
    let told = |pages: &Pages| told(pages, Check::Api09);
    assert_eq!(told(&pages(&[GOOD])), "Pass: `OCSESSID` of / has Secure, HttpOnly, SameSite=Lax");
    assert_eq!(told(&pages(&[GOOD, BAD])), "Fail: `OCSESSID` of / has nothing");
    assert_eq!(told(&with_admin(pages(&[GOOD]), 200, &[BAD])), "Fail: `OCSESSID` of /admin/ has nothing");
    // Of a page that cannot be looked at what is bad is bad all the same; what is good is not enough.
    let unknown = Pages { admin: unasked(), ..pages(&[BAD]) };
    assert_eq!(told(&unknown), "Fail: `OCSESSID` of / has nothing");
    assert_eq!(told(&Pages { admin: unasked(), ..pages(&[GOOD]) }), "Unknown(Unsupported): not asked");
    // A redirect sets one, too.
    let steps = Pages { admin: Ok(Some(visit("/admin/", &[(302, &[BAD]), (200, &[])]))), ..pages(&[GOOD]) };
    assert_eq!(told(&steps), "Fail: `OCSESSID` of /admin/ has nothing");
    expect![
        "Unknown(Unsupported): the shop's first page sets no cookie that is a session's by its name (…sess…, …login…)"
    ]
    .assert_eq(&told(&pages(&[("set-cookie", "currency=EUR")])));
}

#[test]
fn pages_that_are_none_are_not_judged_as_pages() {
    let at = |answers: &[(u16, &[(&str, &str)])]| Pages { shop: Ok(visit("/", answers)), ..pages(&[]) };
    let mut table = String::new();
    for (pages, what) in [
        (at(&[(503, &[])]), "broken"),
        (at(&[(429, &[])]), "busy"),
        (at(&[(403, &[])]), "closed"),
        (at(&[(301, &[("location", "https://www.shop.example/")])]), "elsewhere"),
        (at(&[(302, &[("location", "/")][..]); 4]), "round"),
        (at(&[(302, &[("location", "http://shop.example/")])]), "in clear"),
        (with_admin(pages(&[]), 502, &[]), "broken admin"),
    ] {
        for check in [Check::Api10, Check::Api11, Check::Api12, Check::Api13] {
            writeln!(table, "{what}: {} {}", check.id(), told(&pages, check)).unwrap();
        }
    }
    expect![[r#"
        broken: API-10 Unknown(Unreachable): / answers 503
        broken: API-11 Unknown(Unreachable): / answers 503
        broken: API-12 Unknown(Unreachable): / answers 503
        broken: API-13 Unknown(Unreachable): / answers 503
        busy: API-10 Unknown(Unreachable): / answers 429
        busy: API-11 Unknown(Unreachable): / answers 429
        busy: API-12 Unknown(Unreachable): / answers 429
        busy: API-13 Unknown(Unreachable): / answers 429
        closed: API-10 Unknown(Unsupported): / answers 403 to a visitor
        closed: API-11 Unknown(Unsupported): / answers 403 to a visitor
        closed: API-12 Unknown(Unsupported): / answers 403 to a visitor
        closed: API-13 Unknown(Unsupported): / answers 403 to a visitor
        elsewhere: API-10 Unknown(NotConfigured): / leads to https://www.shop.example
        elsewhere: API-11 Unknown(NotConfigured): / leads to https://www.shop.example
        elsewhere: API-12 Unknown(NotConfigured): / leads to https://www.shop.example
        elsewhere: API-13 Unknown(NotConfigured): / leads to https://www.shop.example
        round: API-10 Unknown(Unsupported): / leads from one redirect to the next
        round: API-11 Unknown(Unsupported): / leads from one redirect to the next
        round: API-12 Unknown(Unsupported): / leads from one redirect to the next
        round: API-13 Unknown(Unsupported): / leads from one redirect to the next
        in clear: API-10 Unknown(Unsupported): / leads back to HTTP
        in clear: API-11 Unknown(Unsupported): / leads back to HTTP
        in clear: API-12 Unknown(Unsupported): / leads back to HTTP
        in clear: API-13 Unknown(Unsupported): / leads back to HTTP
        broken admin: API-10 Fail: / has no Content-Security-Policy
        broken admin: API-11 Unknown(Unreachable): /admin/ answers 502
        broken admin: API-12 Unknown(Unreachable): /admin/ answers 502
        broken admin: API-13 Pass: / allows no other origin
    "#]]
    .assert_eq(&table);
}

#[test]
fn a_shop_that_lives_elsewhere_is_to_be_asked_there() {
    let mut seen = sample::seen(&format!("url = '{HOME}'"));
    let away = visit("/", &[(301, &[("location", "https://www.shop.example/")])]);
    seen.pages = Ok(Pages { shop: Ok(away), ..pages(&[]) });
    let mut verdicts = Verdicts::new();
    judge(&seen, &mut verdicts);
    assert_eq!(verdicts[&Check::Api10].fix, "[security]\nurl = \"https://www.shop.example/\"");
}

#[test]
fn whom_nobody_gets_to_see_is_left_out_and_it_is_said() {
    let policy = [("content-security-policy", "default-src 'self'; base-uri 'self'")];
    for status in [401, 403, 404] {
        let told = told(&with_admin(pages(&policy), status, &[]), Check::Api10);
        assert!(
            told.starts_with("Pass: / has a Content-Security-Policy that leaves nothing open; /admin/ answers"),
            "{told}"
        );
    }
    assert!(told(&with_admin(pages(&policy), 200, &[]), Check::Api10).starts_with("Fail"));
}

#[test]
fn framing_is_what_browsers_make_of_both_headers() {
    let mut table = String::new();
    for lines in [
        &[][..],
        &[("x-frame-options", "DENY")],
        &[("x-frame-options", "sameorigin")],
        &[("x-frame-options", "SAMEORIGIN, SAMEORIGIN")],
        &[("x-frame-options", "SAMEORIGIN"), ("x-frame-options", "DENY")],
        &[("x-frame-options", "ALLOW-FROM https://partner.example")],
        &[("x-frame-options", "none")],
        &[("x-frame-options", "'self'")],
        &[("x-frame-options", "DENY"), ("content-security-policy", "frame-ancestors *")],
        &[("content-security-policy", "frame-ancestors 'self' https://partner.example")],
        &[("content-security-policy-report-only", "frame-ancestors 'none'")],
    ] {
        writeln!(table, "{}", told(&pages(lines), Check::Api11)).unwrap();
    }
    let half = with_admin(pages(&[("x-frame-options", "DENY")]), 200, &[]);
    table += &told(&half, Check::Api11);
    expect![[r#"
        Fail: /: nothing says who may frame it
        Pass: /: X-Frame-Options: DENY
        Pass: /: X-Frame-Options: sameorigin
        Pass: /: X-Frame-Options: SAMEORIGIN, SAMEORIGIN
        Pass: /: X-Frame-Options: SAMEORIGIN, DENY, which contradicts itself: browsers refuse all frames
        Partial: /: X-Frame-Options: ALLOW-FROM https://partner.example, which only old browsers know
        Fail: /: X-Frame-Options: none, which browsers ignore
        Fail: /: X-Frame-Options: 'self', which browsers ignore
        Fail: /: frame-ancestors allows anybody
        Pass: /: frame-ancestors names who may
        Fail: /: nothing says who may frame it
        Partial: /: X-Frame-Options: DENY; /admin/: nothing says who may frame it"#]]
    .assert_eq(&table);
}

#[test]
fn versions_are_told_by_what_looks_like_one() {
    let told = |lines: &[(&str, &str)]| {
        let good = [("x-content-type-options", "nosniff"), ("referrer-policy", "same-origin")];
        told(&pages(&[&good, lines].concat()), Check::Api12)
    };
    for server in ["nginx", "cloudflare", "Apache", "BunnyCDN-DE1-755", "LiteSpeed", "shop v"] {
        assert!(told(&[("server", server)]).starts_with("Pass"), "{server}");
    }
    for server in ["nginx/1.22.1", "Apache/2.4.57 (Debian)", "Microsoft-IIS/10", "PHP 8.2", "x/v1"] {
        assert!(told(&[("server", server)]).starts_with("Partial"), "{server}");
        assert!(told(&[("x-powered-by", server)]).starts_with("Partial"), "{server}");
    }
    let all = told(&[
        ("server", "nginx/1.22.1"),
        ("x-powered-by", "PHP/8.2.36"),
        ("referrer-policy", "no-referrer, unsafe-url, banana"),
    ]);
    expect![[r#"
        Fail: Referrer-Policy: unsafe-url, which tells other sites too much (/)
        a version is told: nginx/1.22.1 (/)
        a version is told: PHP/8.2.36 (/)"#]]
    .assert_eq(&all.replace("; ", "\n"));
}

#[test]
fn an_origin_is_reflected_or_not() {
    let asked = |allow_origin: &[&str], allows_credentials| {
        let crossing = crossing(allow_origin, allows_credentials);
        told(&Pages { crossings: vec![Ok(crossing)], ..pages(&[]) }, Check::Api13)
    };
    assert_eq!(asked(&[], true), "Pass: / allows no other origin");
    assert_eq!(asked(&["*"], true), "Pass: / allows *");
    assert_eq!(asked(&["https://app.shop.example"], true), "Pass: / allows https://app.shop.example");
    assert_eq!(asked(&["https://4f2a.invalid"], false), "Pass: / allows whoever asks");
    assert_eq!(asked(&["https://4f2a.invalid"], true), "Fail: / allows whoever asks, with credentials");
    assert_eq!(asked(&["null"], true), "Fail: / allows null");
    let half = Pages { crossings: vec![Ok(crossing(&[], false)), unasked()], ..pages(&[]) };
    assert_eq!(told(&half, Check::Api13), "Unknown(Unsupported): not asked");
    let none = Pages { crossings: Vec::new(), ..pages(&[]) };
    assert_eq!(told(&none, Check::Api13), "Unknown(Unparsable): nothing was asked as another origin");
}

#[test]
fn a_request_that_is_turned_away_tells_nothing_of_origins() {
    let asked = |status| {
        let crossing = Crossing { status, ..crossing(&[], false) };
        told(&Pages { crossings: vec![Ok(crossing)], ..pages(&[]) }, Check::Api13)
    };
    assert_eq!(asked(404), "Pass: / allows no other origin");
    assert_eq!(asked(403), "Unknown(Unreachable): / answers 403 to a request of another origin");
    assert_eq!(asked(429), "Unknown(Unreachable): / answers 429");
    assert_eq!(asked(408), "Unknown(Timeout): / answers 408");
}

#[test]
fn an_api_that_refuses_in_the_shops_own_words_has_answered() {
    const API: &str = "/index.php?route=api/order";
    let page = |status| Ok(Crossing { status, ..crossing(&[], false) });
    let api = |is_own_refusal, path: &str| {
        Ok(Crossing { path: path.to_owned(), status: 403, is_own_refusal, ..crossing(&[], false) })
    };
    let asked =
        |crossings: [Known<Crossing>; 2]| told(&Pages { crossings: crossings.into(), ..pages(&[]) }, Check::Api13);
    expect!["Pass: / allows no other origin; /index.php?route=api/order refuses strangers, in the shop's own words, and allows no other origin"]
        .assert_eq(&asked([page(200), api(true, API)]));
    for (page, api, path) in [
        (page(200), api(false, API), API),
        // By another way what the first page was answered with says nothing.
        (page(200), api(true, "/rest/V1/directory/currency"), "/rest/V1/directory/currency"),
        (page(404), api(true, API), API),
    ] {
        let expected = format!("Unknown(Unreachable): {path} answers 403 to a request of another origin");
        assert_eq!(asked([page, api]), expected);
    }
    let Ok(open) = api(true, API) else { panic!() };
    let open = Crossing { allow_origin: vec![open.origin.clone()], allows_credentials: true, ..open };
    expect!["Fail: /index.php?route=api/order allows whoever asks, with credentials"]
        .assert_eq(&asked([page(200), Ok(open)]));
}

/// A visit by HTTP that met this status.
fn in_clear(path: &str, status: u16) -> Plain {
    let answers = vec![answered(&format!("http://shop.example{path}"), status, &[])];
    Plain::Open(Visit { path: path.to_owned(), answers })
}

#[test]
fn an_administration_that_is_not_known_is_not_known_to_be_closed() {
    const SHOP: &str = "http://shop.example/ is served without encryption";
    let asked = |shop: u16, admin: Known<Option<Plain>>| {
        told(&Pages { plain_shop: Ok(in_clear("/", shop)), plain_admin: admin, ..pages(&[]) }, Check::Tls07)
    };
    let admin = |status| Ok(Some(in_clear("/admin/", status)));
    assert_eq!(asked(200, unasked()), format!("Unknown(Unsupported): {SHOP}; not asked"));
    for status in [408, 421, 425, 429, 500, 503] {
        let cause = if status == 408 { "Timeout" } else { "Unreachable" };
        let seen = format!("Unknown({cause}): {SHOP}; http://shop.example/admin/ answers {status}");
        assert_eq!(asked(200, admin(status)), seen);
    }
    assert_eq!(asked(200, admin(404)), format!("Fail: {SHOP}; http://shop.example/admin/ answers 404"));
    assert_eq!(asked(200, Ok(None)), format!("Fail: {SHOP}"));
    assert!(asked(429, admin(200)).starts_with("Fail: "));
}

#[test]
fn who_hangs_up_has_no_cap() {
    let tls01 = |why: &str| {
        let mut seen = sample::seen(&format!("url = '{HOME}'"));
        seen.pages = Ok(Pages { plain_shop: Ok(in_clear("/", 200)), ..pages(&[]) });
        let certificate = Err(Unknown::new(Cause::Unreachable, why));
        seen.encryption = Ok(Encryption { certificate, offers: unasked(), renewal: unasked() });
        let mut verdicts = Verdicts::new();
        judge(&seen, &mut verdicts);
        (verdicts[&Check::Tls01].state, verdicts[&Check::Tls01].cap)
    };
    assert_eq!(tls01("connection refused"), (State::Fail, Some(Cap::NoHttps)));
    let hung_up = "the server hangs up before it shows a certificate: eof";
    assert_eq!(tls01(hung_up), (State::Unknown(Cause::Unreachable), None));
}

/// A certificate of 90 days that is so many days old.
fn leaf(age: i64) -> Leaf {
    let not_before = NOW - age * DAY;
    let [key, signature] = ["ecdsa", "ecdsa_sha256"].map(str::to_owned);
    Leaf { not_before, not_after: not_before + 90 * DAY, key, bits: 256, signature }
}

/// What comes of the checks of TLS, `{state}` each, when a certificate is shown and a server agrees to these.
fn encrypted(leaf: Leaf, versions: [bool; 5], suites: [bool; 8], found: &[&str]) -> [Verdict; 5] {
    let mut seen = sample::seen(&format!("url = '{HOME}'"));
    let certificate = Ok(Shown { is_tls: true, failure: None, leaf: Some(leaf), flaws: Vec::new() });
    let offers = Ok(Offers { versions: versions.map(Ok), suites: suites.map(Ok) });
    let found = found.iter().map(|found| (*found).to_owned()).collect();
    seen.encryption = Ok(Encryption { certificate, offers, renewal: Ok(Renewal { found, closed: Vec::new() }) });
    let mut verdicts = Verdicts::new();
    judge(&seen, &mut verdicts);
    [Check::Tls01, Check::Tls02, Check::Tls03, Check::Tls04, Check::Tls05].map(|check| verdicts[&check].clone())
}

const MODERN: [bool; 5] = [false, false, false, true, true];
const AEAD: [bool; 8] = [false, false, false, false, false, false, false, true];

#[test]
fn a_certificate_is_old_by_its_own_measure() {
    for (age, horizon, with_timer, without) in [
        (0, State::Pass, State::Pass, State::Partial),
        (60, State::Pass, State::Pass, State::Partial),
        (61, State::Partial, State::Fail, State::Fail),
        (75, State::Partial, State::Fail, State::Fail),
        (76, State::Fail, State::Fail, State::Fail),
        (91, State::Fail, State::Fail, State::Fail),
        (-1, State::Pass, State::Pass, State::Partial),
    ] {
        let [_, two, three, ..] = encrypted(leaf(age), MODERN, AEAD, &["certbot.timer"]);
        assert_eq!((two.state, three.state), (horizon, with_timer), "{age}");
        assert_eq!(encrypted(leaf(age), MODERN, AEAD, &[])[2].state, without, "{age}");
    }
    let endless = Leaf { not_before: i64::MIN, not_after: i64::MAX, ..leaf(0) };
    assert_eq!(encrypted(endless, MODERN, AEAD, &[])[1].state, State::Pass);
    let backwards = Leaf { not_before: NOW, not_after: NOW - 1, ..leaf(0) };
    assert_eq!(encrypted(backwards, MODERN, AEAD, &[])[1].state, State::Fail);
}

#[test]
fn keys_and_signatures_are_judged_with_the_suites() {
    for (key, bits, signature, state) in [
        ("rsa", 2048, "rsa_sha256", State::Pass),
        ("rsa", 2047, "rsa_sha256", State::Fail),
        ("ecdsa", 256, "rsa_sha384", State::Pass),
        ("ecdsa", 224, "ecdsa_sha256", State::Fail),
        ("ed25519", 256, "ed25519", State::Pass),
        ("dsa", 2048, "rsa_sha256", State::Fail),
        ("rsa", 4096, "rsa_sha1", State::Fail),
        ("rsa", 4096, "rsa_md5", State::Fail),
        ("other", 0, "rsa_sha256", State::Unknown(Cause::Unsupported)),
        ("rsa", 4096, "other", State::Unknown(Cause::Unsupported)),
    ] {
        let leaf = Leaf { key: key.to_owned(), bits, signature: signature.to_owned(), ..leaf(0) };
        assert_eq!(encrypted(leaf, MODERN, AEAD, &[])[4].state, state, "{key} {bits} {signature}");
    }
}

#[test]
fn versions_and_suites_are_as_good_as_their_worst() {
    use Cap::{LegacyTls, WeakCipher};
    use State::{Fail, Partial, Pass};

    let tls = |versions, suites: [bool; 8]| {
        let [.., four, five] = encrypted(leaf(0), versions, suites, &[]);
        (four.state, four.cap, five.state, five.cap)
    };
    assert_eq!(tls(MODERN, AEAD), (Pass, None, Pass, None));
    assert_eq!(tls([false, false, false, false, true], [false; 8]), (Pass, None, Pass, None));
    assert_eq!(tls([false, false, false, true, false], AEAD), (Partial, None, Pass, None));
    for old in 0..3 {
        let mut versions = MODERN;
        versions[old] = true;
        assert_eq!(tls(versions, AEAD), (Fail, Some(LegacyTls), Pass, None));
    }
    for suite in 0..7 {
        let mut suites = AEAD;
        suites[suite] = true;
        let expected = if suite < 5 { (Fail, Some(WeakCipher)) } else { (Partial, None) };
        assert_eq!(tls(MODERN, suites), (Pass, None, expected.0, expected.1));
    }
}

#[test]
fn no_https_is_worse_than_https_that_nobody_reaches() {
    let verdict = |pages: Option<Pages>, certificate: Known<Shown>| {
        let mut seen = sample::seen(&format!("url = '{HOME}'"));
        seen.pages = pages.ok_or(Unknown::new(Cause::Unsupported, "not asked"));
        seen.encryption = Ok(Encryption { certificate, offers: unasked(), renewal: unasked() });
        let mut verdicts = Verdicts::new();
        judge(&seen, &mut verdicts);
        (verdicts[&Check::Tls01].state, verdicts[&Check::Tls01].cap)
    };
    let refused = || Err(Unknown::new(Cause::Unreachable, "connecting: refused"));
    let in_clear = Pages { plain_shop: Ok(Plain::Open(visit("/", &[(200, &[])]))), ..pages(&[]) };
    assert_eq!(verdict(Some(pages(&[])), refused()), (State::Unknown(Cause::Unreachable), None));
    assert_eq!(verdict(None, refused()), (State::Unknown(Cause::Unreachable), None));
    assert_eq!(verdict(Some(in_clear.clone()), refused()), (State::Fail, Some(Cap::NoHttps)));
    let late = Err(Unknown::new(Cause::Timeout, "late"));
    assert_eq!(verdict(Some(in_clear), late), (State::Unknown(Cause::Timeout), None));
    let shown = |failure: Option<&str>, leaf, flaws: &[&str]| {
        let flaw = |word: &&str| Flaw { word: (*word).to_owned(), text: format!("it is {word}") };
        Ok(Shown { is_tls: true, failure: failure.map(str::to_owned), leaf, flaws: flaws.iter().map(flaw).collect() })
    };
    assert_eq!(verdict(None, shown(Some("alert"), None, &[])), (State::Fail, Some(Cap::NoHttps)));
    assert_eq!(verdict(None, shown(None, Some(leaf(0)), &["expired"])), (State::Fail, Some(Cap::CertificateInvalid)));
    assert_eq!(verdict(None, shown(Some("bad signature"), Some(leaf(0)), &[])), (State::Fail, None));
    let weak = Leaf { key: "rsa".to_owned(), bits: 1024, ..leaf(0) };
    assert_eq!(verdict(None, shown(Some("bad signature"), Some(weak), &[])), (State::Pass, None));
}

#[test]
fn a_report_tells_what_was_seen_and_what_to_write() {
    const LINES: [(&str, &str); 3] =
        [("set-cookie", "OCSESSID=tr0ub4dor; path=/"), ("server", "nginx/1.22.1"), ("x-powered-by", "PHP/8.2.36")];
    let mut seen = sample::seen(&format!("url = '{HOME}'"));
    let in_clear = |path| Plain::Open(visit(path, &[(200, &LINES)]));
    seen.pages = Ok(Pages {
        plain_shop: Ok(in_clear("/")),
        plain_admin: Ok(Some(in_clear("/admin/"))),
        ..with_admin(pages(&LINES), 200, &LINES)
    });
    let offers = Offers {
        versions: [false, true, true, true, false].map(Ok),
        suites: [false, true, false, false, false, true, true, true].map(Ok),
    };
    let flaws = vec![Flaw { word: "expired".to_owned(), text: "the certificate of `shop.example` expired".to_owned() }];
    let certificate = Ok(Shown { is_tls: true, failure: None, leaf: Some(leaf(91)), flaws });
    let closed = vec!["/var/spool/cron/crontabs".to_owned()];
    let renewal = Ok(Renewal { found: Vec::new(), closed });
    seen.encryption = Ok(Encryption { certificate, offers: Ok(offers), renewal });
    let mut verdicts = Verdicts::new();
    judge(&seen, &mut verdicts);
    let told = verdicts.iter().map(|(check, verdict)| format!("{}: {}\n{}\n", check.id(), verdict.seen, verdict.fix));
    let report = told.collect::<Vec<_>>().join("\n");
    assert!(!report.contains("tr0ub4dor"), "{report}");
    expect![[r#"
        API-09: `OCSESSID` of / has nothing; `OCSESSID` of /admin/ has nothing
        # OpenCart sets it in catalog/controller/startup/session.php and system/framework.php, and ignores PHP's
        # session.cookie_*. OpenCart 4, among the options there:
        'secure' => true, 'httponly' => true, 'SameSite' => 'Lax'
        # OpenCart 3, in place of all that follows getId(),
        ['path' => '/', 'secure' => true, 'httponly' => true, 'samesite' => 'Lax']
        # or with snuffleupagus, without a change of the shop's code:
        sp.cookie.name("OCSESSID").samesite("lax");
        sp.auto_cookie_secure.enable();

        API-10: / has no Content-Security-Policy; /admin/ has no Content-Security-Policy
        add_header Content-Security-Policy-Report-Only "script-src 'self'; object-src 'none'; base-uri 'self'" always;
        # and once nothing is reported that the shop needs:
        add_header Content-Security-Policy "script-src 'self'; object-src 'none'; base-uri 'self'" always;

        API-11: /: nothing says who may frame it; /admin/: nothing says who may frame it
        add_header Content-Security-Policy "frame-ancestors 'self'" always;

        API-12: no X-Content-Type-Options: nosniff (/, /admin/); no Referrer-Policy (/, /admin/); a version is told: nginx/1.22.1 (/, /admin/); a version is told: PHP/8.2.36 (/, /admin/)
        # nginx: inside of the location that serves PHP; expose_php: in php.ini
        add_header X-Content-Type-Options nosniff always;
        add_header Referrer-Policy strict-origin-when-cross-origin always;
        server_tokens off;
        expose_php = Off

        API-13: / allows no other origin


        TLS-01: the certificate of `shop.example` expired
        certbot renew --cert-name shop.example && systemctl reload nginx

        TLS-02: it expired at 2026-11-22T00:00:00Z
        systemctl enable --now certbot.timer && certbot renew && systemctl reload nginx

        TLS-03: it was issued 91 days ago, for 90 days
        systemctl enable --now certbot.timer

        TLS-04: the server agrees to TLS 1.0 and TLS 1.1
        ssl_protocols TLSv1.2 TLSv1.3;

        TLS-05: the server agrees to 3DES
        ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;

        TLS-06: / has no Strict-Transport-Security
        add_header Strict-Transport-Security "max-age=63072000" always;

        TLS-07: http://shop.example/ is served without encryption; http://shop.example/admin/ is served without encryption
        server { listen 80; server_name shop.example; return 301 https://$host$request_uri; }
    "#]].assert_eq(&report);
}
