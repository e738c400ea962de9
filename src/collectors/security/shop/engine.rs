//! Which shop a folder holds, by files that only that one has.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Known;
use super::constants::Constants;
use super::host::{Host, unseen};
use super::php::tokens;

/// Which shop it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Engine {
    /// OpenCart, and its version as far as it is known.
    OpenCart(Option<(u32, u32, u32)>),
    /// WordPress, with WooCommerce or without.
    WordPress,
    /// Magento 2.
    Magento,
    /// None that is known.
    Other,
}

/// Files all of which only one shop has.
const OPENCART: [&str; 3] = ["system/startup.php", "catalog/controller", "index.php"];
const WORDPRESS: [&str; 2] = ["wp-includes/version.php", "wp-admin"];
const MAGENTO: [&str; 2] = ["bin/magento", "app/etc"];

/// The shop in a folder. That it is none is only said where all could be looked at.
pub(super) fn engine(host: Host<'_>, root: &Path) -> Known<Engine> {
    let has = |folder: &Path, files: &[&str]| {
        for file in files {
            let file = folder.join(file);
            if !host.has(&file).map_err(|error| unseen(&file, &error))? {
                return Ok(false);
            }
        }
        Ok(true)
    };
    if has(root, &OPENCART)? {
        return Ok(Engine::OpenCart(version(host, &root.join("index.php"))));
    }
    if has(root, &WORDPRESS)? {
        return Ok(Engine::WordPress);
    }
    if has(root, &MAGENTO)? || (is_pub(root) && has(magento_base(root), &MAGENTO)?) {
        return Ok(Engine::Magento);
    }
    Ok(Engine::Other)
}

fn is_pub(root: &Path) -> bool {
    root.file_name().is_some_and(|name| name == "pub")
}

/// The folder of Magento's code: above the root where that is `pub`.
pub(super) fn magento_base(root: &Path) -> &Path {
    root.parent().filter(|_| is_pub(root)).unwrap_or(root)
}

/// The OpenCart that says so in its `index.php`: `define('VERSION', '4.1.0.3');`.
fn version(host: Host<'_>, index: &Path) -> Option<(u32, u32, u32)> {
    let text = host.text(index).ok()??;
    let constants = Constants::of(&tokens(&text), index.parent()?);
    let mut numbers = constants.text("VERSION").ok()??.split('.').map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some((next()?, next()?, next()?))
}
