//! An object's bytes as records: lines, or CSV's records, whose values may hold line ends.

use std::io::{self, Read};

use bytes::{Bytes, BytesMut};
use homeport_service::Body;
use http_body_util::BodyExt;

use super::decoder::Decoder;
use crate::records::InputCompression;

/// The longest record, in bytes: an item of 400 KB with every character escaped, and much space.
const LONGEST: usize = 8 << 20;
/// Bytes that one look takes out of the decoder.
const LOOK: usize = 64 << 10;

/// What ends a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordKind {
    /// A line end.
    Line,
    /// A line end outside of double quotes.
    Csv,
}

/// Why there is no further record.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// The bytes stopped coming.
    #[error("the object's bytes stopped: {0}")]
    Stopped(String),
    /// They are not what they should be.
    #[error("{0}")]
    Malformed(String),
}

/// An object on its way in.
pub(crate) struct Source {
    body: Body,
    decoder: Decoder,
    kind: RecordKind,
    /// Decompressed bytes that no record was made of yet.
    held: BytesMut,
    /// How many of them were looked through for the record's end.
    seen: usize,
    quoted: bool,
    /// Whether any byte came at all, and whether all were decompressed.
    began: bool,
    ended: bool,
}

impl Source {
    /// Fails where there is no memory to decompress with.
    pub(crate) fn new(
        body: Body,
        compression: InputCompression,
        kind: RecordKind,
    ) -> Result<Self, SourceError> {
        let decoder = Decoder::new(compression).map_err(|error| SourceError::Stopped(error.to_string()))?;
        Ok(Self {
            body,
            decoder,
            kind,
            held: BytesMut::new(),
            seen: 0,
            quoted: false,
            began: false,
            ended: false,
        })
    }

    /// The next record with its line end, and none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, SourceError> {
        loop {
            if let Some(end) = self.record_end() {
                self.seen = 0;
                return Ok(Some(self.held.split_to(end).freeze()));
            }
            if self.ended {
                self.seen = 0;
                let rest = self.held.split().freeze();
                return Ok((!rest.is_empty()).then_some(rest));
            }
            if self.held.len() > LONGEST {
                return Err(SourceError::Malformed(
                    "A record is larger than the maximum allowed size".to_owned(),
                ));
            }
            self.fill().await?;
        }
    }

    /// Where the first record that is held whole ends.
    fn record_end(&mut self) -> Option<usize> {
        let from = self.seen;
        self.seen = self.held.len();
        for (at, byte) in self.held.iter().enumerate().skip(from) {
            match byte {
                b'"' if self.kind == RecordKind::Csv => self.quoted = !self.quoted,
                b'\n' if !self.quoted => return Some(at + 1),
                _ => {}
            }
        }
        None
    }

    /// Decompresses some more.
    async fn fill(&mut self) -> Result<(), SourceError> {
        let held = self.held.len();
        self.held.resize(held + LOOK, 0);
        let read = self.decoder.read(&mut self.held[held..]);
        self.held.truncate(held + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => {
                self.ended = true;
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.give().await,
            Err(error) => {
                Err(SourceError::Malformed(format!("The object could not be decompressed: {error}")))
            }
        }
    }

    async fn give(&mut self) -> Result<(), SourceError> {
        match self.body.frame().await {
            Some(Ok(frame)) => {
                if let Some(data) = frame.into_data().ok().filter(|data| !data.is_empty()) {
                    self.began = true;
                    self.decoder.give(data);
                }
                Ok(())
            }
            Some(Err(error)) => Err(SourceError::Stopped(error.to_string())),
            // An empty object is no item, whatever it should have been compressed with.
            None if !self.began => {
                self.ended = true;
                Ok(())
            }
            None => {
                self.decoder.end();
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::write::GzEncoder;
    use http_body::Frame;
    use http_body_util::StreamBody;

    use super::*;

    /// A body that comes in pieces of this size.
    fn body(bytes: &[u8], size: usize) -> Body {
        let pieces: Vec<_> = bytes
            .chunks(size.max(1))
            .map(|piece| Ok::<_, homeport_service::BoxError>(Frame::data(Bytes::copy_from_slice(piece))))
            .collect();
        StreamBody::new(futures_util::stream::iter(pieces)).boxed_unsync()
    }

    async fn all(
        body: Body,
        compression: InputCompression,
        kind: RecordKind,
    ) -> Result<Vec<String>, SourceError> {
        let mut source = Source::new(body, compression, kind)?;
        let mut records = Vec::new();
        while let Some(record) = source.next().await? {
            records.push(String::from_utf8_lossy(&record).into_owned());
        }
        Ok(records)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), flate2::Compression::default());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    #[tokio::test]
    async fn records_are_the_same_however_the_bytes_come() {
        let text = b"a\nb,\"x\ny\"\n\nlast";
        let members = [gzip(&text[..5]), gzip(&text[5..])].concat();
        let zstd = zstd::encode_all(&text[..], 3).unwrap();
        for size in [1, 2, 7, 1_000] {
            for (bytes, compression) in [
                (&text[..], InputCompression::None),
                (&members, InputCompression::Gzip),
                (&zstd, InputCompression::Zstd),
            ] {
                let lines = all(body(bytes, size), compression, RecordKind::Line).await.unwrap();
                assert_eq!(lines, ["a\n", "b,\"x\n", "y\"\n", "\n", "last"], "{compression:?} by {size}");
                let records = all(body(bytes, size), compression, RecordKind::Csv).await.unwrap();
                assert_eq!(records, ["a\n", "b,\"x\ny\"\n", "\n", "last"], "{compression:?} by {size}");
            }
        }
    }

    #[tokio::test]
    async fn an_empty_object_holds_nothing_and_a_broken_one_is_told() {
        for compression in [InputCompression::None, InputCompression::Gzip, InputCompression::Zstd] {
            assert!(all(body(b"", 1), compression, RecordKind::Line).await.unwrap().is_empty());
        }
        let whole = gzip(b"a\nb\n");
        let broken = zstd::encode_all(&b"a\nb\n"[..], 3).unwrap();
        for (bytes, compression) in [
            (&whole[..whole.len() - 4], InputCompression::Gzip),
            (&b"plain"[..], InputCompression::Gzip),
            (&broken[..broken.len() - 2], InputCompression::Zstd),
            (&b"plain"[..], InputCompression::Zstd),
        ] {
            let told = all(body(bytes, 3), compression, RecordKind::Line).await;
            assert!(matches!(told, Err(SourceError::Malformed(_))), "{told:?}");
        }
    }

    #[tokio::test]
    async fn what_expands_beyond_a_record_is_refused_before_it_is_held() {
        let zeros = vec![b' '; 64 << 20];
        for (bytes, compression) in [
            (gzip(&zeros), InputCompression::Gzip),
            (zstd::encode_all(&zeros[..], 3).unwrap(), InputCompression::Zstd),
        ] {
            let mut source = Source::new(body(&bytes, 1 << 20), compression, RecordKind::Line).unwrap();
            assert!(matches!(source.next().await, Err(SourceError::Malformed(_))));
            assert!(source.held.capacity() <= 3 * LONGEST, "{}", source.held.capacity());
        }
    }
}
