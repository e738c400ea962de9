//! Ways out: what keeps a target, or a part of it, from being seen, and what root does about it.

mod lines;

use std::io;

use crate::account::{Account, group_name};
use crate::collector::{Failure, Paths};
use crate::config::types::Address;
use crate::machine::Machine;

pub(crate) use lines::{closed_secret, indented, join, membership, quoted, reading, secret_file};

/// The user that Vitrin serves as, unless somebody says another.
pub const USER: &str = "vitrin";

/// One way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// One sentence: what is missing, and what it brings.
    pub why: String,
    /// Shell lines for root, as they stand: `sh -eu` runs them, twice too, and no secret is in them. Empty when nothing
    /// is for a script to do on this machine.
    pub run: String,
    /// Lines for a person: what is done on another machine, needs a restart, or costs something. Mostly empty.
    pub by_hand: String,
    /// Whether something is wrong without it.
    pub kind: Kind,
}

/// How much a remedy is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A target is down, or a part of it is counted as missing.
    Mend,
    /// All is well; it would show more.
    More,
}

impl Remedy {
    /// What root runs to mend what is wrong.
    #[must_use]
    pub fn mend(why: impl Into<String>, run: impl Into<String>) -> Self {
        Self { why: why.into(), run: run.into(), by_hand: String::new(), kind: Kind::Mend }
    }

    /// What a person does to mend what is wrong.
    #[must_use]
    pub fn by_hand(why: impl Into<String>, by_hand: impl Into<String>) -> Self {
        Self { why: why.into(), run: String::new(), by_hand: by_hand.into(), kind: Kind::Mend }
    }

    /// The same with something for a person to do besides.
    #[must_use]
    pub fn and_by_hand(self, by_hand: impl Into<String>) -> Self {
        Self { by_hand: by_hand.into(), ..self }
    }

    /// The same where nothing is wrong without it.
    #[must_use]
    pub fn as_more(self) -> Self {
        Self { kind: Kind::More, ..self }
    }
}

/// What has come of a run: the target's failure, or the gaps of one that is up.
#[derive(Clone, Copy, Debug)]
pub struct Complaints<'a> {
    /// Why the target is down.
    pub failure: Option<&'a Failure>,
    /// What is missing of a target that is up.
    pub gaps: &'a [Failure],
}

impl<'a> Complaints<'a> {
    /// All of them.
    pub fn iter(self) -> impl Iterator<Item = &'a Failure> {
        self.failure.into_iter().chain(self.gaps)
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.failure.is_none() && self.gaps.is_empty()
    }
}

/// Vitrin on this machine, as the remedies have to name it.
#[derive(Clone, Debug)]
pub struct Service {
    /// The user that it serves as.
    pub user: String,
    /// That user's own group.
    pub group: String,
    /// That user, if there is one.
    pub account: Option<Account>,
    /// The program, for lines that call it.
    pub program: String,
    /// Where the machine is seen.
    pub paths: Paths,
    /// Whether root asks, and facts may be read with a superuser's login: by `check` and `init`, never to serve.
    pub superuser: bool,
}

impl Service {
    /// The service of this user, if there is one yet, on the machine at these paths; for root, who may look further.
    ///
    /// # Errors
    /// When the users of the machine, or the path of this program, cannot be told.
    pub fn of(user: &str, paths: &Paths, superuser: bool) -> io::Result<Self> {
        let account = Account::named(&paths.root, user)?;
        let group = account.as_ref().and_then(|account| group_name(&paths.root, account.gid));
        let program = std::env::current_exe()?.to_string_lossy().into_owned();
        let user = user.to_owned();
        let paths = paths.clone();
        Ok(Self { group: group.unwrap_or_else(|| user.clone()), user, account, program, paths, superuser })
    }

    /// Whether root may be told to talk to the server there: it is run by root, by us, or as packages run such servers.
    ///
    /// An impostor in its place would be shown root's password or the one just made, and may ask a client for files.
    #[must_use]
    pub fn trusts(&self, address: &Address, accounts: &[&str]) -> bool {
        Machine::trusts_now(&self.paths, address, accounts)
    }
}
