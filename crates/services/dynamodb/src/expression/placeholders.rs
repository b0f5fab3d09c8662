use std::collections::{BTreeMap, BTreeSet};

use super::ExpressionError;
use crate::value::{MAX_NAME_LENGTH, SharedValue, ValueError};

/// What a request's names and values come to where they are used, in bytes (AWS's bound on substitution variables).
const MAX_SUBSTITUTED: usize = 2 << 20;

/// The bytes of a placeholder, its mark among them (Developer Guide, "Quotas", on expression parameters).
const MAX_KEY_LENGTH: usize = 255;

/// A request's `ExpressionAttributeNames` and `ExpressionAttributeValues`, and which of them its expressions used.
#[derive(Default)]
pub struct Placeholders<'a> {
    names: Option<&'a BTreeMap<String, String>>,
    values: Option<&'a BTreeMap<String, SharedValue>>,
    used_names: BTreeSet<&'a str>,
    used_values: BTreeSet<&'a str>,
    /// How long what was put in place of them is, in bytes.
    length: usize,
}

/// What is wrong with a request's placeholders, in AWS's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceholderError {
    /// `{}`
    #[error("ExpressionAttributeNames must not be empty")]
    NoNames,
    /// `{}`
    #[error("ExpressionAttributeValues must not be empty")]
    NoValues,
    /// A name without `#`.
    #[error("ExpressionAttributeNames contains invalid key: Syntax error; key: \"{0}\"")]
    NameKey(String),
    /// A value without `:`.
    #[error("ExpressionAttributeValues contains invalid key: Syntax error; key: \"{0}\"")]
    ValueKey(String),
    /// A value that is none.
    #[error("ExpressionAttributeValues contains invalid value: {error} for key {key}")]
    Value {
        /// What is wrong with it.
        error: ValueError,
        /// Its key.
        key: String,
    },
    /// A key of too many bytes.
    #[error(
        "ExpressionAttributeNames contains invalid key: The expression attribute map contains a key that is too long; size of key: {0}"
    )]
    LongNameKey(usize),
    /// A value's key of too many bytes.
    #[error(
        "ExpressionAttributeValues contains invalid key: The expression attribute map contains a key that is too long;"
    )]
    LongValueKey,
    /// An attribute's name of no characters.
    #[error("ExpressionAttributeNames contains invalid value: Empty attribute name for key {0}")]
    NoName(String),
    /// An attribute's name of too many bytes.
    #[error("{}", ValueError::NameTooLong)]
    LongName,
    /// Names that no expression uses.
    #[error("Value provided in ExpressionAttributeNames unused in expressions: keys: {{{0}}}")]
    UnusedNames(String),
    /// Values that no expression uses.
    #[error("Value provided in ExpressionAttributeValues unused in expressions: keys: {{{0}}}")]
    UnusedValues(String),
}

impl<'a> Placeholders<'a> {
    /// The placeholders of a request. Values are decoded already; [`PlaceholderError::Value`] is for whoever did that.
    pub fn new(
        names: Option<&'a BTreeMap<String, String>>,
        values: Option<&'a BTreeMap<String, SharedValue>>,
    ) -> Result<Self, PlaceholderError> {
        if let Some(names) = names {
            check_names(names)?;
        }
        if let Some(values) = values {
            if values.is_empty() {
                return Err(PlaceholderError::NoValues);
            }
            for key in values.keys() {
                if key.len() > MAX_KEY_LENGTH {
                    return Err(PlaceholderError::LongValueKey);
                }
                if !is_placeholder(key, ':') {
                    return Err(PlaceholderError::ValueKey(key.clone()));
                }
            }
        }
        Ok(Self { names, values, ..Self::default() })
    }

    /// The attribute behind `#name`.
    pub(super) fn name(&mut self, key: &str) -> Result<&'a str, ExpressionError> {
        let found = self.names.and_then(|names| names.get_key_value(key));
        let (key, name) = found.ok_or_else(|| ExpressionError::UndefinedName(key.to_owned()))?;
        self.used_names.insert(key);
        self.lengthen(name.len())?;
        Ok(name)
    }

    /// The value behind `:value`.
    pub(super) fn value(&mut self, key: &str) -> Result<SharedValue, ExpressionError> {
        let found = self.values.and_then(|values| values.get_key_value(key));
        let (key, value) = found.ok_or_else(|| ExpressionError::UndefinedValue(key.to_owned()))?;
        self.used_values.insert(key);
        self.lengthen(value.size())?;
        Ok(value.clone())
    }

    /// Counts each use: a few characters of an expression may name the same long value a thousand times.
    fn lengthen(&mut self, bytes: usize) -> Result<(), ExpressionError> {
        self.length += bytes;
        if self.length > MAX_SUBSTITUTED { Err(ExpressionError::Substituted(self.length)) } else { Ok(()) }
    }

    /// To be called when all expressions have been read: refuses what none of them used.
    pub fn finish(self) -> Result<(), PlaceholderError> {
        let names = unused(self.names.map(BTreeMap::keys), &self.used_names);
        if !names.is_empty() {
            return Err(PlaceholderError::UnusedNames(names));
        }
        let values = unused(self.values.map(BTreeMap::keys), &self.used_values);
        if !values.is_empty() {
            return Err(PlaceholderError::UnusedValues(values));
        }
        Ok(())
    }
}

fn check_names(names: &BTreeMap<String, String>) -> Result<(), PlaceholderError> {
    if names.is_empty() {
        return Err(PlaceholderError::NoNames);
    }
    for key in names.keys() {
        if key.len() > MAX_KEY_LENGTH {
            return Err(PlaceholderError::LongNameKey(key.len()));
        }
        if !is_placeholder(key, '#') {
            return Err(PlaceholderError::NameKey(key.clone()));
        }
    }
    for (key, name) in names {
        if name.is_empty() {
            return Err(PlaceholderError::NoName(key.clone()));
        }
        if name.len() > MAX_NAME_LENGTH {
            return Err(PlaceholderError::LongName);
        }
    }
    Ok(())
}

fn is_placeholder(key: &str, mark: char) -> bool {
    key.strip_prefix(mark)
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}

fn unused<'a>(all: Option<impl Iterator<Item = &'a String>>, used: &BTreeSet<&str>) -> String {
    let unused: Vec<&str> =
        all.into_iter().flatten().map(String::as_str).filter(|key| !used.contains(key)).collect();
    unused.join(", ")
}
