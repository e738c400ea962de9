//! What must hold whatever the system's files and programs say.

use super::bans::{Counters, crowdsec};
use super::updates::{pending, settings};
use super::{alerting, shipping, ssh};

/// A file's text, by what it is called; of another, nothing.
pub(crate) fn file(name: &str, text: &str) {
    match name {
        "sshd_config" => sshd_config(text),
        "sshd" => {
            ssh::printed(text);
        }
        "apt-get" => {
            for package in pending::waiting(text) {
                assert!(text.contains(&format!("Inst {package} ")), "{package:?}");
            }
        }
        "apt.conf" => settings::Settings::default().add(text),
        "forwarder" => {
            for forwarder in &shipping::FORWARDERS {
                (forwarder.targets)(text);
            }
        }
        "alertmanager" => {
            alerting::leading(text);
        }
        "crowdsec" => metrics(text),
        _ => {}
    }
}

/// What is said for all connections before anything else holds for those that no other block speaks of, whatever follows.
fn sshd_config(text: &str) {
    let configured = ssh::configuration::parse(text).expect("no file is closed that is not there");
    configured.loosened();
    let strict = ssh::configuration::parse(&format!("Match all\nPasswordAuthentication no\n{text}"));
    let settings = strict.expect("no file is closed that is not there").plain();
    assert_eq!(settings.get("passwordauthentication").map(String::as_str), Some("no"));
}

/// A page of metrics says of no time that has not come, and of the same page twice nothing rises.
fn metrics(text: &str) {
    let mut counters = Counters::default();
    crowdsec(text, 7, &mut counters);
    let again = crowdsec(text, 8, &mut counters);
    assert!(again.sources.values().flatten().chain(&again.bouncer).all(|rose| *rose <= 7), "{again:?}");
}
