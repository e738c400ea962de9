//! DD-01 to DD-04: what stops a client that asks too much, too slowly, or for too long.

use super::Sight;
use super::samples::{Asked, Sample, dynamic};
use crate::collectors::security::front::answer::{Key, Limit};
use crate::collectors::security::front::measure::bytes;
use crate::collectors::security::front::{Answer, Outcome};
use crate::collectors::security::verdict::{Cause, Known, Unknown, Verdict};

/// From how many seconds on a client is too slow (CIS NGINX, 5.2.1), and up to which it is at least said.
const SLOW: f64 = 20.0;
const SLOWEST: f64 = 60.0;

/// From how many bytes on a request is too large.
const LARGEST: u64 = 256 << 20;

/// What nginx takes of a request that it is told nothing about (`client_max_body_size`).
const DEFAULT_BODY: u64 = 1 << 20;

/// What limits do for some requests.
pub(super) struct Limited {
    /// How many that PHP answers are limited for each client.
    pub(super) held: usize,
    /// Those that are not, and why.
    pub(super) free: Vec<(Sample, String)>,
    /// How many strangers are refused.
    pub(super) refused: usize,
    /// Why it is not known of some.
    pub(super) unknown: Option<Unknown>,
    /// Whether any of those that are not has a limit of another kind.
    pub(super) is_half: bool,
}

/// Looks at the limits of these, as far as they come to PHP.
pub(super) fn limited(asked: &[Asked], of: impl Fn(&Answer) -> &[Limit]) -> Limited {
    let mut limited = Limited { held: 0, free: Vec::new(), refused: 0, unknown: None, is_half: false };
    for Asked { sample, answer } in asked {
        let answer = match answer {
            Ok(answer) => answer,
            Err(unknown) => {
                limited.unknown = limited.unknown.take().or(Some(unknown.clone()));
                continue;
            }
        };
        match answer.outcome {
            Outcome::Php { .. } => {}
            Outcome::Denied(_) => {
                limited.refused += 1;
                continue;
            }
            Outcome::Proxied => {
                let why =
                    format!("{}: another server answers {}; what it limits is not known", answer.place, sample.shown());
                limited.unknown = limited.unknown.take().or(Some(Unknown::new(Cause::Unsupported, why)));
                continue;
            }
            _ => continue,
        }
        match is_held(of(answer)) {
            Ok(true) => limited.held += 1,
            Ok(false) => {
                limited.is_half |= !of(answer).is_empty();
                limited.free.push((sample.clone(), why_free(sample, answer, of(answer))));
            }
            Err(unknown) => limited.unknown = limited.unknown.take().or(Some(unknown)),
        }
    }
    if limited.held + limited.refused == 0 && limited.free.is_empty() {
        let why = "none of the shop's pages that were looked for is handed to PHP by this nginx";
        limited.unknown = limited.unknown.take().or_else(|| Some(Unknown::new(Cause::Unsupported, why)));
    }
    limited
}

fn is_held(limits: &[Limit]) -> Known<bool> {
    let mut is_held = false;
    for limit in limits {
        is_held |= limit.is_effective()?;
    }
    Ok(is_held)
}

fn why_free(sample: &Sample, answer: &Answer, limits: &[Limit]) -> String {
    match limits.first() {
        None => format!("{} ends in {} (`{}`), where none is in force", sample.shown(), answer.place, answer.location),
        Some(limit) if limit.is_rehearsal => format!("{}: the one of {} is a dry run", limit.place, sample.shown()),
        Some(limit) => {
            let whom = match limit.key {
                Ok(Key::Chosen) => "whoever clients say they are",
                _ => "all clients together",
            };
            format!("{}: the zone `{}` of {} counts {whom}", limit.place, limit.zone, sample.shown())
        }
    }
}

/// Judges DD-01.
///
/// A limit counts where the request comes by on its way, not only where it ends: nginx looks at limits before `try_files`
/// and `index` lead it on, and of several places the first decides. In the rewrite phase there are none yet.
pub(super) fn requests(sight: &Sight<'_>) -> Known<Verdict> {
    let shop = sight.shop.clone()?;
    let asked = sight.ask(dynamic(shop)?);
    let limited = limited(&asked, |answer| &answer.requests);
    let fix = || {
        let place = place_of_php(&asked);
        format!(
            "limit_req_zone $binary_remote_addr zone=shop:10m rate=10r/s;  # in http\n\
             limit_req zone=shop burst=40 nodelay;  # in {place}, which serves PHP"
        )
    };
    verdict(limited, "requests", fix)
}

/// Judges DD-02.
pub(super) fn connections(sight: &Sight<'_>) -> Known<Verdict> {
    let samples = vec![
        Sample { uri: "/".to_owned(), args: "", method: "GET" },
        Sample { uri: "/index.php".to_owned(), args: "", method: "GET" },
    ];
    let asked = sight.ask(samples);
    let limited = limited(&asked, |answer| &answer.connections);
    let place = sight.front.server_place();
    let fix = || {
        format!(
            "limit_conn_zone $binary_remote_addr zone=per_client:10m;  # in http\n\
             limit_conn per_client 20;  # in the server at {place}, and wherever a level below has a limit_conn of its own"
        )
    };
    verdict(limited, "connections", fix)
}

fn verdict(limited: Limited, what: &str, fix: impl Fn() -> String) -> Known<Verdict> {
    let Limited { held, free, unknown, is_half, .. } = limited;
    let all = held + free.len();
    Ok(match (held, free.first(), unknown) {
        (1.., Some((_, why)), _) => {
            let seen = format!("a limit on {what} of each client holds for {held} of {all} samples; {why}");
            Verdict::partial(seen, fix())
        }
        (_, _, Some(unknown)) => return Err(unknown),
        (0, Some((_, why)), None) if is_half => {
            Verdict::partial(format!("no limit on {what} holds for each client: {why}"), fix())
        }
        (0, Some((_, why)), None) => Verdict::fail(format!("there is no limit on {what}: {why}"), fix()),
        (0, None, None) => {
            let why = "strangers are refused wherever PHP was looked for";
            return Err(Unknown::new(Cause::Unsupported, why));
        }
        (_, None, None) => Verdict::pass(format!("a limit on {what} of each client holds for all of {all} samples")),
    })
}

/// Where PHP is served, as people find it.
fn place_of_php(asked: &[Asked]) -> String {
    let php = asked.iter().filter_map(|asked| asked.answer.as_ref().ok());
    let place = php
        .filter(|answer| matches!(answer.outcome, Outcome::Php { .. }))
        .map(|answer| (&answer.place, &answer.location))
        .next();
    place.map_or_else(|| "the location".to_owned(), |(place, location)| format!("`{location}` at {place}"))
}

/// Judges DD-03.
pub(super) fn timeouts(sight: &Sight<'_>) -> Known<Verdict> {
    let answer = sight.front.answer("/index.php", "", "GET")?;
    let names = ["client_header_timeout", "client_body_timeout", "send_timeout"];
    let told: Vec<_> = names.iter().zip(answer.settings.timeouts).collect();
    let shown: Vec<_> = told
        .iter()
        .map(|(name, seconds)| {
            seconds.map_or_else(|| format!("{name} is not said"), |seconds| format!("{name} {seconds}s"))
        })
        .collect();
    let seen = format!("where the shop's pages are served: {}", shown.join(", "));
    let fix = || {
        let wanted = |(name, seconds): &(&&str, Option<f64>)| {
            seconds.is_none_or(|seconds| !within(seconds, SLOW)).then(|| format!("{name} 15s;"))
        };
        let lines: Vec<_> = told.iter().filter_map(wanted).collect();
        format!("{}  # in the server at {}", lines.join(" "), sight.front.server_place())
    };
    let all = |limit| told.iter().all(|(_, seconds)| seconds.is_some_and(|seconds| within(seconds, limit)));
    Ok(if all(SLOW) {
        Verdict::pass(seen)
    } else if all(SLOWEST) {
        Verdict::partial(seen, fix())
    } else {
        Verdict::fail(seen, fix())
    })
}

/// Nothing is no limit.
fn within(seconds: f64, limit: f64) -> bool {
    seconds > 0.0 && seconds <= limit
}

/// What the pool that nginx hands the shop's PHP to takes, for when it cannot be asked: only what `php_admin_value` says of
/// it holds for certain, which nothing in php.ini or the shop's folder overrides.
fn of_pool(sight: &Sight<'_>) -> Option<u64> {
    let address = sight.front.php_address()?;
    let mut pools = sight.seen.pools.as_ref().ok()?.iter().filter(|pool| pool.listen == address);
    let (Some(pool), None) = (pools.next(), pools.next()) else { return None };
    bytes(pool.post_max_size.as_ref()?)
}

/// Judges DD-04, where PHP takes the largest requests.
pub(super) fn body(sight: &Sight<'_>) -> Known<Verdict> {
    let mut samples = vec![Sample { uri: "/index.php".to_owned(), args: "", method: "POST" }];
    if let Ok(shop) = &sight.shop {
        samples.extend(super::samples::administration(shop).unwrap_or_default());
    }
    let mut largest: Option<(u64, String)> = None;
    let mut is_said = true;
    for Asked { answer, .. } in sight.ask(samples) {
        let answer = answer?;
        is_said &= answer.settings.body.is_some();
        let (bytes, place) = match &answer.settings.body {
            Some((bytes, place)) => (*bytes, place.to_string()),
            None => (DEFAULT_BODY, answer.place.to_string()),
        };
        // Nothing is everything.
        let size = |bytes: u64| if bytes == 0 { u64::MAX } else { bytes };
        if largest.as_ref().is_none_or(|(largest, _)| size(bytes) > size(*largest)) {
            largest = Some((bytes, place));
        }
    }
    let (limit, place) = largest.unwrap_or((DEFAULT_BODY, sight.front.server_place()));
    let fix = format!("client_max_body_size 32m;  # in the server at {}", sight.front.server_place());
    if limit == 0 || limit > LARGEST {
        let what = if limit == 0 { "is not limited".to_owned() } else { format!("may have {} MiB", limit >> 20) };
        return Ok(Verdict::fail(format!("{place}: a request {what}"), fix));
    }
    if !is_said {
        return Ok(Verdict::partial(
            format!("the size of a request is limited to {} KiB, which nobody said", limit >> 10),
            fix,
        ));
    }
    let post = match (&sight.seen.php, of_pool(sight)) {
        (Ok(php), _) => php.settings.get("post_max_size").and_then(|size| bytes(size)),
        (Err(_), Some(post)) => Some(post),
        (Err(unknown), None) => return Err(unknown.clone()),
    };
    let post = post.ok_or_else(|| Unknown::new(Cause::Unsupported, "what `post_max_size` of PHP is was not seen"))?;
    let seen = format!("{place}: a request may have {} KiB, of which PHP takes {} KiB", limit >> 10, post >> 10);
    // PHP's 0 is no limit of its own.
    Ok(if post == 0 || limit <= post.saturating_mul(2) {
        Verdict::pass(seen)
    } else {
        Verdict::partial(seen, format!("client_max_body_size {}k;  # at {place}", post >> 10))
    })
}
