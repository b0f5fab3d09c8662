//! Attribute values: what items are made of.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::number::{Number, NumberError};

mod decode;
mod encode;
mod stored;

pub use decode::Checked;
pub use encode::{write_item, write_string, write_value};
pub use stored::{Corrupt, StoredAttributes, StoredItem, decode as decode_stored, encode as encode_stored};

/// The largest item, in bytes as AWS counts them.
pub const MAX_ITEM_SIZE: usize = 400 * 1024;
/// How deep values nest; the attribute itself is level 1.
pub const MAX_DEPTH: usize = 32;
/// The longest name of an attribute, in bytes.
pub const MAX_NAME_LENGTH: usize = 65_535;

/// An item, or the map of an `M`: attributes by name.
pub type Item = BTreeMap<String, AttributeValue>;

/// A value of one of DynamoDB's ten types. Sets have no order and no duplicates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    /// A string.
    S(String),
    /// A number.
    N(Number),
    /// Bytes; base64 on the wire.
    B(Vec<u8>),
    /// A set of strings, never empty.
    Ss(BTreeSet<String>),
    /// A set of numbers, never empty.
    Ns(BTreeSet<Number>),
    /// A set of byte strings, never empty.
    Bs(BTreeSet<Vec<u8>>),
    /// A map.
    M(Item),
    /// A list.
    L(Vec<AttributeValue>),
    /// A truth value.
    Bool(bool),
    /// Null.
    Null,
}

/// A type of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValueType {
    /// A string.
    S,
    /// A number.
    N,
    /// Bytes.
    B,
    /// A set of strings.
    Ss,
    /// A set of numbers.
    Ns,
    /// A set of byte strings.
    Bs,
    /// A map.
    M,
    /// A list.
    L,
    /// A truth value.
    Bool,
    /// Null.
    Null,
}

/// What is wrong with a value, in AWS's words (its grammar included).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// `{}`
    #[error("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")]
    Empty,
    /// `{"S": …, "N": …}`
    #[error(
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
    )]
    ManyTypes,
    /// `{"SS": []}`
    #[error("One or more parameter values were invalid: An string set  may not be empty")]
    EmptyStringSet,
    /// `{"NS": []}`
    #[error("One or more parameter values were invalid: An number set  may not be empty")]
    EmptyNumberSet,
    /// `{"BS": []}`
    #[error("One or more parameter values were invalid: Binary sets should not be empty")]
    EmptyBinarySet,
    /// The same string twice; the collection as given.
    #[error("One or more parameter values were invalid: Input collection {} contains duplicates.", .0.given)]
    DuplicateStrings(Repeated),
    /// The same number twice.
    #[error("Input collection contains duplicates")]
    DuplicateNumbers,
    /// The same bytes twice; the collection as given, in base64.
    #[error("One or more parameter values were invalid: Input collection {}of type BS contains duplicates.", .0.given)]
    DuplicateBinaries(Repeated),
    /// No number, or one out of bounds.
    #[error(transparent)]
    Number(#[from] NumberError),
    /// `{"NULL": false}`
    #[error(
        "One or more parameter values were invalid: Null attribute value types must have the value of true"
    )]
    NullFalse,
    /// An attribute called `""`.
    #[error("Empty attribute name")]
    NoName,
    /// Deeper than [`MAX_DEPTH`].
    #[error(
        "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
    )]
    TooDeep,
    /// An attribute's name longer than [`MAX_NAME_LENGTH`].
    #[error("Attribute name is too large, must be less than 65536 bytes")]
    NameTooLong,
}

/// A collection with duplicates, as messages show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeated {
    /// As it was given.
    pub given: String,
    /// As it was when the duplicate was found, while it was put in order.
    pub ordered: String,
}

impl ValueError {
    /// What some operations say today; [`Display`](fmt::Display) gives the older words, which the others still use.
    pub fn in_newer_words(&self) -> String {
        const INVALID: &str = "One or more parameter values were invalid";
        match self {
            Self::Number(NumberError::Empty) => format!("{self}: "),
            Self::Number(NumberError::Wrapped) => NumberError::Overflow.to_string(),
            Self::DuplicateStrings(Repeated { ordered, .. }) => {
                format!("{INVALID}: Input collection {ordered} contains duplicates.")
            }
            Self::DuplicateBinaries(Repeated { ordered, .. }) => {
                format!("{INVALID}: Input collection {ordered}of type BS contains duplicates.")
            }
            Self::DuplicateNumbers => format!("{INVALID}: Input collection contains duplicates."),
            other => other.to_string(),
        }
    }
}

/// A value that several use.
pub type SharedValue = Arc<AttributeValue>;

impl AttributeValue {
    /// The value's type.
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::S(_) => ValueType::S,
            Self::N(_) => ValueType::N,
            Self::B(_) => ValueType::B,
            Self::Ss(_) => ValueType::Ss,
            Self::Ns(_) => ValueType::Ns,
            Self::Bs(_) => ValueType::Bs,
            Self::M(_) => ValueType::M,
            Self::L(_) => ValueType::L,
            Self::Bool(_) => ValueType::Bool,
            Self::Null => ValueType::Null,
        }
    }

    /// What AWS counts for it towards an item's size, in bytes.
    pub fn size(&self) -> usize {
        match self {
            Self::S(text) => text.len(),
            Self::N(number) => number.size(),
            Self::B(bytes) => bytes.len(),
            Self::Ss(set) => set.iter().map(String::len).sum(),
            Self::Ns(set) => set.iter().map(|number| number.size()).sum(),
            Self::Bs(set) => set.iter().map(Vec::len).sum(),
            Self::M(map) => 3 + map.len() + item_size(map),
            Self::L(list) => 3 + list.iter().map(|value| 1 + value.size()).sum::<usize>(),
            Self::Bool(_) | Self::Null => 1,
        }
    }

    /// How deep it nests: 1 for a scalar.
    pub fn depth(&self) -> usize {
        match self {
            Self::M(map) => 1 + map.values().map(Self::depth).max().unwrap_or(0),
            Self::L(list) => 1 + list.iter().map(Self::depth).max().unwrap_or(0),
            _ => 1,
        }
    }
}

/// What AWS counts for an item: its attributes' names and values, in bytes.
pub fn item_size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value.size()).sum()
}

impl ValueType {
    /// The type's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
            Self::Ss => "SS",
            Self::Ns => "NS",
            Self::Bs => "BS",
            Self::M => "M",
            Self::L => "L",
            Self::Bool => "BOOL",
            Self::Null => "NULL",
        }
    }

    /// The type of this name.
    pub fn parse(name: &str) -> Option<Self> {
        use ValueType::{B, Bool, Bs, L, M, N, Ns, Null, S, Ss};
        [S, N, B, Ss, Ns, Bs, M, L, Bool, Null].into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it is a set.
    pub fn is_set(self) -> bool {
        matches!(self, Self::Ss | Self::Ns | Self::Bs)
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
