//! The pieces of a format: variables, and the text between them.

use std::fmt;

use super::meaning::{Known, Meaning, WITH_QUERY};

/// The most variables that a format may have.
const VARIABLES: usize = 128;

/// A piece of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// What stands in every line.
    Text(Vec<u8>),
    Variable(Variable),
}

impl Piece {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.as_bytes().to_vec())
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&String::from_utf8_lossy(text)),
            Self::Variable(variable) => f.write_str(&variable.name),
        }
    }
}

/// What each line has a value for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    /// As the format writes it: `$status`, `%>s`.
    pub(super) name: String,
    pub(super) known: Known,
}

/// The same pieces, if each variable is apart from the next, and what they say is a request.
pub(super) fn apart(mut pieces: Vec<Piece>) -> Result<Vec<Piece>, String> {
    for pair in pieces.windows(2) {
        if let [Piece::Variable(one), Piece::Variable(next)] = pair {
            return Err(format!(
                "`{}` and `{}` stand side by side, so that nothing says where one ends\nwrite something between them, \
                 best each in quotation marks",
                one.name, next.name
            ));
        }
    }
    let variables: Vec<Known> = pieces.iter().filter_map(|piece| variable(piece).map(|one| one.known)).collect();
    if variables.len() > VARIABLES {
        return Err(format!("the format has {} variables\nat most {VARIABLES} are understood", variables.len()));
    }
    let mut at = 0;
    for piece in &mut pieces {
        if let Piece::Variable(one) = piece {
            if !is_wanted(&variables, at) {
                one.known.meaning = Meaning::Nothing;
            }
            at += 1;
        }
    }
    let says = |meaning| pieces.iter().filter_map(variable).any(|one| one.known.meaning == meaning);
    if says(Meaning::Status) || says(Meaning::Target) || says(Meaning::Request) {
        return Ok(pieces);
    }
    Err("the format says neither what was asked for nor how it ended\nit needs nginx' $request and $status, or \
         Apache's %r and %>s"
        .to_owned())
}

fn variable(piece: &Piece) -> Option<&Variable> {
    match piece {
        Piece::Variable(variable) => Some(variable),
        Piece::Text(_) => None,
    }
}

/// Whether no other variable says the same better, or as well and before.
fn is_wanted(variables: &[Known], at: usize) -> bool {
    let this = variables[at];
    let kind = std::mem::discriminant(&this.meaning);
    let same = |other: &Known| std::mem::discriminant(&other.meaning) == kind;
    let is_best = !variables[..at].iter().any(|other| same(other) && other.rank >= this.rank)
        && !variables[at + 1..].iter().any(|other| same(other) && other.rank > this.rank);
    let whole = variables.iter().any(|other| other.meaning == Meaning::Request);
    let with_query = |other: &Known| other.meaning == Meaning::Target && other.rank >= WITH_QUERY;
    is_best
        && match this.meaning {
            Meaning::Method | Meaning::Target | Meaning::Protocol => !whole,
            Meaning::Query => !whole && !variables.iter().any(with_query),
            _ => true,
        }
}
