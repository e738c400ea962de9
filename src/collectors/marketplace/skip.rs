//! Why a probe is left out: the closed list that `reason` takes its values from.

/// Why a probe that was due is not made: the values of `reason` in `marketplace_probe_skipped_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skip {
    /// The credentials were refused, or may not do this, and are the same as then.
    AuthPaused,
    /// A wall is in the way.
    Blocked,
    /// There is no access token, and it is too early to ask for another.
    NoToken,
    /// Another request to the same host has taken too long.
    Overlap,
    /// The marketplace wants to be left alone.
    RetryAfter,
}

impl Skip {
    /// All of them, in the order of their names.
    pub(super) const ALL: [Self; 5] = [Self::AuthPaused, Self::Blocked, Self::NoToken, Self::Overlap, Self::RetryAfter];

    /// The label value.
    #[must_use]
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::AuthPaused => "auth_paused",
            Self::Blocked => "blocked",
            Self::NoToken => "no_token",
            Self::Overlap => "overlap",
            Self::RetryAfter => "retry_after",
        }
    }
}
