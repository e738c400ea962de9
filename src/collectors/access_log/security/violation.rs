//! What is wrong with a request: by the table of rules, or by its shape and status.

use super::super::classes::Route;
use super::super::line::Line;
use super::bucket::{Leak, Size};
use super::decode::Decoded;
use super::labels::{Answer, Incident, Realm, Violation};
use super::plain;
use super::rules::{Found, RULES};

/// Ends of what browsers and crawlers ask for by themselves, whether it is there or not.
const FILES: [&[u8]; 22] = [
    b".css",
    b".js",
    b".map",
    b".png",
    b".jpg",
    b".jpeg",
    b".gif",
    b".webp",
    b".avif",
    b".svg",
    b".ico",
    b".woff",
    b".woff2",
    b".ttf",
    b".eot",
    b".otf",
    b".mp4",
    b".webm",
    b".pdf",
    b"/robots.txt",
    b"/ads.txt",
    b"/browserconfig.xml",
];

/// What is wrong with a request, if anything is.
pub(super) fn violation(
    line: &Line<'_>,
    route: Route,
    target: &Decoded,
    looks_for: impl Fn(Violation) -> bool,
) -> Option<Found> {
    let is_missing = matches!(line.status, 403 | 404);
    let counts = |violation| {
        looks_for(violation)
            && match violation {
                Violation::AdminProbe => is_missing && !is_own_administration(line, route, target),
                Violation::ForeignCms => is_missing,
                _ => true,
            }
    };
    // Of what is plain only rules for pages that were refused say anything: the table's tests show it.
    let is_innocent = !is_missing && plain::is_plain_line(line);
    let by_rule = if is_innocent { None } else { RULES.find(target, counts) };
    let by_shape = shape(line, target).filter(|violation| looks_for(*violation));
    let by_shape = by_shape.map(|violation| Found { violation, in_path: violation == Violation::OpenProxy });
    match (by_rule, by_shape) {
        (Some(rule), Some(shape)) if shape.violation < rule.violation => Some(shape),
        (rule, shape) => rule.or(shape),
    }
    .or_else(|| {
        let is_scan = is_scan(line, route, target) && looks_for(Violation::NotFoundScan);
        is_scan.then_some(Found { violation: Violation::NotFoundScan, in_path: true })
    })
}

/// The administration of this shop, which may be closed to most. That its front page is not there shows that it is not.
fn is_own_administration(line: &Line<'_>, route: Route, target: &Decoded) -> bool {
    let path = target.path.strip_suffix(b"index.php").unwrap_or(&target.path);
    let path = path.strip_suffix(b"/").unwrap_or(path);
    let is_front = path.split(|byte| *byte == b'/').nth(2).is_none();
    route == Route::Admin && !(line.status == 404 && is_front)
}

fn shape(line: &Line<'_>, target: &Decoded) -> Option<Violation> {
    let is_blocked = answer(line, false) == Answer::Blocked;
    let is_absolute = !line.target.starts_with(b"/") && target.path.len() < line.target.len() && is_url(line.target);
    if line.method == b"CONNECT" || is_absolute && is_blocked {
        return Some(Violation::OpenProxy);
    }
    if line.status == 400 && !is_http(line) {
        return Some(Violation::BadRequest);
    }
    if matches!(line.method, b"TRACE" | b"TRACK" | b"DEBUG") || line.status == 405 {
        return Some(Violation::Method);
    }
    (line.status == 413).then_some(Violation::Oversize)
}

/// `http://…`
fn is_url(target: &[u8]) -> bool {
    let scheme = memchr::memmem::find(target, b"://").map(|at| &target[..at]);
    scheme.is_some_and(|scheme| !scheme.is_empty() && scheme.iter().all(u8::is_ascii_alphabetic))
}

/// Whether a request is one of those that a scanner makes many of: for a page that is not there. That a call of the API
/// names a thing that is not there is an answer like any other.
pub(super) fn is_scan(line: &Line<'_>, route: Route, target: &Decoded) -> bool {
    let path = target.path.as_slice();
    matches!(line.status, 400 | 403 | 404)
        && is_http(line)
        && !matches!(route, Route::Api | Route::Static)
        && !path.starts_with(b"/.well-known/")
        && !path.starts_with(b"/favicon")
        && !path.starts_with(b"/apple-touch-icon")
        && !path.starts_with(b"/sitemap")
        && !FILES.iter().any(|end| path.ends_with(end))
}

/// Whether a line is about a request of HTTP; that it has a path says so where the format leaves the protocol out.
fn is_http(line: &Line<'_>) -> bool {
    !line.protocol.is_empty() || line.target.starts_with(b"/")
}

/// What the server did.
pub(super) fn answer(line: &Line<'_>, in_path: bool) -> Answer {
    match line.status {
        _ if line.is_throttled() => Answer::Blocked,
        200 | 206 if in_path => Answer::Served,
        200..=399 => Answer::Answered,
        400..=498 => Answer::Blocked,
        _ => Answer::Error,
    }
}

impl Incident {
    /// How much of it is none yet: what CrowdSec's scenarios of the same name take.
    pub(super) fn size(self) -> Size {
        let (capacity, leak, distinct) = match self {
            Self::SensitiveFile => (4, Leak::Each(5_000), true),
            Self::AdminProbe => (2, Leak::Each(10_000), true),
            Self::ForeignCms | Self::Traversal => (3, Leak::Each(10_000), true),
            Self::Webshell | Self::RceProbe => (1, Leak::Each(5_000), false),
            Self::Sqli => (10, Leak::Each(1_000), true),
            Self::Xss => (5, Leak::Each(1_000), true),
            Self::OpenProxy => (0, Leak::Each(1_000), false),
            Self::Method => (3, Leak::Each(10_000), false),
            Self::Oversize => (3, Leak::Each(60_000), false),
            Self::NotFoundScan => (10, Leak::Each(10_000), true),
            Self::BadRequest
            | Self::ForbiddenRule
            | Self::BruteForceAdmin
            | Self::BruteForceCustomer
            | Self::BruteForceApi
            | Self::BruteForceHttpBasic => (5, Leak::Each(10_000), false),
            Self::ApiBurst => (40, Leak::Each(500), false),
            Self::ApiEnumeration => (60, Leak::After(60), true),
        };
        Size { capacity, leak, distinct }
    }

    /// That of failed logins.
    pub(super) fn brute_force(realm: Realm) -> Self {
        match realm {
            Realm::Admin => Self::BruteForceAdmin,
            Realm::Customer => Self::BruteForceCustomer,
            Realm::Api => Self::BruteForceApi,
            Realm::HttpBasic => Self::BruteForceHttpBasic,
        }
    }
}
