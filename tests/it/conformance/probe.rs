//! A probed page, as the conformance suite has it.

use std::path::PathBuf;
use std::time::Duration;

use super::faults::Fault;
use crate::support::certificates::Certificates;
use crate::support::daemon::free_port;
use crate::support::front::At;
use crate::support::nginx::Nginx;
use vitrin::collector::Reason;

/// Who talks to it.
pub(super) const COLLECTORS: &[&str] = &["probe"];

/// A page that everybody may see, one that asks for a password, and some by TLS: with a good certificate, and with
/// such as are not.
pub(super) struct Subject {
    nginx: Nginx,
    locked: u16,
    encrypted: u16,
    expired: u16,
    self_signed: u16,
    wrong_name: u16,
    certificates: Certificates,
    _others: Certificates,
}

impl Subject {
    pub(super) fn start() -> Self {
        let certificates = Certificates::of("IP:127.0.0.1");
        certificates.sign_expired("expired", "IP:127.0.0.1");
        certificates.sign("other", "DNS:shop.example");
        let others = Certificates::of("IP:127.0.0.1");
        let page = "location / { default_type text/html; return 200 'shop'; }";
        let [locked, encrypted, expired, self_signed, wrong_name] = std::array::from_fn(|_| free_port());
        let tls = |port: u16, name: &str, certificates: &Certificates| {
            let [certificate, key] = ["pem", "key"].map(|end| certificates.file(&format!("{name}.{end}")));
            let (certificate, key) = (certificate.display(), key.display());
            format!(
                "server {{\nlisten 127.0.0.1:{port} ssl;\nssl_certificate {certificate};\nssl_certificate_key {key};\n\
                 {page}\n}}\n"
            )
        };
        let servers = [
            format!("server {{\nlisten 127.0.0.1:{locked};\nreturn 401;\n}}\n"),
            tls(encrypted, "server", &certificates),
            tls(expired, "expired", &certificates),
            tls(self_signed, "server", &others),
            tls(wrong_name, "other", &certificates),
        ];
        let nginx = Nginx::beside(&servers.concat());
        Self { nginx, locked, encrypted, expired, self_signed, wrong_name, certificates, _others: others }
    }

    /// The authority that has signed the good certificates.
    pub(super) fn authority(&self) -> PathBuf {
        self.certificates.file("ca.pem")
    }
}

impl super::Subject for Subject {
    fn topic(&self) -> &'static str {
        "probe"
    }

    fn collectors(&self) -> &'static [&'static str] {
        COLLECTORS
    }

    fn up(&self) -> &'static str {
        "probe_success"
    }

    fn timer(&self, timeout: Duration) -> Option<String> {
        Some(format!("every = '{}s'\n", timeout.as_secs() + 1))
    }

    fn settings(&self, port: u16, tls: bool) -> String {
        if tls {
            format!("http = 'https://127.0.0.1:{port}/'\ntls.ca_file = '{}'\n", self.authority().display())
        } else {
            format!("http = 'http://127.0.0.1:{port}/stub_status'\n")
        }
    }

    fn server(&self, tls: bool) -> At {
        At::Port(if tls { self.encrypted } else { self.nginx.port })
    }

    fn flawed(&self, fault: Fault) -> Option<At> {
        Some(At::Port(match fault {
            Fault::WrongPassword => self.locked,
            Fault::TlsToPlain => self.nginx.port,
            Fault::PlainToTls => self.encrypted,
            Fault::Expired => self.expired,
            Fault::SelfSigned => self.self_signed,
            Fault::WrongName => self.wrong_name,
            _ => return None,
        }))
    }

    fn endless(&self) -> (Vec<u8>, Vec<u8>) {
        (b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), b"<p>sale</p>\n".to_vec())
    }

    fn longest(&self) -> usize {
        400
    }

    fn otherwise(&self, fault: Fault) -> Option<&'static [Reason]> {
        // nginx has a page for that, with the status 400.
        (fault == Fault::PlainToTls).then_some(&[Reason::Protocol])
    }
}
