//! Every shop's own pages, and what people send who are no customers.

use proptest::prelude::*;

use super::super::line::Line;
use super::*;

const BROWSER: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";

const SHOPS: [(Preset, &str); 6] = [
    (Preset::Opencart3, include_str!("../../../../tests/fixtures/access_log/opencart3.tsv")),
    (Preset::Opencart4, include_str!("../../../../tests/fixtures/access_log/opencart4.tsv")),
    (Preset::Woocommerce, include_str!("../../../../tests/fixtures/access_log/woocommerce.tsv")),
    (Preset::Magento2, include_str!("../../../../tests/fixtures/access_log/magento2.tsv")),
    (Preset::Prestashop, include_str!("../../../../tests/fixtures/access_log/prestashop.tsv")),
    (Preset::Laravel, include_str!("../../../../tests/fixtures/access_log/laravel.tsv")),
];

/// The keys of a target that are about routes.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    #[serde(default)]
    shop: Shops,
    #[serde(default)]
    base: Base,
    #[serde(default)]
    admin_path: AdminPath,
    #[serde(default)]
    routes: Vec<Rule>,
}

fn configured(text: &str) -> Result<Routes, String> {
    let keys: Keys = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    Routes::new(&keys.shop, &keys.base, &keys.admin_path, &keys.routes)
}

fn of(preset: Preset) -> Routes {
    configured(&format!("shop = '{}'", preset.as_str())).unwrap()
}

fn asked<'a>(routes: &Routes, target: &'a str, agent: &'a str) -> &'static str {
    let line = Line { target: target.as_bytes(), agent: agent.as_bytes(), ..Line::default() };
    routes.route(&line).as_str()
}

#[track_caller]
fn expect_routes(config: &str, pages: &[(&str, &str)]) {
    let routes = configured(config).unwrap();
    for (target, route) in pages {
        assert_eq!(asked(&routes, target, BROWSER), *route, "{target} with {config}");
    }
}

#[test]
fn every_shops_own_pages_have_their_routes() {
    let mut wrong = Vec::new();
    for (preset, fixture) in SHOPS {
        let routes = of(preset);
        let mut seen = std::collections::BTreeSet::new();
        let rows = fixture.lines().filter(|line| !line.starts_with("# "));
        for row in rows.clone() {
            let [_, target, agent, route] = row.split('\t').collect::<Vec<_>>().try_into().unwrap();
            let found = asked(&routes, target, if agent == "browser" { BROWSER } else { agent });
            if found != route {
                wrong.push(format!("{}: {target} is {found}, not {route}", preset.as_str()));
            }
            seen.insert(route.to_owned());
        }
        assert!(rows.count() >= 40, "{preset:?}");
        let missing: Vec<_> = Route::ALL.iter().filter(|route| !seen.contains(route.as_str())).collect();
        assert!(missing.is_empty(), "{preset:?} has no page of {missing:?}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn without_a_shop_words_that_shops_have_in_common_count() {
    expect_routes(
        "",
        &[
            ("/", "home"),
            ("/sepet", "cart"),
            ("/tr/sepetim/", "cart"),
            ("/odeme/adres", "checkout"),
            ("/uye-girisi", "account"),
            ("/arama?q=kazak", "search"),
            ("/urun/mavi-kazak", "product"),
            ("/kategori/kazak", "category"),
            ("/collections/shirts/products/blue", "product"),
            ("/api/v1/orders", "api"),
            ("/payment/iyzico/callback", "marketplace_webhook"),
            ("/n11/webhook", "marketplace_webhook"),
            ("/logo.svg", "static"),
            ("/.well-known/acme-challenge/x", "static"),
            ("/blog/sitemap-posts.xml", "static"),
            ("/pc", "other"),
            ("/admin", "other"),
            ("/wp-login.php", "other"),
        ],
    );
}

#[test]
fn own_rules_come_first_and_the_first_that_fits_counts() {
    let rules = r#"
        shop = "opencart4"
        [[routes]]
        route = "category"
        exact = ["/bilgisayar", "/telefon"]
        [[routes]]
        route = "product"
        path = ["/bilgisayar", "/telefon"]
        [[routes]]
        route = "checkout"
        path = "/hızlı-sipariş"
        [[routes]]
        route = "product"
        suffix = "-p.html"
        [[routes]]
        route = "product"
        contains = "-p-"
        [[routes]]
        route = "api"
        path = "/stok/*/xml"
        argument = "anahtar"
        [[routes]]
        route = "marketplace_webhook"
        argument = "route"
        value = "extension/module/trendyol*"
        [[routes]]
        route = "static"
        path = "/admin/rapor"
    "#;
    expect_routes(
        rules,
        &[
            ("/bilgisayar", "category"),
            ("/bilgisayar/?page=2", "category"),
            ("/tr/telefon", "category"),
            ("/bilgisayar/dizustu-x1", "product"),
            ("/bilgisayarlar", "other"),
            ("/h%C4%B1zl%C4%B1-sipari%C5%9F/adres", "checkout"),
            ("/kazak-p.html", "product"),
            ("/a/kazak-p-17", "product"),
            ("/stok/17/xml?anahtar=x", "api"),
            ("/stok/17/xml", "other"),
            ("/index.php?route=extension/module/trendyol/siparis", "marketplace_webhook"),
            ("/index.php?route=extension%2Fmodule%2Ftrendyol", "marketplace_webhook"),
            ("/index.php?route=extension/module/n11", "other"),
            ("/index.php?route=checkout/cart", "cart"),
            ("/admin/rapor/x", "static"),
            ("/admin/", "admin"),
        ],
    );
}

#[test]
fn a_shop_in_a_folder_begins_there() {
    let pages = [
        ("/shop/", "home"),
        ("/shop", "home"),
        ("/shop/index.php?route=checkout/cart", "cart"),
        ("/shop/tr-tr/catalog/desktops", "category"),
        ("/shop/admin/", "admin"),
        ("/shop/x.css", "static"),
        ("/", "other"),
        ("/admin/", "other"),
        ("/shopping/", "other"),
        ("/index.php?route=checkout/cart", "other"),
        ("/theme.css", "static"),
    ];
    expect_routes("shop = 'opencart4'\nbase = '/shop'", &pages);
    expect_routes(
        "shop = 'magento2'\nbase = ['/', '/store_tr']",
        &[("/store_tr/checkout/cart/", "cart"), ("/checkout/cart/", "cart"), ("/store_tr", "home"), ("/", "home")],
    );
}

#[test]
fn a_named_administration_is_the_only_one() {
    let pages = [
        ("/backoffice", "admin"),
        ("/backoffice/index.php?route=common/login", "admin"),
        ("/%62ackoffice/", "admin"),
        ("//backoffice//index.php", "admin"),
        ("/admin/", "other"),
        ("/admin/index.php?route=common/dashboard&user_token=x", "other"),
        ("/Backoffice/", "other"),
        ("/backoffice2/", "other"),
        ("/backoffice;x/", "other"),
        ("/tr/backoffice/", "other"),
        ("/x?y=/backoffice/", "other"),
    ];
    expect_routes("shop = 'opencart3'\nadmin_path = '/backoffice'", &pages);
    let folder = "shop = 'prestashop'\nbase = '/shop'\nadmin_path = '/shop/admin482'";
    expect_routes(folder, &[("/shop/admin482/", "admin"), ("/admin482/", "other"), ("/shop/admin123/", "other")]);
    expect_routes("admin_path = ['/a', '/b']", &[("/a", "admin"), ("/b/c", "admin"), ("/c", "other")]);
}

#[test]
fn several_shops_share_a_log() {
    let shops = "shop = ['woocommerce', 'opencart3']";
    expect_routes(
        shops,
        &[("/?route=product/product", "product"), ("/?add-to-cart=7", "cart"), ("/wp-admin/", "admin")],
    );
}

#[test]
fn nobody_finds_a_shop_behind_an_absurd_target() {
    let long = format!("/{}admin/", "x/../".repeat(20_000));
    let query = format!("/index.php?{}route=checkout/cart", "a=b&".repeat(20_000));
    let pages = [
        (&long[..], "other"),
        (&query, "home"),
        ("", "home"),
        ("*", "other"),
        ("shop.example:443", "other"),
        ("http://shop.example/admin/", "admin"),
        ("http://shop.example", "home"),
        ("/../admin/", "other"),
        ("/%2e%2e/admin/", "other"),
        ("/x/%2e%2e/admin/", "admin"),
        ("/admin%00/", "other"),
        ("/%2561dmin/", "other"),
        (r"/\x61dmin/", "other"),
        (r"/\x5Cadmin/", "other"),
        ("/./admin", "admin"),
        (r"\x16\x03\x01", "other"),
    ];
    expect_routes("shop = 'opencart3'", &pages);
}

#[test]
fn mistakes_name_the_way_out() {
    for (config, message) in [
        ("shop = 'oscommerce'", "unknown variant `oscommerce`, expected one of `opencart3`, `opencart4`"),
        ("shop = 3", "invalid type: integer `3`, expected text in quotation marks, or a list of such"),
        ("base = 'shop'", "`shop` is not a path\nwrite it from the first `/` on"),
        ("admin_path = '/a?b'", "`/a?b` is not a path\n"),
        ("admin_path = '/../a'", "`/../a` is not a path\n"),
        ("[[routes]]\nroute = 'basket'\npath = '/b'", "`basket` is no route\nknown here: home, category, product"),
        ("[[routes]]\nroute = 'chekout'\npath = '/b'", "`chekout` is no route\ndid you mean `checkout`?"),
        ("[[routes]]\nroute = 'cart'", "nothing is said of which pages are `cart`\nadd path = \"/kasa\""),
        ("[[routes]]\nroute = 'cart'\npath = 'kasa'", "`kasa` is not a path\n"),
        ("[[routes]]\nroute = 'cart'\nvalue = 'x'", "`x` is the value of no argument\nname it: argument = \"route\""),
        ("[[routes]]\nroute = 'cart'\nsuffix = ''", "a text of 0 bytes is found nowhere\nwrite 1 to 2048 bytes"),
        ("[[routes]]\nroute = 'cart'\npfad = '/x'", "unknown field `pfad`"),
    ] {
        let said = configured(config).unwrap_err();
        assert!(said.starts_with(message), "{config}: {said}");
    }
    let many = format!("[[routes]]\nroute = 'cart'\nexact = [{}]", "'/a',".repeat(5001));
    assert!(configured(&many).unwrap_err().starts_with("the routes name 5001 paths and texts\n5000 are the most"));
}

/// What could come as a target, near enough to the truth to get somewhere.
fn targets() -> impl Strategy<Value = Vec<u8>> {
    let words: &[&[u8]] = &[
        b"/",
        b"admin",
        b"index.php",
        b"?",
        b"&",
        b"=",
        b"route",
        b"checkout",
        b"cart",
        b"..",
        b".",
        b"%",
        b"%2f",
        b"%2e",
        b"\\x",
        b"\\\\",
        b"tr",
        b";",
        b"//",
        b"://",
        b".css",
        b"|",
        b"\xff",
        b"\0",
        b"1-x.html",
        b"user_token",
    ];
    proptest::collection::vec(proptest::sample::select(words), 0..24).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn any_bytes_have_a_route(target in targets(), agent in proptest::collection::vec(any::<u8>(), 0..64)) {
        for (preset, _) in SHOPS {
            let routes = of(preset);
            let route = routes.route(&Line { target: &target, agent: &agent, ..Line::default() });
            let seen = routes.route(&Line { target: &target, agent: b"Googlebot/2.1", ..Line::default() });
            // Who asks turns pages into a crawler's, and nothing else.
            prop_assert!(seen == route || seen == Route::Bot);
        }
    }

    #[test]
    fn only_a_path_with_the_administrations_name_in_it_is_the_administration(target in targets()) {
        let routes = configured("shop = 'opencart4'\nadmin_path = '/admin'").unwrap();
        let route = routes.route(&Line { target: &target, ..Line::default() });
        let (path, _) = Line { target: &target, ..Line::default() }.path_and_query();
        let decoded: Vec<_> = decode::of_path(path).collect();
        prop_assert!(route != Route::Admin || memchr::memmem::find(&decoded, b"/admin").is_some());
    }

    #[test]
    fn opencarts_route_is_clean_and_fits(query in targets()) {
        let mut buffer = [0; 16];
        if let Some(route) = Routes::opencart_route(&query, &mut buffer) {
            prop_assert!(route.len() <= 16 && route.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_/.".contains(byte)));
        }
    }
}
