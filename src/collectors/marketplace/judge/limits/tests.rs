use std::time::UNIX_EPOCH;

use hyper::StatusCode;
use hyper::header::{HeaderName, HeaderValue};

use super::super::rules::Rules;
use super::*;
use crate::collectors::marketplace::exchange::Answer;

const NOW: u64 = 1_795_446_000;

fn limits(rule: &str, headers: &[(&str, &str)], body: &str) -> (Vec<Said>, Vec<String>) {
    let rules: Rules = toml::from_str(&format!("[[rate_limit]]\n{rule}")).unwrap();
    rules.check().unwrap();
    let headers = headers
        .iter()
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap()));
    let answer = Answer { status: StatusCode::OK, headers: headers.collect(), body: body.into() };
    let mut because = Vec::new();
    let now = UNIX_EPOCH + Duration::from_secs(NOW);
    let said = super::limits(&rules.rate_limit, &Seen::new(&answer, "production", body), now, &mut because);
    (said, because)
}

const COMMON: &str = "bucket = 'orders'\nlimit = ['RateLimit-Limit', 'X-RateLimit-Limit']\n\
                      remaining = 'X-RateLimit-Remaining'\nwindow = '1s'\n\
                      reset = { from = 'X-RateLimit-Reset', as = 'delta_seconds' }\n";

#[test]
fn headers_say_limit_remaining_and_reset() {
    let headers = [("x-ratelimit-limit", "1000"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "2.5")];
    let (said, because) = limits(COMMON, &headers, "");
    let limit = Limit {
        bucket: "orders".into(),
        is_api: false,
        limit: Some(1_000.0),
        remaining: Some(0.0),
        refill: None,
        reset: Some(1_795_446_002.5),
        window: Some(1.0),
    };
    assert_eq!(said, [Said { limit, wait: Some(Duration::from_millis(2_500)) }]);
    assert!(said[0].is_used_up() && because.is_empty());
}

#[test]
fn of_several_names_the_first_that_is_there_counts_and_of_a_list_its_first_member() {
    let headers = [("x-ratelimit-limit", "1000"), ("ratelimit-limit", "100, 100;w=60")];
    assert_eq!(limits(COMMON, &headers, "").0[0].limit.limit, Some(100.0));
}

#[test]
fn when_nothing_is_said_that_is_said_unless_it_may_be() {
    assert_eq!(limits(COMMON, &[], ""), (vec![], vec!["nothing is said of the limit `orders`".to_owned()]));
    assert_eq!(limits(&format!("{COMMON}optional = true"), &[], ""), (vec![], vec![]));
    for value in ["many", "-1", "inf", "1e99", "1/40", "\u{e7}"] {
        assert_eq!(limits(&format!("{COMMON}optional = true"), &[("x-ratelimit-limit", value)], "").0, [], "{value}");
    }
}

#[test]
fn a_rate_is_what_amazon_says() {
    let rule = "bucket = 'searchListingsItems'\nrate = 'x-amzn-RateLimit-Limit'";
    let (said, _) = limits(rule, &[("x-amzn-ratelimit-limit", "0.0056")], "");
    let limit = Limit { bucket: "searchListingsItems".into(), refill: Some(0.0056), ..Limit::default() };
    assert_eq!(said, [Said { limit, wait: None }]);
}

#[test]
fn the_wait_for_a_time_is_counted_from_the_clock_that_wrote_it() {
    let rule = "bucket = 'b'\nreset = { from = 'reset', as = 'epoch_seconds' }";
    let headers = [("reset", "1795446030"), ("date", "Mon, 23 Nov 2026 14:59:50 GMT")];
    let said = limits(rule, &headers, "").0;
    assert_eq!((said[0].limit.reset, said[0].wait), (Some(1_795_446_030.0), Some(Duration::from_secs(40))));
}

const EBAY: &str = "source = 'body'\nforeach = ['/rateLimits', '/resources', '/rates']\n\
                    bucket = '{{0./apiContext}}.{{0./apiName}}.{{1./name}}'\nallow = ['tradingapi.*', 'sell.Account.account']\n\
                    max_buckets = 3\nlimit = '/limit'\nremaining = '/remaining'\nwindow_from = '/timeWindow'\n\
                    reset = { from = '/reset', as = 'rfc3339' }\n";

fn ebay(resources: &str) -> (Vec<Said>, Vec<String>) {
    limits(
        EBAY,
        &[],
        &format!(r#"{{"rateLimits":[{{"apiContext":"tradingapi","apiName":"T","resources":[{resources}]}}]}}"#),
    )
}

#[test]
fn a_body_says_one_limit_for_each_element_of_arrays_in_arrays() {
    let (said, because) = ebay(
        r#"{"name":"GetUser","rates":[{"limit":5000,"remaining":"4999","reset":"2026-11-24T08:00:00.000Z","timeWindow":86400}]},
           {"name":"None","rates":[]},{"rates":[{"limit":1}]},{"name":"AddItem","rates":[{"limit":10}]}"#,
    );
    let first = Limit {
        bucket: "tradingapi.T.GetUser".into(),
        is_api: true,
        limit: Some(5_000.0),
        remaining: Some(4_999.0),
        refill: None,
        reset: Some(1_795_507_200.0),
        window: Some(86_400.0),
    };
    assert_eq!(said[0], Said { limit: first, wait: Some(Duration::from_hours(17)) });
    assert_eq!(said[1].limit.bucket, "tradingapi.T.AddItem");
    assert_eq!((said.len(), because), (2, vec![]));
}

#[test]
fn of_two_windows_of_one_limit_the_tighter_counts() {
    let rates = [r#"{"limit":5000,"remaining":2500}"#, r#"{"limit":10,"remaining":1}"#, r#"{"limit":7}"#];
    for order in [[0, 1, 2], [1, 2, 0], [2, 0, 1]] {
        let rates = order.map(|n| rates[n]).join(",");
        let (said, _) = ebay(&format!(r#"{{"name":"x","rates":[{rates}]}}"#));
        assert_eq!(said.iter().map(|said| said.limit.remaining).collect::<Vec<_>>(), [Some(1.0)], "{order:?}");
    }
}

#[test]
fn only_limits_that_are_named_are_shown_and_not_too_many() {
    let body = r#"{"rateLimits":[
        {"apiContext":"buy","apiName":"B","resources":[{"name":"b","rates":[{"limit":1}]}]},
        {"apiContext":"sell","apiName":"Account","resources":[{"name":"account","rates":[{"limit":1}]},
            {"name":"account2","rates":[{"limit":1}]}]}]}"#;
    let (said, because) = limits(EBAY, &[], body);
    assert_eq!(said.iter().map(|said| said.limit.bucket.as_str()).collect::<Vec<_>>(), ["sell.Account.account"]);
    assert!(because.is_empty());
    let resources: Vec<String> = (0..9).map(|n| format!(r#"{{"name":"{n}","rates":[{{"limit":1}}]}}"#)).collect();
    let (said, because) = ebay(&resources.join(","));
    assert_eq!(said.len(), 3);
    assert_eq!(
        because,
        ["there are more limits `{{0./apiContext}}.{{0./apiName}}.{{1./name}}` than 3; the rest is dropped"]
    );
}

#[test]
fn a_body_without_arrays_says_one_limit() {
    let rule = "bucket = 'graphql'\nsource = 'body'\nlimit = '/extensions/cost/throttleStatus/maximumAvailable'\n\
                remaining = '/extensions/cost/throttleStatus/currentlyAvailable'\nrate = '/extensions/cost/throttleStatus/restoreRate'";
    let body = r#"{"extensions":{"cost":{"throttleStatus":{"maximumAvailable":2000.0,"currentlyAvailable":1990,"restoreRate":100.0}}}}"#;
    let limit = Limit {
        bucket: "graphql".into(),
        is_api: true,
        limit: Some(2_000.0),
        remaining: Some(1_990.0),
        refill: Some(100.0),
        ..Limit::default()
    };
    assert_eq!(limits(rule, &[], body).0, [Said { limit, wait: None }]);
}
