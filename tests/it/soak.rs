//! The short version of `make soak`.

use crate::support::daemon::turn;
use crate::support::soak::{Soak, round};

#[test]
fn every_trouble_of_every_server_is_survived_and_nothing_grows() {
    let _turn = turn();
    let soak = Soak::run(round());
    assert_eq!(soak.scrapes, round());
}
