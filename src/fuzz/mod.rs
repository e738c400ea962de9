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
pub(crate) mod message;
mod negotiation;
mod page;

pub(crate) use configuration::has_place_and_hint;
pub(crate) use page::judge;

use crate::collectors::{access_log, host, marketplace, mysql, nginx, php_fpm, probe, redis, security, textfile};
use crate::{server, simulate};

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
    /// Answers of marketplaces: status, headers and body; what comes of them is bounded and reveals nothing.
    marketplace_answer = marketplace::judge::fuzz::answer;
    /// Presets, and accounts made of them: an error names its place and a way out, and nothing shows a secret.
    marketplace_preset = marketplace::preset::fuzz::preset;
    /// The rules of a preset up to a form feed, and an answer that they judge: the same holds, whatever they are.
    marketplace_rules = marketplace::judge::fuzz::rules;
    /// Answers to requests for access tokens: what is taken can be sent and ends, and nothing shows it.
    marketplace_token = marketplace::preset::fuzz::token;
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
    /// The file of what root has seen: what is believed is of now, and an error says nothing of what stands in it.
    security_facts = security::fuzz::facts;
    /// Rules of the firewall, as nft and iptables-save print them: none lets anybody through a table that lets nobody in.
    security_firewall = security::fuzz::firewall;
    /// A request, and what nginx is told: it is always answered alike.
    security_front = security::fuzz::front;
    /// Files of the host and what its programs print; the first line names which.
    security_host = security::fuzz::host;
    /// Manifests of a shop's files: none leads out of the shop.
    security_manifest = security::fuzz::manifest;
    /// A TLS server's answers to the questions for versions and suites.
    security_offers = security::fuzz::offers;
    /// Headers of a page: no session is kept, and another policy opens nothing.
    security_page = security::fuzz::page;
    /// Configurations of shops: no password is kept.
    security_shop = security::fuzz::shop;
    /// Requests at the simulated marketplaces: each has an answer that can be sent.
    simulate_request = simulate::fuzz::request;
    /// Scenarios of the simulated marketplaces: an error names its place and a way out, and what happens has its limits.
    simulate_scenario = simulate::fuzz::scenario;
    /// Files of the textfile folder, parted by a form feed.
    textfile = textfile::fuzz::files;
    /// The web configuration: an error names the file, a way out, and no secret.
    web_config = server::fuzz::web_config;
}

#[cfg(test)]
mod replay;
