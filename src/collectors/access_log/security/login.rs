//! Attempts to log in: which requests are some, and how they end.
//!
//! What is said of a shop was read in its source: OpenCart 3.0 (`admin/controller/common/login.php` redirects when it lets
//! somebody in and shows the form again when not), 4.0 and 4.1 (JSON with status 200 for both), WordPress 6
//! (`wp-login.php` redirects or shows the form), Magento 2.4 (`Customer/Controller/Account/LoginPost` redirects either way;
//! `Backend/App/Action/Plugin/Authentication` redirects or shows the form; the web API answers 401), PrestaShop 1.7 and 8
//! (`AuthController` redirects or shows the form). Laravel's own scaffolding redirects either way.

use memchr::memmem;

use super::super::classes::Route;
use super::super::line::Line;
use super::super::route::Preset;
use super::config::Login;
use super::decode::{Decoded, argument};
use super::labels::{FollowUp, Outcome, Realm};

/// An attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    /// Where.
    pub(super) realm: Realm,
    /// How it ended.
    pub(super) ending: Ending,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// As its own line says.
    Now(Outcome),
    /// As what the client asks for next will say.
    Later(FollowUp),
}

/// What tells how a login ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tells {
    /// Who is let in is sent on, who is not sees the form again.
    Redirect,
    /// Who is let in gets an answer, who is not an error.
    Success,
    /// The next page.
    Next(FollowUp),
    /// Nothing in the log.
    Nothing,
}

use FollowUp::{MagentoCustomer, OpencartAdmin, OpencartCustomer};
use Realm::{Admin, Api, Customer};
use Tells::{Next, Nothing, Redirect, Success};

/// OpenCart's routes, with `|` as `.`.
const OPENCART: [(&[u8], Realm, Tells); 9] = [
    (b"common/login", Admin, Redirect),
    (b"common/login.login", Admin, Next(OpencartAdmin)),
    (b"common/login/login", Admin, Next(OpencartAdmin)),
    (b"account/login", Customer, Redirect),
    (b"account/login.login", Customer, Next(OpencartCustomer)),
    (b"account/login/login", Customer, Next(OpencartCustomer)),
    (b"checkout/login/save", Customer, Nothing),
    (b"api/login", Api, Nothing),
    (b"api/account/login", Api, Nothing),
];

/// Ends of paths, in lower case; those that several systems have in their own way for the shop they are of only.
const PATHS: [(Option<Preset>, &[u8], Realm, Tells); 10] = [
    (None, b"/wp-login.php", Admin, Redirect),
    (None, b"/xmlrpc.php", Api, Nothing),
    (Some(Preset::Laravel), b"/admin/login", Admin, Nothing),
    (Some(Preset::Woocommerce), b"/my-account", Customer, Redirect),
    (None, b"/customer/account/loginpost", Customer, Next(MagentoCustomer)),
    (None, b"/customer/ajax/login", Customer, Nothing),
    (None, b"/v1/integration/customer/token", Customer, Success),
    (None, b"/v1/integration/admin/token", Admin, Success),
    (Some(Preset::Prestashop), b"/login", Customer, Redirect),
    (Some(Preset::Laravel), b"/login", Customer, Nothing),
];

/// PrestaShop's controllers, as addresses without rewriting have them.
const PRESTASHOP: [(&[u8], Realm, Tells); 2] =
    [(b"authentication", Customer, Redirect), (b"AdminLogin", Admin, Nothing)];

/// Where one can log in.
#[derive(Clone, Debug)]
pub(super) struct Logins {
    own: Vec<Login>,
    shops: Vec<Preset>,
}

impl Logins {
    /// Those of these shops, and those that the configuration adds.
    pub(super) fn new(own: &[Login], shops: &[Preset]) -> Self {
        Self { own: own.to_vec(), shops: shops.to_vec() }
    }

    /// The attempt that a request is, if it is one. `opencart` is OpenCart's route, empty when there is none.
    pub(super) fn attempt(
        &self,
        line: &Line<'_>,
        route: Route,
        target: &Decoded,
        query: &[u8],
        opencart: &[u8],
    ) -> Option<Attempt> {
        let form = if line.method == b"POST" { self.form(line, route, target, query, opencart) } else { None };
        form.or_else(|| signed(line, query, opencart)).or_else(|| basic(line))
    }

    fn form(&self, line: &Line<'_>, route: Route, target: &Decoded, query: &[u8], opencart: &[u8]) -> Option<Attempt> {
        // Magento says in the path where to go back to.
        let path = memmem::find(&target.path, b"/referer/").map_or(&target.path[..], |end| &target.path[..end]);
        let path = path.strip_suffix(b"/").unwrap_or(path);
        if let Some(own) = self.own.iter().find(|own| own.path.trim_end_matches('/').as_bytes() == path) {
            let ending = Ending::Now(match (status(line), line.status) {
                (Status::Ended(Outcome::Throttled), _) => Outcome::Throttled,
                (_, status) if own.success.contains(&status) => Outcome::Success,
                (_, status) if own.failure.contains(&status) => Outcome::Failure,
                (Status::Ended(outcome), _) => outcome,
                (Status::NoLogin, _) => return None,
                (Status::Answered, _) => Outcome::Unresolved,
            });
            return Some(Attempt { realm: own.realm, ending });
        }
        let (realm, tells) = self.known(route, path, query, opencart)?;
        Some(Attempt { realm, ending: ending(line, tells)? })
    }

    /// The login of a shop's that a form is sent to.
    fn known(&self, route: Route, path: &[u8], query: &[u8], opencart: &[u8]) -> Option<(Realm, Tells)> {
        if let Some((_, realm, tells)) = OPENCART.iter().find(|(name, ..)| *name == opencart) {
            return Some((*realm, *tells));
        }
        let of_shop = |shop: Option<Preset>| shop.is_none_or(|shop| self.shops.contains(&shop));
        if let Some((.., realm, tells)) = PATHS.iter().find(|(shop, end, ..)| path.ends_with(end) && of_shop(*shop)) {
            // The same script sends passwords anew and lets customers register.
            let is_login =
                !path.ends_with(b"/wp-login.php") || argument(query, b"action").is_none_or(|action| action == b"login");
            return is_login.then_some((*realm, *tells));
        }
        if let Some(controller) = argument(query, b"controller")
            && let Some((_, realm, tells)) = PRESTASHOP.iter().find(|(name, ..)| controller.eq_ignore_ascii_case(name))
        {
            return Some((*realm, *tells));
        }
        // Magento's form goes to whatever page of the administration was asked for; its front page as a rule.
        let is_magento = of_shop(Some(Preset::Magento2)) && route == Route::Admin;
        (is_magento && is_magento_front(path)).then_some((Admin, Redirect))
    }
}

/// `/backoffice`, `/backoffice/admin`, and below `/backoffice/admin/index/` and `/backoffice/admin/auth/`.
fn is_magento_front(path: &[u8]) -> bool {
    let mut segments =
        path.split(|byte| *byte == b'/').skip_while(|segment| segment.is_empty() || *segment == b"index.php");
    let front = segments.next();
    let (area, controller) = (segments.next(), segments.next());
    front.is_some()
        && (area.is_none() || area == Some(b"admin") && matches!(controller, None | Some(b"index" | b"auth")))
}

/// How a form's line says that it ended; `None` when nothing is there to log in to.
fn ending(line: &Line<'_>, tells: Tells) -> Option<Ending> {
    match status(line) {
        Status::Ended(outcome) => return Some(Ending::Now(outcome)),
        Status::NoLogin => return None,
        Status::Answered => {}
    }
    let outcome = match (tells, line.status) {
        (Next(follow_up), 200 | 302) => return Some(Ending::Later(follow_up)),
        (Redirect, 302 | 303) | (Success, 200..=299) => Outcome::Success,
        (Redirect, 200) => Outcome::Failure,
        _ => Outcome::Unresolved,
    };
    Some(Ending::Now(outcome))
}

/// What a status says about a login, whatever shop it is of.
enum Status {
    /// How it ended.
    Ended(Outcome),
    /// That nothing is there to log in to.
    NoLogin,
    /// Nothing: each shop answers in its own way.
    Answered,
}

fn status(line: &Line<'_>) -> Status {
    match line.status {
        _ if line.is_throttled() => Status::Ended(Outcome::Throttled),
        401 | 403 | 422 => Status::Ended(Outcome::Failure),
        400 | 404 | 405 | 410 | 411 | 413..=415 | 421 | 431 | 444 | 495..=497 => Status::NoLogin,
        200..=399 => Status::Answered,
        _ => Status::Ended(Outcome::Unresolved),
    }
}

/// OpenCart 4.1 has its API's calls signed: each is an attempt.
fn signed(line: &Line<'_>, query: &[u8], opencart: &[u8]) -> Option<Attempt> {
    let is_signed = matches!(opencart, b"api/order" | b"api/subscription") && argument(query, b"signature").is_some();
    is_signed.then_some(())?;
    Some(Attempt { realm: Api, ending: ending(line, Success)? })
}

/// A 401 without a name is the question, one with a name the answer.
fn basic(line: &Line<'_>) -> Option<Attempt> {
    (!line.user.is_empty()).then_some(())?;
    let outcome = match line.status {
        _ if line.is_throttled() => Outcome::Throttled,
        401 => Outcome::Failure,
        _ => return None,
    };
    Some(Attempt { realm: Realm::HttpBasic, ending: Ending::Now(outcome) })
}
