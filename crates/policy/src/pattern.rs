//! Patterns of text: `*` and `?`, and policy variables.

mod arn;
mod glob;
mod template;

pub(crate) use arn::ArnPattern;
pub(crate) use template::{Grammar, Template};

/// What holding a pattern against a text says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    /// It matches.
    Yes,
    /// It does not.
    No,
    /// It cannot be said: a policy variable has no value, or the request's value can't be read.
    /// Whoever asks decides to the safe side.
    Unresolved,
}

impl Match {
    pub(crate) fn of(matches: bool) -> Self {
        if matches { Self::Yes } else { Self::No }
    }

    /// Yes if any says so; otherwise unresolved if any is.
    pub(crate) fn any(matches: impl IntoIterator<Item = Self>) -> Self {
        let mut found = Self::No;
        for one in matches {
            match one {
                Self::Yes => return Self::Yes,
                Self::Unresolved => found = Self::Unresolved,
                Self::No => {}
            }
        }
        found
    }
}
