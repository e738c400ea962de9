//! Where and why reading a line stopped.

/// A line that is not as its format says. What it is about [`super::Format::explain`] says, without the line's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unparsed {
    /// Which variable of the format, or field of an object.
    pub(super) at: u8,
    pub(super) why: Why,
}

impl Unparsed {
    pub(super) const fn new(at: u8, why: Why) -> Self {
        Self { at, why }
    }
}

/// What was not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The line begins with something else.
    Beginning,
    /// What stands behind the value in every line does not.
    Behind,
    /// The value is of another kind.
    Value,
    /// The value can end in more than one place.
    Ambiguous,
    /// The line goes on where the format has ended.
    More,
    /// No JSON object, or one that is too deep.
    NoObject,
    /// A field stands in an object twice.
    Twice,
    /// An object that says nothing of a request.
    NoRequest,
}
