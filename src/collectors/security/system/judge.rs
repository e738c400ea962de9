//! The checks of the operating system: FW-08, DD-05, DD-06, TLS-08, MON-03, MON-04, MON-06 to MON-08.

use super::updates::{automatic, pending};
use super::{alerting, bans, clock, kernel, keys, shipping, ssh};
use crate::collectors::security::check::Check;
use crate::collectors::security::seen::Seen;
use crate::collectors::security::verdict::Verdicts;

/// Judges them.
pub(in crate::collectors::security) fn judge(seen: &Seen, verdicts: &mut Verdicts) {
    verdicts.extend([
        (Check::Fw08, ssh::judge(seen)),
        (Check::Dd05, kernel::judge(seen)),
        (Check::Dd06, bans::judge(seen)),
        (Check::Tls08, keys::judge(seen)),
        (Check::Mon03, pending::judge(seen)),
        (Check::Mon04, automatic::judge(seen)),
        (Check::Mon06, clock::judge(seen)),
        (Check::Mon07, shipping::judge(seen)),
        (Check::Mon08, alerting::judge(seen)),
    ]);
}
