//! The checks of what visitors get: API-09 to API-13, TLS-01 to TLS-07.

mod certificate;
mod headers;
mod redirect;
mod strength;
#[cfg(test)]
mod tests;

use super::answer::{Answer, is_no_answer};
use super::pages::{Pages, Visit};
use crate::collectors::security::check::Check;
use crate::collectors::security::seen::Seen;
use crate::collectors::security::verdict::{Cause, Known, State, Unknown, Verdict, Verdicts};

pub(in crate::collectors::security) use super::active::lower;

/// The checks that are judged here.
pub(in crate::collectors::security) const CHECKS: [Check; 12] = [
    Check::Api09,
    Check::Api10,
    Check::Api11,
    Check::Api12,
    Check::Api13,
    Check::Tls01,
    Check::Tls02,
    Check::Tls03,
    Check::Tls04,
    Check::Tls05,
    Check::Tls06,
    Check::Tls07,
];

/// Judges them.
pub(in crate::collectors::security) fn judge(seen: &Seen, verdicts: &mut Verdicts) {
    if seen.config.url.is_none() {
        for check in CHECKS {
            let unknown = Unknown::new(Cause::NotConfigured, "the shop's address is not configured");
            verdicts.insert(check, Verdict::from(unknown).with_fix("[security]\nurl = \"https://shop.example/\""));
        }
        return;
    }
    let by_page = |judge: fn(&Pages) -> Verdict| seen.pages.as_ref().map_or_else(Verdict::from, judge);
    verdicts.insert(Check::Api09, by_page(headers::session));
    verdicts.insert(Check::Api10, by_page(headers::policy));
    verdicts.insert(Check::Api11, by_page(headers::framing));
    verdicts.insert(Check::Api12, by_page(headers::hygiene));
    verdicts.insert(Check::Api13, by_page(headers::crossing));
    verdicts.insert(Check::Tls06, by_page(redirect::transport));
    verdicts.insert(Check::Tls07, by_page(redirect::redirect));
    let encryption = seen.encryption.as_ref();
    let certificate = encryption.and_then(|seen| seen.certificate.as_ref());
    let renewal = encryption.and_then(|seen| seen.renewal.as_ref());
    let offers = encryption.and_then(|seen| seen.offers.as_ref());
    let host = seen.config.url.as_ref().and_then(|url| url.0.host_str()).unwrap_or("shop.example");
    let shop = certificate::Look { host, shown: certificate, now: seen.now };
    let in_clear = seen.pages.as_ref().is_ok_and(redirect::serves_in_clear);
    verdicts.insert(Check::Tls01, shop.validity(in_clear));
    verdicts.insert(Check::Tls02, shop.horizon());
    verdicts.insert(Check::Tls03, shop.renewal(renewal));
    verdicts.insert(Check::Tls04, strength::versions(offers));
    verdicts.insert(Check::Tls05, strength::suites(offers, certificate));
    if certificate.is_ok_and(|shown| !shown.is_tls) {
        // Of what is not there nothing is unknown.
        for check in [Check::Tls04, Check::Tls05, Check::Tls06] {
            verdicts.insert(check, shop.without_tls());
        }
    }
}

/// What is not known where there is no answer now; `None` where there is one.
fn no_answer(at: &str, status: u16) -> Option<Unknown> {
    let cause = if matches!(status, 408 | 504) { Cause::Timeout } else { Cause::Unreachable };
    is_no_answer(status).then(|| Unknown::new(cause, format!("{at} answers {status}")))
}

/// The page that a visit ended at.
///
/// # Errors
/// Why it ended at none.
fn page(visit: &Visit) -> Known<&Answer> {
    let Some(last) = visit.last() else {
        return Err(Unknown::new(Cause::Unparsable, format!("{} was not answered", visit.path)));
    };
    let at = &visit.path;
    if let Some(unknown) = no_answer(at, last.status) {
        return Err(unknown);
    }
    match (last.status, &last.leads) {
        (200..300, _) => Ok(last),
        (300..400, Some(lead)) if lead.is_same_host && lead.is_encrypted => {
            Err(Unknown::new(Cause::Unsupported, format!("{at} leads from one redirect to the next")))
        }
        (300..400, Some(lead)) if lead.is_same_host => {
            Err(Unknown::new(Cause::Unsupported, format!("{at} leads back to HTTP")))
        }
        (300..400, Some(lead)) => Err(Unknown::new(Cause::NotConfigured, format!("{at} leads to {}", lead.to))),
        _ => Err(Unknown::new(Cause::Unsupported, format!("{at} answers {} to a visitor", last.status))),
    }
}

/// The pages to look at: the shop's first, and its administration's unless strangers are refused there. Whoever is turned
/// away meets no page that could be framed, and no form; that they are is judged elsewhere.
///
/// # Errors
/// What is not known of either. A shop whose administration cannot be looked at may have a weak one.
fn looked_at(pages: &Pages) -> (Known<Vec<(&Visit, &Answer)>>, String) {
    let first = pages.shop.as_ref().map_err(Clone::clone).and_then(|visit| Ok((visit, page(visit)?)));
    let admin = match pages.admin.as_ref() {
        Ok(None) => return (first.map(|one| vec![one]), String::new()),
        Ok(Some(visit)) if visit.last().is_some_and(|last| matches!(last.status, 401 | 403 | 404 | 410)) => {
            let status = visit.last().map_or(0, |last| last.status);
            return (
                first.map(|one| vec![one]),
                format!("; {} answers {status}, so that strangers get no page there", visit.path),
            );
        }
        Ok(Some(visit)) => page(visit).map(|answer| (visit, answer)),
        Err(unknown) => Err(unknown.clone()),
    };
    (first.and_then(|first| Ok(vec![first, admin?])), String::new())
}

/// What is known of either page for certain, for what is bad wherever it is.
fn known_of(pages: &Pages) -> Vec<(&Visit, &Answer)> {
    let visits = [pages.shop.as_ref().ok(), pages.admin.as_ref().ok().and_then(Option::as_ref)];
    visits.into_iter().flatten().filter_map(|visit| Some((visit, page(visit).ok()?))).collect()
}

/// The worst of what came of several pages, each told of; `None` of no pages.
fn worst(of: Vec<Verdict>) -> Option<Verdict> {
    let told: Vec<_> = of.iter().map(|verdict| verdict.seen.clone()).collect();
    let worst = of.into_iter().min_by_key(|verdict| match verdict.state {
        State::Fail => 0,
        State::Unknown(_) => 1,
        State::Partial => 2,
        State::Pass | State::NotApplicable => 3,
    })?;
    Some(Verdict { seen: told.join("; "), ..worst })
}

/// Judges each page by itself. One that fails is enough, whatever is not known of the other; that all do not takes both.
fn each(pages: &Pages, judge: impl Fn(&Visit, &Answer) -> Verdict) -> Verdict {
    let certain = worst(known_of(pages).into_iter().map(|(visit, answer)| judge(visit, answer)).collect());
    if let Some(verdict) = certain.filter(|verdict| verdict.state == State::Fail) {
        return verdict;
    }
    let (looked_at, but) = looked_at(pages);
    let verdict = looked_at.map(|found| worst(found.into_iter().map(|(visit, answer)| judge(visit, answer)).collect()));
    match verdict {
        Ok(Some(verdict)) => Verdict { seen: verdict.seen + &but, ..verdict },
        Ok(None) => Unknown::new(Cause::Unparsable, "no page was found").into(),
        Err(unknown) => unseen(&unknown, pages),
    }
}

/// What is to be done about a page that could not be looked at.
fn unseen(unknown: &Unknown, pages: &Pages) -> Verdict {
    let verdict = Verdict::from(unknown);
    let lead = |visit: &Visit| {
        visit.last().and_then(|last| last.leads.clone()).filter(|lead| lead.is_encrypted && !lead.is_same_host)
    };
    match &pages.shop {
        Ok(visit) if page(visit).is_err() => match lead(visit) {
            Some(lead) => verdict.with_fix(format!("[security]\nurl = \"{}/\"", lead.to)),
            None => verdict,
        },
        Ok(_) if pages.admin.is_err() => verdict.with_fix("[security]\nadmin_path = \"/admin\""),
        _ => verdict,
    }
}
