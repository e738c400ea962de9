//! Vitrin: one exporter for a web shop's whole stack.
//!
//! Imports go down only:
//!
//! ```text
//! metric → snapshot → state → collector → follow → collectors, schedule → running → exposition → server → cli
//! ```
//!
//! * A *metric* is declared once, beside the code that reads it.
//! * A *snapshot* is what one run of one collector found.
//! * A *state* is what a collector keeps for its next start, together with all others' in one folder.
//! * A *remedy* is what root does about what a collector could not see.
//! * *net* and *tls* are the way to a server, for every collector that goes there.
//! * A *collector* watches one target and knows nothing of HTTP, text formats or other collectors; of time it knows
//!   how much is left.
//! * The *schedule* owns time: budgets, single flight, panics, timers, and the health metrics of every job.
//! * The *machine* is what everybody may see of it; a *discovery* is what can be watched there, and whether it lets us in.
//! * What is *running* is one configuration and its schedule, replaced together by a reload.
//! * The *simulate* module stands in for marketplaces, for its command alone: nothing that serves uses it.
//! * The *exposition* turns outcomes into a page, the *server* hands pages out, the *cli* puts it together.
#![warn(missing_docs)]

pub mod account;
pub mod cli;
pub mod collector;
pub mod collectors;
pub mod config;
pub mod discovery;
pub mod exposition;
pub mod follow;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod glob;
pub mod histogram;
mod logging;
pub mod machine;
pub mod metric;
pub mod net;
pub mod networks;
mod process;
pub mod remedy;
pub mod running;
pub mod schedule;
pub mod server;
pub mod simulate;
pub mod snapshot;
pub mod state;
pub mod tls;
