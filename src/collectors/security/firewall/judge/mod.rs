//! The checks of who can reach what: FW-01 to FW-07, FW-10, FW-11, DD-07.

mod bans;
mod boot;
mod countries;
mod edge;
mod exposed;
mod inbound;
mod place;
#[cfg(test)]
pub(super) mod tests;

use crate::collectors::security::check::Check;
use crate::collectors::security::seen::Seen;
use crate::collectors::security::verdict::{Known, Verdicts};
pub(in crate::collectors::security) use countries::InFront;

/// Judges them; `front` is what nginx does about countries (`geo`, `geoip2`).
pub(in crate::collectors::security) fn judge(seen: &Seen, front: &Known<InFront>, verdicts: &mut Verdicts) {
    verdicts.insert(Check::Fw01, inbound::v4(seen));
    verdicts.insert(Check::Fw02, inbound::v6(seen));
    verdicts.insert(Check::Fw03, exposed::database(seen));
    verdicts.insert(Check::Fw04, exposed::cache(seen));
    verdicts.insert(Check::Fw05, exposed::php(seen));
    verdicts.insert(Check::Fw06, exposed::others(seen));
    verdicts.insert(Check::Fw07, boot::judge(seen));
    verdicts.insert(Check::Fw10, edge::judge(seen));
    verdicts.insert(Check::Fw11, countries::judge(seen, front));
    verdicts.insert(Check::Dd07, bans::judge(seen));
}

/// A number of things, in words.
fn counted(count: usize, one: &str, several: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {several}") }
}

/// A list as a sentence has it: at most five, and how many more there are.
fn list(items: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = items.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match items.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
