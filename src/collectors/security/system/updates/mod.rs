//! Security updates: those that wait (MON-03), and whether they come by themselves (MON-04).

pub(super) mod automatic;
pub(super) mod pending;
mod reboot;
pub(super) mod settings;

/// Seconds of a day.
const DAY: i64 = 86_400;
