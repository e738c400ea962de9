//! What came of a check: its state, what was seen, and what is to be done.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::check::Check;

/// Why something is not known: the values of `cause` in `security_check_info`. Each says what is to be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cause {
    /// It may not be read with the rights that the program has.
    Permission,
    /// Nobody answered.
    Unreachable,
    /// Somebody is there, and was silent for too long.
    Timeout,
    /// It was known, too long ago.
    Stale,
    /// It is of a kind that is not understood, or cannot be seen on this system.
    Unsupported,
    /// It was read and makes no sense.
    Unparsable,
    /// The configuration does not say where to look.
    NotConfigured,
}

impl Cause {
    /// The label value.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Permission => "permission",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Stale => "stale",
            Self::Unsupported => "unsupported",
            Self::Unparsable => "unparsable",
            Self::NotConfigured => "not_configured",
        }
    }
}

/// Something that could not be seen. It counts as nothing, never as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unknown {
    /// The label value.
    pub(crate) cause: Cause,
    /// What was tried and what came of it, in a few words without secrets, for the report alone.
    pub(crate) why: String,
}

impl Unknown {
    /// Something that could not be seen, and why.
    pub(crate) fn new(cause: Cause, why: impl Into<String>) -> Self {
        Self { cause, why: why.into() }
    }

    /// Whether it is nothing but that nobody answered, who may at the next time.
    pub(crate) const fn is_silence(&self) -> bool {
        matches!(self.cause, Cause::Timeout | Cause::Unreachable)
    }
}

/// Something that was seen, or why not.
pub(crate) type Known<T> = Result<T, Unknown>;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum State {
    /// It is not so. No points.
    Fail,
    /// Half of it is. Half of the points.
    Partial,
    /// It is so. All points.
    Pass,
    /// Nobody knows. No points.
    Unknown(Cause),
    /// It was seen that there is nothing to check: the check is left out of its category.
    NotApplicable,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// How it ended.
    pub(crate) state: State,
    /// What was seen, in a sentence: for the report alone. No secret, no address of a client.
    pub(crate) seen: String,
    /// The lines that change it, as they would be written; empty where all is well.
    pub(crate) fix: Cow<'static, str>,
    /// What it limits the whole score to.
    pub(crate) cap: Option<Cap>,
}

impl Verdict {
    /// All is well.
    pub(crate) fn pass(seen: impl Into<String>) -> Self {
        Self { state: State::Pass, seen: seen.into(), fix: Cow::Borrowed(""), cap: None }
    }

    /// Half of it is well.
    pub(crate) fn partial(seen: impl Into<String>, fix: impl Into<Cow<'static, str>>) -> Self {
        Self { state: State::Partial, seen: seen.into(), fix: fix.into(), cap: None }
    }

    /// It is not well.
    pub(crate) fn fail(seen: impl Into<String>, fix: impl Into<Cow<'static, str>>) -> Self {
        Self { state: State::Fail, seen: seen.into(), fix: fix.into(), cap: None }
    }

    /// It was seen that there is nothing to check.
    pub(crate) fn not_applicable(seen: impl Into<String>) -> Self {
        Self { state: State::NotApplicable, seen: seen.into(), fix: Cow::Borrowed(""), cap: None }
    }

    /// It limits the whole score, too.
    pub(crate) fn with_cap(self, cap: Cap) -> Self {
        Self { cap: Some(cap), ..self }
    }

    /// It cannot be told before this is done: the timer of `vitrin facts`, a GRANT.
    pub(crate) fn with_fix(self, fix: impl Into<Cow<'static, str>>) -> Self {
        Self { fix: fix.into(), ..self }
    }
}

/// What is not known is told as what it is.
impl From<Unknown> for Verdict {
    fn from(unknown: Unknown) -> Self {
        Self { state: State::Unknown(unknown.cause), seen: unknown.why, fix: Cow::Borrowed(""), cap: None }
    }
}

impl From<&Unknown> for Verdict {
    fn from(unknown: &Unknown) -> Self {
        unknown.clone().into()
    }
}

/// For evaluators that look at one fact after the other with `?`: the first that is not known decides.
impl From<Known<Self>> for Verdict {
    fn from(known: Known<Self>) -> Self {
        known.unwrap_or_else(Self::from)
    }
}

/// What came of the checks. Those that are missing are unknown.
pub(crate) type Verdicts = BTreeMap<Check, Verdict>;

/// What the whole score cannot be above of, however well the rest is: the values of `reason` in `security_score_cap`.
/// Only what was seen limits it, never what is merely unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cap {
    /// A Redis without a password that anybody on the internet may reach.
    CacheOpen,
    /// A database with an account that needs no password, which anybody may reach.
    DatabaseOpen,
    /// A PHP-FPM that anybody may reach runs what they like.
    PhpOpen,
    /// A file with secrets was fetched, as anybody might.
    SecretServed,
    /// The installer was fetched, as anybody might.
    InstallerServed,
    /// The certificate has expired, is not trusted, or is for another name.
    CertificateInvalid,
    /// There is no HTTPS.
    NoHttps,
    /// The administration's login is served without encryption.
    AdminOverHttp,
    /// By its configuration, the web server would serve the installer.
    InstallerServable,
    /// SSL 3.0, TLS 1.0 or TLS 1.1 is agreed to.
    LegacyTls,
    /// RC4, 3DES, NULL, EXPORT or anonymous suites are agreed to.
    WeakCipher,
    /// Nobody mends security holes of this PHP any more.
    PhpUnsupported,
    /// Anybody may knock at the database.
    DatabaseExposed,
    /// Anybody may knock at Redis.
    CacheExposed,
    /// A security update has waited for more than 30 days.
    UpdatesOverdue,
}

impl Cap {
    /// All of them, the lowest first.
    pub(crate) const ALL: [Self; 15] = [
        Self::CacheOpen,
        Self::DatabaseOpen,
        Self::PhpOpen,
        Self::SecretServed,
        Self::InstallerServed,
        Self::CertificateInvalid,
        Self::NoHttps,
        Self::AdminOverHttp,
        Self::InstallerServable,
        Self::LegacyTls,
        Self::WeakCipher,
        Self::PhpUnsupported,
        Self::DatabaseExposed,
        Self::CacheExposed,
        Self::UpdatesOverdue,
    ];

    /// What the score is limited to: the top of the bands B (79), D (49) and F (19) of SSL Labs' rating guide (2009q).
    pub(crate) const fn limit(self) -> f64 {
        match self {
            Self::CacheOpen | Self::DatabaseOpen | Self::PhpOpen | Self::SecretServed | Self::InstallerServed => 19.0,
            Self::CertificateInvalid | Self::NoHttps | Self::AdminOverHttp | Self::InstallerServable => 49.0,
            Self::LegacyTls
            | Self::WeakCipher
            | Self::PhpUnsupported
            | Self::DatabaseExposed
            | Self::CacheExposed
            | Self::UpdatesOverdue => 79.0,
        }
    }

    /// The checks that see it; of several, all have to fail.
    pub(crate) const fn checks(self) -> &'static [Check] {
        match self {
            Self::CacheOpen => &[Check::Api23, Check::Fw04],
            Self::DatabaseOpen => &[Check::Api20, Check::Fw03],
            Self::PhpOpen => &[Check::Fw05],
            Self::SecretServed => &[Check::Api05],
            Self::InstallerServed | Self::InstallerServable => &[Check::Api01],
            Self::CertificateInvalid | Self::NoHttps => &[Check::Tls01],
            Self::AdminOverHttp => &[Check::Tls07],
            Self::LegacyTls => &[Check::Tls04],
            Self::WeakCipher => &[Check::Tls05],
            Self::PhpUnsupported => &[Check::Api18],
            Self::DatabaseExposed => &[Check::Fw03],
            Self::CacheExposed => &[Check::Fw04],
            Self::UpdatesOverdue => &[Check::Mon03],
        }
    }

    /// The label value.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::CacheOpen => "cache_open",
            Self::DatabaseOpen => "database_open",
            Self::PhpOpen => "php_open",
            Self::SecretServed => "secret_served",
            Self::InstallerServed => "installer_served",
            Self::CertificateInvalid => "certificate_invalid",
            Self::NoHttps => "no_https",
            Self::AdminOverHttp => "admin_over_http",
            Self::InstallerServable => "installer_servable",
            Self::LegacyTls => "legacy_tls",
            Self::WeakCipher => "weak_cipher",
            Self::PhpUnsupported => "php_unsupported",
            Self::DatabaseExposed => "database_exposed",
            Self::CacheExposed => "cache_exposed",
            Self::UpdatesOverdue => "updates_overdue",
        }
    }
}
