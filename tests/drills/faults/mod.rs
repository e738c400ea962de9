//! All faults, in the order in which they are drilled.

mod mysql;

use crate::drill::Drill;

pub(crate) fn all() -> impl Iterator<Item = &'static Drill> {
    [mysql::DRILLS].into_iter().flatten()
}
