//! nginx, as the conformance suite has it.

use super::faults::Fault;
use crate::support::certificates::Certificates;
use crate::support::daemon::free_port;
use crate::support::front::At;
use crate::support::nginx::Nginx;
use vitrin::collector::Reason;

/// Who talks to it.
pub(super) const COLLECTORS: &[&str] = &["nginx"];

/// One that lets everybody see its page, one that asks for a password, and one that speaks TLS.
pub(super) struct Subject {
    open: Nginx,
    closed: Nginx,
    encrypted: (Nginx, u16),
    _certificates: Certificates,
}

impl Subject {
    pub(super) fn start() -> Self {
        let certificates = Certificates::of("IP:127.0.0.1");
        let [certificate, key] = ["server.pem", "server.key"].map(|name| certificates.file(name).display().to_string());
        let port = free_port();
        let server = format!(
            "server {{\nlisten 127.0.0.1:{port} ssl;\nssl_certificate {certificate};\nssl_certificate_key {key};\n\
             location / {{ stub_status; }}\n}}"
        );
        Self {
            open: Nginx::start(""),
            closed: Nginx::start("auth_basic shop;\nauth_basic_user_file /dev/null;"),
            encrypted: (Nginx::beside(&server), port),
            _certificates: certificates,
        }
    }
}

impl super::Subject for Subject {
    fn topic(&self) -> &'static str {
        "nginx"
    }

    fn collectors(&self) -> &'static [&'static str] {
        COLLECTORS
    }

    fn up(&self) -> &'static str {
        "nginx_up"
    }

    fn settings(&self, port: u16, _: bool) -> String {
        format!("url = 'http://127.0.0.1:{port}/stub_status'\n")
    }

    fn server(&self, _: bool) -> At {
        At::Port(self.open.port)
    }

    fn flawed(&self, fault: Fault) -> Option<At> {
        match fault {
            Fault::WrongPassword => Some(At::Port(self.closed.port)),
            Fault::PlainToTls => Some(At::Port(self.encrypted.1)),
            _ => None,
        }
    }

    fn endless(&self) -> (Vec<u8>, Vec<u8>) {
        (b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), b"Active connections: 1 \n".to_vec())
    }

    fn longest(&self) -> usize {
        400
    }

    fn otherwise(&self, fault: Fault) -> Option<&'static [Reason]> {
        // It has a page for that, with the status 400.
        (fault == Fault::PlainToTls).then_some(&[Reason::Protocol])
    }
}
