//! eBay: access tokens for the seller and for the program, JSON, and the older Trading API, whose errors are 200s in XML.

use std::time::Duration;

use serde_json::{Value, json};

use crate::simulate::limits::Limit;
use crate::simulate::manners::{Manners, Visit, rfc3339};
use crate::simulate::reply::Reply;
use crate::simulate::route::{Is, Route, may};
use crate::simulate::scenario::Scene;
use crate::simulate::tokens::Void;

const APP: &str = "simulated-ebay-app-id";
const CERT: &str = "simulated-ebay-cert-id";
const REFRESH: &str = "simulated-ebay-refresh-token";
const TRADING: &str = "/ws/api.dll";
const DAY: u64 = 86_400;

/// How many tokens a program may have for itself in a day.
const APP_TOKENS: Limit = Limit::of(1_000, DAY);

/// How many a seller's refresh token gives in a day.
const USER_TOKENS: Limit = Limit::of(50_000, DAY);

/// The APIs whose limits are told of, and what they are in a day.
const TOLD: [(&str, &str, &str, u32); 3] = [
    ("sell", "account", "account", 25_000),
    ("developer", "analytics", "analytics", 5_000),
    ("tradingapi", "TradingAPI", "trading", 5_000),
];

pub(in crate::simulate) static MANNERS: Manners = Manners {
    name: "ebay",
    hosts: &["api.ebay.com", "api.sandbox.ebay.com"],
    vars: &[],
    secrets: &[("app_id", APP), ("cert_id", CERT), ("refresh_token", REFRESH)],
    routes: &[
        Route::post("/identity/v1/oauth2/token", token).admitting(admit_program),
        Route::get("/sell/account/v1/privilege", &[], privilege)
            .limited("account", Limit::of(25_000, DAY))
            .admitting(admit_seller),
        Route::get("/developer/analytics/v1_beta/rate_limit/", CONTEXT, rate_limits)
            .limited("analytics", Limit::of(5_000, DAY)),
        Route::get("/developer/analytics/v1_beta/user_rate_limit/", CONTEXT, rate_limits)
            .limited("analytics", Limit::of(5_000, DAY))
            .admitting(admit_seller),
        Route::post(TRADING, trading).limited("trading", Limit::of(5_000, DAY)).admitting(admit_trading),
    ],
    own: &[Scene::AppError, Scene::TokenExpired, Scene::RevokeTokens],
    keys_end: false,
    variants: &[(Scene::AppError, &["failure", "partial_failure", "warning"])],
    admit: admit_token,
    throttle,
    app_error,
};

const CONTEXT: &[crate::simulate::route::Param] =
    &[may("api_context", Is::OneOf(&["buy", "sell", "commerce", "developer", "tradingapi"])), may("api_name", Is::Any)];

fn admit_program(visit: &mut Visit<'_>) -> Result<(), Reply> {
    let (app, cert) = visit.ask.basic().unwrap_or_default();
    if visit.believes(&[(Some(&app), APP), (Some(&cert), CERT)]) {
        return Ok(());
    }
    Err(oauth(401, "invalid_client", "client authentication failed"))
}

fn token(visit: &mut Visit<'_>) -> Reply {
    let form = visit.ask.form();
    let given = |name: &str| form.get(name).map(String::as_str);
    if given("scope").unwrap_or_default().is_empty() {
        return oauth(400, "invalid_scope", "the scope is missing");
    }
    let (kind, limit, said) = match given("grant_type") {
        Some("refresh_token") if given("refresh_token") != Some(REFRESH) => {
            return oauth(400, "invalid_grant", "the provided authorization refresh token is invalid");
        }
        Some("refresh_token") => ("user", USER_TOKENS, "User Access Token"),
        Some("client_credentials") => ("app", APP_TOKENS, "Application Access Token"),
        _ => return oauth(400, "unsupported_grant_type", "grant type in request is not supported"),
    };
    if !visit.is_within(kind, limit) {
        return oauth(429, "rate_limit_exceeded", "the request limit has been reached for the resource");
    }
    let (token, lives) = visit.give_token(kind, 7_200);
    Reply::json(200, &json!({"access_token": token, "expires_in": lives, "token_type": said}))
}

fn oauth(status: u16, error: &str, says: &str) -> Reply {
    Reply::json(status, &json!({"error": error, "error_description": says}))
}

fn admit_token(visit: &mut Visit<'_>) -> Result<(), Reply> {
    visit.token(visit.ask.bearer()).map(drop).map_err(|_| rest(401, 1001, "OAuth", "Invalid access token"))
}

/// What is of the seller is not shown to the program itself.
fn admit_seller(visit: &mut Visit<'_>) -> Result<(), Reply> {
    admit_token(visit)?;
    match visit.token(visit.ask.bearer()) {
        Ok("user") => Ok(()),
        _ => Err(rest(403, 1100, "OAuth", "Access denied")),
    }
}

fn rest(status: u16, number: u32, domain: &str, message: &str) -> Reply {
    let category = if status == 429 { "REQUEST" } else { "APPLICATION" };
    let error = json!({"errorId": number, "domain": domain, "category": category, "message": message});
    Reply::json(status, &json!({"errors": [error]}))
}

fn privilege(_: &mut Visit<'_>) -> Reply {
    let most = json!({"quantity": 1_000, "amount": {"currency": "USD", "value": "25000.0"}});
    Reply::json(200, &json!({"sellerRegistrationCompleted": true, "sellingLimit": most}))
}

/// The numbers fall with every call, and are full again when their windows end.
fn rate_limits(visit: &mut Visit<'_>) -> Reply {
    let wanted = visit.ask.queried("api_context");
    let reset = rfc3339(visit.date + Duration::from_secs(DAY));
    let told = TOLD.iter().filter(|(context, ..)| wanted.as_deref().is_none_or(|wanted| wanted == *context));
    let limits: Vec<Value> = told
        .map(|(context, api, resource, limit)| {
            let (count, left) = used(visit, resource, *limit);
            let rate = json!({"limit": limit, "remaining": left, "count": count, "reset": reset, "timeWindow": DAY});
            let resource = json!({"name": format!("{context}.{resource}"), "rates": [rate]});
            json!({"apiContext": context, "apiName": api, "apiVersion": "v1", "resources": [resource]})
        })
        .collect();
    if limits.is_empty() { Reply::empty(204) } else { Reply::json(200, &json!({"rateLimits": limits})) }
}

fn used(visit: &Visit<'_>, bucket: &str, limit: u32) -> (u32, u32) {
    let count = visit.till.limits.used(bucket);
    (count, limit.saturating_sub(count))
}

/// By a token in a header, or in the body as programs had it before OAuth.
fn admit_trading(visit: &mut Visit<'_>) -> Result<(), Reply> {
    for (name, known) in
        [("call-name", &["GetUser", "GetTokenStatus"][..]), ("siteid", &[]), ("compatibility-level", &[])]
    {
        let given = visit.ask.header(&format!("x-ebay-api-{name}"));
        if !given.is_some_and(|given| known.is_empty() || known.contains(&given)) {
            return Err(Reply::objection(format!("x-ebay-api-{name} is missing, or asks for what no preset may")));
        }
    }
    let body = visit.ask.element("eBayAuthToken");
    match visit.token(visit.ask.header("x-ebay-api-iaf-token").or(body.as_deref())) {
        Ok(_) => Ok(()),
        Err(Void::Unknown) => Err(failure(visit, "Failure", 21_916_984, "Invalid IAF token.")),
        Err(Void::Expired) => Err(failure(visit, "Failure", 21_917_053, "Expired IAF token.")),
    }
}

fn trading(visit: &mut Visit<'_>) -> Reply {
    said(visit, "Success", "")
}

fn failure(visit: &Visit<'_>, ack: &str, code: u32, message: &str) -> Reply {
    let severity = if ack == "Warning" { "Warning" } else { "Error" };
    let error = format!(
        "<Errors><ShortMessage>{message}</ShortMessage><ErrorCode>{code}</ErrorCode><SeverityCode>{severity}</SeverityCode>\
         <ErrorClassification>RequestError</ErrorClassification></Errors>"
    );
    said(visit, ack, &error)
}

fn said(visit: &Visit<'_>, ack: &str, errors: &str) -> Reply {
    let call = visit.ask.header("x-ebay-api-call-name").unwrap_or("GetUser");
    let time = rfc3339(visit.date);
    Reply::xml(
        200,
        &format!(
            "<{call}Response xmlns=\"urn:ebay:apis:eBLBaseComponents\"><Timestamp>{time}</Timestamp><Ack>{ack}</Ack>\
             {errors}<Version>1423</Version></{call}Response>"
        ),
    )
}

fn throttle(visit: &mut Visit<'_>) -> Reply {
    match visit.ask.path.as_str() {
        TRADING => failure(visit, "Failure", 518, "Call usage limit has been reached."),
        _ => rest(429, 2001, "ACCESS", "Too many requests"),
    }
}

fn app_error(visit: &mut Visit<'_>) -> Option<Reply> {
    let ack = match visit.plot.plays(Scene::AppError)? {
        "partial_failure" => "PartialFailure",
        "warning" => "Warning",
        _ => "Failure",
    };
    (visit.ask.path == TRADING).then(|| failure(visit, ack, 10_007, "Internal error to the application."))
}
