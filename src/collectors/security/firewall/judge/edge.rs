//! FW-10: only the CDN reaches the origin.

use super::place::{places, rules, worse};
use crate::collectors::security::firewall::admission::{Admission, Listed};
use crate::collectors::security::firewall::ranges::{Range, Version, is_small};
use crate::collectors::security::seen::Seen;
use crate::collectors::security::verdict::{Cause, Unknown, Verdict};
use crate::networks::Networks;

/// The ports of the shop.
const WEB: [u16; 2] = [80, 443];

/// Judges it.
///
/// It does not apply where the configuration names no edge. Sources beside the edge's are taken for the operator's own as
/// long as they are few (a /16 of IPv4, a /48 of IPv6): an office, a monitor.
pub(super) fn judge(seen: &Seen) -> Verdict {
    let edge = &seen.config.edge;
    if edge.provider.is_none() && edge.networks.is_empty() {
        return Verdict::not_applicable("no CDN is configured ([security.edge])");
    }
    let name = edge.provider.as_deref().unwrap_or("the edge");
    let is_web = |port: u16| WEB.contains(&port);
    let published = |published: &crate::collectors::security::firewall::admission::Published| {
        WEB.into_iter().find(|port| (published.ports.0..=published.ports.1).contains(port))
    };
    let places = match places(seen, |listener| is_web(listener.port), published) {
        Ok(places) => places,
        Err(unknown) => return unknown.into(),
    };
    if places.is_empty() {
        return Verdict::pass("nothing listens for other machines at the ports 80 and 443");
    }
    let rules = match rules(seen) {
        Ok(rules) => rules,
        Err(unknown) => return unknown.into(),
    };
    let fix = format!(
        "nft 'add set inet filter edge {{ type ipv4_addr; flags interval; }}'  # filled with {name}'s published networks\n\
         nft 'insert rule inet filter input ip saddr != @edge tcp dport {{ 80, 443 }} drop'  # and likewise by IPv6"
    );
    match places.iter().map(|place| place.admits((rules.0, &rules.1))).reduce(worse) {
        None | Some(Ok(Admission::Nobody)) => Verdict::pass("the firewall lets nobody in at the ports 80 and 443"),
        Some(Ok(Admission::Anybody)) => Verdict::fail(format!("anybody reaches the ports 80 and 443 past {name}"), fix),
        Some(Err(unknown)) => unknown.into(),
        Some(Ok(Admission::Only(_))) if edge.networks.is_empty() => Verdict::from(Unknown::new(
            Cause::NotConfigured,
            format!("the firewall lets in only listed sources, and the configuration does not say which are {name}'s"),
        ))
        .with_fix("networks = [\"…\"]  # below [security.edge]"),
        Some(Ok(Admission::Only(Listed { unseen, .. }))) if !unseen.is_empty() => Unknown::new(
            Cause::Unsupported,
            format!("the firewall lets in a list whose contents cannot be seen: {}", unseen.join(", ")),
        )
        .into(),
        Some(Ok(Admission::Only(listed))) => {
            let others = beside(&listed.networks, &edge.networks);
            if Version::ALL.into_iter().all(|version| is_small(&others, version)) {
                let own = if others.is_empty() { "" } else { ", and a few other networks" };
                Verdict::pass(format!("the firewall lets in {name} alone at the ports 80 and 443{own}"))
            } else {
                Verdict::fail(format!("large networks that are not {name}'s reach the ports 80 and 443 past it"), fix)
            }
        }
    }
}

/// The ranges that are not wholly among the edge's networks.
fn beside(ranges: &[Range], edge: &Networks) -> Vec<Range> {
    ranges
        .iter()
        .filter(|range| !range.is_private() && !edge.contains_range(range.first, range.last))
        .copied()
        .collect()
}
