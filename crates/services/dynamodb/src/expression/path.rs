use std::fmt;

use crate::value::{AttributeValue, Item};

/// A document path: an attribute, and steps into its value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    /// The attribute's name.
    pub head: String,
    /// The steps from it.
    pub rest: Vec<Step>,
}

/// A step into a map or a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// `[3]`
    Index(usize),
    /// `.name`
    Key(String),
}

/// How two paths stand to each other where both can't be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clash {
    /// One leads through, or to, the other.
    Overlap,
    /// At the same place one sees a map and the other a list.
    Conflict,
}

impl Path {
    /// The value at this path.
    pub fn get<'a>(&self, item: &'a Item) -> Option<&'a AttributeValue> {
        self.rest.iter().try_fold(item.get(&self.head)?, |value, step| match (step, value) {
            (Step::Key(key), AttributeValue::M(map)) => map.get(key),
            (Step::Index(index), AttributeValue::L(list)) => list.get(*index),
            _ => None,
        })
    }

    /// Whether the path is an attribute's name and no more.
    pub fn is_top_level(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn clash(&self, other: &Self) -> Option<Clash> {
        if self.head != other.head {
            return None;
        }
        for (mine, theirs) in self.rest.iter().zip(&other.rest) {
            match (mine, theirs) {
                (Step::Key(_), Step::Index(_)) | (Step::Index(_), Step::Key(_)) => {
                    return Some(Clash::Conflict);
                }
                (mine, theirs) if mine != theirs => return None,
                _ => {}
            }
        }
        Some(Clash::Overlap)
    }
}

/// As AWS's messages show a path: `[a, [1], b]`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}", self.head)?;
        for step in &self.rest {
            match step {
                Step::Key(key) => write!(f, ", {key}")?,
                Step::Index(index) => write!(f, ", [{index}]")?,
            }
        }
        f.write_str("]")
    }
}
