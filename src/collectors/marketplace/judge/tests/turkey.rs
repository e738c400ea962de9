//! Trendyol, N11, Hepsiburada, Pazarama and Çiçeksepeti.

use expect_test::expect;

use super::Probe;
use crate::collectors::marketplace::result::Outcome;

pub(super) const TRENDYOL: Probe = Probe {
    preset: "trendyol",
    name: "products",
    good: "200\ncontent-type: application/json;charset=UTF-8\nx-ratelimit-limit: 1000\n\n\
           {\"totalElements\":4321,\"totalPages\":4321,\"page\":0,\"size\":1,\"content\":[{\"title\":\"canary\"}]}",
};

#[test]
fn trendyol_is_judged() {
    expect![[r#"
        marketplace_listings{approved} 4321
        product_read (header): limit 1000, window 60
    "#]]
    .assert_eq(&TRENDYOL.read());
    TRENDYOL.expect(&[
        ("200\n\n{\"totalElements\":0,\"content\":[]}", Outcome::Ok, None),
        (
            "401\ncontent-type: application/json\n\n{\"exception\":\"ClientApiAuthenticationException\"}",
            Outcome::AuthError,
            None,
        ),
        // No User-Agent.
        ("403\ncontent-type: application/json\n\n{\"message\":\"canary\"}", Outcome::Forbidden, None),
        ("403\n\n", Outcome::Forbidden, None),
        ("429\n\n{\"errors\":[{\"key\":\"too.many.requests\"}]}", Outcome::RateLimited, None),
        // A version that is about to go, and its brown-outs.
        ("426\n\n", Outcome::ServerError, None),
        (
            "400\n\n{\"exception\":\"TrendyolSystemException\",\"errors\":[{\"key\":\"generic.exception\"}]}",
            Outcome::ClientError,
            None,
        ),
        ("500\n\n{\"exception\":\"TrendyolSystemException\"}", Outcome::ServerError, None),
        ("503\n\n", Outcome::ServerError, None),
        // What an order service that is ill has said: a 200 with nothing in it.
        ("200\n\n", Outcome::InvalidResponse, None),
        ("200\n\n{}", Outcome::InvalidResponse, None),
        // How many there are may be missing.
        ("200\n\n{\"content\":[]}", Outcome::Ok, None),
        ("200\n\n{\"content\":{\"canary\":1},\"totalElements\":1}", Outcome::InvalidResponse, None),
    ]);
}

#[test]
fn at_trendyols_sandbox_503_is_an_address_that_it_does_not_know() {
    assert_eq!(TRENDYOL.judge("sandbox", "503\n\n").outcome, Outcome::Blocked);
}

const TRENDYOL_REACHABILITY: Probe =
    Probe { preset: "trendyol", name: "reachability", good: "404\ncontent-type: text/html\n\n<html>canary</html>" };

#[test]
fn whatever_a_front_door_answers_it_is_there() {
    assert_eq!(TRENDYOL_REACHABILITY.read(), "");
    TRENDYOL_REACHABILITY.expect(&[
        ("200\n\n", Outcome::Ok, None),
        ("302\nlocation: https://login.example/?canary\n\n", Outcome::Ok, None),
        ("401\n\n", Outcome::Ok, None),
        ("403\ncontent-type: text/html\n\n<html>", Outcome::Ok, None),
        ("426\n\n", Outcome::Ok, None),
        // But who says that it has enough of us is left alone.
        ("429\nretry-after: 60\n\n", Outcome::RateLimited, None),
        ("500\n\n", Outcome::ServerError, None),
        ("503\ncontent-type: text/html\n\n<html>", Outcome::ServerError, None),
    ]);
}

const TRENDYOL_ORDERS: Probe = Probe {
    preset: "trendyol",
    name: "orders",
    good: "200\n\n{\"content\":[{\"lastModifiedDate\":1795445999123,\"shipmentAddress\":{\"firstName\":\"canary\"}}]}",
};

#[test]
fn trendyols_newest_order_is_read_and_a_shop_without_orders_is_fine() {
    assert_eq!(TRENDYOL_ORDERS.read(), "marketplace_order_newest_timestamp_seconds 1795445999.123\n");
    let verdict = TRENDYOL_ORDERS.judge("production", "200\n\n{\"content\":[]}");
    assert_eq!((verdict.outcome, verdict.numbers), (Outcome::Ok, vec![]));
}

pub(super) const N11: Probe = Probe {
    preset: "n11",
    name: "products",
    good: "200\ncontent-type: application/json\n\n{\"content\":[{\"title\":\"canary\"}],\"totalElements\":1}",
};

const N11_ORDERS: Probe =
    Probe { preset: "n11", name: "orders", good: "200\ncontent-type: application/json\n\n{\"content\":[]}" };

#[test]
fn n11_refuses_a_key_in_three_ways() {
    assert_eq!(N11.read() + &N11_ORDERS.read(), "marketplace_listings{all} 1\n");
    N11.expect(&[
        (
            "401\ncontent-type: application/json\n\n{\"type\":\"SellerApiUserUnauthorizedException\"}",
            Outcome::AuthError,
            None,
        ),
        ("200\n\n{\"message\":\"Authentication Failed\"}", Outcome::AuthError, None),
        ("429\n\n", Outcome::RateLimited, None),
    ]);
    N11_ORDERS.expect(&[
        ("403\ncontent-type: text/plain;charset=UTF-8\n\nAuthentication failed", Outcome::AuthError, None),
        ("403\ncontent-type: application/json\n\n{}", Outcome::Forbidden, None),
    ]);
}

pub(super) const N11_SOAP: Probe = Probe {
    preset: "n11",
    name: "soap",
    good: "200\ncontent-type: text/xml;charset=utf-8\n\n<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"u\"><SOAP-ENV:Body>\
           <ns3:ClaimReturnListResponse xmlns:ns3=\"http://www.n11.com/ws/schemas\"><result><status>success</status>\
           </result></ns3:ClaimReturnListResponse></SOAP-ENV:Body></SOAP-ENV:Envelope>",
};

#[test]
fn n11s_soap_says_its_errors_with_200() {
    assert_eq!(N11_SOAP.read(), "");
    let failure = |code: &str| {
        format!(
            "200\ncontent-type: text/xml\n\n<e:Envelope xmlns:e='u'><e:Body><r><result><status>failure</status>\
             <errorCode>{code}</errorCode><errorMessage>canary</errorMessage></result></r></e:Body></e:Envelope>"
        )
    };
    let fault =
        "<e:Envelope xmlns:e='u'><e:Body><e:Fault><faultstring>canary</faultstring></e:Fault></e:Body></e:Envelope>";
    N11_SOAP.expect(&[
        (&failure("SELLER_API.authenticationFailed"), Outcome::AuthError, Some("SELLER_API.authenticationFailed")),
        (&failure("SELLER_API.notFound"), Outcome::AppError, Some("other")),
        (&failure("canary"), Outcome::AppError, Some("other")),
        (&failure(""), Outcome::AppError, None),
        (&format!("200\ncontent-type: text/xml\n\n{fault}"), Outcome::AppError, None),
        (&format!("500\ncontent-type: text/xml\n\n{fault}"), Outcome::AppError, None),
        (&format!("400\n\n{fault}"), Outcome::AppError, None),
        (&format!("429\n\n{fault}"), Outcome::RateLimited, None),
        (&format!("401\n\n{fault}"), Outcome::AuthError, None),
        ("500\ncontent-type: text/xml\n\n<error>canary</error>", Outcome::ServerError, None),
        (
            "200\ncontent-type: text/xml\n\n<e:Envelope xmlns:e='u'><e:Body><r><result><status>success</st",
            Outcome::InvalidResponse,
            None,
        ),
        ("200\n\n<html><body>canary</body></html>", Outcome::InvalidResponse, None),
        ("403\ncontent-type: text/html\n\n<html><body>canary</body></html>", Outcome::Blocked, None),
    ]);
}

pub(super) const HEPSIBURADA: Probe = Probe {
    preset: "hepsiburada",
    name: "orders",
    good: "200\ncontent-type: application/json\nX-RateLimit-Limit: 1000\nX-RateLimit-Remaining: 998\nX-RateLimit-Reset: 1\n\n\
           {\"totalCount\":17,\"items\":[{\"customerName\":\"canary\"}]}",
};

#[test]
fn hepsiburada_says_what_is_left() {
    expect![[r#"
        marketplace_orders_open 17
        orders (header): limit 1000, remaining 998, reset 1795446001, window 1
    "#]]
    .assert_eq(&HEPSIBURADA.read());
    HEPSIBURADA.expect(&[
        ("401\n\n", Outcome::AuthError, None),
        ("403\n\n", Outcome::Forbidden, None),
        // Without offset and limit.
        ("400\n\n{\"message\":\"canary\"}", Outcome::ClientError, None),
    ]);
    let throttled = "429\nX-RateLimit-Limit: 1000\nX-RateLimit-Remaining: 0\nX-RateLimit-Reset: 7\n\n";
    let verdict = HEPSIBURADA.judge("production", throttled);
    assert_eq!((verdict.outcome, verdict.retry_after.unwrap().as_secs()), (Outcome::RateLimited, 7));
    assert_eq!(verdict.limits[0].remaining, Some(0.0));
    // The header that is made for it comes first, and what is left is no reason to wait.
    assert_eq!(
        HEPSIBURADA
            .judge("production", &throttled.replace("429", "429\nRetry-After: 3"))
            .retry_after
            .unwrap()
            .as_secs(),
        3
    );
    assert_eq!(HEPSIBURADA.judge("production", &throttled.replace(": 0", ": 1")).retry_after, None);
    assert_eq!(HEPSIBURADA.judge("production", &throttled.replace("429", "500")).retry_after, None);
}

pub(super) const PAZARAMA: Probe = Probe {
    preset: "pazarama",
    name: "products",
    good: "200\ncontent-type: application/json\n\n{\"data\":[{\"name\":\"canary\"}],\"success\":true,\"messageCode\":null}",
};

#[test]
fn pazarama_says_its_errors_with_200() {
    assert_eq!(PAZARAMA.read(), "");
    PAZARAMA.expect(&[
        (
            "200\n\n{\"data\":null,\"success\":false,\"messageCode\":\"validation\",\"message\":\"canary\"}",
            Outcome::AppError,
            Some("validation"),
        ),
        ("200\n\n{\"data\":null,\"success\":false,\"messageCode\":\"canary\"}", Outcome::AppError, Some("other")),
        ("200\n\n{\"data\":null,\"success\":false,\"messageCode\":null}", Outcome::AppError, None),
        ("401\nwww-authenticate: Bearer error=\"invalid_token\"\n\n", Outcome::AuthError, None),
        // A status of its own is stronger than the words.
        ("429\n\n{\"success\":false,\"messageCode\":\"too_many_requests\"}", Outcome::RateLimited, None),
        ("401\n\n{\"success\":false,\"messageCode\":\"invalid_token\"}", Outcome::AuthError, None),
        // Its maintenance.
        ("200\ncontent-type: text/html\n\n<!doctype html><title>canary</title>", Outcome::InvalidResponse, None),
        ("200\n\n{\"data\":[]}", Outcome::InvalidResponse, None),
        ("200\n\n{\"data\":[],\"success\":\"true\"}", Outcome::InvalidResponse, None),
    ]);
}

pub(super) const CICEKSEPETI: Probe = Probe {
    preset: "ciceksepeti",
    name: "products",
    good: "200\ncontent-type: application/json\n\n{\"TotalCount\":8,\"Products\":[{\"productName\":\"canary\"}]}",
};

#[test]
fn ciceksepeti_writes_its_keys_as_it_likes() {
    assert_eq!(CICEKSEPETI.read(), "marketplace_listings{all} 8\n");
    CICEKSEPETI.expect(&[
        ("200\n\n{\"totalCount\":8,\"products\":[]}", Outcome::Ok, None),
        ("401\n\n{\"Message\":\"canary\"}", Outcome::AuthError, None),
        ("400\ncontent-type: text/plain\n\nGeçersiz API Key", Outcome::AuthError, None),
        ("400\ncontent-type: application/json\n\n{\"Message\":\"Ge\\u00e7ersiz API Key\"}", Outcome::AuthError, None),
        // The wall before all of it, for addresses abroad.
        ("403\ncontent-type: text/html\n\n<html><title>Page Not Available</title>canary", Outcome::Blocked, None),
        ("403\ncontent-type: text/html\n\n", Outcome::Blocked, None),
    ]);
}
