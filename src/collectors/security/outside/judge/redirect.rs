//! How visitors come to HTTPS, and stay there: TLS-06, TLS-07.

use super::no_answer;
use crate::collectors::security::outside::answer::Answer;
use crate::collectors::security::outside::pages::{Pages, Plain, Visit};
use crate::collectors::security::outside::transport::max_age;
use crate::collectors::security::verdict::{Cap, Cause, Known, State, Unknown, Verdict};
use crate::tls::certificate::excerpt;

/// A year, as ASVS 5.0 (3.4.1) has it, and half of one, as testssl.sh has.
const YEAR: u64 = 31_536_000;
const HALF: u64 = 15_552_000;

/// What is to be done where it is not known where the administration is.
const ADMIN_FIX: &str = "[security]\nadmin_path = \"/admin\"";

/// The most of a header's value that is repeated.
const VALUE_CHARS: usize = 80;

/// TLS-06. Of several headers browsers read the first (RFC 6797, section 8.1), and of several answers the last that has
/// one.
///
/// ASVS 5.0, 3.4.1; MDN's HTTP Observatory; testssl.sh, 180 days.
pub(super) fn transport(pages: &Pages) -> Verdict {
    const FIX: &str = "add_header Strict-Transport-Security \"max-age=63072000\" always;";
    let visit = match &pages.shop {
        Ok(visit) => visit,
        Err(unknown) => return unknown.into(),
    };
    let header = visit.answers.iter().rev().find_map(|answer| answer.values("strict-transport-security").next());
    let Some(header) = header else {
        // What an error page lacks the shop may have.
        return match visit.last() {
            Some(last) if last.status >= 400 => no_answer(&visit.path, last.status)
                .unwrap_or_else(|| Unknown::new(Cause::Unreachable, format!("{} answers {}", visit.path, last.status)))
                .into(),
            _ => Verdict::fail(format!("{} has no Strict-Transport-Security", visit.path), FIX),
        };
    };
    let shown = format!("Strict-Transport-Security: {}", excerpt(header, VALUE_CHARS));
    match max_age(header) {
        Some(YEAR..) => Verdict::pass(shown),
        Some(HALF..) => Verdict::partial(format!("{shown}, which is less than a year"), FIX),
        Some(0) => Verdict::fail(format!("{shown}, which takes it back"), FIX),
        Some(_) => Verdict::fail(format!("{shown}, which is less than 180 days"), FIX),
        None => Verdict::fail(format!("{shown}, which browsers ignore"), FIX),
    }
}

/// TLS-07. A first page that is refused by HTTP leads nobody to HTTPS, but serves nothing either: half. An administration
/// that is refused is closed, unless it asks for a password, which then goes over the wire.
///
/// MDN's HTTP Observatory, redirection; ASVS 5.0, 12.2.1; CIS NGINX, 4.1.1.
pub(super) fn redirect(pages: &Pages) -> Verdict {
    let fix = format!("server {{ listen 80; server_name {}; return 301 https://$host$request_uri; }}", pages.host);
    let shop = judged(&pages.plain_shop, false, &pages.host, &fix);
    let admin = match &pages.plain_admin {
        Ok(None) => None,
        Ok(Some(Plain::Closed)) => Some(judged(&Ok(Plain::Closed), true, &pages.host, &fix)),
        Ok(Some(Plain::Open(visit))) => Some(judge(visit, true, &pages.host, &fix)),
        Err(unknown) => Some(unknown.into()),
    };
    let Some(admin) = admin else { return shop };
    let seen = if admin.seen == shop.seen { shop.seen.clone() } else { format!("{}; {}", shop.seen, admin.seen) };
    // Only the administration limits the score: while it is not known, nor is it whether that is so.
    if let (State::Fail, State::Unknown(cause)) = (shop.state, admin.state) {
        let fix = if cause == Cause::NotConfigured { ADMIN_FIX.into() } else { shop.fix };
        return Verdict { seen, ..admin }.with_fix(fix);
    }
    // That the administration is served in clear is worse than that the shop is.
    let rank = |verdict: &Verdict| match verdict.state {
        State::Fail if verdict.cap.is_some() => 0,
        State::Fail => 1,
        State::Unknown(_) => 2,
        State::Partial => 3,
        State::Pass | State::NotApplicable => 4,
    };
    let (worse, is_known) = if rank(&admin) < rank(&shop) { (admin, false) } else { (shop, true) };
    match worse.state {
        State::Unknown(Cause::NotConfigured) if !is_known => Verdict { seen, ..worse }.with_fix(ADMIN_FIX),
        State::Unknown(_) => worse,
        _ => Verdict { seen, ..worse },
    }
}

/// Whether the shop's first page was served without encryption.
pub(super) fn serves_in_clear(pages: &Pages) -> bool {
    matches!(&pages.plain_shop, Ok(Plain::Open(visit)) if visit.last().is_some_and(Answer::is_page))
}

fn judged(plain: &Known<Plain>, is_admin: bool, host: &str, fix: &str) -> Verdict {
    match plain {
        Ok(Plain::Closed) => Verdict::pass("nobody listens for HTTP"),
        Ok(Plain::Open(visit)) => judge(visit, is_admin, host, fix),
        Err(unknown) => unknown.into(),
    }
}

fn judge(visit: &Visit, is_admin: bool, host: &str, fix: &str) -> Verdict {
    let at = format!("http://{host}{}", visit.path);
    let Some(last) = visit.last() else {
        return Unknown::new(Cause::Unparsable, format!("{at} was not answered")).into();
    };
    if let Some(unknown) = no_answer(&at, last.status) {
        return unknown.into();
    }
    let hops = visit.answers.len();
    let with_cap = |verdict: Verdict| if is_admin { verdict.with_cap(Cap::AdminOverHttp) } else { verdict };
    match (last.status, &last.leads) {
        (200..300, _) => with_cap(Verdict::fail(format!("{at} is served without encryption"), fix.to_owned())),
        (300..400, Some(lead)) if lead.is_encrypted && lead.is_same_host && hops == 1 => {
            Verdict::pass(format!("{at} leads to {}", lead.to))
        }
        (300..400, Some(lead)) if lead.is_encrypted && lead.is_same_host => {
            Verdict::partial(format!("{at} leads to {}, by another page without encryption", lead.to), fix.to_owned())
        }
        (300..400, Some(lead)) if lead.is_encrypted => Verdict::partial(
            format!(
                "{at} leads to {}, another host, before this one has said that it is to be asked by HTTPS alone",
                lead.to
            ),
            fix.to_owned(),
        ),
        (300..400, Some(lead)) => {
            Verdict::fail(format!("{at} leads to {}, without encryption", lead.to), fix.to_owned())
        }
        // The password would be sent in clear.
        (401, _) => with_cap(Verdict::fail(format!("{at} asks for a password without encryption"), fix.to_owned())),
        (400..500, _) if is_admin => Verdict::pass(format!("{at} answers {}", last.status)),
        (400..500, _) => {
            Verdict::partial(format!("{at} answers {}, and leads nobody to HTTPS", last.status), fix.to_owned())
        }
        _ => Unknown::new(Cause::Unparsable, format!("{at} answers {}", last.status)).into(),
    }
}
