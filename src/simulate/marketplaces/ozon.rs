//! Ozon: a client's number and a key in headers, POST for everything, and a key that tells when it ends.

use serde_json::{Value, json};

use crate::simulate::limits::Limit;
use crate::simulate::manners::{Manners, Visit, no_app_error, rfc3339};
use crate::simulate::reply::Reply;
use crate::simulate::route::Route;
use crate::simulate::scenario::Scene;

const CLIENT: &str = "100001";
const KEY: &str = "00000000-0000-4000-8000-simulated000";

/// Of all methods together.
const ALL: Limit = Limit::of(50, 1);

pub(in crate::simulate) static MANNERS: Manners = Manners {
    name: "ozon",
    hosts: &["api-seller.ozon.ru"],
    vars: &[("client_id", CLIENT)],
    secrets: &[("api_key", KEY)],
    routes: &[
        Route::post("/v1/roles", roles).limited("all", ALL),
        Route::post("/v1/seller/info", seller).limited("all", ALL),
        Route::post("/v4/product/info/limit", quotas).limited("all", ALL),
        Route::post("/v3/posting/fbs/list", orders).limited("all", ALL),
    ],
    own: &[Scene::NoOrders],
    keys_end: true,
    variants: &[(Scene::WrongKey, &["invalid", "deactivated", "company_blocked"])],
    admit,
    throttle,
    app_error: no_app_error,
};

fn admit(visit: &mut Visit<'_>) -> Result<(), Reply> {
    let client = visit.ask.header("client-id");
    if !client.is_some_and(|client| !client.is_empty() && client.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(Reply::objection("Client-Id is missing, or no number"));
    }
    if !visit.ask.json().is_some_and(|body| body.is_object()) {
        return Err(Reply::objection("the body is no object of JSON"));
    }
    let says = match visit.plot.plays(Scene::WrongKey) {
        Some("deactivated") => DEACTIVATED,
        Some("company_blocked") => "Company is blocked, please contact support",
        Some(_) => INVALID,
        None if !visit.believes(&[(client, CLIENT), (visit.ask.header("api-key"), KEY)]) => INVALID,
        None if visit.key_ends() <= visit.date => DEACTIVATED,
        None => return Ok(()),
    };
    Err(Reply::json(403, &json!({"code": 7, "message": says, "details": []})))
}

const INVALID: &str = "Invalid Api-Key, please contact support";
const DEACTIVATED: &str = "Api-key is deactivated";

fn throttle(_: &mut Visit<'_>) -> Reply {
    let says = "You have reached request rate limit per second";
    Reply::json(429, &json!({"code": 8, "message": says, "details": []}))
}

fn roles(visit: &mut Visit<'_>) -> Reply {
    let role = json!({"name": "Admin read only", "methods": ["/v1/roles"]});
    Reply::json(200, &json!({"roles": [role], "expires_at": rfc3339(visit.key_ends())}))
}

fn seller(_: &mut Visit<'_>) -> Reply {
    Reply::json(200, &json!({"company": {"currency": "RUB"}, "ratings": [], "subscription": {"is_premium": false}}))
}

fn quotas(visit: &mut Visit<'_>) -> Reply {
    let reset = rfc3339(visit.date + std::time::Duration::from_hours(24));
    let daily = |limit: u32, usage: u32| -> Value { json!({"limit": limit, "usage": usage, "reset_at": reset}) };
    let said = json!({
        "daily_create": daily(500, 20), "daily_update": daily(1_000, 35), "total": {"limit": 100_000, "usage": 1_250},
    });
    Reply::json(200, &said)
}

fn orders(visit: &mut Visit<'_>) -> Reply {
    let newest = rfc3339(visit.newest_order());
    let posting = json!({"posting_number": "SIMULATED", "status": "awaiting_packaging", "in_process_at": newest});
    Reply::json(200, &json!({"result": {"postings": [posting], "has_next": true}}))
}
