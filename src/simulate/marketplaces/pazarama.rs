//! Pazarama: a token from another server in either of two shapes, and errors whose status is 200.

use serde_json::json;

use crate::simulate::manners::{Manners, Visit};
use crate::simulate::reply::Reply;
use crate::simulate::route::{Is, Param, Route, may};
use crate::simulate::scenario::Scene;

const CLIENT: &str = "simulated-pazarama-client-id";
const SECRET: &str = "simulated-pazarama-client-secret";
const SCOPE: &str = "merchantgatewayapi.fullaccess";
const LOGIN: &str = "isortagimgiris.pazarama.com";
const API: &str = "isortagimapi.pazarama.com";

const PAGE: &[Param] =
    &[may("Page", Is::Any), may("Size", Is::UpTo(250)), may("Approved", Is::OneOf(&["true", "false"]))];

pub(in crate::simulate) static MANNERS: Manners = Manners {
    name: "pazarama",
    hosts: &[API, LOGIN],
    vars: &[],
    secrets: &[("client_id", CLIENT), ("client_secret", SECRET)],
    routes: &[
        Route::post("/connect/token", token).at(LOGIN).admitting(admit_program),
        Route::get("/product/products/approved", PAGE, products).at(API),
        // As older programs ask.
        Route::get("/product/products", PAGE, products).at(API),
    ],
    own: &[Scene::AppError, Scene::TokenExpired, Scene::RevokeTokens],
    keys_end: false,
    variants: &[(Scene::AppError, &["unsuccessful", "maintenance"])],
    admit,
    throttle,
    app_error,
};

fn admit_program(visit: &mut Visit<'_>) -> Result<(), Reply> {
    let ((client, secret), form) = (visit.ask.basic().unwrap_or_default(), visit.ask.form());
    let given = |name: &str| form.get(name).map(String::as_str);
    let grant = given("grant_type");
    if visit.believes(&[
        (Some(&client), CLIENT),
        (Some(&secret), SECRET),
        (grant, "client_credentials"),
        (given("scope"), SCOPE),
    ]) {
        return Ok(());
    }
    // Not what OAuth has for it.
    Err(Reply::json(400, &json!({"success": false, "messageCode": "invalid_token", "message": "Invalid token"})))
}

/// Plain and wrapped by turns: both are in use.
fn token(visit: &mut Visit<'_>) -> Reply {
    let is_wrapped = visit.till.tokens.count() % 2 == 1;
    let (token, lives) = visit.give_token("client", 3_600);
    Reply::json(
        200,
        &if is_wrapped {
            json!({"data": {"accessToken": token, "expiresIn": lives, "tokenType": "Bearer"}, "success": true})
        } else {
            json!({"access_token": token, "expires_in": lives, "token_type": "Bearer", "scope": SCOPE})
        },
    )
}

fn admit(visit: &mut Visit<'_>) -> Result<(), Reply> {
    match visit.token(visit.ask.bearer()) {
        Ok(_) => Ok(()),
        Err(_) => Err(Reply::empty(401).with("www-authenticate", "Bearer error=\"invalid_token\"")),
    }
}

/// Only of writes a limit is known; reads are throttled by a scenario alone.
fn throttle(_: &mut Visit<'_>) -> Reply {
    Reply::json(
        429,
        &json!({"data": null, "success": false, "messageCode": "too_many_requests", "message": "Too many requests"}),
    )
}

fn app_error(visit: &mut Visit<'_>) -> Option<Reply> {
    let variant = visit.plot.plays(Scene::AppError).filter(|_| visit.ask.host == API)?;
    Some(match variant {
        "maintenance" => Reply::maintenance(200),
        _ => Reply::json(
            200,
            &json!({"data": null, "success": false, "messageCode": "validation", "message": "Not now"}),
        ),
    })
}

fn products(_: &mut Visit<'_>) -> Reply {
    Reply::json(200, &json!({"data": [{"code": "SIMULATED-1", "state": 3}], "success": true, "messageCode": null}))
}
