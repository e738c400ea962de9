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
    fn any_target_has_a_route_and_only_the_administration_is_the_administration(
        target in targets(),
        agent in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        fuzz::route(&[&target, &b"\n"[..], &agent].concat());
    }
}
