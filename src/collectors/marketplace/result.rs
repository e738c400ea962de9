//! How a probe of a marketplace ended: the closed list that `result` takes its values from.

use std::fmt;

use serde::Deserialize;

use crate::collector::Reason;

/// How a probe ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As its preset says that it should.
    Ok,
    /// The answer says that something went wrong, whatever its status says.
    AppError,
    /// The credentials were refused.
    AuthError,
    /// A wall in front of the marketplace sent a page in its place.
    Blocked,
    /// A status from 300 to 499 that is none of the others.
    ClientError,
    /// Vitrin's configuration makes no request of it.
    ConfigError,
    /// No connection.
    ConnectError,
    /// The name does not resolve.
    DnsError,
    /// Known, but may not see this.
    Forbidden,
    /// No answer of the kind that was expected.
    InvalidResponse,
    /// Too many requests, by whoever shares the account.
    RateLimited,
    /// A status from 500 on, or 426 of an endpoint that is being switched off.
    ServerError,
    /// Not done in time.
    Timeout,
    /// TLS could not be agreed on, or the certificate is not to be trusted.
    TlsError,
    /// No access token could be had, for another reason than wrong credentials.
    TokenError,
}

impl Outcome {
    /// All of them, `ok` first, then in the order of their names.
    pub const ALL: [Self; 15] = [
        Self::Ok,
        Self::AppError,
        Self::AuthError,
        Self::Blocked,
        Self::ClientError,
        Self::ConfigError,
        Self::ConnectError,
        Self::DnsError,
        Self::Forbidden,
        Self::InvalidResponse,
        Self::RateLimited,
        Self::ServerError,
        Self::Timeout,
        Self::TlsError,
        Self::TokenError,
    ];

    /// The label value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::AppError => "app_error",
            Self::AuthError => "auth_error",
            Self::Blocked => "blocked",
            Self::ClientError => "client_error",
            Self::ConfigError => "config_error",
            Self::ConnectError => "connect_error",
            Self::DnsError => "dns_error",
            Self::Forbidden => "forbidden",
            Self::InvalidResponse => "invalid_response",
            Self::RateLimited => "rate_limited",
            Self::ServerError => "server_error",
            Self::Timeout => "timeout",
            Self::TlsError => "tls_error",
            Self::TokenError => "token_error",
        }
    }

    /// Under what reason all collectors call it.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::Ok | Self::ConfigError => Reason::Bug,
            Self::AuthError | Self::TokenError => Reason::Auth,
            Self::Blocked | Self::Forbidden => Reason::Permission,
            Self::ConnectError | Self::DnsError => Reason::Connect,
            Self::RateLimited => Reason::Limit,
            Self::Timeout => Reason::Timeout,
            Self::TlsError => Reason::Tls,
            Self::AppError | Self::ClientError | Self::InvalidResponse | Self::ServerError => Reason::Protocol,
        }
    }

    /// Whether an answer can come to this; the others are about the way there, or about us.
    #[must_use]
    pub const fn is_of_an_answer(self) -> bool {
        !matches!(
            self,
            Self::ConfigError | Self::ConnectError | Self::DnsError | Self::Timeout | Self::TlsError | Self::TokenError
        )
    }

    /// Whether it is the shop's own doing rather than the marketplace's: no part of its availability.
    #[must_use]
    pub const fn is_ours(self) -> bool {
        matches!(self, Self::RateLimited | Self::AuthError | Self::Forbidden | Self::Blocked | Self::ConfigError)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
