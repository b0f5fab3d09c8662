//! Keys: tuples of parts whose bytes sort as the parts do.
//!
//! Each part is one tag byte and a prefix-free body, so no part ever spills into the next: the bytes of
//! `("a", "b")` and `("ab", "")` differ, and a shorter tuple is a prefix only of tuples that begin with it.

use bytes::Bytes;

use crate::{StoreError, Versionstamp};

/// The longest encoded key on every engine, in bytes (a PostgreSQL B-tree entry takes 2,704).
pub const MAX_KEY_BYTES: usize = 2_400;

const BYTES: u8 = 0x01;
const STR: u8 = 0x02;
const I64: u8 = 0x03;
const U64: u8 = 0x04;
const STAMP: u8 = 0x05;
/// Ends texts and bytes. No body holds it: `00` is written `01 01`, `01` is written `01 02`, so bodies sort as
/// what they stand for and none is another's prefix.
const END: u8 = 0x00;
const ESCAPE: u8 = 0x01;
const SIGN: u64 = 1 << 63;
/// Room behind a key's first part.
const FIRST_ROOM: usize = 64;

/// The parts of a key behind its first one, or a prefix of them.
///
/// Integers of one type sort by value, texts and bytes by their bytes; parts of differing types sort by type.
///
/// ```
/// use homeport_store::KeyParts;
/// assert!(KeyParts::from("a") < KeyParts::from("b"));
/// assert!(KeyParts::new().str("a").i64(-1) < KeyParts::new().str("a").i64(0));
/// assert!(KeyParts::new().str("a").str("b").starts_with(&KeyParts::from("a")));
/// assert!(!KeyParts::from("ab").starts_with(&KeyParts::from("a")));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyParts(Vec<u8>);

impl KeyParts {
    /// No parts: the prefix of everything.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Appends a text.
    #[must_use]
    pub fn str(mut self, part: impl AsRef<str>) -> Self {
        push_escaped(&mut self.0, STR, part.as_ref().as_bytes());
        self
    }

    /// Appends bytes. They sort as bytes do, so a sort key in an order-preserving form goes in here.
    #[must_use]
    pub fn bytes(mut self, part: impl AsRef<[u8]>) -> Self {
        push_escaped(&mut self.0, BYTES, part.as_ref());
        self
    }

    /// Appends an unsigned integer (9 bytes).
    #[must_use]
    pub fn u64(mut self, part: u64) -> Self {
        self.0.push(U64);
        self.0.extend_from_slice(&part.to_be_bytes());
        self
    }

    /// Appends a signed integer (9 bytes).
    #[must_use]
    pub fn i64(mut self, part: i64) -> Self {
        self.0.push(I64);
        self.0.extend_from_slice(&(part.cast_unsigned() ^ SIGN).to_be_bytes());
        self
    }

    /// Appends a versionstamp (11 bytes), as [`Tx::put_stamped`](crate::Tx::put_stamped) writes it.
    #[must_use]
    pub fn stamp(mut self, part: Versionstamp) -> Self {
        self.0.push(STAMP);
        self.0.extend_from_slice(&part.to_bytes());
        self
    }

    /// Appends other parts.
    #[must_use]
    pub fn parts(mut self, parts: &Self) -> Self {
        self.0.extend_from_slice(&parts.0);
        self
    }

    /// Whether these parts begin with all of `prefix`.
    pub fn starts_with(&self, prefix: &Self) -> bool {
        self.0.starts_with(&prefix.0)
    }

    /// The encoded parts.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads encoded parts back; `None` when `bytes` are not whole parts.
    pub fn decode(bytes: &[u8]) -> Option<Vec<Part>> {
        let mut rest = bytes;
        let mut parts = Vec::new();
        while let Some((&tag, body)) = rest.split_first() {
            let (part, behind) = decode_part(tag, body)?;
            parts.push(part);
            rest = behind;
        }
        Some(parts)
    }

    pub(crate) fn from_encoded(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

/// One part of a key, read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A text.
    Str(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A signed integer.
    I64(i64),
    /// An unsigned integer.
    U64(u64),
    /// A versionstamp.
    Stamp(Versionstamp),
}

/// A whole key: a collection (or another name at the root) and the parts behind it.
///
/// ```
/// use homeport_store::{Key, KeyParts, Part};
/// let key = Key::of("notes").str("alice").u64(7);
/// let parts = KeyParts::decode(key.as_bytes()).unwrap();
/// assert_eq!(parts, [Part::Str("notes".into()), Part::Str("alice".into()), Part::U64(7)]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(KeyParts);

impl Key {
    /// A key at the root `name`. Names are unique in the program: one owner each.
    pub fn of(name: impl AsRef<str>) -> Self {
        Self(KeyParts::new().str(name))
    }

    /// Appends a text.
    #[must_use]
    pub fn str(self, part: impl AsRef<str>) -> Self {
        Self(self.0.str(part))
    }

    /// Appends bytes.
    #[must_use]
    pub fn bytes(self, part: impl AsRef<[u8]>) -> Self {
        Self(self.0.bytes(part))
    }

    /// Appends an unsigned integer.
    #[must_use]
    pub fn u64(self, part: u64) -> Self {
        Self(self.0.u64(part))
    }

    /// Appends a signed integer.
    #[must_use]
    pub fn i64(self, part: i64) -> Self {
        Self(self.0.i64(part))
    }

    /// Appends a versionstamp.
    #[must_use]
    pub fn stamp(self, part: Versionstamp) -> Self {
        Self(self.0.stamp(part))
    }

    /// Appends other parts.
    #[must_use]
    pub fn parts(self, parts: &KeyParts) -> Self {
        Self(self.0.parts(parts))
    }

    /// The encoded key.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The key of a row that a scan gave, so that it can be put or deleted.
    pub fn from_row(key: &Bytes) -> Self {
        Self(KeyParts::from_encoded(key.to_vec()))
    }

    /// The encoded key, or why no engine takes it.
    pub(crate) fn checked(&self) -> Result<Bytes, StoreError> {
        check_length(self.as_bytes().len())?;
        Ok(Bytes::copy_from_slice(self.as_bytes()))
    }
}

pub(crate) fn check_length(bytes: usize) -> Result<(), StoreError> {
    if bytes > MAX_KEY_BYTES { Err(StoreError::KeyTooLong { bytes }) } else { Ok(()) }
}

/// The first key behind every key that begins with `prefix`.
pub(crate) fn end_of_prefix(prefix: &[u8]) -> Bytes {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Bytes::from(end);
        }
    }
    Bytes::from_static(&[u8::MAX])
}

/// The first key behind `key`.
pub(crate) fn successor(key: &[u8]) -> Bytes {
    let mut next = Vec::with_capacity(key.len() + 1);
    next.extend_from_slice(key);
    next.push(0);
    Bytes::from(next)
}

fn push_escaped(into: &mut Vec<u8>, tag: u8, part: &[u8]) {
    // A key's first part gets room for those that follow it in most.
    into.reserve(if into.capacity() == 0 { part.len() + FIRST_ROOM } else { part.len() + 2 });
    into.push(tag);
    if part.iter().all(|&byte| byte > ESCAPE) {
        into.extend_from_slice(part);
        into.push(END);
        return;
    }
    for &byte in part {
        if byte <= ESCAPE {
            into.extend_from_slice(&[ESCAPE, byte + 1]);
        } else {
            into.push(byte);
        }
    }
    into.push(END);
}

fn decode_part(tag: u8, body: &[u8]) -> Option<(Part, &[u8])> {
    match tag {
        BYTES => take_escaped(body).map(|(bytes, rest)| (Part::Bytes(bytes), rest)),
        STR => {
            let (bytes, rest) = take_escaped(body)?;
            Some((Part::Str(String::from_utf8(bytes).ok()?), rest))
        }
        I64 => {
            let (bytes, rest) = body.split_first_chunk::<8>()?;
            Some((Part::I64((u64::from_be_bytes(*bytes) ^ SIGN).cast_signed()), rest))
        }
        U64 => {
            let (bytes, rest) = body.split_first_chunk::<8>()?;
            Some((Part::U64(u64::from_be_bytes(*bytes)), rest))
        }
        STAMP => {
            let (bytes, rest) = body.split_first_chunk::<10>()?;
            Some((Part::Stamp(Versionstamp::from_bytes(*bytes)), rest))
        }
        _ => None,
    }
}

fn take_escaped(body: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let end = body.iter().position(|&byte| byte == END)?;
    let mut part = Vec::with_capacity(end);
    let mut escaped = body[..end].iter();
    while let Some(&byte) = escaped.next() {
        part.push(match byte {
            ESCAPE => escaped.next()?.checked_sub(1)?,
            byte => byte,
        });
    }
    Some((part, &body[end + 1..]))
}

impl From<&str> for KeyParts {
    fn from(part: &str) -> Self {
        Self::new().str(part)
    }
}

impl From<&String> for KeyParts {
    fn from(part: &String) -> Self {
        Self::new().str(part)
    }
}

impl From<String> for KeyParts {
    fn from(part: String) -> Self {
        Self::new().str(part)
    }
}

impl From<u64> for KeyParts {
    fn from(part: u64) -> Self {
        Self::new().u64(part)
    }
}

impl From<&[u8]> for KeyParts {
    fn from(part: &[u8]) -> Self {
        Self::new().bytes(part)
    }
}

impl From<&Self> for KeyParts {
    fn from(parts: &Self) -> Self {
        parts.clone()
    }
}

impl<A: Into<Self>, B: Into<Self>> From<(A, B)> for KeyParts {
    fn from((a, b): (A, B)) -> Self {
        a.into().parts(&b.into())
    }
}

impl<A: Into<Self>, B: Into<Self>, C: Into<Self>> From<(A, B, C)> for KeyParts {
    fn from((a, b, c): (A, B, C)) -> Self {
        a.into().parts(&b.into()).parts(&c.into())
    }
}

impl<A: Into<Self>, B: Into<Self>, C: Into<Self>, D: Into<Self>> From<(A, B, C, D)> for KeyParts {
    fn from((a, b, c, d): (A, B, C, D)) -> Self {
        a.into().parts(&b.into()).parts(&c.into()).parts(&d.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts() -> impl Strategy<Value = Vec<Part>> {
        let part = prop_oneof![
            "[\\x00a-c]{0,4}".prop_map(Part::Str),
            proptest::collection::vec(prop_oneof![Just(0), Just(1), Just(0xff), any::<u8>()], 0..5)
                .prop_map(Part::Bytes),
            any::<i64>().prop_map(Part::I64),
            any::<u64>().prop_map(Part::U64),
        ];
        proptest::collection::vec(part, 0..4)
    }

    fn encode(parts: &[Part]) -> KeyParts {
        parts.iter().fold(KeyParts::new(), |key, part| match part {
            Part::Str(text) => key.str(text),
            Part::Bytes(bytes) => key.bytes(bytes),
            Part::I64(number) => key.i64(*number),
            Part::U64(number) => key.u64(*number),
            Part::Stamp(stamp) => key.stamp(*stamp),
        })
    }

    fn rank(part: &Part) -> (u8, Vec<u8>, i128) {
        match part {
            Part::Bytes(bytes) => (1, bytes.clone(), 0),
            Part::Str(text) => (2, text.as_bytes().to_vec(), 0),
            Part::I64(number) => (3, vec![], i128::from(*number)),
            Part::U64(number) => (4, vec![], i128::from(*number)),
            Part::Stamp(stamp) => (5, stamp.to_bytes().to_vec(), 0),
        }
    }

    proptest! {
        #[test]
        fn parts_read_back_as_they_were(parts in parts()) {
            prop_assert_eq!(KeyParts::decode(encode(&parts).as_bytes()), Some(parts));
        }

        #[test]
        fn bytes_sort_as_the_parts_do(a in parts(), b in parts()) {
            let by_parts = a.iter().map(rank).cmp(b.iter().map(rank));
            prop_assert_eq!(encode(&a).cmp(&encode(&b)), by_parts);
        }

        #[test]
        fn no_part_spills_into_the_next(a in parts(), b in parts()) {
            prop_assert_eq!(encode(&a).starts_with(&encode(&b)), a.starts_with(&b));
        }

        #[test]
        fn decoding_any_bytes_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let _ = KeyParts::decode(&bytes);
        }

        #[test]
        fn the_end_of_a_prefix_is_behind_all_it_holds(prefix in parts(), more in parts()) {
            let prefix = Key::of("root").parts(&encode(&prefix));
            let inside = prefix.clone().parts(&encode(&more));
            let end = end_of_prefix(prefix.as_bytes());
            prop_assert!(inside.as_bytes() < end.as_ref());
            prop_assert!(end.as_ref() <= successor(&end).as_ref());
        }
    }
}
