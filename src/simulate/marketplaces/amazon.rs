//! Amazon's Selling Partner API: a token from another server, a bucket for each operation, and 403 for all that is wrong.

use serde_json::{Value, json};

use crate::simulate::limits::Limit;
use crate::simulate::manners::{Manners, Visit, no_app_error, rfc3339};
use crate::simulate::reply::Reply;
use crate::simulate::route::{Is, Param, Route, may, must};
use crate::simulate::scenario::Scene;

const SELLER: &str = "A1SIMULATED";
const MARKETPLACE: &str = "A33AVAJ2PDY3EV";
const CLIENT: &str = "amzn1.application-oa2-client.simulated";
const SECRET: &str = "simulated-amazon-client-secret";
const REFRESH: &str = "simulated-amazon-refresh-token";
const LOGIN: &str = "api.amazon.com";

/// The servers of the region that the seller is of: Turkey is in Europe's.
const HOME: [&str; 2] = ["sellingpartnerapi-eu.amazon.com", "sandbox.sellingpartnerapi-eu.amazon.com"];

/// What a token is for that belongs to no seller.
const GRANTLESS: &str = "sellingpartnerapi::notifications";

const LISTINGS: &[Param] = &[
    must("marketplaceIds", Is::OneOf(&[MARKETPLACE])),
    may("withIssueSeverity", Is::OneOf(&["ERROR", "WARNING", "INFO"])),
    may("pageSize", Is::UpTo(20)),
];

const ORDERS: &[Param] = &[
    must("lastUpdatedAfter", Is::Any),
    must("marketplaceIds", Is::OneOf(&[MARKETPLACE])),
    may("maxResultsPerPage", Is::UpTo(100)),
];

pub(in crate::simulate) static MANNERS: Manners = Manners {
    name: "amazon-sp-api",
    hosts: &[
        LOGIN,
        "sellingpartnerapi-na.amazon.com",
        "sellingpartnerapi-eu.amazon.com",
        "sellingpartnerapi-fe.amazon.com",
        "sandbox.sellingpartnerapi-na.amazon.com",
        "sandbox.sellingpartnerapi-eu.amazon.com",
        "sandbox.sellingpartnerapi-fe.amazon.com",
    ],
    vars: &[("region", "eu"), ("marketplace_id", MARKETPLACE), ("seller_id", SELLER)],
    secrets: &[("client_id", CLIENT), ("client_secret", SECRET), ("refresh_token", REFRESH)],
    routes: &[
        Route::post("/auth/o2/token", token).at(LOGIN).admitting(admit_program),
        Route::get("/listings/2021-08-01/items/*", LISTINGS, listings)
            .limited("listings", Limit::Bucket { rate: 5.0, burst: 5 }),
        Route::get("/sellers/v1/marketplaceParticipations", &[], participations)
            .limited("participations", Limit::Bucket { rate: 0.016, burst: 15 }),
        Route::get("/orders/2026-01-01/orders", ORDERS, orders)
            .limited("orders", Limit::Bucket { rate: 0.0056, burst: 20 }),
        Route::get("/notifications/v1/destinations", &[], destinations)
            .limited("destinations", Limit::Bucket { rate: 1.0, burst: 5 })
            .admitting(admit_grantless),
    ],
    own: &[Scene::TokenExpired, Scene::RevokeTokens, Scene::NoOrders],
    keys_end: false,
    variants: &[],
    admit,
    throttle,
    app_error: no_app_error,
};

fn admit_program(visit: &mut Visit<'_>) -> Result<(), Reply> {
    let form = visit.ask.form();
    let given = |name: &str| form.get(name).map(String::as_str);
    if visit.believes(&[(given("client_id"), CLIENT), (given("client_secret"), SECRET)]) {
        return Ok(());
    }
    Err(oauth("invalid_client", "Client authentication failed"))
}

fn token(visit: &mut Visit<'_>) -> Reply {
    let form = visit.ask.form();
    let given = |name: &str| form.get(name).map(String::as_str);
    let kind = match (given("grant_type"), given("refresh_token"), given("scope")) {
        (Some("refresh_token"), Some(REFRESH), _) => "seller",
        (Some("refresh_token"), ..) => return oauth("invalid_grant", "The request has an invalid grant parameter"),
        (Some("client_credentials"), _, Some(GRANTLESS)) => "grantless",
        (Some("client_credentials"), ..) => return oauth("invalid_scope", "The request has an invalid scope"),
        _ => return oauth("unsupported_grant_type", "The grant type is not supported"),
    };
    let (token, lives) = visit.give_token(kind, 3_600);
    let mut said = json!({"access_token": token, "token_type": "bearer", "expires_in": lives});
    if kind == "seller" {
        said["refresh_token"] = Value::from(REFRESH);
    }
    Reply::json(200, &said)
}

fn oauth(error: &str, says: &str) -> Reply {
    Reply::json(400, &json!({"error": error, "error_description": says}))
}

fn admit(visit: &mut Visit<'_>) -> Result<(), Reply> {
    admit_kind(visit, "seller")?;
    // Another region, or another seller, looks like a wrong token.
    let is_home = HOME.contains(&visit.ask.host.as_str());
    let seller = visit.ask.path.strip_prefix("/listings/2021-08-01/items/");
    if is_home && seller.is_none_or(|seller| seller == SELLER) { Ok(()) } else { Err(refusal()) }
}

fn admit_grantless(visit: &mut Visit<'_>) -> Result<(), Reply> {
    admit_kind(visit, "grantless")
}

fn admit_kind(visit: &mut Visit<'_>, wanted: &str) -> Result<(), Reply> {
    // Documented as a part of each call; what happens without it is not.
    if visit.ask.user_agent().is_none() {
        return Err(Reply::objection("User-Agent is missing"));
    }
    match visit.token(visit.ask.header("x-amz-access-token")) {
        Ok(kind) if kind == wanted => Ok(()),
        _ => Err(refusal()),
    }
}

/// The same for a wrong role, an expired token and a wrong region.
fn refusal() -> Reply {
    error(403, "Unauthorized", "Access to requested resource is denied.")
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    let error = json!({"code": code, "message": message, "details": ""});
    Reply::json(status, &json!({"errors": [error]})).with("x-amzn-requestid", "simulated")
}

/// Without the header that tells the rate.
fn throttle(_: &mut Visit<'_>) -> Reply {
    error(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")
}

/// An answer with the rate of its operation.
fn rated(rate: &str, value: &Value) -> Reply {
    Reply::json(200, value).with("x-amzn-requestid", "simulated").with("x-amzn-ratelimit-limit", rate)
}

fn listings(_: &mut Visit<'_>) -> Reply {
    rated("5.0", &json!({"numberOfResults": 7, "items": [{"sku": "SIMULATED-1"}]}))
}

fn participations(_: &mut Visit<'_>) -> Reply {
    let marketplace = json!({"id": MARKETPLACE, "name": "Amazon.com.tr", "countryCode": "TR"});
    let participation = json!({"isParticipating": true, "hasSuspendedListings": false});
    rated("0.016", &json!({"payload": [{"marketplace": marketplace, "participation": participation}]}))
}

fn orders(visit: &mut Visit<'_>) -> Reply {
    let newest = rfc3339(visit.newest_order());
    rated("0.0056", &json!({"orders": [{"orderId": "SIMULATED", "lastUpdatedTime": newest}]}))
}

fn destinations(_: &mut Visit<'_>) -> Reply {
    rated("1.0", &json!({"payload": []}))
}
