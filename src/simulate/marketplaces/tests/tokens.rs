//! Marketplaces that give out access tokens.

use super::*;
use crate::simulate::tokens::Void;

const SCOPE: &str = "https://api.ebay.com/oauth/api_scope/sell.account.readonly";

fn ebay_token(shop: &mut At, form: &str) -> Reply {
    let key = basic(shop.secret("app_id"), shop.secret("cert_id"));
    let url = "https://api.ebay.com/identity/v1/oauth2/token";
    shop.ask("POST", url, &[("Authorization", &key)], form)
}

fn ebay(grant: &str) -> (At, String) {
    let mut shop = At::new("ebay");
    let form = match grant {
        "refresh_token" => format!("grant_type={grant}&scope={SCOPE}&refresh_token={}", shop.secret("refresh_token")),
        _ => format!("grant_type={grant}&scope={SCOPE}"),
    };
    let token = ebay_token(&mut shop, &form);
    assert_eq!((token.status.as_u16(), at(&token, "/expires_in").as_str()), (200, "7200"));
    let token = at(&token, "/access_token");
    (shop, token)
}

fn privilege(shop: &mut At, token: &str) -> Reply {
    shop.get("https://api.ebay.com/sell/account/v1/privilege", &[("Authorization", &format!("Bearer {token}"))])
}

const CALL: [(&str, &str); 3] =
    [("X-EBAY-API-CALL-NAME", "GetUser"), ("X-EBAY-API-SITEID", "0"), ("X-EBAY-API-COMPATIBILITY-LEVEL", "1423")];

/// The status, `Ack` and `ErrorCode` of an answer of the Trading API.
fn trading(shop: &mut At, token: &str) -> (u16, String, Option<String>) {
    let headers: Vec<_> = CALL.into_iter().chain([("X-EBAY-API-IAF-TOKEN", token)]).collect();
    let reply = shop.ask("POST", "https://api.ebay.com/ws/api.dll", &headers, "<GetUserRequest/>");
    let body = Ask { body: reply.body.clone(), ..Ask::default() };
    (reply.status.as_u16(), body.element("Ack").unwrap(), body.element("ErrorCode"))
}

fn failure(code: &str) -> (u16, String, Option<String>) {
    (200, "Failure".to_owned(), Some(code.to_owned()))
}

#[test]
fn ebay_gives_tokens_for_a_refresh_token_and_shows_the_sellers_things_for_them() {
    let (mut shop, token) = ebay("refresh_token");
    let good = privilege(&mut shop, &token);
    assert_eq!(
        (at(&good, "/sellerRegistrationCompleted").as_str(), at(&good, "/sellingLimit/quantity").as_str()),
        ("true", "1000")
    );
    let refused = privilege(&mut shop, "v^1.1#other");
    assert_eq!((refused.status.as_u16(), at(&refused, "/errors/0/errorId").as_str()), (401, "1001"));

    let wrong = ebay_token(&mut shop, &format!("grant_type=refresh_token&scope={SCOPE}&refresh_token=b"));
    assert_eq!((wrong.status.as_u16(), at(&wrong, "/error").as_str()), (400, "invalid_grant"));
    let url = "https://api.ebay.com/identity/v1/oauth2/token";
    assert_eq!(shop.ask("POST", url, &[("Authorization", &basic("a", "b"))], "").status, 401);
    let (mut shop, app) = ebay("client_credentials");
    assert_eq!(privilege(&mut shop, &app).status, 403);
}

#[test]
fn ebay_refuses_tokens_that_expired_and_takes_new_ones() {
    let (mut shop, token) = ebay("refresh_token");
    shop.now = Duration::from_hours(2);
    assert_eq!(privilege(&mut shop, &token).status, 401);
    assert_eq!(trading(&mut shop, &token), failure("21917053"));

    // A short life is told, and kept.
    shop.plot.token_life = Some(Duration::from_secs(3));
    let form = format!("grant_type=refresh_token&scope={SCOPE}&refresh_token={}", shop.secret("refresh_token"));
    let short = ebay_token(&mut shop, &form);
    assert_eq!(at(&short, "/expires_in"), "3");
    let short = at(&short, "/access_token");
    assert_eq!(privilege(&mut shop, &short).status, 200);
    shop.now += Duration::from_secs(3);
    assert_eq!(privilege(&mut shop, &short).status, 401);
}

#[test]
fn ebay_gives_a_program_a_thousand_tokens_a_day() {
    let mut shop = At::new("ebay");
    let form = format!("grant_type=client_credentials&scope={SCOPE}");
    assert_eq!(statuses(1_001, || ebay_token(&mut shop, &form)), [200, 429]);
    shop.now = Duration::from_hours(24);
    assert_eq!(ebay_token(&mut shop, &form).status, 200);
}

#[test]
fn ebay_has_an_older_api_whose_errors_are_200() {
    let (mut shop, token) = ebay("refresh_token");
    assert_eq!(trading(&mut shop, &token), (200, "Success".to_owned(), None));
    assert_eq!(trading(&mut shop, "other"), failure("21916984"));
    shop.plot.tokens_ended = Some((Duration::from_secs(1), Void::Unknown));
    assert_eq!(trading(&mut shop, &token), failure("21916984"));
    shop.plot = Plot::default();
    for (variant, ack) in [("failure", "Failure"), ("partial_failure", "PartialFailure"), ("warning", "Warning")] {
        shop.plays(Scene::AppError, Some(variant));
        assert_eq!(trading(&mut shop, &token), (200, ack.to_owned(), Some("10007".to_owned())));
        assert_eq!(privilege(&mut shop, &token).status, 200);
    }
    shop.plays(Scene::RateLimited, None);
    assert_eq!(trading(&mut shop, &token), failure("518"));
    let throttled = privilege(&mut shop, &token);
    assert_eq!((throttled.status.as_u16(), at(&throttled, "/errors/0/errorId").as_str()), (429, "2001"));

    // A token in the body does as well, and the headers must say what is called.
    shop.plot = Plot::default();
    let url = "https://api.ebay.com/ws/api.dll";
    let body = format!("<eBayAuthToken>{token}</eBayAuthToken>");
    let reply = shop.ask("POST", url, &CALL, &body);
    assert!(String::from_utf8_lossy(&reply.body).contains("<Ack>Success</Ack>"), "{reply:?}");
    assert_eq!(shop.ask("POST", url, &CALL[1..], &body).status, OBJECTION);
    assert_eq!(
        shop.ask("POST", url, &[("X-EBAY-API-CALL-NAME", "ReviseItem"), CALL[1], CALL[2]], &body).status,
        OBJECTION
    );
}

#[test]
fn ebay_tells_of_limits_that_fall_with_every_call() {
    let (mut shop, token) = ebay("client_credentials");
    let bearer = format!("Bearer {token}");
    let url = "https://api.ebay.com/developer/analytics/v1_beta/rate_limit/";
    let told = shop.get(url, &[("Authorization", &bearer)]);
    assert_eq!(at(&told, "/rateLimits/1/resources/0/rates/0/remaining"), "4999");
    assert_eq!(at(&told, "/rateLimits/0/resources/0/rates/0/remaining"), "25000");
    let told = shop.get(&format!("{url}?api_context=developer"), &[("Authorization", &bearer)]);
    assert_eq!(at(&told, "/rateLimits/0/resources/0/rates/0/remaining"), "4998");
    assert_eq!(shop.get(&format!("{url}?api_context=buy"), &[("Authorization", &bearer)]).status, 204);
}

const LISTINGS: &str = "https://sellingpartnerapi-eu.amazon.com/listings/2021-08-01/items/A1SIMULATED\
                        ?marketplaceIds=A33AVAJ2PDY3EV&withIssueSeverity=ERROR&pageSize=1";
const AGENT: (&str, &str) = ("User-Agent", "vitrin/1.0 (Language=Rust)");

fn amazon_token(shop: &mut At, refresh: &str, secret: &str) -> Reply {
    let client = shop.secret("client_id");
    let form = format!("grant_type=refresh_token&refresh_token={refresh}&client_id={client}&client_secret={secret}");
    shop.ask("POST", "https://api.amazon.com/auth/o2/token", &[], &form)
}

fn amazon() -> (At, String) {
    let mut shop = At::new("amazon-sp-api");
    let (refresh, secret) = (shop.secret("refresh_token"), shop.secret("client_secret"));
    let token = amazon_token(&mut shop, refresh, secret);
    assert_eq!(at(&token, "/expires_in"), "3600");
    let token = at(&token, "/access_token");
    (shop, token)
}

#[test]
fn amazon_refuses_everything_that_is_wrong_by_403() {
    let (mut shop, token) = amazon();
    let headers = [AGENT, ("x-amz-access-token", token.as_str())];
    let good = shop.get(LISTINGS, &headers);
    assert_eq!((at(&good, "/numberOfResults").as_str(), good.header("x-amzn-RateLimit-Limit")), ("7", Some("5.0")));
    let elsewhere = LISTINGS.replace("-eu.", "-na.");
    let others = LISTINGS.replace("A1SIMULATED", "A2");
    for (url, token) in [(LISTINGS, "b"), (&elsewhere, &token), (&others, &token)] {
        let refused = shop.get(url, &[AGENT, ("x-amz-access-token", token)]);
        assert_eq!((refused.status.as_u16(), at(&refused, "/errors/0/code").as_str()), (403, "Unauthorized"));
        assert_eq!(refused.header("x-amzn-RateLimit-Limit"), None);
    }
    assert_eq!(shop.get(LISTINGS, &headers[1..]).status, OBJECTION);
    // Not 401, also when the token has expired.
    shop.now = Duration::from_hours(1);
    assert_eq!(shop.get(LISTINGS, &headers).status, 403);

    let secret = shop.secret("client_secret");
    let wrong = amazon_token(&mut shop, "b", secret);
    assert_eq!((wrong.status.as_u16(), at(&wrong, "/error").as_str()), (400, "invalid_grant"));
    let refresh = shop.secret("refresh_token");
    let wrong = amazon_token(&mut shop, refresh, "b");
    assert_eq!((wrong.status.as_u16(), at(&wrong, "/error").as_str()), (400, "invalid_client"));
}

#[test]
fn amazon_has_a_bucket_for_each_operation_and_says_nothing_of_it_when_it_is_empty() {
    let (mut shop, token) = amazon();
    let headers = [AGENT, ("x-amz-access-token", token.as_str())];
    assert_eq!(statuses(5, || shop.get(LISTINGS, &headers)), [200]);
    let throttled = shop.get(LISTINGS, &headers);
    assert_eq!((throttled.status.as_u16(), at(&throttled, "/errors/0/code").as_str()), (429, "QuotaExceeded"));
    assert_eq!(throttled.header("x-amzn-RateLimit-Limit"), None);
    shop.now = Duration::from_millis(200);
    assert_eq!(shop.get(LISTINGS, &headers).status, 200);

    let participations = "https://sellingpartnerapi-eu.amazon.com/sellers/v1/marketplaceParticipations";
    assert_eq!(statuses(16, || shop.get(participations, &headers)), [200, 429]);
    shop.now += Duration::from_millis(62_500);
    assert_eq!(statuses(2, || shop.get(participations, &headers)), [200, 429]);
}

#[test]
fn amazon_gives_tokens_without_a_seller_for_notifications() {
    let (mut shop, seller) = amazon();
    let (client, secret) = (shop.secret("client_id"), shop.secret("client_secret"));
    let form = format!(
        "grant_type=client_credentials&scope=sellingpartnerapi%3A%3Anotifications&client_id={client}&client_secret={secret}"
    );
    let token = at(&shop.ask("POST", "https://api.amazon.com/auth/o2/token", &[], &form), "/access_token");
    let url = "https://sellingpartnerapi-eu.amazon.com/notifications/v1/destinations";
    for (token, status) in [(&token, 200), (&seller, 403)] {
        assert_eq!(shop.get(url, &[AGENT, ("x-amz-access-token", token)]).status, status);
    }
    assert_eq!(shop.get(LISTINGS, &[AGENT, ("x-amz-access-token", &token)]).status, 403);
}

const PRODUCTS: &str = "https://isortagimapi.pazarama.com/product/products/approved?Size=1";

fn pazarama_token(shop: &mut At, secret: &str, scope: &str) -> Reply {
    let key = basic(shop.secret("client_id"), secret);
    let form = format!("grant_type=client_credentials&scope={scope}");
    shop.ask("POST", "https://isortagimgiris.pazarama.com/connect/token", &[("Authorization", &key)], &form)
}

#[test]
fn pazarama_gives_tokens_in_either_shape_by_turns() {
    let mut shop = At::new("pazarama");
    let (secret, scope) = (shop.secret("client_secret"), "merchantgatewayapi.fullaccess");
    let plain = pazarama_token(&mut shop, secret, scope);
    let wrapped = pazarama_token(&mut shop, secret, scope);
    assert_eq!((at(&plain, "/expires_in").as_str(), at(&wrapped, "/data/expiresIn").as_str()), ("3600", "3600"));
    for token in [at(&plain, "/access_token"), at(&wrapped, "/data/accessToken")] {
        let good = shop.get(PRODUCTS, &[("Authorization", &format!("Bearer {token}"))]);
        assert_eq!(at(&good, "/success"), "true");
    }
    for (secret, scope) in [("b", scope), (secret, "other")] {
        let wrong = pazarama_token(&mut shop, secret, scope);
        assert_eq!((wrong.status.as_u16(), at(&wrong, "/messageCode").as_str()), (400, "invalid_token"));
    }
}

#[test]
fn pazarama_refuses_without_a_word_and_has_errors_that_are_200() {
    let mut shop = At::new("pazarama");
    let secret = shop.secret("client_secret");
    let token = at(&pazarama_token(&mut shop, secret, "merchantgatewayapi.fullaccess"), "/access_token");
    let bearer = format!("Bearer {token}");
    let refused = shop.get(PRODUCTS, &[("Authorization", "Bearer b")]);
    assert_eq!((refused.status.as_u16(), refused.body.len()), (401, 0));
    assert_eq!(refused.header("WWW-Authenticate"), Some("Bearer error=\"invalid_token\""));

    shop.plays(Scene::AppError, None);
    let error = shop.get(PRODUCTS, &[("Authorization", &bearer)]);
    assert_eq!((error.status.as_u16(), at(&error, "/success").as_str()), (200, "false"));
    shop.plays(Scene::AppError, Some("maintenance"));
    let page = shop.get(PRODUCTS, &[("Authorization", &bearer)]);
    assert!(page.status == 200 && page.header("content-type").unwrap().starts_with("text/html"));
    shop.plays(Scene::RateLimited, None);
    assert_eq!(shop.get(PRODUCTS, &[("Authorization", &bearer)]).status, 429);
    assert_eq!(shop.ask("POST", PRODUCTS, &[("Authorization", &bearer)], "").status, OBJECTION);
}
