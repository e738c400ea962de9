//! FW-09: whether anybody can say where they come from.

use super::Sight;
use super::samples::dynamic;
use crate::collectors::security::firewall::ranges::Range;
use crate::collectors::security::front::Outcome;
use crate::collectors::security::front::ranges::is_everybody;
use crate::collectors::security::shop::Engine;
use crate::collectors::security::verdict::{Cause, Known, Unknown, Verdict};

/// The headers that OpenCart takes for the client's address since 4.1, whoever wrote them (`oc_get_ip` in
/// `system/helper/general.php`).
const OPENCART: [&str; 6] = [
    "HTTP_CF_CONNECTING_IP",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_REAL_IP",
    "HTTP_X_CLIENT_IP",
    "HTTP_CLIENT_IP",
    "HTTP_X_CLUSTER_CLIENT_IP",
];

/// Those that WooCommerce takes for it (`WC_Geolocation::get_ip_address`).
const WOOCOMMERCE: [&str; 2] = ["HTTP_X_REAL_IP", "HTTP_X_FORWARDED_FOR"];

/// Judges FW-09.
///
/// OpenCart asks with `array_key_exists`: a header that is blanked is still there for it, and 4.1 takes the empty text for
/// the address. So the fix overwrites each with the true address instead.
pub(super) fn attribution(sight: &Sight<'_>) -> Known<Verdict> {
    let samples = match &sight.shop {
        Ok(shop) => dynamic(shop).unwrap_or_default(),
        Err(_) => Vec::new(),
    };
    let index = sight.front.answer("/index.php", "", "GET")?;
    let mut answers = vec![index];
    for asked in sight.ask(samples) {
        answers.push(asked.answer?);
    }
    for answer in &answers {
        let trusted = &answer.settings.trusted;
        let ranges: Vec<_> = trusted.iter().filter_map(|(range, _)| Range::parse(range)).collect();
        if is_everybody(&ranges) {
            let place = trusted.first().map_or_else(String::new, |(_, place)| place.to_string());
            let seen = format!("{place}: `set_real_ip_from` believes everybody who says where they come from");
            let fix = "set_real_ip_from 127.0.0.1;  # the proxy's own addresses, and no others";
            return Ok(Verdict::fail(seen, fix));
        }
    }
    let shop = sight.shop.clone()?;
    let headers: &[&str] = match &shop.engine {
        Engine::OpenCart(Some(version)) if *version < (4, 1, 0) => &[],
        Engine::OpenCart(Some(_)) => &OPENCART,
        Engine::OpenCart(None) => {
            let why =
                "which version of OpenCart this is was not found, and so not whether it believes clients' headers";
            return Err(Unknown::new(Cause::Unsupported, why));
        }
        Engine::WordPress => &WOOCOMMERCE,
        Engine::Magento | Engine::Other => {
            let why = "which headers this shop takes for the client's address is not known";
            return Err(Unknown::new(Cause::Unsupported, why));
        }
    };
    let scripts: Vec<_> = answers.iter().filter(|answer| matches!(answer.outcome, Outcome::Php { .. })).collect();
    if scripts.is_empty() {
        let why = "none of the shop's pages that were looked for is handed to PHP by this nginx";
        return Err(Unknown::new(Cause::Unsupported, why));
    }
    let mut passing = Vec::new();
    for answer in scripts {
        for header in headers {
            let said = answer.settings.parameters.iter().rev().find(|(name, _)| name == header);
            if said.map_or(Ok(true), |(_, is_clients)| is_clients.clone())? {
                passing.push((header, answer));
            }
        }
    }
    Ok(match passing.first() {
        None if headers.is_empty() => Verdict::pass(
            "nobody is believed who says where they come from: no `set_real_ip_from` is that wide, and this shop looks at no header",
        ),
        None => Verdict::pass(
            "nobody is believed who says where they come from: nginx overwrites the headers that the shop looks at",
        ),
        Some((header, answer)) => {
            let seen = format!(
                "{}: `{}` hands {header} and others to PHP as the client wrote them, and the shop takes them for its address",
                answer.place, answer.location
            );
            let lines: Vec<_> = headers.iter().map(|header| format!("fastcgi_param {header} $remote_addr;")).collect();
            Verdict::partial(
                seen,
                format!("# in {}, beside its other fastcgi_param\n{}", answer.place, lines.join("\n")),
            )
        }
    })
}
