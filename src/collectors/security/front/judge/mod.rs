//! The checks of what the web server really does: FW-09, DD-01 to DD-04, API-01 to API-03, API-05, API-06, API-14, MON-01,
//! MON-02.

mod addresses;
mod limits;
mod logins;
mod logs;
mod paths;
mod samples;
#[cfg(test)]
pub(super) mod tests;

use super::Front;
use crate::collectors::security::check::Check;
use crate::collectors::security::seen::Seen;
use crate::collectors::security::shop::Shop;
use crate::collectors::security::verdict::{Known, State, Unknown, Verdict, Verdicts};

/// What the checks look at.
struct Sight<'a> {
    front: &'a Front,
    shop: Known<&'a Shop>,
    seen: &'a Seen,
    /// After how many failures the shop makes a customer wait (`config_login_attempts`).
    attempts: &'a Known<Option<u64>>,
}

type Evaluator = fn(&Sight<'_>) -> Known<Verdict>;

/// The checks and who judges them.
const CHECKS: [(Check, Evaluator); 13] = [
    (Check::Fw09, addresses::attribution),
    (Check::Dd01, limits::requests),
    (Check::Dd02, limits::connections),
    (Check::Dd03, limits::timeouts),
    (Check::Dd04, limits::body),
    (Check::Api01, paths::installer),
    (Check::Api02, paths::administration),
    (Check::Api03, paths::storage),
    (Check::Api05, paths::exposed),
    (Check::Api06, paths::written),
    (Check::Api14, logins::throttled),
    (Check::Mon01, logs::access),
    (Check::Mon02, logs::errors),
];

/// Judges them. `attempts` is after how many failures the shop makes a customer wait; nothing where it does not say.
pub(in crate::collectors::security) fn judge(seen: &Seen, attempts: &Known<Option<u64>>, verdicts: &mut Verdicts) {
    for (check, evaluate) in CHECKS {
        let verdict = match &seen.front {
            Err(unknown) => without_front(check, seen, unknown),
            Ok(front) => {
                let evaluated = |front| {
                    let shop = seen.shop.as_ref().map_err(Clone::clone);
                    Verdict::from(evaluate(&Sight { front, shop, seen, attempts }))
                };
                // Whoever is kept out at one door takes another: the worst of them counts.
                let others = front.siblings.iter().map(evaluated);
                others.fold(evaluated(front), |worst, other| if rank(&other) < rank(&worst) { other } else { worst })
            }
        };
        verdicts.insert(check, verdict);
    }
}

/// How bad it is; what is not known is worse than half.
fn rank(verdict: &Verdict) -> u8 {
    match verdict.state {
        State::Fail => 0,
        State::Unknown(_) => 1,
        State::Partial => 2,
        State::Pass | State::NotApplicable => 3,
    }
}

/// What is known without any web server that is understood.
fn without_front(check: Check, seen: &Seen, unknown: &Unknown) -> Verdict {
    let unknown = unknown.clone();
    match (check, &seen.shop) {
        (Check::Api01, Ok(shop)) if shop.installer.is_none() => paths::no_installer(shop),
        (Check::Api05, Ok(shop)) => match &shop.exposed {
            Ok(found) if found.is_empty() => paths::nothing_exposed(shop),
            Err(unknown) => unknown.into(),
            Ok(_) => unknown.into(),
        },
        _ => unknown.into(),
    }
}
