//! Bodies in `aws-chunked` encoding: taken apart and verified as they arrive.

use aws_lc_rs::digest;
use bytes::Bytes;
use homeport_core::Fault;
use http::HeaderMap;

use crate::Refusal;

mod chain;
mod trailers;

pub(crate) use chain::Chain;
pub use chain::ChunkSigner;
pub(crate) use trailers::Announced;
pub use trailers::{TRAILERS_MAX, Trailers};

/// The longest line before a chunk, in bytes: 16 digits, the signature and its name are 98.
pub const CHUNK_HEADER_MAX: usize = 256;

/// Signed chunks before the last are at least so long: each costs an HMAC.
const SIGNED_CHUNK_MIN: u64 = 8_192;

/// Why a chunked body is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChunkRefusal {
    /// The framing is broken, or a line is too long.
    #[error("The request body is not well-formed aws-chunked encoding.")]
    Malformed,
    /// A signed chunk that is not the last is shorter than 8,192 bytes.
    #[error("Only the last chunk is allowed to have a size less than 8192 bytes")]
    ChunkTooSmall,
    /// A chunk's or the trailers' signature is wrong.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your key and signing method."
    )]
    SignatureDoesNotMatch,
    /// More or less than `x-amz-decoded-content-length`, or the end is missing.
    #[error("You did not provide the number of bytes specified by the Content-Length HTTP header")]
    WrongLength,
    /// The trailers are not those that `x-amz-trailer` announced, or are malformed.
    #[error(
        "The request contained trailing data that was not well-formed or did not conform to our published schema."
    )]
    MalformedTrailer,
}

impl ChunkRefusal {
    /// The refusal as S3 words it.
    pub fn fault(&self) -> Fault {
        let (code, status) = match self {
            Self::Malformed => ("InvalidRequest", 400),
            Self::ChunkTooSmall => ("InvalidChunkSizeError", 403),
            Self::SignatureDoesNotMatch => ("SignatureDoesNotMatch", 403),
            Self::WrongLength => ("IncompleteBody", 400),
            Self::MalformedTrailer => ("MalformedTrailerError", 400),
        };
        Fault::with_status(code, status, self.to_string())
    }
}

/// A body that is taken apart as it arrives. What [`push`](Self::push) hands out has not been verified yet: it may
/// be kept aside, and made visible only once [`finish`](Self::finish) has answered.
#[derive(Debug)]
pub struct ChunkedBody {
    announced: Announced,
    signed: Option<Signed>,
    state: State,
    line: Vec<u8>,
    decoded: u64,
    trailers: Trailers,
    trailer_bytes: usize,
}

#[derive(Debug)]
struct Signed {
    chain: Chain,
    trailer: bool,
    /// The signature that the chunk being read claims.
    claimed: [u8; 32],
    hash: Hash,
    short_chunk_seen: bool,
}

struct Hash(digest::Context);

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hash")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Header,
    Data { left: u64 },
    DataEnd,
    Trailers,
    Done,
}

impl ChunkedBody {
    /// A body of `STREAMING-UNSIGNED-PAYLOAD-TRAILER`, by the request's headers; anonymous requests have it too.
    pub fn unsigned(headers: &HeaderMap) -> Result<Self, Refusal> {
        Ok(Self::new(Announced::read(headers)?, None))
    }

    pub(crate) fn signed(announced: Announced, chain: Chain, trailer: bool) -> Self {
        let hash = Hash(digest::Context::new(&digest::SHA256));
        let signed = Signed { chain, trailer, claimed: [0; 32], hash, short_chunk_seen: false };
        Self::new(announced, Some(signed))
    }

    fn new(announced: Announced, signed: Option<Signed>) -> Self {
        let (line, trailers) = (Vec::new(), Trailers::default());
        Self { announced, signed, state: State::Header, line, decoded: 0, trailers, trailer_bytes: 0 }
    }

    /// The length that the body will have once decoded, in bytes.
    pub fn decoded_length(&self) -> u64 {
        self.announced.decoded_length
    }

    /// Takes what has arrived and appends the decoded bytes in it to `out`, without copying them.
    pub fn push(&mut self, mut input: Bytes, out: &mut Vec<Bytes>) -> Result<(), ChunkRefusal> {
        while !input.is_empty() {
            match self.state {
                State::Data { left } => {
                    let length = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                    let data = input.split_to(length);
                    self.take_data(&data, left)?;
                    out.push(data);
                }
                State::Done => return Err(ChunkRefusal::Malformed),
                State::Header | State::DataEnd | State::Trailers => {
                    if let Some(line) = self.take_line(&mut input)? {
                        self.read_line(&line)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The body has ended: everything that was announced has come and verifies. Answers with the trailers.
    pub fn finish(self) -> Result<Trailers, ChunkRefusal> {
        if self.state != State::Done || self.decoded != self.announced.decoded_length {
            return Err(ChunkRefusal::WrongLength);
        }
        Ok(self.trailers)
    }

    fn take_data(&mut self, data: &[u8], left: u64) -> Result<(), ChunkRefusal> {
        self.decoded = self.decoded.saturating_add(data.len() as u64);
        if self.decoded > self.announced.decoded_length {
            return Err(ChunkRefusal::WrongLength);
        }
        if let Some(signed) = &mut self.signed {
            signed.hash.0.update(data);
        }
        let left = left - data.len() as u64;
        self.state = if left > 0 { State::Data { left } } else { State::DataEnd };
        if left == 0 { self.end_chunk() } else { Ok(()) }
    }

    fn end_chunk(&mut self) -> Result<(), ChunkRefusal> {
        match &mut self.signed {
            Some(signed) => signed.end_chunk(),
            None => Ok(()),
        }
    }

    /// A whole line without its CR LF, once it has arrived.
    fn take_line(&mut self, input: &mut Bytes) -> Result<Option<Vec<u8>>, ChunkRefusal> {
        let end = input.iter().position(|b| *b == b'\n');
        let taken = input.split_to(end.map_or(input.len(), |end| end + 1));
        self.line.extend_from_slice(&taken);
        let most = if self.state == State::Trailers { TRAILERS_MAX } else { CHUNK_HEADER_MAX };
        if self.line.len() > most {
            return Err(ChunkRefusal::Malformed);
        }
        if end.is_none() {
            return Ok(None);
        }
        let mut line = std::mem::take(&mut self.line);
        let ends_well = line.ends_with(b"\r\n");
        line.truncate(line.len().saturating_sub(2));
        if ends_well { Ok(Some(line)) } else { Err(ChunkRefusal::Malformed) }
    }

    fn read_line(&mut self, line: &[u8]) -> Result<(), ChunkRefusal> {
        match self.state {
            State::Header => self.read_chunk_header(line),
            State::DataEnd if line.is_empty() => {
                self.state = State::Header;
                Ok(())
            }
            State::Trailers if line.is_empty() => self.end_trailers(),
            State::Trailers => {
                self.trailer_bytes += line.len();
                if self.trailer_bytes > TRAILERS_MAX {
                    return Err(ChunkRefusal::MalformedTrailer);
                }
                self.trailers.push_line(line)
            }
            State::DataEnd | State::Data { .. } | State::Done => Err(ChunkRefusal::Malformed),
        }
    }

    /// `SIZE` in hexadecimal, then `;chunk-signature=` and 64 digits where chunks are signed.
    fn read_chunk_header(&mut self, line: &[u8]) -> Result<(), ChunkRefusal> {
        let line = std::str::from_utf8(line).map_err(|_| ChunkRefusal::Malformed)?;
        let (size, extension) = line.split_once(';').map_or((line, None), |(size, more)| (size, Some(more)));
        let digits = (1..=16).contains(&size.len()) && size.bytes().all(|b| b.is_ascii_hexdigit());
        let size =
            digits.then(|| u64::from_str_radix(size, 16).ok()).flatten().ok_or(ChunkRefusal::Malformed)?;
        if let Some(signed) = &mut self.signed {
            signed.begin_chunk(size, extension)?;
        }
        if size > 0 {
            self.state = State::Data { left: size };
            return Ok(());
        }
        self.state = State::Trailers;
        self.end_chunk()
    }

    fn end_trailers(&mut self) -> Result<(), ChunkRefusal> {
        self.state = State::Done;
        if let Some(signed) = &self.signed {
            let claimed = self.trailers.take_signature()?;
            match (signed.trailer, claimed) {
                (true, Some(claimed)) => signed.chain.verify_trailers(&self.trailers, &claimed)?,
                (false, None) => {}
                _ => return Err(ChunkRefusal::MalformedTrailer),
            }
        }
        self.announced.check(&self.trailers)
    }
}

impl Signed {
    fn begin_chunk(&mut self, size: u64, extension: Option<&str>) -> Result<(), ChunkRefusal> {
        let claimed = extension.and_then(|text| text.strip_prefix("chunk-signature="));
        self.claimed = claimed.and_then(crate::payload::lower_hex).ok_or(ChunkRefusal::Malformed)?;
        if size > 0 && self.short_chunk_seen {
            return Err(ChunkRefusal::ChunkTooSmall);
        }
        self.short_chunk_seen = size < SIGNED_CHUNK_MIN;
        Ok(())
    }

    fn end_chunk(&mut self) -> Result<(), ChunkRefusal> {
        let hash = std::mem::replace(&mut self.hash.0, digest::Context::new(&digest::SHA256)).finish();
        self.chain.verify_chunk(hash.as_ref(), &self.claimed)
    }
}
