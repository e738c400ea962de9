//! N11: a key and a secret in headers, or in the body of SOAP, and three ways to refuse them.

use serde_json::{Value, json};

use crate::simulate::limits::Limit;
use crate::simulate::manners::{Manners, Visit, milliseconds};
use crate::simulate::reply::Reply;
use crate::simulate::route::{Is, Param, Route, may};
use crate::simulate::scenario::Scene;

const KEY: &str = "simulated-n11-app-key";
const SECRET: &str = "simulated-n11-app-secret";
const SOAP: &str = "/ws/returnService/";

const PRODUCTS: &[Param] = &[may("page", Is::Any), may("size", Is::UpTo(100)), may("sender", Is::OneOf(&["SELLER"]))];

const ORDERS: &[Param] = &[
    may("page", Is::Any),
    may("size", Is::UpTo(100)),
    may("orderByDirection", Is::OneOf(&["ASC", "DESC"])),
    may("status", Is::Any),
    may("startDate", Is::Any),
    may("endDate", Is::Any),
];

pub(in crate::simulate) static MANNERS: Manners = Manners {
    name: "n11",
    hosts: &["api.n11.com"],
    vars: &[],
    secrets: &[("app_key", KEY), ("app_secret", SECRET)],
    routes: &[
        Route::get("/ms/product-query", PRODUCTS, products),
        Route::get("/rest/delivery/v1/shipmentPackages", ORDERS, orders).limited("orders", Limit::of(1_000, 60)),
        Route::post(SOAP, returns).admitting(admit_soap),
    ],
    own: &[Scene::AppError, Scene::NoOrders],
    keys_end: false,
    variants: &[(Scene::AppError, &["failure", "fault", "fault_500"])],
    admit,
    throttle,
    app_error,
};

fn admit(visit: &mut Visit<'_>) -> Result<(), Reply> {
    if visit.ask.header("authorization").is_some() {
        return Err(Reply::objection("N11 has headers of its own for credentials, and no Authorization"));
    }
    if visit.believes(&[(visit.ask.header("appkey"), KEY), (visit.ask.header("appsecret"), SECRET)]) {
        return Ok(());
    }
    Err(if visit.ask.path.starts_with("/ms/") {
        let says = json!({"exception": "SellerApiUserUnauthorizedException", "message": "Unauthorized"});
        Reply::json(401, &says)
    } else {
        Reply::text(403, "Authentication failed")
    })
}

/// The credentials are elements without a prefix: with one they are not seen.
fn admit_soap(visit: &mut Visit<'_>) -> Result<(), Reply> {
    if visit.ask.header("soapaction").is_none() {
        return Err(Reply::objection("SOAPAction is missing"));
    }
    let (key, secret) = (visit.ask.element("appKey"), visit.ask.element("appSecret"));
    if visit.believes(&[(key.as_deref(), KEY), (secret.as_deref(), SECRET)]) {
        return Ok(());
    }
    Err(result(
        "failure",
        "<errorCode>SELLER_API.authenticationFailed</errorCode><errorMessage>Authentication failed</errorMessage>",
    ))
}

fn throttle(_: &mut Visit<'_>) -> Reply {
    Reply::json(429, &json!({"message": "Too many requests"}))
}

fn app_error(visit: &mut Visit<'_>) -> Option<Reply> {
    let variant = visit.plot.plays(Scene::AppError).filter(|_| visit.ask.path == SOAP)?;
    Some(match variant {
        "fault" => fault(200),
        "fault_500" => fault(500),
        _ => result("failure", "<errorCode>SELLER_API.internalError</errorCode>"),
    })
}

fn products(_: &mut Visit<'_>) -> Reply {
    page(&json!([{"stockCode": "SIMULATED-1", "saleStatus": "On_Sale"}]))
}

fn orders(visit: &mut Visit<'_>) -> Reply {
    let newest = milliseconds(visit.newest_order());
    page(&json!([{"orderNumber": "SIMULATED", "shipmentPackageStatus": "Created", "lastModifiedDate": newest}]))
}

fn page(content: &Value) -> Reply {
    Reply::json(200, &json!({"page": 0, "size": 1, "totalPages": 12, "totalElements": 12, "content": content}))
}

fn returns(_: &mut Visit<'_>) -> Reply {
    result("success", "")
}

fn result(status: &str, more: &str) -> Reply {
    envelope(
        200,
        &format!(
            "<ns3:ClaimReturnListResponse xmlns:ns3=\"http://www.n11.com/ws/schemas\"><result><status>{status}</status>\
             {more}</result></ns3:ClaimReturnListResponse>"
        ),
    )
}

fn fault(status: u16) -> Reply {
    let fault = "<env:Fault><faultcode>env:Server</faultcode><faultstring>Internal error</faultstring></env:Fault>";
    envelope(status, fault)
}

fn envelope(status: u16, body: &str) -> Reply {
    let text = format!(
        "<env:Envelope xmlns:env=\"http://schemas.xmlsoap.org/soap/envelope/\"><env:Header/><env:Body>{body}</env:Body>\
         </env:Envelope>"
    );
    Reply::xml(status, &text)
}
