//! The shop as any visitor meets it: its pages' headers and cookies, its certificate, and what its TLS agrees to.
//!
//! Asking has no opinions, and judging asks nobody. All that is asked is what any visitor may ask of the shop's own name:
//! eight requests an hour and twelve handshakes a day.

pub(crate) mod active;
pub(crate) mod agent;
mod answer;
pub(crate) mod certificate;
mod cookie;
pub(crate) mod encryption;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzz;
mod groups;
mod judge;
#[cfg(test)]
mod live;
pub(crate) mod offers;
pub(crate) mod pages;
mod policy;
pub(crate) mod renewal;
#[cfg(test)]
mod sample;
mod transport;
pub(crate) mod visitor;

use super::config::Config;
use super::shop::{Engine, Shop};
use super::verdict::{Cause, Known, Unknown};

pub(crate) use active::Active;
pub(crate) use encryption::Encryption;
pub(super) use judge::{judge, lower};
pub(crate) use pages::Pages;

/// Where the administration is, as the path of a request with both slashes; `None` when it was seen that there is none.
///
/// Of a shop that is not known it is not known either: that none was found there means nothing.
pub(crate) fn administration(config: &Config, shop: &Known<Shop>) -> Known<Option<String>> {
    if let Some(path) = &config.admin_path {
        return Ok(Some(format!("/{}/", path.trim_matches('/'))));
    }
    match shop {
        Ok(Shop { admin: Some(path), .. }) => Ok(Some(path.clone())),
        Ok(Shop { engine: Engine::Other, .. }) => {
            Err(Unknown::new(Cause::NotConfigured, "it is not known which shop this is, nor where its administration"))
        }
        Ok(_) => Ok(None),
        Err(unknown) => Err(unknown.clone()),
    }
}

/// What stands for the shop's API, which other origins must not read with a visitor's credentials.
pub(crate) fn interface(shop: &Known<Shop>) -> &'static str {
    match shop.as_ref().map(|shop| &shop.engine) {
        // WordPress' own REST API answers any origin, with credentials, unless it is told not to.
        Ok(Engine::WordPress) => "wp-json/",
        Ok(Engine::Magento) => "rest/V1/directory/currency",
        _ => "index.php?route=api/order",
    }
}
