//! Hepsiburada: Basic authentication, a User-Agent that is registered, and order services that tell what is left.

use serde_json::json;

use crate::simulate::limits::Limit;
use crate::simulate::manners::{Manners, Visit, no_app_error};
use crate::simulate::reply::Reply;
use crate::simulate::route::{Is, Param, Route, may};
use crate::simulate::scenario::whole_seconds;

const MERCHANT: &str = "00000000-0000-4000-8000-000000100001";
const KEY: &str = "simulated-hepsiburada-service-key";
const INTEGRATOR: &str = "simulated_dev";

/// Both must be there; what is answered without them is a 400 of the marketplace's own.
const RANGE: &[Param] = &[may("offset", Is::Any), may("limit", Is::UpTo(100))];

/// Of the order services.
const ORDERS: Limit = Limit::of(1_000, 1);

pub(in crate::simulate) static MANNERS: Manners = Manners {
    name: "hepsiburada",
    // The catalogue (mpop) is known so that it is refused: it bans addresses that ask too often, so no preset may.
    hosts: &[
        "listing-external.hepsiburada.com",
        "oms-external.hepsiburada.com",
        "listing-external-sit.hepsiburada.com",
        "oms-external-sit.hepsiburada.com",
        "mpop.hepsiburada.com",
    ],
    vars: &[("merchant_id", MERCHANT), ("integrator_user", INTEGRATOR)],
    secrets: &[("service_key", KEY)],
    routes: &[
        // Both are in use.
        Route::get("/Listings/merchantid/*", RANGE, listings).at("listing-external.hepsiburada.com"),
        Route::get("/listings/merchantid/*", RANGE, listings).at("listing-external.hepsiburada.com"),
        Route::get("/Listings/merchantid/*", RANGE, listings).at("listing-external-sit.hepsiburada.com"),
        Route::get("/listings/merchantid/*", RANGE, listings).at("listing-external-sit.hepsiburada.com"),
        Route::get("/orders/merchantid/*", RANGE, orders).at("oms-external.hepsiburada.com").limited("orders", ORDERS),
        Route::get("/orders/merchantid/*", RANGE, orders)
            .at("oms-external-sit.hepsiburada.com")
            .limited("orders", ORDERS),
    ],
    own: &[],
    keys_end: false,
    variants: &[],
    admit,
    throttle,
    app_error: no_app_error,
};

fn admit(visit: &mut Visit<'_>) -> Result<(), Reply> {
    let given = visit.ask.basic().unwrap_or_default();
    let merchant = visit.ask.path.rsplit('/').next();
    // A wrong User-Agent is refused even with the right key, and in the same words.
    let agent = visit.ask.user_agent();
    let known = [(Some(given.0.as_str()), MERCHANT), (Some(&given.1), KEY), (merchant, MERCHANT), (agent, INTEGRATOR)];
    if !visit.believes(&known) {
        return Err(Reply::json(401, &json!({"statusCode": 401, "message": "Unauthorized"})));
    }
    for name in ["offset", "limit"] {
        if visit.ask.queried(name).is_none() {
            return Err(Reply::json(400, &json!({"statusCode": 400, "message": format!("{name} is required")})));
        }
    }
    Ok(())
}

fn throttle(visit: &mut Visit<'_>) -> Reply {
    counted(visit, Reply::json(429, &json!({"statusCode": 429, "message": "Too Many Requests"})))
}

fn listings(_: &mut Visit<'_>) -> Reply {
    let listing = json!({"hepsiburadaSku": "SIMULATED1", "isSalable": true});
    Reply::json(200, &json!({"totalCount": 310, "limit": 1, "offset": 0, "listings": [listing]}))
}

fn orders(visit: &mut Visit<'_>) -> Reply {
    let orders = json!({"totalCount": 17, "limit": 1, "offset": 0, "pageCount": 17, "items": []});
    counted(visit, Reply::json(200, &orders))
}

/// An answer with what is left of the limit, where there is one.
fn counted(visit: &Visit<'_>, reply: Reply) -> Reply {
    let Some(left) = visit.left else { return reply };
    reply
        .with("X-RateLimit-Limit", &left.limit.to_string())
        .with("X-RateLimit-Remaining", &left.requests.to_string())
        .with("X-RateLimit-Reset", &whole_seconds(left.reset).to_string())
}
