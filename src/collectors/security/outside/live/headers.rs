//! Headers as nginx sends them: one is another from row to row, and flips its own check alone.

use std::fmt::Write as _;

use expect_test::expect;

use super::authority::{Authority, GOOD};
use super::nginx::{Nginx, address};
use super::{told, visited};
use crate::collectors::security::check::Check;

const CHECKS: [Check; 7] =
    [Check::Api09, Check::Api10, Check::Api11, Check::Api12, Check::Api13, Check::Tls06, Check::Tls07];

/// One shop: what its server says beside, what it says of its first page and its administration, and by HTTP.
#[derive(Clone, Copy)]
struct Row {
    name: &'static str,
    tokens: &'static str,
    cookie: &'static str,
    policy: &'static str,
    frame: &'static str,
    others: &'static str,
    cors: &'static str,
    hsts: &'static str,
    admin: &'static str,
    plain: &'static str,
}

/// What the first page and the administration have in common, as `$cookie` and so on.
const SAME: &str = "{cookie} {policy} {frame} {others} {cors} {hsts} return 200 shop;";

const BASE: Row = Row {
    name: "all is well",
    tokens: "off",
    cookie: "add_header Set-Cookie \"OCSESSID=1; path=/; secure; HttpOnly; SameSite=Lax\";",
    policy: "add_header Content-Security-Policy \"default-src 'self'; object-src 'none'; base-uri 'self'\";",
    frame: "add_header X-Frame-Options SAMEORIGIN;",
    others: "add_header X-Content-Type-Options nosniff; add_header Referrer-Policy strict-origin-when-cross-origin;",
    cors: "",
    hsts: "add_header Strict-Transport-Security \"max-age=63072000\" always;",
    admin: SAME,
    plain: "return 301 https://$host$request_uri;",
};

const fn cookie(name: &'static str, cookie: &'static str) -> Row {
    Row { name, cookie, ..BASE }
}

const fn policy(name: &'static str, policy: &'static str) -> Row {
    Row { name, policy, ..BASE }
}

const fn frame(name: &'static str, frame: &'static str) -> Row {
    Row { name, frame, ..BASE }
}

const fn others(name: &'static str, others: &'static str) -> Row {
    Row { name, others, ..BASE }
}

const fn cors(name: &'static str, cors: &'static str) -> Row {
    Row { name, cors, ..BASE }
}

const fn admin(name: &'static str, admin: &'static str) -> Row {
    Row { name, admin, ..BASE }
}

const fn plain(name: &'static str, plain: &'static str) -> Row {
    Row { name, plain, ..BASE }
}

static ROWS: &[Row] = &[
    BASE,
    cookie("cookie without secure", "add_header Set-Cookie \"OCSESSID=1; HttpOnly; SameSite=Lax\";"),
    cookie("cookie without httponly", "add_header Set-Cookie \"OCSESSID=1; Secure; SameSite=Strict\";"),
    cookie("cookie for all sites", "add_header Set-Cookie \"OCSESSID=1; Secure; HttpOnly; SameSite=None\";"),
    cookie("cookie with secure alone", "add_header Set-Cookie \"OCSESSID=1; Secure\";"),
    cookie("opencart's cookie", "add_header Set-Cookie \"OCSESSID=1; path=/\";"),
    cookie("no session", "add_header Set-Cookie \"currency=EUR; path=/\";"),
    policy("no policy", ""),
    policy("policy that reports", "add_header Content-Security-Policy-Report-Only \"default-src 'self'\";"),
    policy("unsafe policy", "add_header Content-Security-Policy \"default-src 'self' 'unsafe-inline'\";"),
    policy("policy of frames alone", "add_header Content-Security-Policy \"frame-ancestors 'self'\";"),
    policy(
        "strict policy",
        "add_header Content-Security-Policy \"script-src 'nonce-$request_id' 'strict-dynamic' 'unsafe-inline' https:; object-src 'none'; base-uri 'none'\";",
    ),
    frame("nothing of frames", ""),
    frame("frames by allow-from", "add_header X-Frame-Options \"ALLOW-FROM https://partner.example\";"),
    frame("frames by nonsense", "add_header X-Frame-Options ALLOWALL;"),
    others("no nosniff", "add_header Referrer-Policy same-origin;"),
    others("neither of the two", ""),
    Row { name: "nginx' version", tokens: "on", ..BASE },
    Row { name: "nginx' version, and no more", tokens: "on", others: "add_header X-Powered-By PHP/8.2.36;", ..BASE },
    cors("any origin", "add_header Access-Control-Allow-Origin *;"),
    cors(
        "a fixed origin",
        "add_header Access-Control-Allow-Origin https://app.shop.example; add_header Access-Control-Allow-Credentials true;",
    ),
    cors("whoever asks", "add_header Access-Control-Allow-Origin $http_origin;"),
    cors(
        "whoever asks, as they are",
        "add_header Access-Control-Allow-Origin $http_origin; add_header Access-Control-Allow-Credentials true;",
    ),
    cors("an unsigned call of the api", "if ($arg_route = api/order) { return 403 '{\"error\":\"x\"}'; }"),
    cors("an api closed by nginx", "if ($arg_route = api/order) { return 403; }"),
    cors(
        "an api for all origins",
        "if ($arg_route = api/order) { add_header Access-Control-Allow-Origin $http_origin always; \
         add_header Access-Control-Allow-Credentials true always; return 403 '{\"error\":\"x\"}'; }",
    ),
    Row { name: "no hsts", hsts: "", ..BASE },
    admin("closed administration", "return 403;"),
    admin("password for all of it", "add_header WWW-Authenticate \"Basic realm=x\" always; return 401;"),
    admin("bare administration", "return 200 shop;"),
    admin("broken administration", "return 502;"),
    admin("framed administration", "{cookie} {policy} {others} {hsts} return 200 shop;"),
    admin(
        "administration by steps",
        "if ($arg_route = '') { return 302 https://$host/admin/?route=common/login; } {cookie} {policy} {frame} {others} return 200 shop;",
    ),
    plain("shop in clear", "if ($uri ~ ^/admin/) { return 301 https://$host$request_uri; } return 200 shop;"),
    plain("administration in clear", "if ($uri ~ ^/admin/) { return 200 shop; } return 301 https://$host$request_uri;"),
    plain("a password in clear", "if ($uri ~ ^/admin/) { return 401; } return 301 https://$host$request_uri;"),
    plain("by another host", "return 301 https://www.$host$request_uri;"),
    plain(
        "by another page in clear",
        "if ($uri != /home) { return 302 http://$host/home; } return 301 https://$host/;",
    ),
    plain("in clear elsewhere", "return 301 http://www.$host$request_uri;"),
    plain("refused in clear", "return 403;"),
    plain("broken in clear", "return 500;"),
    plain("hung up in clear", "return 444;"),
];

#[tokio::test]
async fn nginx_with_one_header_after_the_other() {
    let authority = Authority::new();
    authority.sign("good", GOOD);
    let home = authority.file("");
    let home = home.display();
    let mut servers = String::new();
    let mut places = Vec::new();
    for row in ROWS {
        let (place, in_clear) = (address(), address());
        let filled = |text: &str| {
            let Row { cookie, policy, frame, others, cors, hsts, .. } = *row;
            let values = [
                ("cookie", cookie),
                ("policy", policy),
                ("frame", frame),
                ("others", others),
                ("cors", cors),
                ("hsts", hsts),
            ];
            values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
        };
        write!(
            servers,
            "server {{ listen {place} ssl; ssl_certificate {home}/good.pem; ssl_certificate_key {home}/good.key;\n\
             server_tokens {}; location / {{ {} }} location /admin/ {{ {} }} }}\n\
             server {{ listen {in_clear}; {} }}\n",
            row.tokens,
            filled(SAME),
            filled(row.admin),
            row.plain
        )
        .unwrap();
        places.push([place, in_clear]);
    }
    let nginx = Nginx::start(&servers, &places.concat(), None).await;
    let mut table = String::new();
    for (row, [place, in_clear]) in ROWS.iter().zip(places) {
        let config = format!(
            "url = 'https://shop.example/'\nca_file = '{home}/ca.pem'\n\
             resolve = {{ 'shop.example:443' = '{place}', 'shop.example:80' = '{in_clear}' }}"
        );
        writeln!(table, "{:<28} {}", row.name, told(&visited(&config, Some("/admin/")).await, &CHECKS)).unwrap();
    }
    drop(nginx);
    expect![[r#"
        all is well                  09 pass, 10 pass, 11 pass, 12 pass, 13 pass, 06 pass, 07 pass
        cookie without secure        09 fail, 10 pass, 11 pass, 12 pass, 13 pass, 06 pass, 07 pass
        cookie without httponly      09 half, 10 pass, 11 pass, 12 pass, 13 pass, 06 pass, 07 pass
        cookie for all sites         09 half, 10 pass, 11 pass, 12 pass, 13 pass, 06 pass, 07 pass
        cookie with secure alone     09 fail, 10 pass, 11 pass, 12 pass, 13 pass, 06 pass, 07 pass
        opencart's cookie            09 fail, 10 pass, 11 pass, 12 pass, 13 pass, 06 pass, 07 pass
        no session                   09 unsupported, 10 pass, 11 pass, 12 pass, 13 pass, 06 pass, 07 pass
        no policy                    09 pass, 10 fail, 11 pass, 12 pass, 13 pass, 06 pass, 07 pass
        policy that reports          09 pass, 10 fail, 11 pass, 12 pass, 13 pass, 06 pass, 07 pass
        unsafe policy                09 pass, 10 half, 11 pass, 12 pass, 13 pass, 06 pass, 07 pass
        policy of frames alone       09 pass, 10 fail, 11 pass, 12 pass, 13 pass, 06 pass, 07 pass
        strict policy                09 pass, 10 pass, 11 pass, 12 pass, 13 pass, 06 pass, 07 pass
        nothing of frames            09 pass, 10 pass, 11 fail, 12 pass, 13 pass, 06 pass, 07 pass
        frames by allow-from         09 pass, 10 pass, 11 half, 12 pass, 13 pass, 06 pass, 07 pass
        frames by nonsense           09 pass, 10 pass, 11 fail, 12 pass, 13 pass, 06 pass, 07 pass
        no nosniff                   09 pass, 10 pass, 11 pass, 12 half, 13 pass, 06 pass, 07 pass
        neither of the two           09 pass, 10 pass, 11 pass, 12 half, 13 pass, 06 pass, 07 pass
        nginx' version               09 pass, 10 pass, 11 pass, 12 half, 13 pass, 06 pass, 07 pass
        nginx' version, and no more  09 pass, 10 pass, 11 pass, 12 fail, 13 pass, 06 pass, 07 pass
        any origin                   09 pass, 10 pass, 11 pass, 12 pass, 13 pass, 06 pass, 07 pass
        a fixed origin               09 pass, 10 pass, 11 pass, 12 pass, 13 pass, 06 pass, 07 pass
        whoever asks                 09 pass, 10 pass, 11 pass, 12 pass, 13 pass, 06 pass, 07 pass
        whoever asks, as they are    09 pass, 10 pass, 11 pass, 12 pass, 13 fail, 06 pass, 07 pass
        an unsigned call of the api  09 pass, 10 pass, 11 pass, 12 pass, 13 pass, 06 pass, 07 pass
        an api closed by nginx       09 pass, 10 pass, 11 pass, 12 pass, 13 unreachable, 06 pass, 07 pass
        an api for all origins       09 pass, 10 pass, 11 pass, 12 pass, 13 fail, 06 pass, 07 pass
        no hsts                      09 pass, 10 pass, 11 pass, 12 pass, 13 pass, 06 fail, 07 pass
        closed administration        09 pass, 10 pass, 11 pass, 12 pass, 13 pass, 06 pass, 07 pass
        password for all of it       09 pass, 10 pass, 11 pass, 12 pass, 13 pass, 06 pass, 07 pass
        bare administration          09 pass, 10 fail, 11 half, 12 half, 13 pass, 06 pass, 07 pass
        broken administration        09 unreachable, 10 unreachable, 11 unreachable, 12 unreachable, 13 pass, 06 pass, 07 pass
        framed administration        09 pass, 10 pass, 11 half, 12 pass, 13 pass, 06 pass, 07 pass
        administration by steps      09 pass, 10 pass, 11 pass, 12 pass, 13 pass, 06 pass, 07 pass
        shop in clear                09 pass, 10 pass, 11 pass, 12 pass, 13 pass, 06 pass, 07 fail
        administration in clear      09 pass, 10 pass, 11 pass, 12 pass, 13 pass, 06 pass, 07 fail (admin_over_http)
        a password in clear          09 pass, 10 pass, 11 pass, 12 pass, 13 pass, 06 pass, 07 fail (admin_over_http)
        by another host              09 pass, 10 pass, 11 pass, 12 pass, 13 pass, 06 pass, 07 half
        by another page in clear     09 pass, 10 pass, 11 pass, 12 pass, 13 pass, 06 pass, 07 half
        in clear elsewhere           09 pass, 10 pass, 11 pass, 12 pass, 13 pass, 06 pass, 07 fail
        refused in clear             09 pass, 10 pass, 11 pass, 12 pass, 13 pass, 06 pass, 07 half
        broken in clear              09 pass, 10 pass, 11 pass, 12 pass, 13 pass, 06 pass, 07 unreachable
        hung up in clear             09 pass, 10 pass, 11 pass, 12 pass, 13 pass, 06 pass, 07 unparsable
    "#]].assert_eq(&table);
}
