//! The scenarios that have a name.

use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use crate::config::meant;
use crate::config::types::from_text;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulate) enum Scene {
    /// Nothing: an island in an earlier step.
    Ok,
    /// Every answer takes [`Scene::SLOW_MS`] longer.
    Slow,
    /// Every second answer is a 503, the others take [`Scene::BROWN_OUT_MS`] longer.
    BrownOut,
    /// The request is taken, and no answer comes.
    Stall,
    /// The connection is reset in place of an answer.
    Reset,
    /// The answer breaks off in the middle of its body.
    Truncated,
    /// The answer calls itself HTML.
    WrongContentType,
    /// The answer has a body of [`Scene::HUGE_BYTES`].
    HugeBody,
    /// The answer sends whoever asks to a page where people log in.
    RedirectLogin,
    /// A wall answers: 403, and a page for people.
    Html403,
    /// The same with 503.
    Html503,
    /// Too many requests, whoever asks.
    RateLimited,
    /// An error in an answer whose status is 200, for the marketplaces that do so.
    AppError,
    /// All access tokens given out until now have expired.
    TokenExpired,
    /// All access tokens given out until now are unknown.
    RevokeTokens,
    /// All credentials are refused.
    WrongKey,
    /// In place of TLS come bytes that mean nothing.
    GarbageTls,
    /// The certificate is of an authority that nobody knows.
    UntrustedCertificate,
    /// The certificate is no longer valid.
    ExpiredCertificate,
    /// The clock of the marketplace is wrong.
    DateSkew,
    /// No order comes in.
    NoOrders,
}

impl Scene {
    /// All of them.
    pub(in crate::simulate) const ALL: [Self; 21] = [
        Self::Ok,
        Self::Slow,
        Self::BrownOut,
        Self::Stall,
        Self::Reset,
        Self::Truncated,
        Self::WrongContentType,
        Self::HugeBody,
        Self::RedirectLogin,
        Self::Html403,
        Self::Html503,
        Self::RateLimited,
        Self::AppError,
        Self::TokenExpired,
        Self::RevokeTokens,
        Self::WrongKey,
        Self::GarbageTls,
        Self::UntrustedCertificate,
        Self::ExpiredCertificate,
        Self::DateSkew,
        Self::NoOrders,
    ];

    /// How much longer an answer takes that is slow, in milliseconds.
    pub(in crate::simulate) const SLOW_MS: u64 = 400;

    /// How much longer an answer takes in a brown-out, in milliseconds.
    pub(in crate::simulate) const BROWN_OUT_MS: u64 = 2_000;

    /// How large a huge body is: 100 MiB.
    pub(in crate::simulate) const HUGE_BYTES: u64 = 100 << 20;

    /// The word for it in a file.
    pub(in crate::simulate) const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Slow => "slow",
            Self::BrownOut => "brown_out",
            Self::Stall => "stall",
            Self::Reset => "reset",
            Self::Truncated => "truncated",
            Self::WrongContentType => "wrong_content_type",
            Self::HugeBody => "huge_body",
            Self::RedirectLogin => "redirect_login",
            Self::Html403 => "html_403",
            Self::Html503 => "html_503",
            Self::RateLimited => "rate_limited",
            Self::AppError => "app_error",
            Self::TokenExpired => "token_expired",
            Self::RevokeTokens => "revoke_tokens",
            Self::WrongKey => "wrong_key",
            Self::GarbageTls => "garbage_tls",
            Self::UntrustedCertificate => "untrusted_certificate",
            Self::ExpiredCertificate => "expired_certificate",
            Self::DateSkew => "date_skew",
            Self::NoOrders => "no_orders",
        }
    }

    /// Whether it happens at one moment, and has no end.
    pub(in crate::simulate) const fn is_a_moment(self) -> bool {
        matches!(self, Self::TokenExpired | Self::RevokeTokens)
    }

    /// Whether some marketplaces alone have it.
    pub(in crate::simulate) const fn is_of_some(self) -> bool {
        matches!(self, Self::AppError | Self::TokenExpired | Self::RevokeTokens | Self::NoOrders)
    }

    /// Whether it is over before there is a request.
    pub(in crate::simulate) const fn is_of_the_connection(self) -> bool {
        matches!(self, Self::GarbageTls | Self::UntrustedCertificate | Self::ExpiredCertificate)
    }
}

impl FromStr for Scene {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|scene| scene.word() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|scene| scene.word()).collect();
            format!("`{text}` is no scenario\n{}", meant(text, &known))
        })
    }
}

impl<'de> Deserialize<'de> for Scene {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}
