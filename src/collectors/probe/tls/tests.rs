//! Chains, good and bad, judged at a moment of our choosing.

use std::fmt::Write as _;

use expect_test::expect;
use rcgen::{
    BasicConstraints, Certificate as Signed, CertificateParams, CustomExtension, DistinguishedName, DnType, IsCa,
    Issuer, KeyPair, SanType, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use crate::snapshot::{Snapshot, Value};
use crate::tls::certificate::date;
use crate::tls::examine::{Examined, examine};
use crate::tls::inspection::{Inspection, Session};
use crate::tls::trust::Roots;

/// 2026-11-23, 00:00.
const NOW: u64 = 1_795_392_000;

/// Somebody who signs, with a key.
struct Party {
    params: CertificateParams,
    key: KeyPair,
}

impl Party {
    /// A party of this name, valid over these years.
    fn new(name: &str, years: [i32; 2], is_authority: bool) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        [params.not_before, params.not_after] = years.map(|year| date_time_ymd(year, 1, 1));
        if is_authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        Self { params, key: KeyPair::generate().unwrap() }
    }

    fn authority(name: &str, years: [i32; 2]) -> Self {
        Self::new(name, years, true)
    }

    /// A server with its names; in its certificate stands where its issuer's can be had when `is_published`.
    fn server(names: &[&str], years: [i32; 2], is_published: bool) -> Self {
        let mut server = Self::new(names.first().copied().unwrap_or("nameless"), years, false);
        server.params.subject_alt_names = names
            .iter()
            .map(|name| match name.parse() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName((*name).try_into().unwrap()),
            })
            .collect();
        if is_published {
            let place = b"\x30\x1a\x30\x18\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x02\x86\x0chttp://a/b.c".to_vec();
            let access = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], place);
            server.params.custom_extensions.push(access);
        }
        server
    }

    fn self_signed(&self) -> CertificateDer<'static> {
        self.params.self_signed(&self.key).unwrap().der().clone()
    }

    fn signed_by(&self, issuer: &Self) -> CertificateDer<'static> {
        let issuer = Issuer::from_params(&issuer.params, &issuer.key);
        let signed: Signed = self.params.signed_by(&self.key, &issuer).unwrap();
        signed.der().clone()
    }

    /// The same with the same key over other years.
    fn over(&self, years: [i32; 2]) -> Self {
        let mut params = self.params.clone();
        [params.not_before, params.not_after] = years.map(|year| date_time_ymd(year, 1, 1));
        Self { params, key: KeyPair::try_from(self.key.serialize_der()).unwrap() }
    }
}

fn examined(sent: &[CertificateDer<'_>], name: &str, trusted: &[CertificateDer<'_>]) -> Examined {
    let provider = rustls::crypto::ring::default_provider();
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(NOW));
    examine(sent, &ServerName::try_from(name).unwrap(), &Roots::of(trusted), &provider, now)
}

/// All that is wrong, a line each, and when the last way to an authority ends.
fn verdict(examined: &Examined) -> String {
    let mut lines: Vec<_> = examined.problems.iter().map(|problem| format!("{}: {problem}", problem.word())).collect();
    lines.push(format!("trusted until {}", examined.path_ends.map_or("never".to_owned(), date)));
    lines.join("\n")
}

/// The root, an intermediate authority and a server, all valid for some years.
struct Shop {
    root: Party,
    middle: Party,
    server: Party,
}

impl Shop {
    fn new() -> Self {
        Self {
            root: Party::authority("root", [2020, 2040]),
            middle: Party::authority("middle", [2021, 2035]),
            server: Party::server(&["shop.example", "www.shop.example"], [2026, 2028], true),
        }
    }

    fn sent(&self) -> [CertificateDer<'static>; 2] {
        [self.server.signed_by(&self.middle), self.middle.signed_by(&self.root)]
    }

    fn root(&self) -> [CertificateDer<'static>; 1] {
        [self.root.self_signed()]
    }
}

#[test]
fn a_good_chain_has_no_problem_and_ends_with_its_first_certificate_that_expires() {
    let shop = Shop::new();
    let good = examined(&shop.sent(), "www.shop.example", &shop.root());
    expect!["trusted until 2028-01-01T00:00:00Z"].assert_eq(&verdict(&good));
    assert_eq!(good.chain.iter().map(|one| one.subject.as_str()).collect::<Vec<_>>(), ["shop.example", "middle"]);

    let short = Shop { middle: Party::authority("middle", [2021, 2027]), ..shop };
    let good = examined(&short.sent(), "shop.example", &short.root());
    expect!["trusted until 2027-01-01T00:00:00Z"].assert_eq(&verdict(&good));
}

#[test]
fn each_problem_has_its_word_and_a_sentence() {
    let shop = Shop::new();
    let [leaf, middle] = shop.sent();
    let over = |years| shop.server.over(years).signed_by(&shop.middle);
    let own = Party::server(&["shop.example"], [2026, 2028], false);
    let nameless = Party::server(&[], [2026, 2028], false).signed_by(&shop.root);
    let many: Vec<_> = (0..7).map(|number| format!("{number}.example")).collect();
    let many = Party::server(&many.iter().map(String::as_str).collect::<Vec<_>>(), [2026, 2028], false);
    let stranger = Party::authority("a stranger", [2020, 2040]);
    let private = own.signed_by(&stranger);
    let cases: [(&str, Vec<CertificateDer<'static>>); 15] = [
        ("expired", vec![over([2020, 2022]), middle.clone()]),
        ("not yet valid", vec![over([2030, 2032]), middle.clone()]),
        ("self-signed", vec![own.self_signed()]),
        (
            "self-signed as openssl does it by default",
            vec![Party::authority("shop.example", [2026, 2028]).self_signed()],
        ),
        ("for others", vec![many.signed_by(&shop.root)]),
        ("for nobody", vec![nameless]),
        ("by a stranger", vec![private.clone()]),
        ("by a stranger who is sent along", vec![private, stranger.self_signed()]),
        ("by another of the root's name", vec![own.signed_by(&Party::authority("root", [2020, 2040]))]),
        ("without the intermediate", vec![leaf]),
        (
            "with an intermediate that has expired",
            vec![shop.server.signed_by(&shop.middle), shop.middle.over([2020, 2022]).signed_by(&shop.root)],
        ),
        ("an authority's", vec![Party::authority("shop.example", [2026, 2028]).signed_by(&shop.root), middle.clone()]),
        ("everything at once", vec![own.over([2020, 2022]).self_signed()]),
        ("not a certificate", vec![b"hello".to_vec().into()]),
        ("nothing", vec![]),
    ];
    let verdicts = cases.map(|(what, sent)| {
        let name = if what == "everything at once" { "other.example" } else { "shop.example" };
        format!("{what}:\n{}\n\n", verdict(&examined(&sent, name, &shop.root())))
    });
    let verdicts = verdicts.concat();
    expect![[r#"
        expired:
        expired: the certificate of `shop.example` expired at 2022-01-01T00:00:00Z
        trusted until 2022-01-01T00:00:00Z

        not yet valid:
        not_yet_valid: the certificate of `shop.example` is not valid before 2030-01-01T00:00:00Z
        trusted until 2032-01-01T00:00:00Z

        self-signed:
        self_signed: the certificate is signed by itself
        trusted until never

        self-signed as openssl does it by default:
        wrong_name: the certificate is for no name at all, and so not for `shop.example`
        self_signed: the certificate is signed by itself
        trusted until never

        for others:
        wrong_name: the certificate is for `0.example`, `1.example`, `2.example`, `3.example`, `4.example` and others, not for `shop.example`
        trusted until 2028-01-01T00:00:00Z

        for nobody:
        wrong_name: the certificate is for no name at all, and so not for `shop.example`
        trusted until 2028-01-01T00:00:00Z

        by a stranger:
        untrusted: the certificate was signed by `a stranger`, who is not trusted
        trusted until never

        by a stranger who is sent along:
        untrusted: the certificate was signed by `a stranger`, who is not trusted
        trusted until never

        by another of the root's name:
        untrusted: the certificate was signed by `root`, who is not trusted
        trusted until never

        without the intermediate:
        incomplete_chain: the server does not send the certificate of `middle`, without which its own leads to nobody who is trusted (send the whole chain: fullchain.pem)
        trusted until never

        with an intermediate that has expired:
        expired: the certificate of `middle` expired at 2022-01-01T00:00:00Z
        trusted until never

        an authority's:
        wrong_name: the certificate is for no name at all, and so not for `shop.example`
        other: the certificate is an authority's, not a server's
        trusted until never

        everything at once:
        expired: the certificate of `shop.example` expired at 2022-01-01T00:00:00Z
        wrong_name: the certificate is for `shop.example`, not for `other.example`
        self_signed: the certificate is signed by itself
        trusted until never

        not a certificate:
        other: the certificate cannot be read
        trusted until never

        nothing:
        other: the server sent no certificate
        trusted until never

    "#]].assert_eq(&verdicts);
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_never_without_a_problem() {
    // An authority of one's own making, expired, and with names that only some can read.
    let mut stranger = Party::authority("a stranger", [2020, 2022]);
    stranger
        .params
        .custom_extensions
        .push(CustomExtension::from_oid_content(&[2, 5, 29, 17], b"\x30\x03\x82\x05a".to_vec()));
    let sent = [Party::server(&["shop.example"], [2026, 2028], false).signed_by(&stranger), stranger.self_signed()];
    let found = examined(&sent, "shop.example", &Shop::new().root());
    expect![[r#"
        other: the certificate is not valid: CertExpired { time: UnixTime(1795392000), not_after: UnixTime(1640995200) }
        trusted until never"#]]
    .assert_eq(&verdict(&found));
}

#[test]
fn of_two_ways_to_an_authority_the_one_that_lasts_longer_counts() {
    let shop = Shop::new();
    let old = Party::authority("old root", [2010, 2027]);
    let [leaf, middle] = shop.sent();
    // The new root as the old one signed it, in its last year.
    let cross = shop.root.over([2020, 2027]).signed_by(&old);
    let sent = [leaf, middle, cross];
    for (trusted, until) in [
        (vec![shop.root.self_signed(), old.self_signed()], "2028"),
        (vec![old.self_signed(), shop.root.self_signed()], "2028"),
        (vec![old.self_signed()], "2027"),
        (vec![shop.root.self_signed()], "2028"),
    ] {
        let found = examined(&sent, "shop.example", &trusted);
        assert_eq!(verdict(&found), format!("trusted until {until}-01-01T00:00:00Z"));
        // What is on the wire does not depend on whom we trust.
        assert_eq!(found.chain.iter().map(|one| one.not_after).min().map(date).unwrap(), "2027-01-01T00:00:00Z");
    }
}

#[test]
fn a_way_to_an_authority_whose_time_is_over_is_none() {
    let shop = Shop::new();
    let expired = shop.root.over([2010, 2025]).self_signed();
    let found = examined(&shop.sent(), "shop.example", std::slice::from_ref(&expired));
    expect![[r#"
        expired: the certificate of `root` expired at 2025-01-01T00:00:00Z
        trusted until never"#]]
    .assert_eq(&verdict(&found));
    // The same authority under a new certificate, as the system's list has it for a while.
    let found = examined(&shop.sent(), "shop.example", &[expired, shop.root.self_signed()]);
    expect!["trusted until 2028-01-01T00:00:00Z"].assert_eq(&verdict(&found));
}

#[test]
fn a_certificate_among_the_trusted_ones_is_trusted_itself() {
    for own in [Party::authority("shop.example", [2026, 2028]), Party::server(&["shop.example"], [2026, 2028], false)] {
        let mut own = own;
        own.params.subject_alt_names = vec![SanType::DnsName("shop.example".try_into().unwrap())];
        let der = [own.self_signed()];
        let found = examined(&der, "shop.example", &der);
        expect!["trusted until 2028-01-01T00:00:00Z"].assert_eq(&verdict(&found));
    }
}

#[test]
fn addresses_and_names_in_punycode_are_names_too() {
    let root = Party::authority("root", [2020, 2040]);
    let names = ["127.0.0.1", "::1", "xn--iek-1la0d.example", "*.shop.example"];
    let server = [Party::server(&names, [2026, 2028], false).signed_by(&root)];
    let root = [root.self_signed()];
    for (name, good) in [
        ("127.0.0.1", true),
        ("::1", true),
        ("xn--iek-1la0d.example", true),
        ("www.shop.example", true),
        ("127.0.0.2", false),
        ("a.b.shop.example", false),
        ("shop.example", false),
    ] {
        let found = examined(&server, name, &root);
        assert_eq!(found.problems.is_empty(), good, "{name}: {}", verdict(&found));
    }
}

#[test]
fn a_chain_of_hundreds_is_looked_at_for_a_limited_time() {
    let shop = Shop::new();
    // All of one name and key, so that each may have signed each.
    let ring: Vec<_> = (0..200).map(|_| shop.middle.signed_by(&shop.middle)).collect();
    let sent: Vec<_> = std::iter::once(shop.server.signed_by(&shop.middle)).chain(ring).collect();
    let found = examined(&sent, "shop.example", &shop.root());
    assert_eq!((found.chain.len(), found.path_ends), (201, None));
    assert_eq!(found.problems.len(), 1);
}

/// What an inspection says on a page, a sample a line.
fn reported(inspection: &Inspection) -> String {
    let mut out = Snapshot::default();
    inspection.report(&mut out);
    let (findings, gaps, dropped) = out.finish();
    assert!(gaps.is_empty() && dropped.is_empty());
    let mut page = String::new();
    for (family, group) in findings.families() {
        for (labels, value) in group.samples() {
            let labels: Vec<_> = labels.collect();
            let Value::Number(number) = value else { panic!("{}: {value:?}", family.name) };
            writeln!(page, "{} {} {number}", family.name, labels.join(" ")).unwrap();
        }
    }
    page
}

#[test]
fn what_is_not_known_is_not_shown() {
    let shop = Shop::new();
    let certificates = examined(&shop.sent(), "shop.example", &shop.root());
    let session = Session { version: "TLS 1.3", cipher: "TLS_AES_128_GCM_SHA256", group: None, alpn: None };
    expect![[r#"
        probe_ssl_earliest_cert_expiry  1830297600
        probe_ssl_last_chain_expiry_timestamp_seconds  1830297600
        probe_tls_cipher_info TLS_AES_128_GCM_SHA256 1
        probe_tls_version_info TLS 1.3 1
        tls_certificate_expiry_timestamp_seconds chain 1830297600
        tls_certificate_expiry_timestamp_seconds leaf 1830297600
        tls_certificate_not_before_timestamp_seconds  1767225600
        tls_certificate_problem expired 0
        tls_certificate_problem incomplete_chain 0
        tls_certificate_problem not_yet_valid 0
        tls_certificate_problem other 0
        tls_certificate_problem self_signed 0
        tls_certificate_problem untrusted 0
        tls_certificate_problem wrong_name 0
        tls_certificate_valid  1
    "#]]
    .assert_eq(&reported(&Inspection { session: Some(session), certificates }));
    let certificates = examined(&shop.sent(), "other.example", &[]);
    expect![[r#"
        probe_ssl_earliest_cert_expiry  1830297600
        tls_certificate_expiry_timestamp_seconds chain 1830297600
        tls_certificate_expiry_timestamp_seconds leaf 1830297600
        tls_certificate_not_before_timestamp_seconds  1767225600
        tls_certificate_problem expired 0
        tls_certificate_problem incomplete_chain 0
        tls_certificate_problem not_yet_valid 0
        tls_certificate_problem other 0
        tls_certificate_problem self_signed 0
        tls_certificate_problem untrusted 1
        tls_certificate_problem wrong_name 1
        tls_certificate_valid  0
    "#]]
    .assert_eq(&reported(&Inspection { session: None, certificates }));
    let certificates = examined(&[], "shop.example", &[]);
    expect![[r#"
        tls_certificate_problem expired 0
        tls_certificate_problem incomplete_chain 0
        tls_certificate_problem not_yet_valid 0
        tls_certificate_problem other 1
        tls_certificate_problem self_signed 0
        tls_certificate_problem untrusted 0
        tls_certificate_problem wrong_name 0
        tls_certificate_valid  0
    "#]]
    .assert_eq(&reported(&Inspection { session: None, certificates }));
}
