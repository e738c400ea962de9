//! PHP-FPM, as the conformance suite has it.

use super::faults::Fault;
use crate::support::front::At;
use crate::support::php_fpm::PhpFpm;

/// Who talks to it.
pub(super) const COLLECTORS: &[&str] = &["php_fpm"];

/// A master with one pool. It has no passwords and no TLS, and more workers than there are targets: FPM ties one to a
/// connection until the other side has closed it.
pub(super) struct Subject(PhpFpm);

impl Subject {
    pub(super) fn start() -> Self {
        Self(PhpFpm::start(&[("shop", "pm = static\npm.max_children = 32\npm.status_path = /status")]))
    }
}

impl super::Subject for Subject {
    fn topic(&self) -> &'static str {
        "php_fpm"
    }

    fn collectors(&self) -> &'static [&'static str] {
        COLLECTORS
    }

    fn up(&self) -> &'static str {
        "phpfpm_up"
    }

    fn settings(&self, port: u16, _: bool) -> String {
        let script = self.0.opcache_script();
        format!("pools = ['127.0.0.1:{port}']\nopcache_script = '{}'\n", script.display())
    }

    fn server(&self, _: bool) -> At {
        At::Socket(self.0.socket("shop"))
    }

    fn flawed(&self, _: Fault) -> Option<At> {
        None
    }

    fn endless(&self) -> (Vec<u8>, Vec<u8>) {
        // A record of standard output of the first request: version, type, request, length, padding.
        let record = [&[1, 6, 0, 1, 0, 200, 0, 0], &[b' '; 200][..]].concat();
        (Vec::new(), record)
    }

    fn longest(&self) -> usize {
        1_600
    }
}
