//! Certificates and versions of TLS, good and bad, as servers show them.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use expect_test::expect;
use vitrin::collector::Reason;

use super::{assert_ended, probe};
use crate::support::broken::{Answer, Broken};
use crate::support::certificates::Certificates;
use crate::support::daemon::free_port;
use crate::support::found::Found;
use crate::support::nginx::Nginx;
use crate::support::tls_server::TlsServer;

/// Where the authority of a certificate publishes its own, as public ones do.
const PUBLISHED: &str = "-addext authorityInfoAccess=caIssuers;URI:http://authority.example/ca.der";

/// A new key on an elliptic curve, for this address.
const HERE: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -addext subjectAltName=IP:127.0.0.1";

/// What the metrics and the log say, both as far as tests of many servers need it.
struct Seen {
    found: Found,
    failure: Option<(Reason, String)>,
}

impl Seen {
    /// Probes a server, whom the authority of these certificates vouches for.
    async fn at(certificates: &Certificates, address: &str, options: &str) -> Self {
        let ca = certificates.file("ca.pem");
        let target = format!("tls = {{ address = '{address}', ca_file = '{}' {options} }}", ca.display());
        let (found, failure) = Found::whether_up(&probe(&target)).await;
        let failure = failure.map(|failure| (failure.reason, failure.to_string().replace(address, "HERE")));
        Self { found, failure }
    }

    /// The words of what is wrong with the certificate.
    fn problems(&self) -> Vec<&'static str> {
        let words = ["expired", "incomplete_chain", "not_yet_valid", "other", "self_signed", "untrusted", "wrong_name"];
        let is_so = |word: &&str| self.found.number("tls_certificate_problem", &[("problem", word)]) == 1.0;
        words.into_iter().filter(is_so).collect()
    }

    fn expiry(&self, certificate: &str) -> f64 {
        self.found.number("tls_certificate_expiry_timestamp_seconds", &[("certificate", certificate)])
    }

    /// Whether old versions are accepted, in their order; `None` where it is not known.
    fn legacy(&self) -> [Option<bool>; 3] {
        ["SSL 3.0", "TLS 1.0", "TLS 1.1"].map(|version| {
            let labels = [("version", version)];
            self.found.get("probe_tls_legacy_version_accepted", &labels)?;
            Some(self.found.number("probe_tls_legacy_version_accepted", &labels) == 1.0)
        })
    }

    fn speaks(&self, version: &str, cipher: &str) {
        assert_eq!(self.found.number("probe_tls_version_info", &[("version", version)]), 1.0);
        assert_eq!(self.found.number("probe_tls_cipher_info", &[("cipher", cipher)]), 1.0);
    }
}

#[tokio::test]
async fn a_bad_certificate_says_what_is_wrong_and_when_it_expires() {
    let certificates = Certificates::of("IP:127.0.0.1");
    certificates.sign_expired("expired", "IP:127.0.0.1");
    certificates.sign_between("early", "IP:127.0.0.1", ["20900101000000Z", "20910101000000Z"]);
    certificates.sign_itself("own", "IP:127.0.0.1");
    certificates.sign("other", "DNS:other.example");
    certificates.authorize("middle");
    certificates.sign_by("middle", "alone", &format!("{HERE} {PUBLISHED}"));
    let strangers = Certificates::of("IP:127.0.0.1");
    let mut says = String::new();
    for (authority, name, problem) in [
        (&certificates, "expired", "expired"),
        (&certificates, "early", "not_yet_valid"),
        (&certificates, "own", "self_signed"),
        (&certificates, "other", "wrong_name"),
        (&certificates, "alone", "incomplete_chain"),
        (&strangers, "server", "untrusted"),
    ] {
        let server = TlsServer::start(authority, name, &[]);
        let seen = Seen::at(&certificates, &server.address(), "").await;
        assert_eq!(seen.problems(), [problem]);
        assert_eq!(seen.found.number("tls_certificate_valid", &[]), 0.0);
        let expires = authority.expires(name);
        assert_eq!([seen.expiry("leaf"), seen.expiry("chain")], [expires; 2], "{name}");
        assert_eq!(seen.found.number("probe_ssl_earliest_cert_expiry", &[]), expires);
        // Nobody vouches for such a certificate, until whenever.
        assert!(seen.found.get("probe_ssl_last_chain_expiry_timestamp_seconds", &[]).is_none());
        seen.speaks("TLS 1.3", "TLS_AES_256_GCM_SHA384");
        let (reason, message) = seen.failure.unwrap();
        assert_eq!(reason, Reason::Tls);
        writeln!(says, "{message}").unwrap();

        let insecure = Seen::at(&certificates, &server.address(), ", insecure = true").await;
        assert_eq!((insecure.failure.as_ref(), insecure.problems()), (None, vec![problem]));
    }
    expect![[r#"
        agreeing on TLS with HERE: the certificate of `expired` expired at 2020-01-02T00:00:00Z
        agreeing on TLS with HERE: the certificate of `early` is not valid before 2090-01-01T00:00:00Z
        agreeing on TLS with HERE: the certificate is signed by itself
        agreeing on TLS with HERE: the certificate is for `other.example`, not for `127.0.0.1`
        agreeing on TLS with HERE: the server does not send the certificate of `middle`, without which its own leads to nobody who is trusted (send the whole chain: fullchain.pem)
        agreeing on TLS with HERE: the certificate was signed by `authority`, who is not trusted
    "#]].assert_eq(&says);
}

#[tokio::test]
async fn a_good_certificate_is_good_whatever_its_key() {
    let certificates = Certificates::of("IP:127.0.0.1");
    certificates.authorize("middle");
    let middle = certificates.file("middle.pem");
    let options = ["-cert_chain", middle.to_str().unwrap()];
    for (name, key) in [
        ("rsa", "-newkey rsa:2048 -nodes"),
        ("p256", "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"),
        ("p384", "-newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes"),
        ("ed25519", "-newkey ed25519 -nodes"),
    ] {
        certificates.sign_by("middle", name, &format!("{key} -addext subjectAltName=IP:127.0.0.1"));
        let server = TlsServer::start(&certificates, name, &options);
        let seen = Seen::at(&certificates, &server.address(), "").await;
        assert_eq!((seen.failure.as_ref(), seen.problems()), (None, vec![]), "{name}");
        assert_eq!(seen.found.number("tls_certificate_valid", &[]), 1.0);
        let ends = certificates.expires(name).min(certificates.expires("middle"));
        assert_eq!(seen.expiry("leaf"), certificates.expires(name));
        assert_eq!(seen.found.number("probe_ssl_earliest_cert_expiry", &[]), ends);
        assert_eq!(seen.expiry("chain"), ends);
        assert_eq!(seen.found.number("probe_ssl_last_chain_expiry_timestamp_seconds", &[]), ends);
    }
}

#[tokio::test]
async fn a_server_is_asked_for_each_version_and_its_answer_is_told() {
    let certificates = Certificates::of("IP:127.0.0.1");
    let old = ["-cipher", "DEFAULT@SECLEVEL=0"];
    for (options, version, legacy) in [
        (vec!["-tls1_3"], "TLS 1.3", [false; 3]),
        (vec!["-tls1_2"], "TLS 1.2", [false; 3]),
        // What it is asked for is not what its version would be by itself: the cipher's level refuses them.
        (vec![], "TLS 1.3", [false; 3]),
        ([&old[..], &["-no_tls1"]].concat(), "TLS 1.3", [false, false, true]),
        (old.to_vec(), "TLS 1.3", [false, true, true]),
    ] {
        let server = TlsServer::start(&certificates, "server", &options);
        let seen = Seen::at(&certificates, &server.address(), "").await;
        assert_eq!(seen.failure, None);
        assert_eq!(seen.found.number("probe_tls_version_info", &[("version", version)]), 1.0);
        assert_eq!(seen.legacy(), legacy.map(Some), "{options:?}");
        let seen = Seen::at(&certificates, &server.address(), ", legacy_versions = false").await;
        assert_eq!(seen.legacy(), [None; 3]);
    }
}

#[tokio::test]
async fn a_server_that_speaks_only_what_is_out_of_date_shows_its_certificate_too() {
    let certificates = Certificates::of("IP:127.0.0.1");
    certificates.sign_by("ca", "rsa", "-newkey rsa:2048 -nodes -addext subjectAltName=IP:127.0.0.1");
    let mut says = String::new();
    for (name, options, version, cipher, legacy) in [
        (
            "server",
            ["-tls1", "DEFAULT@SECLEVEL=0"],
            "TLS 1.0",
            "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
            [false, true, false],
        ),
        ("rsa", ["-tls1_1", "AES128-SHA@SECLEVEL=0"], "TLS 1.1", "TLS_RSA_WITH_AES_128_CBC_SHA", [false, false, true]),
        ("rsa", ["-tls1_2", "AES128-SHA"], "TLS 1.2", "TLS_RSA_WITH_AES_128_CBC_SHA", [false; 3]),
    ] {
        let [only, ciphers] = options;
        let server = TlsServer::start(&certificates, name, &[only, "-cipher", ciphers]);
        let seen = Seen::at(&certificates, &server.address(), "").await;
        seen.speaks(version, cipher);
        assert_eq!((seen.problems(), seen.expiry("leaf")), (vec![], certificates.expires(name)));
        assert_eq!(seen.legacy(), legacy.map(Some), "{version}");
        let (reason, message) = seen.failure.unwrap();
        assert_eq!(reason, Reason::Tls);
        writeln!(says, "{message}").unwrap();
    }
    expect![[r#"
        agreeing on TLS with HERE: the server agrees only to TLS 1.0 with TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, which is out of date: received fatal alert: ProtocolVersion
        agreeing on TLS with HERE: the server agrees only to TLS 1.1 with TLS_RSA_WITH_AES_128_CBC_SHA, which is out of date: received fatal alert: ProtocolVersion
        agreeing on TLS with HERE: the server agrees only to TLS 1.2 with TLS_RSA_WITH_AES_128_CBC_SHA, which is out of date: received fatal alert: HandshakeFailure
    "#]].assert_eq(&says);
}

#[tokio::test]
async fn a_server_is_asked_by_its_name_and_shows_the_certificate_of_that_name() {
    let certificates = Certificates::of("IP:127.0.0.1");
    let port = free_port();
    let mut servers = String::new();
    for (name, is_default) in [("a.example", ""), ("b.example", ""), ("shop.example", "default_server")] {
        certificates.sign(name, &format!("DNS:{name}"));
        let file = |ending: &str| certificates.file(&format!("{name}.{ending}")).display().to_string();
        writeln!(
            servers,
            "server {{ listen 127.0.0.1:{port} ssl {is_default}; server_name {name};\n\
             ssl_certificate {}; ssl_certificate_key {}; }}",
            file("pem"),
            file("key")
        )
        .unwrap();
    }
    let _nginx = Nginx::beside(&servers);
    let address = format!("127.0.0.1:{port}");
    for name in ["a.example", "b.example", "shop.example"] {
        let seen = Seen::at(&certificates, &address, &format!(", server_name = '{name}'")).await;
        assert_eq!((seen.failure.as_ref(), seen.problems()), (None, vec![]), "{name}");
    }
    for (options, name) in [("", "127.0.0.1"), (", server_name = 'c.example'", "c.example")] {
        let seen = Seen::at(&certificates, &address, options).await;
        let says = format!("agreeing on TLS with HERE: the certificate is for `shop.example`, not for `{name}`");
        assert_eq!(seen.failure, Some((Reason::Tls, says)));
    }
}

#[tokio::test]
async fn what_is_no_handshake_has_its_reason() {
    let certificates = Certificates::of("IP:127.0.0.1");
    let many: Vec<_> = (0..3_000).map(|number| format!("DNS:shop-{number:04}.a-long-name.example")).collect();
    certificates.sign("huge", &many.join(","));
    let huge = TlsServer::start(&certificates, "huge", &[]);
    let plain = Nginx::start("");
    let mut says = String::new();
    for address in [huge.address(), format!("127.0.0.1:{}", plain.port)] {
        let seen = Seen::at(&certificates, &address, "").await;
        assert!(seen.found.get("tls_certificate_valid", &[]).is_none());
        let (reason, message) = seen.failure.unwrap();
        writeln!(says, "{}: {message}", reason.as_str()).unwrap();
    }
    let silent = Broken::tcp(Answer::silence());
    for (what, server) in [("garbage", Broken::tcp(Answer::garbage())), ("close", Broken::tcp(Answer::close()))] {
        let seen = Seen::at(&certificates, &server.address().to_string(), "").await;
        let (reason, message) = seen.failure.unwrap();
        // How a server hangs up depends on whether it has read all that we said.
        let message = message.replace("Connection reset by peer (os error 104)", "tls handshake eof");
        writeln!(says, "{what}: {}: {message}", reason.as_str()).unwrap();
    }
    let target = format!("tls = '{}'\ntimeout = '300ms'\nevery = '1s'", silent.address());
    let (found, failure) = Found::down(&probe(&target)).await;
    assert!(found.get("tls_certificate_valid", &[]).is_none());
    let message = failure.to_string().replace(&silent.address().to_string(), "HERE");
    writeln!(says, "silence: {}: {message}", failure.reason.as_str()).unwrap();
    expect![[r#"
        limit: agreeing on TLS with HERE: the server's certificates are larger than 64 KiB
        tls: agreeing on TLS with HERE: the server does not speak TLS on this port: is it plain HTTP?
        garbage: tls: agreeing on TLS with HERE: the server does not speak TLS on this port: is it plain HTTP?
        close: protocol: agreeing on TLS with HERE: the server hung up during the handshake: tls handshake eof
        silence: timeout: agreeing on TLS: not done within 300ms
    "#]]
    .assert_eq(&says);
}

#[tokio::test]
async fn a_server_that_wants_our_certificate_gets_it() {
    let certificates = Certificates::of("IP:127.0.0.1");
    let ca = certificates.file("ca.pem");
    let ca = ca.to_str().unwrap();
    let server = TlsServer::start(&certificates, "server", &["-tls1_2", "-Verify", "1", "-CAfile", ca]);
    let without = Seen::at(&certificates, &server.address(), "").await;
    let (certificate, key) = (certificates.file("client.pem"), certificates.file("client.key"));
    let options = format!(", cert_file = '{}', key_file = '{}'", certificate.display(), key.display());
    let with = Seen::at(&certificates, &server.address(), &options).await;
    let missing = Seen::at(&certificates, &server.address(), &options.replace("client.key", "none.key")).await;
    assert_eq!((with.failure.as_ref(), with.problems()), (None, vec![]));
    // The certificate had come before the server said no.
    assert_eq!(without.problems(), Vec::<&str>::new());
    let folder = certificates.file("").display().to_string();
    let says = [without, missing].map(|seen| format!("{:?}\n", seen.failure)).concat().replace(&folder, "~/");
    expect![[r#"
        Some((Tls, "agreeing on TLS with HERE: received fatal alert: HandshakeFailure"))
        Some((Tls, "agreeing on TLS with HERE: reading ~/none.key: No such file or directory (os error 2)"))
    "#]]
    .assert_eq(&says);
}

#[tokio::test]
async fn a_refusal_is_no_timeout_though_the_server_then_falls_silent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Ends with the program: until then the second connection is open, and nothing comes of it.
    thread::spawn(move || {
        let (mut first, _) = listener.accept().unwrap();
        let mut hello = [0; 5];
        first.read_exact(&mut hello).unwrap();
        // Alert: handshake failure.
        first.write_all(&[21, 3, 3, 0, 2, 2, 40]).unwrap();
        let silent: Vec<_> = listener.incoming().collect();
        drop(silent);
    });
    let target = format!("tls = {{ address = '{address}', legacy_versions = false }}\ntimeout = '2s'");
    let ended = Found::down(&probe(&target)).await;
    assert_ended(&ended, "tls", "tls", "HandshakeFailure");
}
