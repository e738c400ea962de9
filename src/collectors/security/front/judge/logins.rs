//! API-14: whether passwords can be tried without end.

use super::Sight;
use super::limits::{Limited, limited};
use super::samples::{administration, customers};
use crate::collectors::security::shop::Engine;
use crate::collectors::security::verdict::{Known, Verdict};

/// How many attempts an account may have (`config_login_attempts`).
const ATTEMPTS: std::ops::RangeInclusive<u64> = 1..=10;

/// How a realm is throttled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Throttle {
    /// nginx counts each client.
    Client,
    /// The shop counts each account's failures.
    Account,
    None,
}

/// Judges API-14.
///
/// A jail of fail2ban is not counted here: of which requests it takes notice its filter says, which nobody reads.
pub(super) fn throttled(sight: &Sight<'_>) -> Known<Verdict> {
    let shop = sight.shop.clone()?;
    let counts = matches!(shop.engine, Engine::OpenCart(_));
    // OpenCart 4 has no counter for administrators (`admin/controller/common/login.php` of 4.0.2.3 and 4.1.0.3).
    let counts_admin = matches!(shop.engine, Engine::OpenCart(Some((..=3, ..))));
    let (admin, why_admin) =
        realm(limited(&sight.ask(administration(shop)?), |answer| &answer.requests), counts_admin, sight.attempts)?;
    let (customer, why) =
        realm(limited(&sight.ask(customers(shop)?), |answer| &answer.requests), counts, sight.attempts)?;
    let path = shop.admin.as_deref().unwrap_or("/admin/");
    let fix = format!(
        "map \"$request_method:$uri:$arg_route\" $login {{ default \"\"; ~^POST:{path} $binary_remote_addr; \
         ~^POST:[^:]*:(account|checkout)/login $binary_remote_addr; }}  # in http\n\
         limit_req_zone $login zone=login:10m rate=10r/m;  # in http\n\
         limit_req zone=login burst=5 nodelay;  # where PHP is served, beside its other limit_req"
    );
    let by = |throttle| match throttle {
        Throttle::Client => "by nginx, for each client",
        Throttle::Account => "by the shop, for each account",
        Throttle::None => "by nobody",
    };
    let seen = format!("logins are throttled: of administrators {}, of customers {}", by(admin), by(customer));
    Ok(match (admin, customer) {
        (Throttle::None, Throttle::None) => {
            Verdict::fail(format!("{seen}; {}", why_admin.or(why).unwrap_or_default()), fix)
        }
        (Throttle::None, _) => Verdict::partial(format!("{seen}; {}", why_admin.unwrap_or_default()), fix),
        (_, Throttle::None) => Verdict::partial(format!("{seen}; {}", why.unwrap_or_default()), fix),
        (Throttle::Account, Throttle::Account) => Verdict::partial(seen, fix),
        _ => Verdict::pass(seen),
    })
}

/// How a realm is throttled, and where it is not. What the shop counts matters where nginx counts nothing.
fn realm(limited: Limited, counts: bool, attempts: &Known<Option<u64>>) -> Known<(Throttle, Option<String>)> {
    if let Some(unknown) = limited.unknown {
        return Err(unknown);
    }
    // Strangers who are refused try nothing.
    let Some((_, why)) = limited.free.into_iter().next() else { return Ok((Throttle::Client, None)) };
    let is_counted = counts && attempts.clone()?.is_some_and(|attempts| ATTEMPTS.contains(&attempts));
    Ok((if is_counted { Throttle::Account } else { Throttle::None }, Some(why)))
}
