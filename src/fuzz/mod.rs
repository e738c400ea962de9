//! What fuzzers call: every parser of bytes from outside, each with what must hold whatever comes.
//!
//! Built for the fuzzers of `fuzz/` and for the tests, never into the program. A *target* is a function of bytes that
//! panics when something does not hold. The test below runs each over its committed inputs; `make fuzz` looks for new
//! ones.
//!
//! To add one: a function beside its parser, a line in the list below, `fuzz/fuzz_targets/<name>.rs` and its `[[bin]]`
//! like the others, and inputs in `fuzz/corpus/<name>`. The test says what is missing.

mod addresses;
mod configuration;
mod negotiation;
mod page;

pub(crate) use page::judge;

use crate::collectors::{access_log, host, mysql, nginx, php_fpm, probe, redis};
use crate::server;

/// A target: its name, and what is run over bytes.
pub type Target = (&'static str, fn(&[u8]));

macro_rules! targets {
    ($($(#[$doc:meta])+ $name:ident = $run:path;)+) => {
        $($(#[$doc])+
        pub fn $name(bytes: &[u8]) {
            $run(bytes);
        })+

        /// All targets, in the order of their names.
        pub const TARGETS: &[Target] = &[$((stringify!($name), $name)),+];
    };
}

targets! {
    /// Header `Accept`: a written type is the type that is read.
    accept = negotiation::accept;
    /// Formats of access logs: what a server writes is read back.
    access_log_format = access_log::format::fuzz::format;
    /// Lines of access logs; the first line is their format.
    access_log_line = access_log::format::fuzz::line;
    /// The target of a request, and in the next line its agent: which page it is.
    access_log_route = access_log::route::fuzz::route;
    /// Lines of access logs and error logs, as signals: what is innocent breaks no rule.
    access_log_signals = access_log::security::fuzz::signals;
    /// Addresses, URLs, names and lengths of time: what is printed is read back.
    addresses = addresses::addresses;
    /// `vitrin.toml`: an error names its place and no secret.
    config = configuration::config;
    /// FPM's pool files.
    fpm_configuration = php_fpm::fuzz::configuration;
    /// Lines of the error logs of FPM, PHP and nginx.
    fpm_errors = php_fpm::fuzz::errors;
    /// FastCGI records.
    fpm_fastcgi = php_fpm::fuzz::fastcgi;
    /// What the OPcache script prints.
    fpm_opcache = php_fpm::fuzz::opcache;
    /// FPM's status page.
    fpm_status = php_fpm::fuzz::status;
    /// Files of procfs and the like; the first line names which.
    host_files = host::fuzz::files;
    /// Answers to MySQL statements, packet by packet.
    mysql_answer = mysql::fuzz::answer;
    /// A MySQL server's side of a login.
    mysql_login = mysql::fuzz::login;
    /// Rows of MySQL's answers as samples; the first line names which.
    mysql_report = mysql::fuzz::report;
    /// nginx's configuration.
    nginx_configuration = nginx::fuzz::configuration;
    /// The `stub_status` page.
    nginx_status = nginx::fuzz::status;
    /// Option files of MySQL's own programs.
    option_file = configuration::option_file;
    /// The page writer: what is written is read back, in each format.
    page = page::page;
    /// Files of certificates.
    probe_certificates = probe::certificates::fuzz::file;
    /// Answers of name servers; the first byte is the type that was asked for.
    probe_dns = probe::dns::fuzz::answer;
    /// What a TLS server says in clear, with its certificates.
    probe_tls = probe::tls::fuzz::answer;
    /// The query of a request.
    query = server::fuzz::query;
    /// `INFO` and `CLUSTER INFO`.
    redis_info = redis::fuzz::info;
    /// Replies of Redis, measured, decoded and reported.
    redis_reply = redis::fuzz::reply;
    /// The web configuration: an error names the file, a way out, and no secret.
    web_config = server::fuzz::web_config;
}

#[cfg(test)]
mod replay;
