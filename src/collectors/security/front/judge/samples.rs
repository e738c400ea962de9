//! Requests that stand for many: what a shop answers with PHP.

use super::Sight;
use crate::collectors::security::front::{Answer, Follow, Outcome};
use crate::collectors::security::shop::{Engine, Shop};
use crate::collectors::security::verdict::{Cause, Known, Unknown};

/// How often a client is followed to another place of the same shop.
const HOPS: usize = 3;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) uri: String,
    pub(super) args: &'static str,
    pub(super) method: &'static str,
}

impl Sample {
    fn new(method: &'static str, uri: impl Into<String>, args: &'static str) -> Self {
        Self { uri: uri.into(), args, method }
    }

    /// As people write it.
    pub(super) fn shown(&self) -> String {
        if self.args.is_empty() { self.uri.clone() } else { format!("{}?{}", self.uri, self.args) }
    }
}

/// What came of asking one.
pub(super) struct Asked {
    pub(super) sample: Sample,
    pub(super) answer: Known<Answer>,
}

/// Where a shop's pages, its search, its interface for programs and its logins are.
pub(super) fn dynamic(shop: &Shop) -> Known<Vec<Sample>> {
    let mut samples = vec![Sample::new("GET", "/", ""), Sample::new("GET", "/index.php", "")];
    samples.extend(match shop.engine {
        Engine::OpenCart(_) => vec![
            Sample::new("GET", "/index.php", "route=product/search"),
            Sample::new("POST", "/index.php", "route=api/order"),
        ],
        Engine::WordPress => vec![Sample::new("GET", "/", "s=x"), Sample::new("POST", "/xmlrpc.php", "")],
        Engine::Magento => {
            vec![Sample::new("GET", "/catalogsearch/result/", "q=x"), Sample::new("POST", "/rest/V1/orders", "")]
        }
        Engine::Other => Vec::new(),
    });
    samples.extend(administration(shop)?);
    samples.extend(customers(shop)?);
    Ok(samples)
}

/// Where administrators log in.
pub(super) fn administration(shop: &Shop) -> Known<Vec<Sample>> {
    let folder = shop.admin.as_deref().ok_or_else(|| {
        let why = "where the administration is was not found: write `admin_path = \"/…/\"` into `[security]`";
        Unknown::new(Cause::NotConfigured, why)
    });
    Ok(match &shop.engine {
        Engine::OpenCart(version) => {
            let script = format!("{}index.php", folder?);
            // A dot came in place of the bar with 4.0.2.0, and both in place of nothing with 4.0.0.0.
            let routes: &[&str] = match version {
                Some((..=3, ..)) => &["route=common/login"],
                Some((4, 0, ..=1)) => &["route=common/login|login"],
                Some(_) => &["route=common/login.login"],
                None => &["route=common/login", "route=common/login|login", "route=common/login.login"],
            };
            routes.iter().map(|route| Sample::new("POST", script.clone(), route)).collect()
        }
        Engine::WordPress => vec![Sample::new("POST", "/wp-login.php", "")],
        Engine::Magento => vec![Sample::new("POST", folder?, "")],
        Engine::Other => return Err(other()),
    })
}

/// Where customers log in.
pub(super) fn customers(shop: &Shop) -> Known<Vec<Sample>> {
    Ok(match &shop.engine {
        Engine::OpenCart(version) => {
            let routes: &[&str] = match version {
                Some((..=3, ..)) => &["route=account/login", "route=checkout/login/save"],
                Some((4, 0, ..=1)) => &["route=account/login|login"],
                Some(_) => &["route=account/login.login"],
                None => &["route=account/login", "route=account/login|login", "route=account/login.login"],
            };
            routes.iter().map(|route| Sample::new("POST", "/index.php", route)).collect()
        }
        // WooCommerce's customers have accounts of WordPress, and log in there or at their own page.
        Engine::WordPress => vec![Sample::new("POST", "/wp-login.php", ""), Sample::new("POST", "/my-account/", "")],
        Engine::Magento => vec![Sample::new("POST", "/customer/account/loginPost/", "")],
        Engine::Other => return Err(other()),
    })
}

fn other() -> Unknown {
    Unknown::new(Cause::Unsupported, "which shop this is was not recognized, and so not where its logins are")
}

impl Sight<'_> {
    /// Asks for them, and follows where the shop leads.
    pub(super) fn ask(&self, samples: Vec<Sample>) -> Vec<Asked> {
        let answer = |sample: &Sample| self.settle(&sample.uri, sample.args, sample.method);
        samples.into_iter().map(|sample| Asked { answer: answer(&sample), sample }).collect()
    }

    /// What a request ends with, when its client goes where it is sent on the same shop.
    pub(super) fn settle(&self, uri: &str, args: &str, method: &str) -> Known<Answer> {
        let mut answer = self.front.answer(uri, args, method)?;
        for _ in 0..HOPS {
            let Outcome::Redirect { to, .. } = &answer.outcome else { break };
            let to = match self.front.follow(to) {
                Follow::Here(to) => to,
                Follow::Away => break,
                Follow::Other => {
                    let why = format!(
                        "{}: the client is sent to {to}, which another server of the same name answers",
                        answer.place
                    );
                    return Err(Unknown::new(Cause::Unsupported, why));
                }
            };
            let (uri, args) = to.split_once('?').unwrap_or((&to, ""));
            let next = self.front.answer(uri, args, method)?;
            if next == answer {
                break;
            }
            answer = next;
        }
        Ok(answer)
    }
}
