//! Trendyol: Basic authentication, and a User-Agent that names the seller and who wrote the program.

use serde_json::{Value, json};

use crate::simulate::limits::Limit;
use crate::simulate::manners::{Manners, Visit, milliseconds, no_app_error};
use crate::simulate::reply::Reply;
use crate::simulate::route::{Is, Param, Route, may};
use crate::simulate::scenario::Scene;

const SELLER: &str = "100001";
const KEY: &str = "simulated-trendyol-key";
const SECRET: &str = "simulated-trendyol-secret";
const STAGE: &str = "stageapigw.trendyol.com";

/// The longest name of who wrote the program.
const INTEGRATOR: usize = 30;

const PAGE: &[Param] = &[may("page", Is::Any), may("size", Is::UpTo(100))];

const ORDERS: &[Param] = &[
    may("page", Is::Any),
    may("size", Is::UpTo(200)),
    may("orderByField", Is::OneOf(&["PackageLastModifiedDate", "CreatedDate"])),
    may("orderByDirection", Is::OneOf(&["ASC", "DESC"])),
    may("status", Is::Any),
    may("startDate", Is::Any),
    may("endDate", Is::Any),
];

/// Of every path.
const READS: Limit = Limit::of(50, 10);

/// Of a seller with up to 50,000 listings.
const ORDER_READS: Limit = Limit::of(30, 60);

pub(in crate::simulate) static MANNERS: Manners = Manners {
    name: "trendyol",
    hosts: &["apigw.trendyol.com", STAGE],
    vars: &[("seller_id", SELLER)],
    secrets: &[("api_key", KEY), ("api_secret", SECRET)],
    routes: &[
        Route::get("/integration/product/sellers/*/products/approved", PAGE, listings).limited("approved", READS),
        Route::get("/integration/product/sellers/*/products/unapproved", PAGE, rejected).limited("unapproved", READS),
        Route::get("/integration/order/sellers/*/v2/orders", ORDERS, orders).limited("orders", ORDER_READS),
        Route::get("/integration/order/sellers/*/orders/stream", &[may("size", Is::UpTo(1000))], orders)
            .limited("stream", Limit::of(1_000, 60)),
        Route::get("/integration/order/sellers/*/orders", ORDERS, gone),
    ],
    own: &[Scene::NoOrders],
    keys_end: false,
    variants: &[],
    admit,
    throttle,
    app_error: no_app_error,
};

fn admit(visit: &mut Visit<'_>) -> Result<(), Reply> {
    // What a seller's own address not being on the list looks like, whatever the credentials.
    if visit.ask.host == STAGE && !visit.is_listed {
        return Err(Reply::text(503, "Service Unavailable"));
    }
    if !visit.ask.user_agent().is_some_and(names_seller) {
        let says = "User-Agent is missing, or not as \"{sellerId} - SelfIntegration\"";
        return Err(error(403, "TrendyolSystemException", "forbidden", says));
    }
    let given = visit.ask.basic().unwrap_or_default();
    let seller = visit.ask.path.split('/').nth(4);
    if visit.believes(&[(Some(&given.0), KEY), (Some(&given.1), SECRET), (seller, SELLER)]) {
        return Ok(());
    }
    Err(error(401, "ClientApiAuthenticationException", "authentication.failed", "Authentication failed"))
}

/// Whether it is `{sellerId} - {integrator}`.
fn names_seller(agent: &str) -> bool {
    agent.split_once(" - ").is_some_and(|(seller, integrator)| {
        !seller.is_empty()
            && seller.bytes().all(|byte| byte.is_ascii_digit())
            && (1..=INTEGRATOR).contains(&integrator.len())
            && integrator.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// It says nothing of when to come back.
fn throttle(_: &mut Visit<'_>) -> Reply {
    error(429, "TrendyolSystemException", "too.many.requests", "Too many requests")
}

fn gone(_: &mut Visit<'_>) -> Reply {
    error(426, "TrendyolSystemException", "upgrade.required", "This version is closed; use v2")
}

fn error(status: u16, exception: &str, key: &str, message: &str) -> Reply {
    let errors = json!([{"key": key, "message": message, "errorCode": ""}]);
    Reply::json(status, &json!({"timestamp": 0, "exception": exception, "errors": errors}))
}

fn listings(_: &mut Visit<'_>) -> Reply {
    page(1_250, &json!([{"barcode": "SIMULATED-1", "approved": true, "onSale": true}]))
}

fn rejected(_: &mut Visit<'_>) -> Reply {
    page(3, &json!([{"barcode": "SIMULATED-2", "approved": false}]))
}

fn orders(visit: &mut Visit<'_>) -> Reply {
    let newest = milliseconds(visit.newest_order());
    page(42, &json!([{"orderNumber": "SIMULATED", "status": "Created", "lastModifiedDate": newest}]))
}

fn page(total: u32, content: &Value) -> Reply {
    Reply::json(200, &json!({"page": 0, "size": 1, "totalPages": total, "totalElements": total, "content": content}))
}
