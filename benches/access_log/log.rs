//! The log that everything is measured with: the same bytes on every machine, in the manner of a shop's day.

use std::io::Write as _;

/// The format of the log: `combined`, and the times of nginx and of the backend behind it.
pub(crate) const FORMAT: &str = concat!(
    r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "#,
    r#""$http_referer" "$http_user_agent" $request_time "$upstream_response_time""#,
);

/// What is asked for, and how often of a hundred times: a page brings files with it, of which browsers know many already,
/// and a few clients are no shoppers.
const TARGETS: [(&str, u64); 14] = [
    ("/", 4),
    ("/index.php?route=product/category&path=20_27&limit=25&page=", 8),
    ("/index.php?route=product/product&path=57&product_id=", 10),
    ("/index.php?route=product/search&search=canon%20eos%20", 3),
    ("/index.php?route=checkout/cart", 2),
    ("/index.php?route=checkout/checkout", 1),
    ("/index.php?route=account/login", 1),
    ("/index.php?route=api/order/edit&api_token=a4bfc2d0e7a81d3c5b6d7e8f90", 2),
    ("/image/cache/catalog/demo/canon_eos_5d_1-228x228.jpg?v=", 26),
    ("/catalog/view/javascript/bootstrap/css/bootstrap.min.css", 14),
    ("/catalog/view/theme/default/image/payment.png", 10),
    ("/desktops/mac/imac-27-inch-", 6),
    ("/image/cache/catalog/demo/banners/iPhone6-1140x380.jpg?x=", 12),
    ("/wp-login.php", 1),
];

/// How it is answered, likewise.
const STATUS: [(&str, u64); 6] = [("200", 84), ("304", 9), ("302", 4), ("404", 1), ("499", 1), ("503", 1)];

const AGENTS: [&str; 6] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "okhttp/4.12.0",
    "-",
];

const REFERERS: [&str; 3] =
    ["https://shop.example/", "https://shop.example/index.php?route=product/category&path=20", "-"];

/// Linear congruential numbers, as in Knuth's MMIX: not random, only mixed.
struct Mixed(u64);

impl Mixed {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        let at = self.below(of.len() as u64);
        of[usize::try_from(at).expect("it is below the length")]
    }
}

/// One of these, each as often as it says.
fn weighted<'a>(mixed: &mut Mixed, of: &[(&'a str, u64)]) -> &'a str {
    let mut left = mixed.below(of.iter().map(|(_, weight)| weight).sum());
    let chosen = of.iter().find(|(_, weight)| {
        let is_it = left < *weight;
        left = left.saturating_sub(*weight);
        is_it
    });
    chosen.expect("it is below the sum").0
}

/// So many lines.
pub(crate) fn lines(count: u64) -> Vec<u8> {
    let mut mixed = Mixed(1);
    let mut log = Vec::with_capacity(usize::try_from(count * 250).expect("it fits into memory"));
    for line in 0..count {
        // Some thousand clients, some of whom come again and again.
        let client = mixed.below(4_000);
        let client = if client.is_multiple_of(10) {
            format!("2001:db8:{:x}::{:x}", client % 97, client)
        } else {
            format!("{}.{}.{}.{}", 60 + client % 100, client % 251, client / 16, client % 254 + 1)
        };
        let second = line / 400;
        let method = if mixed.below(20) == 0 { "POST" } else { "GET" };
        let target = weighted(&mut mixed, &TARGETS);
        let number = if target.ends_with(['=', '-']) { mixed.below(5_000).to_string() } else { String::new() };
        let protocol = mixed.one(&["HTTP/2.0", "HTTP/2.0", "HTTP/1.1"]);
        let status = weighted(&mut mixed, &STATUS);
        let is_static = target.contains('.') && !target.contains("php");
        let time = if is_static { 0 } else { 4 + mixed.below(60) * mixed.below(9) };
        let upstream = if is_static { "-".to_owned() } else { format!("0.{time:03}") };
        let sent = mixed.below(60_000);
        let (referer, agent) = (mixed.one(&REFERERS), mixed.one(&AGENTS));
        writeln!(
            log,
            "{client} - - [24/Nov/2026:{:02}:{:02}:{:02} +0300] \"{method} {target}{number} {protocol}\" {status} {sent} \
             \"{referer}\" \"{agent}\" 0.{time:03} \"{upstream}\"",
            second / 3_600 % 24,
            second / 60 % 60,
            second % 60,
        )
        .expect("memory takes all");
    }
    log
}
