//! What can be wrong with a server, and what each of it is called by whom it happens to.

use vitrin::collector::Reason;

/// A kind of trouble with a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Refuses,
    Hangs,
    HangsHalfWay,
    Dribbles,
    Closes,
    BreaksOff,
    Garbage,
    Endless,
    WrongPassword,
    TlsToPlain,
    PlainToTls,
    Expired,
    SelfSigned,
    WrongName,
}

impl Fault {
    /// All of them, as the matrix has them.
    pub(super) const ALL: [Self; 14] = [
        Self::Refuses,
        Self::Hangs,
        Self::HangsHalfWay,
        Self::Dribbles,
        Self::Closes,
        Self::BreaksOff,
        Self::Garbage,
        Self::Endless,
        Self::WrongPassword,
        Self::TlsToPlain,
        Self::PlainToTls,
        Self::Expired,
        Self::SelfSigned,
        Self::WrongName,
    ];

    /// The target that it happens to.
    pub(super) const fn target(self) -> &'static str {
        match self {
            Self::Refuses => "refuses",
            Self::Hangs => "hangs",
            Self::HangsHalfWay => "hangs_half_way",
            Self::Dribbles => "dribbles",
            Self::Closes => "closes",
            Self::BreaksOff => "breaks_off",
            Self::Garbage => "garbage",
            Self::Endless => "endless",
            Self::WrongPassword => "wrong_password",
            Self::TlsToPlain => "tls_to_plain",
            Self::PlainToTls => "plain_to_tls",
            Self::Expired => "expired",
            Self::SelfSigned => "self_signed",
            Self::WrongName => "wrong_name",
        }
    }

    /// What the server does, for people.
    pub(super) const fn shown(self) -> &'static str {
        match self {
            Self::Refuses => "Nothing listens at the address",
            Self::Hangs => "It takes the connection and never says a word; an open one falls silent",
            Self::HangsHalfWay => "It falls silent in the middle of an answer, at any byte of the conversation",
            Self::Dribbles => "It says a byte a second, from any byte of the conversation on",
            Self::Closes => "It takes the connection and closes it",
            Self::BreaksOff => "It closes the connection in the middle of an answer, at any byte of the conversation",
            Self::Garbage => "It says what its protocol does not know",
            Self::Endless => "Its answer does not end",
            Self::WrongPassword => "It does not take our password, or wants one that we were not given",
            Self::TlsToPlain => "We are to speak TLS, and it does not",
            Self::PlainToTls => "It speaks TLS alone, and we were not told to",
            Self::Expired => "Its certificate has expired",
            Self::SelfSigned => "Its certificate is signed by somebody we do not trust",
            Self::WrongName => "Its certificate is for another name",
        }
    }

    /// The reason that it is, for all collectors alike.
    pub(super) const fn reason(self) -> Reason {
        match self {
            Self::Refuses => Reason::Connect,
            Self::Hangs | Self::HangsHalfWay | Self::Dribbles => Reason::Timeout,
            Self::Closes | Self::BreaksOff | Self::Garbage => Reason::Protocol,
            Self::Endless => Reason::Limit,
            Self::WrongPassword => Reason::Auth,
            Self::TlsToPlain | Self::PlainToTls | Self::Expired | Self::SelfSigned | Self::WrongName => Reason::Tls,
        }
    }

    /// Whether it lasts until somebody loses patience.
    pub(super) const fn lasts(self) -> bool {
        matches!(self, Self::Hangs | Self::HangsHalfWay | Self::Dribbles)
    }

    /// Whether our side speaks TLS.
    pub(super) const fn wants_tls(self) -> bool {
        matches!(self, Self::TlsToPlain | Self::Expired | Self::SelfSigned | Self::WrongName)
    }

    /// Whether a connection is cut at some byte.
    pub(super) const fn cuts(self) -> bool {
        matches!(self, Self::HangsHalfWay | Self::Dribbles | Self::BreaksOff)
    }
}
