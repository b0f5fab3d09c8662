//! Where requests begin and end in an HTTP/1.1 byte stream (RFC 9112), read strictly.
//!
//! Two programs that read the same bytes differently can be made to see different requests. So whatever leaves
//! room for it is refused before hyper, which is more lenient, sees it (security decision 27): a line that ends in
//! a bare LF, a folded header, space before a colon, Transfer-Encoding beside Content-Length or other than
//! `chunked`, two Content-Lengths.

/// The longest line of a chunk's size with its extensions, in bytes.
const MOST_CHUNK_LINE: usize = 1_024;

/// How far the stream has come.
#[derive(Debug)]
pub(crate) struct Framing {
    part: Part,
    /// The line so far, where it came in several pieces.
    line: Vec<u8>,
    head: Head,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Head,
    Sized(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd { carriage_return_seen: bool },
    Trailer,
}

/// What the headers said so far.
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    begun: bool,
    content_length: Option<u64>,
    chunked: bool,
}

/// The stream can't be read in one way only; the byte at this place of the input shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ambiguous {
    pub(crate) at: usize,
}

struct Wrong;

impl Framing {
    pub(crate) fn new() -> Self {
        Self { part: Part::Head, line: Vec::new(), head: Head::default() }
    }

    /// Whether a head has begun and not ended.
    pub(crate) fn in_head(&self) -> bool {
        self.part == Part::Head && (self.head.begun || !self.line.is_empty())
    }

    /// Whether a request has begun, head or body, and not ended.
    pub(crate) fn amid_request(&self) -> bool {
        self.part != Part::Head || self.in_head()
    }

    /// Reads on.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), Ambiguous> {
        let mut at = 0;
        while at < bytes.len() {
            at += match self.part {
                Part::Sized(left) | Part::Chunk(left) => self.skip(left, bytes.len() - at),
                Part::ChunkEnd { .. } => self.chunk_end(bytes[at]).map_err(|Wrong| Ambiguous { at })?,
                Part::Head | Part::ChunkSize | Part::Trailer => {
                    self.line(&bytes[at..]).map_err(|wrong| wrong.behind(at))?
                }
            };
        }
        Ok(())
    }

    fn skip(&mut self, left: u64, there: usize) -> usize {
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(there);
        let left = left - taken as u64;
        self.part = match self.part {
            Part::Sized(_) if left == 0 => Part::Head,
            Part::Sized(_) => Part::Sized(left),
            _ if left == 0 => Part::ChunkEnd { carriage_return_seen: false },
            _ => Part::Chunk(left),
        };
        taken
    }

    fn chunk_end(&mut self, byte: u8) -> Result<usize, Wrong> {
        self.part = match (self.part, byte) {
            (Part::ChunkEnd { carriage_return_seen: false }, b'\r') => {
                Part::ChunkEnd { carriage_return_seen: true }
            }
            (Part::ChunkEnd { carriage_return_seen: true }, b'\n') => Part::ChunkSize,
            _ => return Err(Wrong),
        };
        Ok(1)
    }

    /// Takes the rest of a line, or all that is there of it.
    fn line(&mut self, bytes: &[u8]) -> Result<usize, Ambiguous> {
        if self.line.is_empty() && matches!(bytes[0], b' ' | b'\t') {
            return Err(Ambiguous { at: 0 });
        }
        let Some(end) = memchr::memchr(b'\n', bytes) else {
            self.line.extend_from_slice(bytes);
            if self.part == Part::ChunkSize && self.line.len() > MOST_CHUNK_LINE {
                return Err(Ambiguous { at: 0 });
            }
            return Ok(bytes.len());
        };
        let held = std::mem::take(&mut self.line);
        let whole;
        let line = if held.is_empty() {
            &bytes[..end]
        } else {
            whole = [&held, &bytes[..end]].concat();
            &whole
        };
        let line = line.strip_suffix(b"\r").ok_or(Ambiguous { at: end })?;
        self.whole_line(line).map_err(|Wrong| Ambiguous { at: end })?;
        Ok(end + 1)
    }

    fn whole_line(&mut self, line: &[u8]) -> Result<(), Wrong> {
        self.part = match self.part {
            // Empty lines before a request line are allowed (RFC 9112 section 2.2).
            Part::Head if line.is_empty() && !self.head.begun => Part::Head,
            Part::Head if line.is_empty() => std::mem::take(&mut self.head).body()?,
            Part::Head => {
                self.head.read(line)?;
                Part::Head
            }
            Part::ChunkSize => match chunk_size(line)? {
                0 => Part::Trailer,
                size => Part::Chunk(size),
            },
            _ if line.is_empty() => Part::Head,
            part => {
                colon_of(line)?;
                part
            }
        };
        Ok(())
    }
}

impl Ambiguous {
    fn behind(self, offset: usize) -> Self {
        Self { at: self.at + offset }
    }
}

impl Head {
    fn read(&mut self, line: &[u8]) -> Result<(), Wrong> {
        if !self.begun {
            self.begun = true;
            return Ok(());
        }
        let colon = colon_of(line)?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            let length = decimal(value).ok_or(Wrong)?;
            if self.content_length.replace(length).is_some() {
                return Err(Wrong);
            }
        }
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Wrong);
            }
            self.chunked = true;
        }
        Ok(())
    }

    fn body(self) -> Result<Part, Wrong> {
        match (self.chunked, self.content_length) {
            (true, Some(_)) => Err(Wrong),
            (true, None) => Ok(Part::ChunkSize),
            (false, None | Some(0)) => Ok(Part::Head),
            (false, Some(length)) => Ok(Part::Sized(length)),
        }
    }
}

/// Where a header's name ends; no space may stand before the colon.
fn colon_of(line: &[u8]) -> Result<usize, Wrong> {
    let colon = memchr::memchr(b':', line).ok_or(Wrong)?;
    match line[..colon].last() {
        None | Some(b' ' | b'\t') => Err(Wrong),
        Some(_) => Ok(colon),
    }
}

/// A number of at most 18 digits and nothing else.
fn decimal(value: &[u8]) -> Option<u64> {
    let formed = (1..=18).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    formed.then(|| value.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

/// A chunk's size: at most 15 hexadecimal digits, then nothing, or an extension behind `;`.
fn chunk_size(line: &[u8]) -> Result<u64, Wrong> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or(line);
    if digits.is_empty() || digits.len() > 15 || line.len() > MOST_CHUNK_LINE {
        return Err(Wrong);
    }
    let text = std::str::from_utf8(digits).map_err(|_| Wrong)?;
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Wrong);
    }
    u64::from_str_radix(text, 16).map_err(|_| Wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &[&str] = &[
        "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
        "\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\nContent-Length: 5\r\n\r\nab\ncd",
        "PUT / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: Chunked\r\n\r\n5;x=y\r\nab\ncd\r\n0\r\nx-amz-checksum: 1\r\n\r\n",
        "PUT / HTTP/1.1\r\nhost: a\r\nx: \r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ];

    const BAD: &[&str] = &[
        "GET / HTTP/1.1\nhost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\n\n",
        "GET / HTTP/1.1\r\nhost: a\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\n\tfolded: b\r\n\r\n",
        "GET / HTTP/1.1\r\nhost : a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost\t: a\r\n\r\n",
        "GET / HTTP/1.1\r\n: a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 5, 5\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: +5\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 99999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\nabcde\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcdef\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\n0\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n 5\r\nabcde\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0x5\r\nabcde\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff5\r\nabcde\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n trailer: folded\r\n\r\n",
    ];

    fn read(pieces: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<Framing, Ambiguous> {
        let mut framing = Framing::new();
        for piece in pieces {
            framing.push(piece.as_ref())?;
        }
        Ok(framing)
    }

    #[test]
    fn requests_follow_each_other() {
        let framing = read([GOOD.concat()]).unwrap();
        assert_eq!(framing.part, Part::Head);
        assert!(!framing.in_head());
        assert!(read(["GET / HT"]).unwrap().in_head());
        assert!(read(["GET / HTTP/1.1\r\nhost: a\r\n"]).unwrap().in_head());
        assert!(!read(["POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\n"]).unwrap().in_head());
    }

    #[test]
    fn whatever_can_be_read_in_two_ways_is_refused() {
        for bad in BAD {
            assert!(read([bad]).is_err(), "{bad:?}");
            assert!(read(bad.bytes().map(|byte| [byte])).is_err(), "{bad:?} byte by byte");
            assert!(read([GOOD.concat() + bad]).is_err(), "{bad:?} behind others");
        }
    }

    #[test]
    fn the_size_of_a_chunk_has_a_bound() {
        let endless = format!("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1;{}", "x".repeat(2_000));
        assert!(read([endless]).is_err());
    }

    proptest! {
        #[test]
        fn how_the_bytes_are_cut_does_not_matter(cuts in prop::collection::vec(1_usize..9, 0..80)) {
            for text in [GOOD.concat(), GOOD.concat() + BAD[9]] {
                let mut rest = text.as_bytes();
                let mut pieces = Vec::new();
                for cut in &cuts {
                    let (piece, behind) = rest.split_at((*cut).min(rest.len()));
                    pieces.push(piece);
                    rest = behind;
                }
                pieces.push(rest);
                prop_assert_eq!(read(pieces).is_ok(), read([&text]).is_ok());
            }
        }
    }
}
