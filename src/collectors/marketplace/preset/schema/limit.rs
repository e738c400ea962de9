//! `documented_limit`: what a marketplace says that it allows, and how much of it a probe may use.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use crate::config::types::Period;

/// What the marketplace's documents allow.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentedLimit {
    /// So many requests; less than one where it fills up slowly.
    pub requests: Requests,
    /// In such a time.
    pub per: Period,
    /// So many at once.
    pub burst: Option<Requests>,
    /// Whose limit it is.
    #[serde(default)]
    pub scope: Scope,
    /// The label `bucket`: the probe's name when absent, or what its one `rate_limit` of headers is called.
    pub bucket: Option<String>,
    /// The part of it that the probe may use; what the topic says when absent.
    pub budget_share: Option<Share>,
}

/// Who shares a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All that asks for this seller.
    #[default]
    Seller,
    /// All that asks with this application's key, for whatever seller.
    App,
    /// This application, for this seller.
    SellerApp,
    /// This application, for this seller, with this request.
    SellerAppOperation,
    /// All that asks from this address of the network.
    Ip,
}

/// A number of requests, above zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Requests(pub f64);

impl<'de> Deserialize<'de> for Requests {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        if number.is_finite() && number > 0.0 {
            return Ok(Self(number));
        }
        Err(D::Error::custom(format!("{number} is not a number of requests\nwrite 1000, or 0.016 for one a minute")))
    }
}

/// A part of a limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(pub f64);

impl Share {
    /// The most: the rest is the shop's, whose limit it is.
    const MOST: f64 = 0.5;
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        if number > 0.0 && number <= Self::MOST {
            return Ok(Self(number));
        }
        Err(D::Error::custom(format!("{number} is not a part of a limit\nabove 0, up to 0.5; 0.01 is a hundredth")))
    }
}
