//! What a round might have seen, for tests: nothing but what they say.

use crate::collectors::security::seen::Seen;
use crate::collectors::security::verdict::{Cause, Known, Unknown};

/// 2026-11-23, 00:00.
pub(super) const NOW: i64 = 1_795_392_000;

/// Nothing but a configuration, as it stands in `[security]`.
pub(super) fn seen(config: &str) -> Seen {
    Seen { config: toml::from_str(config).unwrap(), now: NOW, ..Seen::nothing(Cause::Unsupported) }
}

/// Something that nobody has asked for.
pub(super) fn unasked<T>() -> Known<T> {
    Err(Unknown::new(Cause::Unsupported, "not asked"))
}
