//! Çiçeksepeti: one request in five seconds, and the same one only every ten minutes.

use serde_json::json;

use crate::simulate::limits::Limit;
use crate::simulate::manners::{Manners, Visit, no_app_error, rfc3339};
use crate::simulate::reply::Reply;
use crate::simulate::route::{Is, Param, Route, may, must};
use crate::simulate::scenario::Scene;

const SELLER: &str = "100001";
const KEY: &str = "simulated-ciceksepeti-key";

const PRODUCTS: &[Param] = &[
    must("PageSize", Is::UpTo(60)),
    must("Page", Is::UpTo(1_000)),
    may("SortMethod", Is::OneOf(&["1", "2", "3", "4", "5", "6", "7", "8"])),
    may("ProductStatus", Is::UpTo(8)),
];

/// Of the same query, for products and for orders.
const SAME_PRODUCTS: Limit = Limit::of(1, 600);
const SAME_ORDERS: Limit = Limit::of(1, 60);

/// Of any.
const ANY: Limit = Limit::of(1, 5);

pub(in crate::simulate) static MANNERS: Manners = Manners {
    name: "ciceksepeti",
    hosts: &["apis.ciceksepeti.com", "sandbox-apis.ciceksepeti.com"],
    vars: &[("seller_id", SELLER)],
    secrets: &[("api_key", KEY)],
    routes: &[
        Route::get("/api/v1/Products", PRODUCTS, products).limited("products", ANY),
        Route::post("/api/v1/Order/GetOrders", orders).limited("orders", ANY),
    ],
    own: &[Scene::NoOrders],
    keys_end: false,
    variants: &[(Scene::WrongKey, &["json", "text"])],
    admit,
    throttle,
    app_error: no_app_error,
};

fn admit(visit: &mut Visit<'_>) -> Result<(), Reply> {
    // It is asked for; what happens without it is not said.
    let names_seller = |agent: &str| agent.split('-').next() == Some(SELLER);
    if !visit.ask.user_agent().is_some_and(names_seller) {
        return Err(Reply::objection("User-Agent is missing, or does not name the seller"));
    }
    if visit.believes(&[(visit.ask.header("x-api-key"), KEY)]) {
        return Ok(());
    }
    // One of its services is documented to say this in words; of the others nothing is known.
    Err(match visit.plot.plays(Scene::WrongKey) {
        Some("text") => Reply::text(401, "Geçersiz API Key"),
        _ => Reply::json(401, &json!({"Message": "Geçersiz API Key"})),
    })
}

fn throttle(_: &mut Visit<'_>) -> Reply {
    Reply::json(429, &json!({"Message": "Too many requests"}))
}

fn products(visit: &mut Visit<'_>) -> Reply {
    let query = format!("products?{}", visit.ask.query);
    if is_repeated(visit, &query, SAME_PRODUCTS) {
        return throttle(visit);
    }
    Reply::json(200, &json!({"totalCount": 88, "products": [{"stockCode": "SIMULATED-1", "isActive": true}]}))
}

fn orders(visit: &mut Visit<'_>) -> Reply {
    let query = format!("orders {}", String::from_utf8_lossy(&visit.ask.body));
    if is_repeated(visit, &query, SAME_ORDERS) {
        return throttle(visit);
    }
    let newest = rfc3339(visit.newest_order());
    Reply::json(200, &json!({"orderListCount": 1, "supplierOrderListWithBranch": [{"orderModifyDate": newest}]}))
}

/// Whether the same was asked for a short while ago. A limit of the scenario's stands in place of all others.
fn is_repeated(visit: &mut Visit<'_>, query: &str, limit: Limit) -> bool {
    visit.plot.limit.is_none() && !visit.is_within(query, limit)
}
