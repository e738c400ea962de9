//! Versions of TLS, client certificates, suites, and what a client hears that speaks none.

use super::{Folder, TLS};
use crate::support::certificates::Certificates;

/// curl's arguments for one version.
const TLS11: &str = "--tlsv1.0 --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0";
const TLS12: &str = "--tlsv1.2 --tls-max 1.2";
const TLS13: &str = "--tlsv1.3";

/// A client's certificates: none, one of our authority, one of another's.
const NOBODY: &str = "";
const OURS: &str = "--cert {client.pem} --key {client.key}";
const FOREIGN: &str = "--cert {foreign.pem} --key {foreign.key}";

/// A folder that also has the certificate of a client of another authority.
fn with_foreigner(config: &str) -> Folder {
    let folder = Folder::with(config);
    let foreign = Certificates::of("DNS:localhost");
    for kind in ["pem", "key"] {
        std::fs::copy(foreign.file(&format!("client.{kind}")), folder.path(&format!("foreign.{kind}"))).unwrap();
    }
    folder
}

#[test]
fn versions_are_spoken_as_configured_and_never_below_1_2() {
    for (lines, spoken) in [
        ("", [0, 200, 200]),
        ("  min_version: TLS13\n", [0, 0, 200]),
        ("  max_version: TLS12\n", [0, 200, 0]),
        ("  min_version: TLS10\n", [0, 200, 200]),
        ("  min_version: TLS12\n  max_version: TLS12\n", [0, 200, 0]),
    ] {
        let folder = Folder::with(&format!("{TLS}{lines}"));
        let exporter = folder.exporter();
        let asked = [TLS11, TLS12, TLS13].map(|version| folder.https(exporter.address(), "/-/ready", version).status);
        assert_eq!(asked, spoken, "{lines}\n{}", exporter.log());
    }
}

#[test]
fn each_policy_for_client_certificates_lets_in_whom_it_says() {
    let authority = "  client_ca_file: ca.pem\n";
    for (policy, authority, let_in) in [
        ("NoClientCert", "", [true, true, true]),
        ("RequestClientCert", "", [true, true, true]),
        ("RequireAnyClientCert", "", [false, true, true]),
        ("RequireClientCert", authority, [false, true, true]),
        ("VerifyClientCertIfGiven", authority, [true, true, false]),
        ("RequireAndVerifyClientCert", authority, [false, true, false]),
    ] {
        let folder = with_foreigner(&format!("{TLS}  client_auth_type: {policy}\n{authority}"));
        let exporter = folder.exporter();
        for version in [TLS12, TLS13] {
            let asked = [NOBODY, OURS, FOREIGN].map(|client| {
                folder.https(exporter.address(), "/-/ready", &format!("{version} {client}")).status == 200
            });
            assert_eq!(asked, let_in, "{policy} {version}\n{}", exporter.log());
        }
    }
}

#[test]
fn a_client_certificate_needs_one_of_the_allowed_names_letter_for_letter() {
    for (name, let_in) in [
        ("localhost", true),
        ("127.0.0.1", true),
        ("shop@example.com", true),
        ("spiffe://shop/prometheus", true),
        ("LOCALHOST", false),
        ("example.com", false),
        ("*", false),
        ("client", false),
    ] {
        let lines = format!(
            "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n  client_allowed_sans:\n    \
             - other.example\n    - '{name}'\n"
        );
        let folder = Folder::with(&format!("{TLS}{lines}"));
        let exporter = folder.exporter();
        let asked = folder.https(exporter.address(), "/-/ready", OURS).status == 200;
        assert_eq!(asked, let_in, "{name}");
    }
}

#[test]
fn suites_and_curves_are_those_of_the_list() {
    let lines = "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA]\n  \
                 curve_preferences: [CurveP384, CurveP521]\n";
    let folder = Folder::with(&format!("{TLS}{lines}"));
    let exporter = folder.exporter();
    let asked = |arguments: &str| folder.https(exporter.address(), "/-/ready", arguments).status;
    assert_eq!(asked(&format!("{TLS12} --ciphers ECDHE-ECDSA-AES256-GCM-SHA384")), 200);
    assert_eq!(asked(&format!("{TLS12} --ciphers ECDHE-ECDSA-AES128-GCM-SHA256")), 0);
    assert_eq!(asked(&format!("{TLS12} --ciphers ECDHE-ECDSA-AES128-SHA")), 0);
    assert_eq!(
        asked(&format!("{TLS13} --tls13-ciphers TLS_AES_128_GCM_SHA256")),
        200,
        "as in Go, not a matter of choice"
    );
    assert_eq!((asked("--curves P-384"), asked("--curves X25519"), asked("--curves P-256")), (200, 0, 0));
    for left_out in ["TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "CurveP521"] {
        assert!(exporter.log().contains(&format!("{left_out} is not spoken here and left out")), "{}", exporter.log());
    }
}

#[test]
fn certificate_key_and_authority_may_stand_in_the_file_itself() {
    let folder = Folder::with("");
    let inline = |name: &str| {
        let text = std::fs::read_to_string(folder.path(name)).unwrap();
        text.lines().flat_map(|line| ["    ", line, "\n"]).collect::<String>()
    };
    let (cert, key, ca) = (inline("server.pem"), inline("server.key"), inline("ca.pem"));
    folder.write(&format!(
        "tls_server_config:\n  cert: |\n{cert}  key: |\n{key}  client_ca: |\n{ca}  client_auth_type: RequireAndVerifyClientCert\n"
    ));
    let exporter = folder.exporter();
    assert_eq!(folder.https(exporter.address(), "/-/ready", OURS).status, 200);
    assert_eq!(folder.https(exporter.address(), "/-/ready", NOBODY).status, 0);
    assert!(exporter.log().contains("every user can read the private key in "), "{}", exporter.log());
}

#[test]
fn who_speaks_no_tls_is_told_so() {
    let folder = Folder::with(TLS);
    let exporter = folder.exporter();
    let answer = folder.http(exporter.address(), "/metrics", "");
    assert_eq!(answer.status, 400);
    assert!(answer.text.ends_with("\r\n\r\nTLS is spoken here: use https.\n"), "{answer:?}");
    let page = folder.scrape(&exporter, "");
    assert!(page.number("vitrin_web_refused_total", &[("reason", "tls")]) >= 1.0);
}

#[test]
fn the_end_of_our_own_certificate_is_on_the_page() {
    let folder = Folder::with(TLS);
    let page = folder.scrape(&folder.exporter(), "");
    let until = page.number("vitrin_web_certificate_not_after_timestamp_seconds", &[]);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    let days = (until - now) / 86_400.0;
    assert!((1.5..=2.0).contains(&days), "the harness makes them for two days, not {days}");
}
