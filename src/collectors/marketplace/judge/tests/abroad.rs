//! eBay, Amazon, Ozon, and any other.

use expect_test::expect;

use super::Probe;
use crate::collectors::marketplace::result::Outcome;

pub(super) const EBAY: Probe = Probe {
    preset: "ebay",
    name: "account",
    good: "200\ncontent-type: application/json\n\n\
           {\"sellerRegistrationCompleted\":true,\"sellingLimit\":{\"amount\":{\"value\":\"25000.0\"},\"quantity\":1000}}",
};

#[test]
fn ebays_account_says_how_much_may_be_sold() {
    expect![[r#"
        marketplace_quota_limit{selling_quantity_month} 1000
        marketplace_quota_limit{selling_amount_month} 25000
    "#]]
    .assert_eq(&EBAY.read());
    EBAY.expect(&[
        // A seller without a limit.
        ("200\n\n{\"sellerRegistrationCompleted\":true}", Outcome::Ok, None),
        (
            "401\n\n{\"errors\":[{\"errorId\":1001,\"domain\":\"OAuth\",\"message\":\"canary\"}]}",
            Outcome::AuthError,
            None,
        ),
        ("403\n\n{\"errors\":[{\"errorId\":1100}]}", Outcome::Forbidden, None),
        ("429\n\n{\"errors\":[{\"errorId\":2001}]}", Outcome::RateLimited, None),
        ("500\n\n{\"errors\":[{\"errorId\":20500}]}", Outcome::ServerError, None),
    ]);
}

const EBAY_LIMITS: Probe = Probe {
    preset: "ebay",
    name: "rate-limits",
    good: "200\n\n{\"rateLimits\":[{\"apiContext\":\"tradingapi\",\"apiName\":\"TradingAPI\",\"apiVersion\":\"v1\",\"resources\":[\
           {\"name\":\"GetUser\",\"rates\":[{\"limit\":5000,\"remaining\":4990,\"reset\":\"2026-11-24T08:00:00.000Z\",\"timeWindow\":86400}]}]},\
           {\"apiContext\":\"buy\",\"apiName\":\"browse\",\"resources\":[{\"name\":\"buy.browse\",\"rates\":[{\"limit\":1}]}]}]}",
};

#[test]
fn ebays_limits_are_in_arrays_within_arrays_or_there_are_none() {
    expect![[r#"
        tradingapi.TradingAPI.GetUser (api): limit 5000, remaining 4990, reset 1795507200, window 86400
    "#]]
    .assert_eq(&EBAY_LIMITS.read());
    EBAY_LIMITS.expect(&[
        ("204\n\n", Outcome::Ok, None),
        ("200\n\n{\"rateLimits\":[]}", Outcome::Ok, None),
        ("200\n\n", Outcome::InvalidResponse, None),
    ]);
    let because = EBAY_LIMITS.judge("production", "200\n\n{}").because;
    expect![[r#"
        [
            "the answer has status 200, no content type and a body of JSON",
            "rule 1 of 2 (`/errors/0/errorId` = 2001) does not hold",
            "rule 2 of 2 (`/errors/0/errorId` = 1001) does not hold",
            "status 200 is a success, and all that is required is there: ok",
            "nothing is said of the limit `{{0./apiContext}}.{{0./apiName}}.{{1./name}}`",
        ]
    "#]]
    .assert_debug_eq(&because);
}

pub(super) const EBAY_TRADING: Probe = Probe {
    preset: "ebay",
    name: "trading",
    good: "200\ncontent-type: text/xml\n\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
           <GetUserResponse xmlns=\"urn:ebay:apis:eBLBaseComponents\"><Ack>Success</Ack></GetUserResponse>",
};

#[test]
fn ebays_trading_says_its_errors_with_200() {
    assert_eq!(EBAY_TRADING.read(), "");
    let ack = |ack: &str, codes: &[&str]| {
        let errors = codes.iter().map(|code| {
            format!("<Errors><LongMessage>canary &amp; co</LongMessage><ErrorCode>{code}</ErrorCode></Errors>")
        });
        let errors: String = errors.collect();
        format!(
            "200\ncontent-type: text/xml\n\n<R xmlns=\"urn:ebay:apis:eBLBaseComponents\"><Ack>{ack}</Ack>{errors}</R>"
        )
    };
    EBAY_TRADING.expect(&[
        (&ack("Warning", &["21917"]), Outcome::Ok, None),
        (&ack("Failure", &["21916984"]), Outcome::AuthError, Some("21916984")),
        (&ack("Failure", &["21917053"]), Outcome::AuthError, Some("21917053")),
        (&ack("Failure", &["932"]), Outcome::AuthError, Some("932")),
        (&ack("Failure", &["1", "931"]), Outcome::AuthError, Some("931")),
        (&ack("Failure", &["518"]), Outcome::RateLimited, Some("518")),
        (&ack("Failure", &["10007"]), Outcome::AppError, Some("other")),
        (&ack("Failure", &["1", "10007"]), Outcome::AppError, Some("other")),
        (&ack("PartialFailure", &["canary"]), Outcome::AppError, Some("other")),
        (&ack("Failure", &[]), Outcome::AppError, None),
        (&ack("canary", &[]), Outcome::InvalidResponse, None),
        ("200\n\n<R><Ack>Success</Ack>", Outcome::InvalidResponse, None),
        ("200\n\n{\"canary\":1}", Outcome::InvalidResponse, None),
        ("503\n\nService Unavailable", Outcome::ServerError, None),
        ("503\ncontent-type: text/html\n\n<html>canary", Outcome::ServerError, None),
    ]);
}

pub(super) const AMAZON: Probe = Probe {
    preset: "amazon-sp-api",
    name: "listings",
    good: "200\ncontent-type: application/json\nx-amzn-RateLimit-Limit: 5.0\n\n{\"numberOfResults\":3,\"items\":[{\"sku\":\"canary\"}]}",
};

const AMAZON_PARTICIPATIONS: Probe = Probe {
    preset: "amazon-sp-api",
    name: "participations",
    good: "200\n\n{\"payload\":[\
           {\"marketplace\":{\"countryCode\":\"TR\"},\"participation\":{\"isParticipating\":true,\"hasSuspendedListings\":false}},\
           {\"marketplace\":{\"countryCode\":\"DE\"},\"participation\":{\"isParticipating\":true,\"hasSuspendedListings\":true}}]}",
};

#[test]
fn amazon_counts_errors_and_says_its_rate_when_all_is_well() {
    expect![[r#"
        marketplace_listings_with_errors 3
        searchListingsItems (header): refill 5
        marketplace_account_suspended_listings{TR} 0
        marketplace_account_suspended_listings{DE} 1
    "#]]
    .assert_eq(&(AMAZON.read() + &AMAZON_PARTICIPATIONS.read()));
    AMAZON.expect(&[
        // A role that is missing, a token that is over, and the wrong region look alike.
        (
            "403\n\n{\"errors\":[{\"code\":\"Unauthorized\",\"message\":\"canary\",\"details\":\"\"}]}",
            Outcome::Forbidden,
            None,
        ),
        ("429\n\n{\"errors\":[{\"code\":\"QuotaExceeded\"}]}", Outcome::RateLimited, Some("QuotaExceeded")),
        ("400\n\n{\"errors\":[{\"code\":\"InvalidInput\"}]}", Outcome::ClientError, None),
        ("503\n\n{\"errors\":[{\"code\":\"ServiceUnavailable\"}]}", Outcome::ServerError, None),
        ("200\n\n{\"errors\":[]}", Outcome::InvalidResponse, None),
        // Without the header all is well, too.
        ("200\n\n{\"numberOfResults\":0}", Outcome::Ok, None),
    ]);
    AMAZON_PARTICIPATIONS.expect(&[
        ("200\n\n{\"payload\":[]}", Outcome::Ok, None),
        ("200\n\n{\"payload\":[{\"marketplace\":{\"countryCode\":\"TR\"}}]}", Outcome::InvalidResponse, None),
    ]);
}

pub(super) const OZON: Probe = Probe {
    preset: "ozon",
    name: "roles",
    good: "200\ncontent-type: application/json\n\n{\"expires_at\":\"2027-05-01T00:00:00.123Z\",\"roles\":[{\"name\":\"canary\"}]}",
};

#[test]
fn ozon_says_when_the_key_ends() {
    assert_eq!(OZON.read(), "marketplace_auth_credential_expiry_timestamp_seconds{api_key} 1809129600\n");
    let refused = |message: &str| format!("403\n\n{{\"code\":7,\"message\":\"{message}\",\"details\":[]}}");
    OZON.expect(&[
        (&refused("Invalid Api-Key, please contact support"), Outcome::AuthError, None),
        (&refused("Api-key is deactivated"), Outcome::AuthError, None),
        (&refused("Company is blocked, please contact support"), Outcome::AuthError, None),
        ("403\n\n{\"code\":9}", Outcome::Forbidden, None),
        ("401\n\n{\"code\":16}", Outcome::AuthError, None),
        (
            "429\n\n{\"code\":8,\"message\":\"You have reached request rate limit per second\"}",
            Outcome::RateLimited,
            None,
        ),
        ("400\n\n{\"code\":8}", Outcome::RateLimited, None),
        ("404\n\n{\"code\":5}", Outcome::ClientError, None),
        ("403\ncontent-type: text/html\n\n<html><head><title>canary</title>", Outcome::Blocked, None),
        ("200\n\n{\"roles\":null}", Outcome::InvalidResponse, None),
    ]);
    // A key that never ends is no key that ended in the year 1.
    for expires_at in ["null", "\"\"", "\"0001-01-01T00:00:00Z\"", "\"9999-12-31T00:00:00Z\""] {
        let verdict = OZON.judge("production", &format!("200\n\n{{\"roles\":[],\"expires_at\":{expires_at}}}"));
        assert_eq!((verdict.outcome, verdict.numbers), (Outcome::Ok, vec![]), "{expires_at}");
    }
}

const OZON_QUOTA: Probe = Probe {
    preset: "ozon",
    name: "product-quota",
    good: "200\n\n{\"total\":{\"limit\":50000,\"usage\":900},\"daily_create\":{\"limit\":\"500\",\"usage\":17,\"reset_at\":\"2026-11-24T00:00:00Z\"}}",
};

#[test]
fn ozons_quota_of_new_products_is_read() {
    expect![[r#"
        marketplace_quota_limit{products} 50000
        marketplace_quota_used{products} 900
        marketplace_quota_limit{product_create_day} 500
        marketplace_quota_used{product_create_day} 17
    "#]]
    .assert_eq(&OZON_QUOTA.read());
}

pub(super) const GENERIC: Probe = Probe {
    preset: "generic",
    name: "http",
    good: "201\nx-limit-per-day: 10000\nx-remaining-today: 9998\nratelimit-reset: 60\n\nanything at all: canary",
};

#[test]
fn of_any_other_the_common_headers_are_read() {
    expect![[r#"
        default (header): limit 10000, remaining 9998, reset 1795446060
    "#]]
    .assert_eq(&GENERIC.read());
    GENERIC.expect(&[
        ("204\n\n", Outcome::Ok, None),
        ("200\ncontent-type: text/html\n\n<html>canary", Outcome::Ok, None),
        ("200\n\n{\"errors\":[{\"message\":\"canary\"}]}", Outcome::Ok, None),
        ("301\nlocation: https://login.example/\n\n", Outcome::ClientError, None),
        ("401\n\n", Outcome::AuthError, None),
        // Where anything is expected, a page of HTML is no sign of a wall.
        ("403\ncontent-type: text/html\n\n<html>canary", Outcome::Forbidden, None),
        ("503\ncontent-type: text/html\n\n<html>canary", Outcome::ServerError, None),
        ("404\n\n", Outcome::ClientError, None),
        ("500\n\n", Outcome::ServerError, None),
    ]);
}

const SHOPIFY: Probe = Probe {
    preset: "shopify",
    name: "shop",
    good: "200\n\n{\"data\":{\"shop\":{\"id\":\"gid://shopify/Shop/1\"}},\"extensions\":{\"cost\":{\"throttleStatus\":\
           {\"maximumAvailable\":2000.0,\"currentlyAvailable\":1999,\"restoreRate\":100.0}}}}",
};

#[test]
fn graphql_says_its_errors_with_200_and_its_limits_in_the_body() {
    assert_eq!(SHOPIFY.read(), "graphql (api): limit 2000, remaining 1999, refill 100\n");
    SHOPIFY.expect(&[
        (
            "200\n\n{\"errors\":[{\"message\":\"canary\",\"extensions\":{\"code\":\"THROTTLED\"}}]}",
            Outcome::RateLimited,
            Some("THROTTLED"),
        ),
        (
            "200\n\n{\"errors\":[{\"extensions\":{\"code\":\"ACCESS_DENIED\"}}]}",
            Outcome::Forbidden,
            Some("ACCESS_DENIED"),
        ),
        ("200\n\n{\"errors\":\"canary\"}", Outcome::AppError, None),
        ("200\n\n{\"data\":{\"shop\":null},\"errors\":null}", Outcome::InvalidResponse, None),
    ]);
}

#[test]
fn idefix_says_decimal_seconds() {
    let verdict = GENERIC.judge("production", "429\nX-Api-Call-Limit: 40\nRetry-After: 2.0\n\n");
    assert_eq!((verdict.outcome, verdict.retry_after.unwrap().as_secs_f64()), (Outcome::RateLimited, 2.0));
}
