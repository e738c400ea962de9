//! FW-11: a declared policy on countries is enforced.

use super::list;
use super::place::rules;
use crate::collectors::security::firewall::admission::Knock;
use crate::collectors::security::firewall::ranges::Version;
use crate::collectors::security::seen::Seen;
use crate::collectors::security::verdict::{Known, Verdict};

/// How old the networks of countries may be.
const FRESH: i64 = 35 * 86_400;

/// What nginx does about countries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::collectors::security) struct InFront {
    /// Whether what it knows of a country decides about requests for the shop.
    pub(in crate::collectors::security) is_enforced: bool,
    /// When its list of networks was written, in seconds since 1970.
    pub(in crate::collectors::security) written: Known<i64>,
}

/// Judges it. The kernel does not tell when a set was filled: what is enforced by the firewall is half of it.
pub(super) fn judge(seen: &Seen, front: &Known<InFront>) -> Verdict {
    if !seen.config.geo_policy.declared {
        return Verdict::not_applicable("no policy on countries is declared ([security.geo_policy])");
    }
    let fix = "fill the set anew each month, by a timer";
    if let Ok(InFront { is_enforced: true, written }) = front {
        return match written {
            Ok(written) if seen.now - written <= FRESH => {
                Verdict::pass("nginx enforces a list of countries that is fresh")
            }
            Ok(written) => {
                let days = (seen.now - written) / 86_400;
                Verdict::partial(format!("nginx enforces a list of countries that is {days} days old"), fix)
            }
            Err(_) => Verdict::partial("nginx enforces a list of countries, whose age is not known", fix),
        };
    }
    let (ruleset, routing) = match rules(seen) {
        Ok(found) => found,
        Err(unknown) => return unknown.into(),
    };
    let mut lists: Vec<_> = Version::ALL
        .into_iter()
        .flat_map(|version| [80, 443].map(|port| Knock { version, port, destination: None }))
        .flat_map(|knock| ruleset.countries(&routing, knock))
        .map(|(name, count)| match count {
            Some(count) => format!("{name} ({count} networks)"),
            None => name,
        })
        .collect();
    lists.sort_unstable();
    lists.dedup();
    match (&lists[..], front) {
        ([], Ok(_)) => Verdict::fail(
            "a policy on countries is declared, and neither the firewall nor nginx enforces one",
            "nft 'insert rule inet filter input ip saddr @countries tcp dport { 80, 443 } drop'  # a set that is filled, \
             or withdraw it: declared = false below [security.geo_policy]",
        ),
        ([], Err(unknown)) => unknown.into(),
        (lists, _) => {
            Verdict::partial(format!("the firewall enforces {}; when it was filled is not known", list(lists)), fix)
        }
    }
}
