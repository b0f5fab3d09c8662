/// Where a sealed value stands. A value opens only at the place it was sealed for, so a row's secret copied into
/// another row, or from one field to another, is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The collection's unique name, such as `iam.access_key`.
    pub collection: &'a str,
    /// The record's primary key.
    pub key: &'a [u8],
    /// The field of the record.
    pub field: &'a str,
}

/// Writes parts so that no two different lists of parts give the same bytes: each after its length.
pub(crate) fn length_prefixed<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}
