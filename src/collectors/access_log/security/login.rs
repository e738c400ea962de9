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
use super::super::route::{Preset, Routes, argument};
use super::config::Login;
use super::decode::Decoded;
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

/// OpenCart's routes, with `.` before a method as `/`.
const OPENCART: [(&[u8], Realm, Tells); 7] = [
    (b"common/login", Admin, Redirect),
    (b"common/login/login", Admin, Next(OpencartAdmin)),
    (b"account/login", Customer, Redirect),
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

/// What WordPress' `wp-login.php` does besides; any `action` that it does not know it takes for a login.
const WORDPRESS: [&[u8]; 11] = [
    b"confirm_admin_email",
    b"postpass",
    b"logout",
    b"lostpassword",
    b"retrievepassword",
    b"resetpass",
    b"rp",
    b"register",
    b"checkemail",
    b"confirmaction",
    b"entered_recovery_mode",
];

/// Pages of OpenCart 3's administration that show no login to who is not in.
const OPENCART_3: [&[u8]; 2] = [b"common/forgotten", b"common/reset"];

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
        // `//giris` and `/x/../giris` are the same page.
        let (path, _) = line.path_and_query();
        let spelled = if Routes::is_spelled(path) { None } else { Routes::spelled(path) };
        let spelled = spelled.map(|path| path.to_ascii_lowercase());
        let path = spelled.as_deref().unwrap_or(&target.path);
        // Magento says in the path where to go back to.
        let path = memmem::find(path, b"/referer/").map_or(path, |end| &path[..end]);
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
        if let Some((_, realm, tells)) = OPENCART.iter().find(|(name, ..)| is_controller(name, opencart)) {
            return Some((*realm, *tells));
        }
        let of_shop = |shop: Option<Preset>| shop.is_none_or(|shop| self.shops.contains(&shop));
        if let Some((_, end, realm, tells)) = PATHS.iter().find(|(shop, end, ..)| is_at(path, end) && of_shop(*shop)) {
            // The same script sends passwords anew and lets customers register.
            let is_other = |action: &[u8]| WORDPRESS.contains(&action);
            let is_login = *end != b"/wp-login.php" || !argument(query, b"action", is_other).unwrap_or(false);
            return is_login.then_some((*realm, *tells));
        }
        let prestashop = |value: &[u8]| PRESTASHOP.iter().find(|(name, ..)| value.eq_ignore_ascii_case(name));
        if let Some((_, realm, tells)) = argument(query, b"controller", prestashop).flatten() {
            return Some((*realm, *tells));
        }
        // OpenCart 3's administration takes names and passwords on every page, as long as nobody is in; who is has a token.
        let has_token = || argument(query, b"user_token", |token| !token.is_empty()).unwrap_or(false);
        if of_shop(Some(Preset::Opencart3)) && route == Route::Admin && is_program(path) && !has_token() {
            let is_login = !OPENCART_3.iter().any(|name| is_controller(name, opencart));
            return is_login.then_some((Admin, Redirect));
        }
        // Magento's form goes to whatever page of the administration was asked for; its front page as a rule.
        let is_magento = of_shop(Some(Preset::Magento2)) && route == Route::Admin;
        (is_magento && is_magento_front(path)).then_some((Admin, Redirect))
    }
}

/// Whether OpenCart finds this controller, or method of one, by a route: it knows no letter case, what is between two
/// slashes may be nothing, and `index` is the method of who names none.
fn is_controller(name: &[u8], route: &[u8]) -> bool {
    let mut segments = route.split(|byte| matches!(byte, b'/' | b'.')).filter(|segment| !segment.is_empty());
    let mut is_next = |part: &[u8]| segments.next().is_some_and(|segment| segment.eq_ignore_ascii_case(part));
    let is_it = name.split(|byte| *byte == b'/').all(&mut is_next);
    is_it && segments.next().is_none_or(|method| method.eq_ignore_ascii_case(b"index"))
}

/// Whether a path ends so; a script may have more behind it (`/wp-login.php/x`).
fn is_at(path: &[u8], end: &[u8]) -> bool {
    let goes_on = |at: usize| path[at + end.len()..].starts_with(b"/");
    path.ends_with(end) || end.ends_with(b".php") && memmem::find(path, end).is_some_and(goes_on)
}

/// Whether a path without a slash behind it is a folder's or that of its `index.php`.
fn is_program(path: &[u8]) -> bool {
    path.rsplit(|byte| *byte == b'/').next().is_some_and(|last| last == b"index.php" || !last.contains(&b'.'))
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
    let is_one = [&b"api/order"[..], b"api/subscription"].iter().any(|name| is_controller(name, opencart));
    (is_one && argument(query, b"signature", |_| ()).is_some()).then_some(())?;
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
