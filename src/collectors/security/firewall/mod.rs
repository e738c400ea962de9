//! The firewall: what becomes of a packet that comes from the internet, by the rules that are loaded.
//!
//! Rules are not searched for words but walked through, as the kernel does (`nft(8)`; `iptables(8)`): the first packet of a
//! TCP connection, from a public address and by the interface of a default route, goes through `prerouting`, which may
//! send it elsewhere, and then through every base chain of `input` or `forward`, in the order of their priorities. What one
//! chain accepts the next may still drop. What its sender may choose (the port it comes from, which of the machine's
//! addresses it goes to) is chosen well; what is not understood is taken both ways, and if that makes a difference, the
//! answer is unknown. Limits of rates let a first packet through.

mod admission;
pub(super) mod boot;
mod builder;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzz;
mod iptables;
mod judge;
pub(super) mod listeners;
#[cfg(test)]
mod live;
mod matching;
mod nft;
pub(super) mod ranges;
pub(super) mod routing;
mod rules;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::verdict::{Cause, Known, Unknown};
use builder::Builder;
pub(super) use judge::{InFront, judge};
use nft::Printed;
use ranges::Version;
use rules::{Chain, Sources, is_name_of_bans};

/// What `nft -j list ruleset` prints of no rules at all.
pub(crate) const EMPTY: &str = r#"{"nftables": []}"#;

/// The rules that are loaded, as far as they decide about packets from outside. Addresses of who is banned are not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ruleset {
    /// The chains.
    chains: Vec<Chain>,
    /// The sources that their rules ask for.
    sources: Vec<Sources>,
    /// The names of lists of bans, also of those that no rule asks for.
    ban_lists: Vec<String>,
}

impl Ruleset {
    /// What `nft -j list ruleset` prints, with what `iptables-save` and `ip6tables-save` print of tables that hold what nft
    /// cannot tell.
    pub(crate) fn parse(nft: &str, v4: Option<&str>, v6: Option<&str>) -> Known<Self> {
        let unparsable = || Unknown::new(Cause::Unparsable, "what `nft -j list ruleset` prints is no ruleset");
        let json: Value = serde_json::from_str(nft).map_err(|_| unparsable())?;
        let printed = Printed::of(&json).ok_or_else(unparsable)?;
        let texts = [(Version::V4, v4), (Version::V6, v6)];
        let texts: Vec<_> = texts.into_iter().filter_map(|(version, text)| Some((version, text?))).collect();
        let mut builder = Builder::new();
        builder.untracked = printed.untracks || texts.iter().any(|(_, text)| iptables::untracks(text));
        let told = |(version, text): &(Version, &str)| -> Vec<(rules::Family, String)> {
            iptables::tables(text).into_iter().map(|table| (iptables::family(*version), table.to_owned())).collect()
        };
        let told: Vec<_> = texts.iter().flat_map(told).collect();
        let elsewhere: HashSet<_> = printed
            .opaque
            .iter()
            .copied()
            .filter(|(family, table)| told.iter().any(|told| *told == (*family, (*table).to_owned())))
            .collect();
        printed.add(&mut builder, &elsewhere);
        for (version, text) in &texts {
            let family = iptables::family(*version);
            for table in iptables::tables(text) {
                // Of the older iptables, which nft does not see at all, there is nothing else.
                let is_older = !builder.has_table(family, table);
                if is_older || elsewhere.contains(&(family, table)) {
                    iptables::add(&mut builder, text, family, table, is_older);
                }
            }
        }
        let ban_lists = printed.set_names().filter(|name| is_name_of_bans(name)).map(str::to_owned).collect();
        let mut ruleset = Self { chains: builder.chains, sources: builder.sources, ban_lists };
        ruleset.forget_who_is_turned_away();
        Ok(ruleset)
    }
}
