use bytes::Bytes;

use crate::StoreError;

/// A change of a number that is applied at commit to whatever is there then, so it never conflicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merge {
    Add(i64),
    Max(i64),
    Min(i64),
}

impl Merge {
    /// The number after the change. An absent number counts as 0 for `Add`, as the operand for the others;
    /// sums stop at the ends of the type.
    pub(crate) fn apply(self, before: Option<i64>) -> i64 {
        match (self, before) {
            (Self::Add(delta), before) => before.unwrap_or(0).saturating_add(delta),
            (Self::Max(other), Some(before)) => before.max(other),
            (Self::Min(other), Some(before)) => before.min(other),
            (Self::Max(other) | Self::Min(other), None) => other,
        }
    }
}

/// The value after several changes.
pub(crate) fn apply_all(merges: &[Merge], before: Option<&[u8]>) -> Result<Bytes, StoreError> {
    let before = before.map(to_number).transpose()?;
    let after = merges.iter().fold(before, |before, merge| Some(merge.apply(before)));
    Ok(to_value(after.unwrap_or(0)))
}

pub(crate) fn to_number(value: &[u8]) -> Result<i64, StoreError> {
    value.try_into().map(i64::from_be_bytes).map_err(|_| StoreError::NotANumber)
}

pub(crate) fn to_value(number: i64) -> Bytes {
    Bytes::copy_from_slice(&number.to_be_bytes())
}
