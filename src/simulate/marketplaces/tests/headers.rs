//! Marketplaces whose credentials stand in headers.

use super::*;

const TRENDYOL: &str = "https://apigw.trendyol.com/integration";
const AGENT: (&str, &str) = ("User-Agent", "100001 - SelfIntegration");

fn trendyol() -> (At, String) {
    let at = At::new("trendyol");
    let key = basic(at.secret("api_key"), at.secret("api_secret"));
    (at, key)
}

#[test]
fn trendyol_lets_in_who_names_seller_and_program_and_has_the_key() {
    let (mut shop, key) = trendyol();
    let url = format!("{TRENDYOL}/product/sellers/100001/products/approved?page=0&size=1");
    let good = shop.get(&url, &[AGENT, ("Authorization", &key)]);
    assert_eq!((good.status.as_u16(), at(&good, "/totalElements")), (200, "1250".to_owned()));
    assert!(good.value()["content"].is_array());

    let wrong = shop.get(&url, &[AGENT, ("Authorization", &basic("a", "b"))]);
    assert_eq!((wrong.status.as_u16(), at(&wrong, "/exception").as_str()), (401, "ClientApiAuthenticationException"));
    for agent in
        ["", "100001", "seller - SelfIntegration", "100001 - Self Integration", &format!("1 - {}", "x".repeat(31))]
    {
        assert_eq!(shop.get(&url, &[("User-Agent", agent), ("Authorization", &key)]).status, 403, "{agent:?}");
    }
    assert_eq!(shop.get(&url, &[("Authorization", &key)]).status, 403);
    let other = format!("{TRENDYOL}/product/sellers/7/products/approved");
    assert_eq!(shop.get(&other, &[AGENT, ("Authorization", &key)]).status, 401);
    assert_eq!(shop.get(&format!("{url}0000"), &[AGENT, ("Authorization", &key)]).status, OBJECTION);
}

#[test]
fn trendyol_answers_fifty_requests_in_ten_seconds_and_thirty_orders_a_minute() {
    let (mut shop, key) = trendyol();
    let headers = [AGENT, ("Authorization", key.as_str())];
    let url = format!("{TRENDYOL}/product/sellers/100001/products/approved?size=1");
    assert_eq!(statuses(50, || shop.get(&url, &headers)), [200]);
    let throttled = shop.get(&url, &headers);
    assert_eq!((throttled.status.as_u16(), at(&throttled, "/errors/0/key").as_str()), (429, "too.many.requests"));
    assert_eq!(throttled.header("Retry-After"), None);
    // Each path has its own.
    let rejected = format!("{TRENDYOL}/product/sellers/100001/products/unapproved");
    assert_eq!(shop.get(&rejected, &headers).status, 200);
    shop.now = Duration::from_secs(10);
    assert_eq!(shop.get(&url, &headers).status, 200);

    let orders = format!("{TRENDYOL}/order/sellers/100001/v2/orders?size=1&orderByDirection=DESC");
    assert_eq!(statuses(31, || shop.get(&orders, &headers)), [200, 429]);
}

#[test]
fn trendyol_has_an_order_each_minute_and_none_of_the_old_version() {
    let (mut shop, key) = trendyol();
    let headers = [AGENT, ("Authorization", key.as_str())];
    let orders = format!("{TRENDYOL}/order/sellers/100001/v2/orders");
    // 12:34:00, and with none since the start an hour later still the same.
    assert_eq!(at(&shop.get(&orders, &headers), "/content/0/lastModifiedDate"), "1795437240000");
    shop.now = Duration::from_hours(1);
    shop.plot.no_orders_since = Some(Duration::ZERO);
    assert_eq!(at(&shop.get(&orders, &headers), "/content/0/lastModifiedDate"), "1795437240000");
    shop.plot.no_orders_since = None;
    assert_eq!(at(&shop.get(&orders, &headers), "/content/0/lastModifiedDate"), "1795440840000");
    assert_eq!(shop.get(&format!("{TRENDYOL}/order/sellers/100001/orders"), &headers).status, 426);
}

#[test]
fn trendyol_has_a_stage_for_addresses_on_its_list() {
    let (mut shop, key) = trendyol();
    let url = "https://stageapigw.trendyol.com/integration/product/sellers/100001/products/approved";
    assert_eq!(shop.get(url, &[]).status, 503);
    shop.is_listed = true;
    assert_eq!(shop.get(url, &[AGENT, ("Authorization", &key)]).status, 200);
}

#[test]
fn n11_refuses_each_of_its_services_in_its_own_words() {
    let mut shop = At::new("n11");
    let keys = [("appkey", shop.secret("app_key")), ("appsecret", shop.secret("app_secret"))];
    let (products, orders) =
        ("https://api.n11.com/ms/product-query?page=0&size=1", "https://api.n11.com/rest/delivery/v1/shipmentPackages");
    assert!(shop.get(products, &keys).value()["content"].is_array());
    assert!(shop.get(orders, &keys).value()["content"].is_array());

    let wrong = [keys[0], ("appsecret", "b")];
    let refused = shop.get(products, &wrong);
    assert_eq!(
        (refused.status.as_u16(), at(&refused, "/exception").as_str()),
        (401, "SellerApiUserUnauthorizedException")
    );
    let refused = shop.get(orders, &keys[..1]);
    assert_eq!((refused.status.as_u16(), &refused.body[..]), (403, b"Authentication failed".as_slice()));
    assert!(refused.header("content-type").unwrap().starts_with("text/plain"));
    assert_eq!(shop.get(products, &[keys[0], keys[1], ("Authorization", "Basic")]).status, OBJECTION);
}

#[test]
fn n11_answers_a_thousand_requests_for_orders_a_minute() {
    let mut shop = At::new("n11");
    let keys = [("appkey", shop.secret("app_key")), ("appsecret", shop.secret("app_secret"))];
    let url = "https://api.n11.com/rest/delivery/v1/shipmentPackages";
    assert_eq!(statuses(1_001, || shop.get(url, &keys)), [200, 429]);
}

#[test]
fn n11_has_soap_whose_errors_are_200() {
    let mut shop = At::new("n11");
    let url = "https://api.n11.com/ws/returnService/";
    let auth = |prefix: &str, key: &str, secret: &str| {
        format!("<{prefix}appKey>{key}</{prefix}appKey><{prefix}appSecret>{secret}</{prefix}appSecret>")
    };
    let (key, secret) = (shop.secret("app_key"), shop.secret("app_secret"));
    let soap = |shop: &mut At, body: &str| {
        let reply = shop.ask("POST", url, &[("SOAPAction", "\"\"")], body);
        (reply.status.as_u16(), String::from_utf8(reply.body.to_vec()).unwrap())
    };
    let good = soap(&mut shop, &auth("", key, secret));
    assert!(good.0 == 200 && good.1.contains("<result><status>success</status>"), "{good:?}");
    for wrong in [auth("sch:", key, secret), auth("", key, "b")] {
        let refused = soap(&mut shop, &wrong);
        assert!(refused.0 == 200 && refused.1.contains("SELLER_API.authenticationFailed"), "{refused:?}");
    }
    for (variant, status, says) in
        [("failure", 200, "<status>failure</status>"), ("fault", 200, "env:Fault"), ("fault_500", 500, "env:Fault")]
    {
        shop.plays(Scene::AppError, Some(variant));
        let error = soap(&mut shop, &auth("", key, secret));
        assert!(error.0 == status && error.1.contains(says), "{error:?}");
    }
    // Of the rest nothing of the kind is known.
    let keys = [("appkey", key), ("appsecret", secret)];
    assert_eq!(shop.get("https://api.n11.com/ms/product-query", &keys).status, 200);
}

#[test]
fn hepsiburada_wants_the_key_and_a_registered_program_and_tells_what_is_left() {
    let mut shop = At::new("hepsiburada");
    let merchant = shop.secret("merchant_id");
    let key = basic(merchant, shop.secret("service_key"));
    let agent = ("User-Agent", shop.secret("integrator_user"));
    let listings = format!("https://listing-external.hepsiburada.com/Listings/merchantid/{merchant}?offset=0&limit=1");
    let good = shop.get(&listings, &[agent, ("Authorization", &key)]);
    assert!(good.value()["listings"].is_array() && at(&good, "/totalCount") == "310");
    for headers in [vec![agent], vec![("User-Agent", "other"), ("Authorization", key.as_str())]] {
        assert_eq!(shop.get(&listings, &headers).status, 401);
    }

    let orders = format!("https://oms-external.hepsiburada.com/orders/merchantid/{merchant}");
    let headers = [agent, ("Authorization", key.as_str())];
    assert_eq!(shop.get(&orders, &headers).status, 400);
    let orders = format!("{orders}?offset=0&limit=1");
    let left = |shop: &mut At| {
        let reply = shop.get(&orders, &headers);
        let header = |name: &str| reply.header(&format!("X-RateLimit-{name}")).unwrap().parse::<u32>().unwrap();
        (reply.status.as_u16(), header("Limit"), header("Remaining"), header("Reset"))
    };
    assert_eq!([left(&mut shop), left(&mut shop)], [(200, 1_000, 999, 1), (200, 1_000, 998, 1)]);
    for _ in 0..998 {
        left(&mut shop);
    }
    assert_eq!(left(&mut shop), (429, 1_000, 0, 1));
    // The catalogue bans who asks too often.
    assert_eq!(shop.get("https://mpop.hepsiburada.com/product/api/categories", &headers).status, OBJECTION);
}

#[test]
fn ozon_takes_posts_of_json_with_a_number_and_a_key() {
    let mut shop = At::new("ozon");
    let keys = [("Client-Id", shop.secret("client_id")), ("Api-Key", shop.secret("api_key"))];
    let roles = "https://api-seller.ozon.ru/v1/roles";
    let good = shop.ask("POST", roles, &keys, "{}");
    assert!(good.value()["roles"].is_array());
    assert_eq!(at(&good, "/expires_at"), "2027-03-23T12:34:56Z");
    let limits = shop.ask("POST", "https://api-seller.ozon.ru/v4/product/info/limit", &keys, "{}");
    assert_eq!((at(&limits, "/total/limit").as_str(), at(&limits, "/daily_create/usage").as_str()), ("100000", "20"));

    let wrong = shop.ask("POST", roles, &[keys[0], ("Api-Key", "b")], "{}");
    assert_eq!((wrong.status.as_u16(), at(&wrong, "/code").as_str()), (403, "7"));
    for (headers, body) in [(vec![("Client-Id", "me"), keys[1]], "{}"), (vec![keys[1]], "{}"), (keys.to_vec(), "")] {
        assert_eq!(shop.ask("POST", roles, &headers, body).status, OBJECTION);
    }
    assert_eq!(shop.get(roles, &keys).status, OBJECTION);
}

#[test]
fn ozon_has_three_texts_for_a_key_that_is_refused_and_keys_that_end() {
    let mut shop = At::new("ozon");
    let keys = [("Client-Id", shop.secret("client_id")), ("Api-Key", shop.secret("api_key"))];
    let roles = "https://api-seller.ozon.ru/v1/roles";
    for (variant, says) in
        [("invalid", "Invalid Api-Key"), ("deactivated", "is deactivated"), ("company_blocked", "is blocked")]
    {
        shop.plays(Scene::WrongKey, Some(variant));
        let reply = shop.ask("POST", roles, &keys, "{}");
        assert_eq!(reply.status, 403);
        assert!(at(&reply, "/message").contains(says), "{reply:?}");
    }
    shop.plot = Plot { key_ends: Some(Duration::from_mins(1)), ..Plot::default() };
    assert_eq!(at(&shop.ask("POST", roles, &keys, "{}"), "/expires_at"), "2026-11-23T12:35:56Z");
    shop.now = Duration::from_mins(1);
    assert!(at(&shop.ask("POST", roles, &keys, "{}"), "/message").contains("is deactivated"));
}

#[test]
fn ozon_answers_fifty_requests_a_second_whatever_they_are() {
    let mut shop = At::new("ozon");
    let keys = [("Client-Id", shop.secret("client_id")), ("Api-Key", shop.secret("api_key"))];
    let ask = |shop: &mut At, path: &str| shop.ask("POST", &format!("https://api-seller.ozon.ru{path}"), &keys, "{}");
    assert_eq!(statuses(49, || ask(&mut shop, "/v1/roles")), [200]);
    assert_eq!(ask(&mut shop, "/v1/seller/info").status, 200);
    let throttled = ask(&mut shop, "/v3/posting/fbs/list");
    assert_eq!((throttled.status.as_u16(), at(&throttled, "/code").as_str()), (429, "8"));
}

#[test]
fn ciceksepeti_wants_a_key_and_five_seconds_between_requests_and_ten_minutes_between_two_that_are_the_same() {
    let mut shop = At::new("ciceksepeti");
    let headers = [("x-api-key", shop.secret("api_key")), ("User-Agent", "100001-Vitrin")];
    let url = |sort: u32| format!("https://apis.ciceksepeti.com/api/v1/Products?PageSize=1&Page=1&SortMethod={sort}");
    let good = shop.get(&url(1), &headers);
    assert!(good.value()["products"].is_array() && at(&good, "/totalCount") == "88");
    let status = |shop: &mut At, seconds, sort| {
        shop.now = Duration::from_secs(seconds);
        shop.get(&url(sort), &headers).status.as_u16()
    };
    assert_eq!(status(&mut shop, 4, 2), 429);
    assert_eq!(status(&mut shop, 5, 2), 200);
    assert_eq!([status(&mut shop, 599, 1), status(&mut shop, 604, 1)], [429, 200]);

    let refused = shop.get(&url(3), &[("x-api-key", "b"), headers[1]]);
    assert!(refused.status == 401 && at(&refused, "/Message") == "Geçersiz API Key");
    shop.plays(Scene::WrongKey, Some("text"));
    assert_eq!(shop.get(&url(3), &headers).body, "Geçersiz API Key");
    assert_eq!(shop.get(&url(3), &headers[..1]).status, OBJECTION);
    assert_eq!(shop.get(&url(9), &headers).status, OBJECTION);
}

#[test]
fn any_other_server_has_what_is_asked_for_and_tells_its_limit_in_every_spelling() {
    let mut shop = At::new("generic");
    let good = shop.get("https://api.example/any/thing?at=all", &[]);
    assert_eq!(good.status, 200);
    for name in ["RateLimit-Remaining", "X-RateLimit-Remaining", "X-Rate-Limit-Remaining", "X-Remaining-Today"] {
        assert_eq!(good.header(name), Some("599"), "{name}");
    }
    let bearer = |token: &str| format!("Bearer {token}");
    let right = bearer(shop.secret("token"));
    assert_eq!(shop.get("https://api.example/", &[("Authorization", &right)]).status, 200);
    assert_eq!(shop.get("https://api.example/", &[("Authorization", &bearer("b"))]).status, 401);
    assert_eq!(shop.ask("PUT", "https://api.example/", &[], "").status, OBJECTION);

    shop.plays(Scene::AppError, None);
    let error = shop.get("https://api.example/", &[]);
    assert!(error.status == 200 && error.value()["errors"].is_array());
    shop.plays(Scene::RateLimited, None);
    let throttled = shop.get("https://api.example/", &[]);
    assert_eq!((throttled.status.as_u16(), throttled.header("Retry-After")), (429, Some("2.0")));
}
