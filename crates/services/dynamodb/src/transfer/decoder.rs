//! Bytes as they come, decompressed a little at a time: what they become is never held all at once.

use std::io::{self, BufRead, Read};

use bytes::{Buf, Bytes};
use flate2::bufread::MultiGzDecoder;
use zstd::stream::read::Decoder as ZstdDecoder;

use crate::records::InputCompression;

/// Bytes that came and were not taken yet. It would block where more are to come.
#[derive(Default)]
pub(super) struct Feed {
    bytes: Bytes,
    ended: bool,
}

impl BufRead for Feed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.bytes.is_empty() && !self.ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(&self.bytes)
    }

    fn consume(&mut self, amount: usize) {
        self.bytes.advance(amount.min(self.bytes.len()));
    }
}

impl Read for Feed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let taken = available.len().min(out.len());
        out[..taken].copy_from_slice(&available[..taken]);
        self.consume(taken);
        Ok(taken)
    }
}

/// The largest window that ZSTD may look back into, as a power of two: 32 MiB. Every level up to 19 keeps within 8.
const ZSTD_WINDOW: u32 = 25;

/// What an object's bytes are read through.
pub(super) enum Decoder {
    Plain(Feed),
    Gzip(Box<MultiGzDecoder<Feed>>),
    Zstd(Box<ZstdDecoder<'static, Feed>>),
}

impl Decoder {
    pub(super) fn new(compression: InputCompression) -> io::Result<Self> {
        Ok(match compression {
            InputCompression::None => Self::Plain(Feed::default()),
            InputCompression::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(Feed::default()))),
            InputCompression::Zstd => {
                let mut decoder = ZstdDecoder::with_buffer(Feed::default())?;
                decoder.window_log_max(ZSTD_WINDOW)?;
                Self::Zstd(Box::new(decoder))
            }
        })
    }

    fn feed(&mut self) -> &mut Feed {
        match self {
            Self::Plain(feed) => feed,
            Self::Gzip(decoder) => decoder.get_mut(),
            Self::Zstd(decoder) => decoder.get_mut(),
        }
    }

    /// Gives it the next bytes, once it would block.
    pub(super) fn give(&mut self, bytes: Bytes) {
        self.feed().bytes = bytes;
    }

    /// Tells it that there are no more.
    pub(super) fn end(&mut self) {
        self.feed().ended = true;
    }
}

impl Read for Decoder {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(feed) => feed.read(out),
            Self::Gzip(decoder) => decoder.read(out),
            Self::Zstd(decoder) => decoder.read(out),
        }
    }
}
