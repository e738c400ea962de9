//! Rulesets that were recorded from nft 1.0.6 and iptables 1.8.9, and what becomes of packets by them.

use std::fmt::Write as _;
use std::net::IpAddr;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::admission::{Admission, Knock, Listed};
use super::ranges::{Range, Version};
use super::routing::Routing;
use super::*;

/// A recorded ruleset.
macro_rules! recorded {
    ($name:literal) => {
        recorded!($name, None, None)
    };
    ($name:literal, iptables) => {
        recorded!($name, Some(recorded!(@ $name, "iptables")), None)
    };
    ($name:literal, both) => {
        recorded!($name, Some(recorded!(@ $name, "iptables")), Some(recorded!(@ $name, "ip6tables")))
    };
    ($name:literal, $v4:expr, $v6:expr) => {
        Ruleset::parse(recorded!(@ $name, "nft.json"), $v4, $v6).unwrap()
    };
    (@ $name:literal, $file:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/security/firewall/", $name, "/", $file))
    };
}
pub(super) use recorded;

mod native;
mod options;
mod properties;
mod tools;

/// The routes of a machine whose uplink is eth0, and which has containers.
pub(super) fn routing() -> Routing {
    let route = |network: &str, name: &str| (Range::parse(network).unwrap(), name.to_owned());
    Routing {
        routes: vec![
            route("0.0.0.0/0", "eth0"),
            route("::/0", "eth0"),
            route("192.0.2.0/24", "eth0"),
            route("172.17.0.0/16", "docker0"),
        ],
        own: ["127.0.0.1", "192.0.2.2", "172.17.0.1", "::1", "2001:db8::2"].map(|ip| ip.parse().unwrap()).to_vec(),
    }
}

fn admits(ruleset: &Ruleset, version: Version, port: u16) -> Known<Admission> {
    ruleset.admits(&routing(), Knock { version, port, destination: None })
}

fn shown(admission: &Known<Admission>) -> String {
    match admission {
        Ok(Admission::Anybody) => "anybody".to_owned(),
        Ok(Admission::Nobody) => "nobody".to_owned(),
        Ok(Admission::Only(Listed { networks, unseen })) => {
            let networks = networks.iter().map(|range| format!("{}-{}", range.first, range.last));
            networks.chain(unseen.iter().map(|name| format!("@{name}"))).collect::<Vec<_>>().join(" ")
        }
        Err(unknown) => format!("unknown: {}", unknown.cause.as_str()),
    }
}

/// A chain of `input` whose policy is to drop, with these rules of iptables before it.
fn filter(rules: &str) -> Ruleset {
    let text = format!("*filter\n:INPUT DROP [0:0]\n:web - [0:0]\n{rules}\nCOMMIT\n");
    Ruleset::parse(recorded!(@ "empty", "nft.json"), Some(&text), None).unwrap()
}

/// Who is let in at some ports, and how many ports are open.
fn check(ruleset: &Ruleset, expected: &Expect) {
    let mut text = String::new();
    for version in Version::ALL {
        let share = ruleset.share(&routing(), version);
        writeln!(text, "{}: {} open, {} closed, {} unknown", version.as_str(), share.open, share.closed, share.unknown)
            .unwrap();
        for port in [22, 80, 443, 3306, 6379, 8000, 8080] {
            writeln!(text, "  {port}: {}", shown(&admits(ruleset, version, port))).unwrap();
        }
    }
    let (reached, all) = ruleset.bans(&routing(), &[22, 80, 443]);
    if !all.is_empty() {
        writeln!(text, "bans: {reached:?} of {all:?}").unwrap();
    }
    expected.assert_eq(&text);
}
