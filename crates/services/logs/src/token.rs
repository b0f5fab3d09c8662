//! Paging tokens: opaque, and never believed.

use homeport_store::{KeyParts, Part};

use crate::LogsError;

/// `PREFIX/` and the hexadecimal bytes of a place.
pub(crate) fn write(prefix: &str, place: &KeyParts) -> String {
    format!("{prefix}/{}", hex::encode(place.as_bytes()))
}

/// Reads what [`write`] wrote: the prefix and the place.
pub(crate) fn read(token: &str) -> Result<(&str, KeyParts), LogsError> {
    let (prefix, text) = token.split_once('/').ok_or_else(LogsError::invalid_token)?;
    let bytes = hex::decode(text).map_err(|_| LogsError::invalid_token())?;
    let place = match KeyParts::decode(&bytes).as_deref() {
        Some([Part::I64(time)]) => KeyParts::new().i64(*time),
        Some([Part::I64(time), Part::Stamp(stamp), Part::U64(index)]) => {
            KeyParts::new().i64(*time).stamp(*stamp).u64(*index)
        }
        _ => return Err(LogsError::invalid_token()),
    };
    Ok((prefix, place))
}
