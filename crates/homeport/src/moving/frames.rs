//! A backup's file: a line that says what it is, then parts, each with its kind, its length and its content.
//!
//! | kind | content |
//! |---|---|
//! | `M` | the manifest, JSON; first |
//! | `R` | rows in the order of keys: each key and each value behind its length (4 bytes, big-endian) |
//! | `B` | a blob: its owner behind its length (1 byte), its id (32 digits), its bytes |
//! | `I` | the installation's own row, as `R`; after all others |
//! | `E` | the trailer, JSON; last. Its SHA-256 is of every byte before this part |
//!
//! It is no tar: a part is whole or refused, and rows and blobs are read as they come, without a second name for either.

use bytes::{Buf, Bytes};
use homeport_store::Row;
use serde::{Deserialize, Serialize};

/// The file's first bytes.
pub(super) const MAGIC: &[u8] = b"HOMEPORT BACKUP\n";
/// The format that this program writes.
pub(super) const FORMAT: u32 = 1;
/// A part's kind and length.
pub(super) const HEAD_BYTES: usize = 9;
/// The longest part but a blob: a page of rows with the biggest row behind it.
pub(super) const MOST_BYTES: u64 = 256 << 20;
/// The most rows of a part: those of a page.
const MOST_ROWS: usize = 65_536;
/// An id's digits.
pub(super) const ID_BYTES: usize = 32;

/// A part's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Manifest,
    Rows,
    Blob,
    Installation,
    Trailer,
}

impl Kind {
    const ALL: [(Self, u8); 5] = [
        (Self::Manifest, b'M'),
        (Self::Rows, b'R'),
        (Self::Blob, b'B'),
        (Self::Installation, b'I'),
        (Self::Trailer, b'E'),
    ];

    fn letter(self) -> u8 {
        Self::ALL.into_iter().find(|(kind, _)| *kind == self).map_or(0, |(_, letter)| letter)
    }
}

/// What a part begins with.
pub(super) fn head(kind: Kind, length: u64) -> [u8; HEAD_BYTES] {
    let mut head = [kind.letter(); HEAD_BYTES];
    head[1..].copy_from_slice(&length.to_be_bytes());
    head
}

/// The same read again; none for what is no part's beginning.
pub(super) fn read_head(head: [u8; HEAD_BYTES]) -> Option<(Kind, u64)> {
    let [letter, length @ ..] = head;
    let (kind, _) = Kind::ALL.into_iter().find(|(_, known)| *known == letter)?;
    Some((kind, u64::from_be_bytes(length)))
}

/// What a backup is of.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The file's format.
    pub(super) format: u32,
    /// The program that wrote it.
    pub(super) program: String,
    /// The installation.
    pub(super) installation: String,
    /// The commit as which its rows were taken.
    pub(super) last: u64,
    /// When that was.
    pub(super) taken: String,
}

/// What a backup has come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trailer {
    /// Rows, the installation's own among them.
    pub(super) rows: u64,
    pub(super) blobs: u64,
    pub(super) blob_bytes: u64,
    /// Of every byte before the trailer, in hexadecimal digits.
    pub(super) sha256: String,
}

/// Rows as they lie in a part.
pub(super) fn packed(rows: &[Row]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(rows.iter().map(|row| row.key.len() + row.value.len() + 8).sum());
    for part in rows.iter().flat_map(|row| [&row.key, &row.value]) {
        packed.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        packed.extend_from_slice(part);
    }
    packed
}

/// The same read again; none where it isn't whole rows with keys, or more than a part has.
pub(super) fn unpacked(mut packed: Bytes) -> Option<Vec<Row>> {
    let mut rows = Vec::new();
    while packed.has_remaining() {
        let row = Row { key: part(&mut packed)?, value: part(&mut packed)? };
        if row.key.is_empty() || rows.len() == MOST_ROWS {
            return None;
        }
        rows.push(row);
    }
    Some(rows)
}

fn part(packed: &mut Bytes) -> Option<Bytes> {
    let length = usize::try_from(packed.try_get_u32().ok()?).ok()?;
    (length <= packed.len()).then(|| packed.split_to(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_read_back_and_parts_of_them_do_not() {
        let row = |key: &'static [u8], value: &'static [u8]| Row { key: key.into(), value: value.into() };
        let rows = vec![row(b"\x02a\0", b"value"), row(b"\x02b\0", b""), row(b"\x02c\0", &[0; 300])];
        let whole = Bytes::from(packed(&rows));
        assert_eq!(unpacked(whole.clone()), Some(rows.clone()));
        for length in 0..whole.len() {
            assert_ne!(unpacked(whole.slice(..length)), Some(rows.clone()));
        }
        assert_eq!(unpacked(Bytes::from_static(&[255, 255, 255, 255, 1])), None);
        assert_eq!(unpacked(Bytes::new()), Some(vec![]));
    }

    #[test]
    fn rows_without_keys_and_more_than_a_page_of_them_are_none() {
        assert_eq!(unpacked(Bytes::from_static(&[0; 80])), None);
        let row = Row { key: Bytes::from("k"), value: Bytes::new() };
        let page = vec![row.clone(); MOST_ROWS];
        assert_eq!(unpacked(packed(&page).into()).map(|rows| rows.len()), Some(MOST_ROWS));
        assert_eq!(unpacked(packed(&[&page[..], &[row]].concat()).into()), None);
    }

    #[test]
    fn a_head_reads_back() {
        for (kind, _) in Kind::ALL {
            assert_eq!(read_head(head(kind, 1 << 40)), Some((kind, 1 << 40)));
        }
        assert_eq!(read_head([0; HEAD_BYTES]), None);
    }
}
