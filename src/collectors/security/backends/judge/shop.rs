//! What the shop's own tables say: API-08, API-15, API-16, API-17.

use super::{database, part, php, pool_file, unsupported};
use crate::collectors::security::backends::database::ShopCounts;
use crate::collectors::security::seen::Seen;
use crate::collectors::security::shop::Engine;
use crate::collectors::security::verdict::{Cause, Known, State, Unknown, Verdict};

const OPENCART: &str = "opencart";

fn counts(seen: &Seen) -> Known<&ShopCounts> {
    part(&database(seen)?.shop)
}

/// The same of a shop that is OpenCart.
fn of_opencart<'a>(seen: &'a Seen, what: &str) -> Known<&'a ShopCounts> {
    let counts = counts(seen)?;
    (counts.engine == OPENCART)
        .then_some(counts)
        .ok_or_else(|| unsupported(&format!("{what} is looked for in OpenCart alone")))
}

/// API-08: neither PHP nor OpenCart, which has a handler of its own, shows errors to visitors.
pub(super) fn errors(seen: &Seen) -> Known<Verdict> {
    let php = php(seen)?;
    let by_php = php.shows_errors()?;
    let counts = of_opencart(seen, "whether the shop shows errors")?;
    let unset = || Unknown::new(Cause::Unparsable, "OpenCart has no setting config_error_display");
    let by_shop = counts.error_display.ok_or_else(unset)?;
    let file = pool_file(seen, &php.pool);
    // What the pool locks, no `.user.ini` changes.
    let fix_php =
        format!("{file}: php_admin_flag[display_errors] = off\n{file}: php_admin_flag[display_startup_errors] = off");
    let fix_shop = "System > Settings > Server > Display Errors: No";
    let pool = &php.pool;
    Ok(match (by_php, by_shop) {
        (false, false) => Verdict::pass(format!("neither PHP (pool {pool}) nor OpenCart shows errors")),
        (true, false) => Verdict::partial(format!("PHP shows errors in the pool {pool}"), fix_php),
        (false, true) => Verdict::partial("OpenCart shows errors (config_error_display)", fix_shop),
        (true, true) => Verdict::fail(
            format!("PHP (pool {pool}) and OpenCart (config_error_display) show errors"),
            format!("{fix_php}\n{fix_shop}"),
        ),
    })
}

/// API-15: OpenCart asks its administrators for a second factor; a closed administration (API-02) is half of one.
pub(super) fn second_factor(seen: &Seen, closed: Option<State>) -> Known<Verdict> {
    let counts = of_opencart(seen, "a second factor")?;
    if counts.second_factor == Some(true) {
        return Ok(Verdict::pass("OpenCart asks its administrators for a second factor (config_user_2fa)"));
    }
    let (told, fix) = match counts.second_factor {
        Some(_) => (
            "OpenCart asks its administrators for no second factor (config_user_2fa is 0)",
            "System > Settings > Option > Security: two-factor authentication",
        ),
        None => (
            "this OpenCart knows no second factor",
            "upgrade to OpenCart 4.1, or close the administration by client certificate",
        ),
    };
    match closed {
        Some(State::Pass) => Ok(Verdict::partial(format!("{told}; the administration is closed to strangers"), fix)),
        Some(State::Unknown(cause)) => {
            let why = format!("{told}; whether the administration is closed to strangers (API-02) is not known");
            Err(Unknown::new(cause, why))
        }
        _ => Ok(Verdict::fail(told, fix)),
    }
}

/// API-16: the passwords of all active administrators are hashed by bcrypt or Argon2.
///
/// Older hashes are half as bad where the shop's core replaces them at the next login: OpenCart 4, or, where the version
/// is not known, one that has hashed others so already.
pub(super) fn hashes(seen: &Seen) -> Known<Verdict> {
    let counts = counts(seen)?;
    let (all, strong) = (counts.administrators, counts.strong.min(counts.administrators));
    if all == 0 {
        return Err(Unknown::new(
            Cause::Unparsable,
            "the shop's tables have no active administrator; is the prefix right?",
        ));
    }
    let legacy = all - strong;
    if legacy == 0 {
        return Ok(Verdict::pass(format!(
            "the passwords of all {all} active administrators are hashed by bcrypt or Argon2"
        )));
    }
    let rehashes = match seen.shop.as_ref().map(|shop| &shop.engine) {
        Ok(Engine::OpenCart(Some((major, ..)))) if counts.engine == OPENCART => *major >= 4,
        _ => strong > 0,
    };
    let told = format!("{legacy} of {all} active administrators have a password hashed by MD5, SHA-1 or the like");
    Ok(if rehashes {
        Verdict::partial(told, "let each of them log in once, or set a new password")
    } else {
        Verdict::fail(
            told,
            "upgrade the shop to a version that hashes by bcrypt (OpenCart 4), and let each of them log in",
        )
    })
}

/// API-17: no account of OpenCart's API is enabled, or all are bound to addresses that nobody can make up (FW-09).
///
/// How long one has not been used is not asked: OpenCart deletes its sessions after an hour.
pub(super) fn api(seen: &Seen, addresses_hold: Option<State>) -> Known<Verdict> {
    let counts = of_opencart(seen, "accounts of an API")?;
    let unset =
        || Unknown::new(Cause::Unparsable, "the view of the shop does not count its API's accounts; make it anew");
    let api = counts.api.ok_or_else(unset)?;
    let (enabled, open) = (api.enabled, api.without_addresses);
    Ok(if enabled == 0 {
        Verdict::pass("no account of OpenCart's API is enabled")
    } else if open > 0 {
        Verdict::fail(
            format!("{open} of {enabled} enabled accounts of OpenCart's API may be used from any address"),
            "System > Users > API: disable it, or list the addresses that may use it",
        )
    } else if addresses_hold == Some(State::Pass) {
        Verdict::pass(format!("all {enabled} enabled accounts of OpenCart's API are bound to addresses"))
    } else {
        Verdict::partial(
            format!(
                "all {enabled} enabled accounts of OpenCart's API are bound to addresses, which may be made up (FW-09)"
            ),
            "see FW-09",
        )
    })
}
