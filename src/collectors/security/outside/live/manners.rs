//! How often the shop is asked, and what of: whoever reads its log knows us.

use std::fs;

use super::authority::{Authority, GOOD};
use super::nginx::{Nginx, address};
use super::visited;
use crate::collectors::security::outside::agent::agent;

#[tokio::test]
async fn a_round_is_six_requests_that_say_whose_they_are() {
    let authority = Authority::new();
    authority.sign("good", GOOD);
    let (place, plain, home) = (address(), address(), authority.file(""));
    let home = home.display();
    let servers = format!(
        "log_format ours '$scheme $request_method $host $request_uri $http_user_agent';\n\
         server {{ listen {place} ssl; ssl_certificate {home}/good.pem; ssl_certificate_key {home}/good.key;\n\
         access_log {{home}}/access.log ours; location / {{ return 200 shop; }} }}\n\
         server {{ listen {plain}; access_log {{home}}/access.log ours; return 301 https://$host$request_uri; }}\n"
    );
    let nginx = Nginx::start(&servers, &[place, plain], None).await;
    let config = format!(
        "url = 'https://shop.example/shop'\nca_file = '{home}/ca.pem'\n\
         resolve = {{ 'shop.example:443' = '{place}', 'shop.example:80' = '{plain}' }}"
    );
    visited(&config, Some("/shop/admin/")).await;
    let log = fs::read_to_string(nginx.home().join("access.log")).unwrap();
    let asked = [
        "https GET shop.example /shop/",
        "http GET shop.example /shop/",
        "https GET shop.example /shop/admin/",
        "http GET shop.example /shop/admin/",
        "https GET shop.example /shop/",
        "https GET shop.example /shop/index.php?route=api/order",
    ];
    assert_eq!(log.lines().collect::<Vec<_>>(), asked.map(|line| format!("{line} {}", agent())));
}
