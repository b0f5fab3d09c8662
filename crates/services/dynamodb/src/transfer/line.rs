//! One item, or one change of an item, as a line of an export.

use super::ion;
use crate::error::DynamoError;
use crate::records::ExportFormat;
use crate::value::{Item, StoredItem, decode_stored, write_item};

/// An item that was written in an incremental export's time.
pub(crate) struct ChangedItem {
    /// When it was written last, in microseconds since 1970.
    pub(crate) micros: i64,
    pub(crate) keys: Item,
    /// What it was before, where that is told and there was one.
    pub(crate) old: Option<Item>,
    /// What it became; none for one that is gone.
    pub(crate) new: Option<Item>,
}

/// Appends the line of a stored item.
pub(crate) fn write_item_line(
    format: ExportFormat,
    stored: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), DynamoError> {
    match format {
        ExportFormat::DynamoDbJson => {
            out.extend_from_slice(b"{\"Item\":");
            StoredItem::open(stored)?.write_json(out)?;
            out.extend_from_slice(b"}\n");
        }
        ExportFormat::Ion => {
            out.extend_from_slice(b"$ion_1_0 {Item:");
            ion::write_item(&decode_stored(stored)?, out);
            out.extend_from_slice(b"}\n");
        }
    }
    Ok(())
}

/// Appends the line of a change.
pub(crate) fn write_change(format: ExportFormat, change: &ChangedItem, out: &mut Vec<u8>) {
    let images = [("OldImage", &change.old), ("NewImage", &change.new)];
    let images = images.into_iter().filter_map(|(name, image)| Some((name, image.as_ref()?)));
    let micros = change.micros;
    match format {
        ExportFormat::DynamoDbJson => {
            let metadata =
                format!("{{\"Metadata\":{{\"WriteTimestampMicros\":{{\"N\":\"{micros}\"}}}},\"Keys\":");
            out.extend_from_slice(metadata.as_bytes());
            write_item(&change.keys, out);
            for (name, image) in images {
                out.extend_from_slice(format!(",\"{name}\":").as_bytes());
                write_item(image, out);
            }
            out.extend_from_slice(b"}\n");
        }
        ExportFormat::Ion => {
            let metadata = format!("$ion_1_0 {{Record:{{Metadata:{{WriteTimestampMicros:{micros}.}},Keys:");
            out.extend_from_slice(metadata.as_bytes());
            ion::write_item(&change.keys, out);
            for (name, image) in images {
                out.extend_from_slice(format!(",{name}:").as_bytes());
                ion::write_item(image, out);
            }
            out.extend_from_slice(b"}}\n");
        }
    }
}
