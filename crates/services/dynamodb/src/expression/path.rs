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
        walk(item.get(&self.head), &self.rest)
    }

    /// Whether there is what the last step leads into: a map for a name, a list for an index. An attribute leads into
    /// the item.
    pub fn has_parent(&self, item: &Item) -> bool {
        let Some((last, way)) = self.rest.split_last() else { return true };
        matches!(
            (last, walk(item.get(&self.head), way)),
            (Step::Key(_), Some(AttributeValue::M(_))) | (Step::Index(_), Some(AttributeValue::L(_)))
        )
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

fn walk<'a>(from: Option<&'a AttributeValue>, steps: &[Step]) -> Option<&'a AttributeValue> {
    steps.iter().try_fold(from?, |value, step| match (step, value) {
        (Step::Key(key), AttributeValue::M(map)) => map.get(key),
        (Step::Index(index), AttributeValue::L(list)) => list.get(*index),
        _ => None,
    })
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
