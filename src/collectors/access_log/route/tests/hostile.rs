//! What people send who are no customers.

use proptest::prelude::*;

use super::*;

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
