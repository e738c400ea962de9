//! Every shop's own pages, and what a configuration says of them.

use super::super::line::Line;
use super::*;

mod hostile;

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

/// The examples of `docs/routes.md`.
fn documented() -> String {
    let document = include_str!("../../../../docs/routes.md");
    let blocks = document.split("```toml\n").skip(1).map(|block| block.split("```").next().unwrap());
    // A target has other keys too.
    let is_ours = |line: &&str| !line.starts_with("[access") && !line.starts_with("files");
    let lines = blocks.flat_map(str::lines).filter(is_ours);
    lines.map(|line| line.replace("access_log.targets.main.", "") + "\n").collect()
}

#[test]
fn the_documents_examples_do_what_it_says() {
    expect_routes(
        &documented(),
        &[
            ("/desktops/mac", "category"),
            ("/desktops/mac/imac", "product"),
            ("/phones/iphone", "product"),
            ("/kasa/adres", "checkout"),
            ("/kasalar", "other"),
            ("/index.php?route=extension/module/trendyol/x", "marketplace_webhook"),
            ("/stok/7/xml?anahtar=x", "api"),
            ("/checkout/cart", "cart"),
            ("/iphone", "other"),
            ("/ADMIN", "other"),
        ],
    );
}

#[test]
fn the_document_names_every_route_and_every_shop() {
    let document = include_str!("../../../../docs/routes.md");
    assert!(Route::ALL.iter().all(|route| document.contains(&format!("| `{}` |", route.as_str()))));
    assert!(Preset::ALL.iter().all(|shop| document.contains(&format!("`{}`", shop.as_str()))));
}
