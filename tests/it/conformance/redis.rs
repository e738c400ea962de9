//! Redis, as the conformance suite has it.

use std::fs;

use super::faults::Fault;
use crate::support::certificates::Certificates;
use crate::support::front::At;
use crate::support::redis::RedisServer;
use vitrin::collector::Reason;

/// Who talks to it.
pub(super) const COLLECTORS: &[&str] = &["redis", "redis_key_groups"];

/// One without TLS, one with another password, and some whose certificates differ.
pub(super) struct Subject {
    plain: RedisServer,
    locked: RedisServer,
    encrypted: RedisServer,
    expired: RedisServer,
    self_signed: RedisServer,
    wrong_name: RedisServer,
    certificates: Certificates,
    _others: Certificates,
}

impl Subject {
    pub(super) fn start() -> Self {
        let certificates = Certificates::of("IP:127.0.0.1");
        certificates.sign_expired("expired", "IP:127.0.0.1");
        certificates.sign("other", "DNS:cache.example");
        let others = Certificates::of("IP:127.0.0.1");
        let tls = |name: &str, certificates: &Certificates| {
            let arguments = [&["--tls-auth-clients", "no"], &account(">secret")[..]].concat();
            RedisServer::tls_as(name, certificates, &arguments)
        };
        let plain = RedisServer::start(&account(">secret"));
        plain.ask(&["SET", "cart:1", "a"]);
        fs::write(plain.daemon.folder().join("password"), "secret").unwrap();
        Self {
            plain,
            locked: RedisServer::start(&account(">another")),
            encrypted: tls("server", &certificates),
            expired: tls("expired", &certificates),
            self_signed: tls("server", &others),
            wrong_name: tls("other", &certificates),
            certificates,
            _others: others,
        }
    }
}

/// The arguments of a server with the user `vitrin` and this password, as ACLs have it.
fn account(password: &str) -> [&str; 6] {
    ["--user", "vitrin", "on", password, "~*", "+@all"]
}

impl super::Subject for Subject {
    fn topic(&self) -> &'static str {
        "redis"
    }

    fn collectors(&self) -> &'static [&'static str] {
        COLLECTORS
    }

    fn up(&self) -> &'static str {
        "redis_up"
    }

    fn settings(&self, port: u16, tls: bool) -> String {
        let at = if tls {
            let ca = self.certificates.file("ca.pem");
            format!("url = 'rediss://127.0.0.1:{port}'\ntls.ca_file = '{}'\n", ca.display())
        } else {
            format!("url = 'redis://127.0.0.1:{port}'\n")
        };
        let password = self.plain.daemon.folder().join("password");
        at + &format!("user = 'vitrin'\npassword = {{ file = '{}' }}\n", password.display())
            + "key_groups.carts.pattern = 'cart:*'\nkey_group_scan.every = '3s'\n"
    }

    fn server(&self, tls: bool) -> At {
        At::Port(if tls { self.encrypted.port } else { self.plain.port })
    }

    fn flawed(&self, fault: Fault) -> Option<At> {
        let server = match fault {
            Fault::WrongPassword => &self.locked,
            Fault::TlsToPlain => &self.plain,
            Fault::PlainToTls => &self.encrypted,
            Fault::Expired => &self.expired,
            Fault::SelfSigned => &self.self_signed,
            Fault::WrongName => &self.wrong_name,
            _ => return None,
        };
        Some(At::Port(server.port))
    }

    fn endless(&self) -> (Vec<u8>, Vec<u8>) {
        (b"+".to_vec(), b"x".to_vec())
    }

    fn longest(&self) -> usize {
        12_000
    }

    fn otherwise(&self, fault: Fault) -> Option<&'static [Reason]> {
        match fault {
            // It takes our handshake for the beginning of a command and waits for the rest, or, with a line end among
            // its random bytes, for a wrong one.
            Fault::TlsToPlain => Some(&[Reason::Tls, Reason::Timeout]),
            // It hangs up without a word, as others do for other reasons.
            Fault::PlainToTls => Some(&[Reason::Protocol, Reason::Tls]),
            _ => None,
        }
    }
}
