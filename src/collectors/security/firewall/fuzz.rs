//! What must hold whatever rules are loaded, and whatever routes there are.

use super::admission::{Admission, Knock};
use super::ranges::Version;
use super::routing::{Routing, address6, own, route, route6};
use super::{EMPTY, Ruleset};
use crate::collectors::security::verdict::Known;

/// A table whose chains let nothing in and nothing through, behind all others.
const CLOSED: &str = "\n*security\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\nCOMMIT\n";

/// What nft prints, and behind form feeds what iptables-save and ip6tables-save do: what is kept is written and read as
/// the same, and no rule lets anybody in through a table that lets nobody in.
pub(crate) fn rules(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.split('\u{c}');
    let nft = parts.next().filter(|nft| !nft.is_empty()).unwrap_or(EMPTY);
    let (v4, v6) = (parts.next(), parts.next());
    if let Ok(ruleset) = Ruleset::parse(nft, v4, v6) {
        let written = serde_json::to_string(&ruleset).expect("a ruleset can be written");
        assert_eq!(serde_json::from_str::<Ruleset>(&written).ok(), Some(ruleset.clone()));
        for version in Version::ALL {
            let share = ruleset.share(&Routing::default(), version);
            assert_eq!(share.open + share.closed + share.unknown, u32::from(u16::MAX), "{version:?}");
            admits(&ruleset, version).ok();
        }
        ruleset.bans(&Routing::default(), &[22, 443]);
        ruleset.published();
    }
    let Some(v4) = v4.filter(|v4| !v4.contains("*security")) else { return };
    let closed = Ruleset::parse(EMPTY, Some(&format!("{v4}{CLOSED}")), None).expect("no nft rules are a ruleset");
    let admits = admits(&closed, Version::V4);
    assert!(matches!(admits, Ok(Admission::Nobody) | Err(_)), "{admits:?}");
}

fn admits(ruleset: &Ruleset, version: Version) -> Known<Admission> {
    ruleset.admits(&Routing::default(), Knock { version, port: 443, destination: None })
}

/// The kernel's lists of routes and addresses: a network begins before it ends.
pub(crate) fn routes(text: &str) {
    for line in text.lines() {
        for (range, _) in [route(line), route6(line)].into_iter().flatten() {
            assert!(range.first <= range.last && range.contains(range.first), "{range:?}");
        }
        address6(line);
    }
    own(text);
}
