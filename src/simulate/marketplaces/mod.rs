//! The marketplaces, one file each.

pub(super) mod amazon;
pub(super) mod ciceksepeti;
pub(super) mod ebay;
pub(super) mod generic;
pub(super) mod hepsiburada;
pub(super) mod n11;
pub(super) mod ozon;
pub(super) mod pazarama;
#[cfg(test)]
mod tests;
pub(super) mod trendyol;
