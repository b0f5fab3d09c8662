use http::HeaderMap;

use super::ChunkRefusal;
use crate::Refusal;
use crate::payload::lower_hex;

/// All trailers together have at most so many bytes.
pub const TRAILERS_MAX: usize = 8_192;

const SIGNATURE: &str = "x-amz-trailer-signature";

/// The trailers of a body: names in lower case, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trailers(Vec<(String, String)>);

impl Trailers {
    /// The value of a trailer, by its name in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// All of them, in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(super) fn push_line(&mut self, line: &[u8]) -> Result<(), ChunkRefusal> {
        let line = std::str::from_utf8(line).map_err(|_| ChunkRefusal::MalformedTrailer)?;
        let (name, value) = line.split_once(':').ok_or(ChunkRefusal::MalformedTrailer)?;
        let name = name.to_ascii_lowercase();
        let formed = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !formed || self.get(&name).is_some() {
            return Err(ChunkRefusal::MalformedTrailer);
        }
        self.0.push((name, value.trim().to_owned()));
        Ok(())
    }

    /// Takes the trailers' own signature out; present but malformed is refused.
    pub(super) fn take_signature(&mut self) -> Result<Option<[u8; 32]>, ChunkRefusal> {
        let Some(at) = self.0.iter().position(|(name, _)| name == SIGNATURE) else {
            return Ok(None);
        };
        let (_, value) = self.0.remove(at);
        lower_hex(&value).map(Some).ok_or(ChunkRefusal::MalformedTrailer)
    }

    /// `name:value` and a line feed each, sorted by name.
    pub(super) fn canonical(&self) -> Vec<u8> {
        let mut lines: Vec<String> = self.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        lines.sort();
        lines.concat().into_bytes()
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Trailers {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect())
    }
}

/// What the head of a request says of its chunked body.
#[derive(Debug)]
pub(crate) struct Announced {
    pub(crate) decoded_length: u64,
    trailers: Vec<String>,
}

impl Announced {
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, Refusal> {
        let text = |name: &str| {
            let mut values = headers.get_all(name).iter();
            let first = values.next().and_then(|value| value.to_str().ok());
            if values.next().is_some() { None } else { first }
        };
        let length = text("x-amz-decoded-content-length");
        let digits = length.filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
        let decoded_length =
            digits.and_then(|text| text.parse().ok()).ok_or(Refusal::MissingContentLength)?;
        let names =
            text("x-amz-trailer").unwrap_or_default().split(',').map(|name| name.trim().to_ascii_lowercase());
        Ok(Self { decoded_length, trailers: names.filter(|name| !name.is_empty()).collect() })
    }

    /// Exactly those that were announced.
    pub(crate) fn check(&self, trailers: &Trailers) -> Result<(), ChunkRefusal> {
        let came = self.trailers.iter().all(|name| trailers.get(name).is_some());
        let announced = trailers.iter().all(|(name, _)| self.trailers.iter().any(|known| known == name));
        if came && announced { Ok(()) } else { Err(ChunkRefusal::MalformedTrailer) }
    }
}
