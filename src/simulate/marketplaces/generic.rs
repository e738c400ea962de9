//! All other servers: whatever is asked for is there.

use serde_json::json;

use crate::simulate::limits::Limit;
use crate::simulate::manners::{Manners, Visit};
use crate::simulate::reply::Reply;
use crate::simulate::route::Route;
use crate::simulate::scenario::{Scene, whole_seconds};

const TOKEN: &str = "simulated-generic-token";

/// Generous, and told in every answer.
const LIMIT: Limit = Limit::of(600, 60);

pub(in crate::simulate) static MANNERS: Manners = Manners {
    name: "generic",
    hosts: &["shop.example"],
    vars: &[("base_url", "https://shop.example"), ("path", "/api/health")],
    secrets: &[("token", TOKEN)],
    routes: &[Route::reading(fine).limited("default", LIMIT)],
    own: &[Scene::AppError],
    keys_end: false,
    variants: &[(Scene::AppError, &["errors"])],
    admit,
    throttle,
    app_error,
};

/// Nobody needs a token, but who has one must have the right one.
fn admit(visit: &mut Visit<'_>) -> Result<(), Reply> {
    if !["GET", "HEAD", "POST"].contains(&visit.ask.method.as_str()) {
        return Err(Reply::objection(format!("{} changes something", visit.ask.method)));
    }
    let is_named = visit.ask.header("authorization").is_some();
    if visit.refuses_keys() || (is_named && !visit.believes(&[(visit.ask.bearer(), TOKEN)])) {
        return Err(Reply::json(401, &json!({"error": "unauthorized"})).with("www-authenticate", "Bearer"));
    }
    Ok(())
}

/// With a fraction, as some have it.
fn throttle(visit: &mut Visit<'_>) -> Reply {
    told(visit, Reply::json(429, &json!({"error": "too many requests"})).with("Retry-After", "2.0"))
}

fn app_error(visit: &mut Visit<'_>) -> Option<Reply> {
    visit.plot.plays(Scene::AppError)?;
    Some(told(visit, Reply::json(200, &json!({"errors": [{"code": "simulated", "message": "Not now"}]}))))
}

fn fine(visit: &mut Visit<'_>) -> Reply {
    told(visit, Reply::json(200, &json!({"ok": true})))
}

/// What is left of the limit, in all the spellings that there are.
fn told(visit: &Visit<'_>, reply: Reply) -> Reply {
    let Some(left) = visit.left else { return reply };
    let [limit, requests] = [left.limit, left.requests].map(|number| number.to_string());
    let reset = whole_seconds(left.reset).to_string();
    let spellings = [
        ("RateLimit-Limit", "RateLimit-Remaining"),
        ("X-RateLimit-Limit", "X-RateLimit-Remaining"),
        ("X-Rate-Limit-Limit", "X-Rate-Limit-Remaining"),
        ("X-Limit-Per-Day", "X-Remaining-Today"),
    ];
    let reply = spellings
        .into_iter()
        .fold(reply, |reply, (most, remaining)| reply.with(most, &limit).with(remaining, &requests));
    reply.with("RateLimit-Reset", &reset).with("X-RateLimit-Reset", &reset)
}
