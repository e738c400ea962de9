//! Vitrin: one exporter for a web shop's whole stack.
//!
//! Imports go down only:
//!
//! ```text
//! metric → snapshot → collector → collectors, schedule → running → exposition → server → cli
//! ```
//!
//! * A *metric* is declared once, beside the code that reads it.
//! * A *snapshot* is what one run of one collector found.
//! * A *collector* watches one target and knows nothing of HTTP, text formats or other collectors; of time it knows
//!   how much is left.
//! * The *schedule* owns time: budgets, single flight, panics, timers, and the health metrics of every job.
//! * What is *running* is one configuration and its schedule, replaced together by a reload.
//! * The *exposition* turns outcomes into a page, the *server* hands pages out, the *cli* puts it together.
#![warn(missing_docs)]

pub mod cli;
pub mod collector;
pub mod collectors;
pub mod config;
pub mod exposition;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod logging;
pub mod metric;
mod process;
pub mod running;
pub mod schedule;
pub mod server;
pub mod snapshot;
mod tls;
