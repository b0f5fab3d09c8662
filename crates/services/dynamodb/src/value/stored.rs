//! Items as they are stored. Version 1: the version, the item's size as AWS counts it, the number of attributes;
//! then per attribute, in the order of names, the name's length and bytes and the value: a tag and what belongs to it.
//! Lengths and counts are LEB128 numbers.

use std::collections::BTreeSet;

use super::encode::{separate, write_base64, write_number, write_utf8};
use super::{AttributeValue, Item, item_size};
use crate::number::Number;

const VERSION: u8 = 1;

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const S: u8 = 3;
const N: u8 = 4;
const B: u8 = 5;
const SS: u8 = 6;
const NS: u8 = 7;
const BS: u8 = 8;
const L: u8 = 9;
const M: u8 = 10;

/// A stored item is not what [`encode`] writes: the store is damaged, or newer than this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stored item cannot be read")]
pub struct Corrupt;

/// Writes an item as it is stored.
pub fn encode(item: &Item) -> Vec<u8> {
    let size = item_size(item);
    let mut out = Vec::with_capacity(size + 4 * item.len() + 8);
    out.push(VERSION);
    write_length(size, &mut out);
    write_map(item, &mut out);
    out
}

/// Reads a stored item.
pub fn decode(stored: &[u8]) -> Result<Item, Corrupt> {
    let mut reader = StoredItem::open(stored)?.reader;
    let item = reader.map()?;
    reader.end()?;
    Ok(item)
}

/// A stored item that is looked into without being taken apart.
#[derive(Clone, Copy)]
pub struct StoredItem<'a> {
    size: usize,
    reader: Reader<'a>,
}

impl<'a> StoredItem<'a> {
    /// Opens a stored item.
    pub fn open(stored: &'a [u8]) -> Result<Self, Corrupt> {
        let (&version, rest) = stored.split_first().ok_or(Corrupt)?;
        if version != VERSION {
            return Err(Corrupt);
        }
        let mut reader = Reader(rest);
        let size = reader.length()?;
        Ok(Self { size, reader })
    }

    /// The item's size, in bytes as AWS counts them.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Whether the item has all these attributes with these values.
    pub fn holds(&self, wanted: &StoredAttributes) -> bool {
        wanted.0.iter().all(|(name, value)| {
            self.reader.find(name.as_bytes()).is_ok_and(|found| found == Some(value.as_slice()))
        })
    }

    /// The value of an attribute.
    pub fn value(&self, name: &str) -> Result<Option<AttributeValue>, Corrupt> {
        self.reader.find(name.as_bytes())?.map(|value| Reader(value).value()).transpose()
    }

    /// Appends the item as JSON, straight from its stored form.
    pub fn write_json(mut self, out: &mut Vec<u8>) -> Result<(), Corrupt> {
        out.reserve(self.reader.0.len() * 2);
        self.reader.map_json(out)
    }
}

/// Attributes with their values as they are stored, which many items are compared with.
#[derive(Debug, Default)]
pub struct StoredAttributes(Vec<(String, Vec<u8>)>);

impl<'a> FromIterator<(&'a String, &'a AttributeValue)> for StoredAttributes {
    fn from_iter<I: IntoIterator<Item = (&'a String, &'a AttributeValue)>>(attributes: I) -> Self {
        let stored = |(name, value): (&String, &AttributeValue)| {
            let mut bytes = Vec::new();
            write_value(value, &mut bytes);
            (name.clone(), bytes)
        };
        Self(attributes.into_iter().map(stored).collect())
    }
}

fn write_length(mut length: usize, out: &mut Vec<u8>) {
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    write_length(bytes.len(), out);
    out.extend_from_slice(bytes);
}

fn write_map(map: &Item, out: &mut Vec<u8>) {
    write_length(map.len(), out);
    for (name, value) in map {
        write_bytes(name.as_bytes(), out);
        write_value(value, out);
    }
}

fn write_value(value: &AttributeValue, out: &mut Vec<u8>) {
    match value {
        AttributeValue::Null => out.push(NULL),
        AttributeValue::Bool(false) => out.push(FALSE),
        AttributeValue::Bool(true) => out.push(TRUE),
        AttributeValue::S(text) => {
            out.push(S);
            write_bytes(text.as_bytes(), out);
        }
        AttributeValue::N(number) => {
            out.push(N);
            write_stored_number(*number, out);
        }
        AttributeValue::B(bytes) => {
            out.push(B);
            write_bytes(bytes, out);
        }
        AttributeValue::Ss(set) => {
            write_all(SS, set.iter(), out, |text, out| write_bytes(text.as_bytes(), out))
        }
        AttributeValue::Ns(set) => {
            write_all(NS, set.iter(), out, |number, out| write_stored_number(*number, out))
        }
        AttributeValue::Bs(set) => write_all(BS, set.iter(), out, |bytes, out| write_bytes(bytes, out)),
        AttributeValue::L(list) => write_all(L, list.iter(), out, write_value),
        AttributeValue::M(map) => {
            out.push(M);
            write_map(map, out);
        }
    }
}

fn write_all<T>(
    tag: u8,
    values: impl ExactSizeIterator<Item = T>,
    out: &mut Vec<u8>,
    write: impl Fn(T, &mut Vec<u8>),
) {
    out.push(tag);
    write_length(values.len(), out);
    for value in values {
        write(value, out);
    }
}

const SIGN: u8 = 0x80;
const WHOLE: u8 = 0x40;
const LENGTH: u8 = 0x1f;

/// A byte with the sign, whether the exponent is left out as it is zero, and the mantissa's length; the exponent in
/// two bytes; the mantissa's bytes, lowest first.
fn write_stored_number(number: Number, out: &mut Vec<u8>) {
    let (negative, mantissa, exponent) = number.parts();
    let length = 16 - mantissa.leading_zeros() as usize / 8;
    let sign = if negative { SIGN } else { 0 };
    let whole = if exponent == 0 { WHOLE } else { 0 };
    out.push(sign | whole | length as u8);
    if exponent != 0 {
        out.extend_from_slice(&exponent.to_le_bytes());
    }
    out.extend_from_slice(&mantissa.to_le_bytes()[..length]);
}

#[derive(Clone, Copy)]
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn end(&self) -> Result<(), Corrupt> {
        if self.0.is_empty() { Ok(()) } else { Err(Corrupt) }
    }

    fn byte(&mut self) -> Result<u8, Corrupt> {
        let (&byte, rest) = self.0.split_first().ok_or(Corrupt)?;
        self.0 = rest;
        Ok(byte)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Corrupt> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Corrupt)?;
        self.0 = rest;
        Ok(taken)
    }

    fn length(&mut self) -> Result<usize, Corrupt> {
        let mut length = 0_usize;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            length |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(length);
            }
        }
        Err(Corrupt)
    }

    /// A count of things that each take a byte or more: never more than there are bytes.
    fn count(&mut self) -> Result<usize, Corrupt> {
        let count = self.length()?;
        if count <= self.0.len() { Ok(count) } else { Err(Corrupt) }
    }

    fn bytes(&mut self) -> Result<&'a [u8], Corrupt> {
        let length = self.length()?;
        self.take(length)
    }

    fn text(&mut self) -> Result<String, Corrupt> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| Corrupt)
    }

    fn number(&mut self) -> Result<Number, Corrupt> {
        let head = self.byte()?;
        let exponent = match head & WHOLE {
            0 => i16::from_le_bytes([self.byte()?, self.byte()?]),
            _ => 0,
        };
        let bytes = self.take(usize::from(head & LENGTH))?;
        if bytes.len() <= 8 && head & (SIGN | WHOLE) == WHOLE {
            let mut mantissa = [0_u8; 8];
            mantissa[..bytes.len()].copy_from_slice(bytes);
            return Ok(Number::from(u64::from_le_bytes(mantissa)));
        }
        let mut mantissa = [0_u8; 16];
        mantissa.get_mut(..bytes.len()).ok_or(Corrupt)?.copy_from_slice(bytes);
        let mantissa = u128::from_le_bytes(mantissa);
        Number::from_parts(head & SIGN != 0, mantissa, i32::from(exponent)).map_err(|_| Corrupt)
    }

    fn all<T, C: FromIterator<T>>(
        &mut self,
        read: impl Fn(&mut Self) -> Result<T, Corrupt>,
    ) -> Result<C, Corrupt> {
        let count = self.count()?;
        (0..count).map(|_| read(self)).collect()
    }

    fn map(&mut self) -> Result<Item, Corrupt> {
        self.all(|reader| Ok((reader.text()?, reader.value()?)))
    }

    fn value(&mut self) -> Result<AttributeValue, Corrupt> {
        Ok(match self.byte()? {
            NULL => AttributeValue::Null,
            FALSE => AttributeValue::Bool(false),
            TRUE => AttributeValue::Bool(true),
            S => AttributeValue::S(self.text()?),
            N => AttributeValue::N(self.number()?),
            B => AttributeValue::B(self.bytes()?.to_vec()),
            SS => AttributeValue::Ss(self.all::<String, BTreeSet<_>>(Self::text)?),
            NS => AttributeValue::Ns(self.all(Self::number)?),
            BS => AttributeValue::Bs(self.all(|reader| reader.bytes().map(<[u8]>::to_vec))?),
            L => AttributeValue::L(self.all(Self::value)?),
            M => AttributeValue::M(self.map()?),
            _ => return Err(Corrupt),
        })
    }

    /// The stored form of an attribute's value; the reader stands at the attributes' count.
    fn find(mut self, wanted: &[u8]) -> Result<Option<&'a [u8]>, Corrupt> {
        for _ in 0..self.count()? {
            let name = self.bytes()?;
            let value = self.0;
            self.skip()?;
            if name == wanted {
                return Ok(value.get(..value.len() - self.0.len()));
            }
        }
        Ok(None)
    }

    fn skip(&mut self) -> Result<(), Corrupt> {
        match self.byte()? {
            NULL | FALSE | TRUE => Ok(()),
            S | B => self.bytes().map(drop),
            N => self.skip_number(),
            SS | BS => (0..self.count()?).try_for_each(|_| self.bytes().map(drop)),
            NS => (0..self.count()?).try_for_each(|_| self.skip_number()),
            L => (0..self.count()?).try_for_each(|_| self.skip()),
            M => (0..self.count()?).try_for_each(|_| {
                self.bytes()?;
                self.skip()
            }),
            _ => Err(Corrupt),
        }
    }

    fn skip_number(&mut self) -> Result<(), Corrupt> {
        let head = self.byte()?;
        let exponent = if head & WHOLE == 0 { 2 } else { 0 };
        self.take(exponent + usize::from(head & LENGTH)).map(drop)
    }

    fn map_json(&mut self, out: &mut Vec<u8>) -> Result<(), Corrupt> {
        out.push(b'{');
        for at in 0..self.count()? {
            separate(at, out);
            write_utf8(self.bytes()?, out);
            out.push(b':');
            self.value_json(out)?;
        }
        out.push(b'}');
        Ok(())
    }

    fn value_json(&mut self, out: &mut Vec<u8>) -> Result<(), Corrupt> {
        match self.byte()? {
            NULL => out.extend_from_slice(b"{\"NULL\":true"),
            FALSE => out.extend_from_slice(b"{\"BOOL\":false"),
            TRUE => out.extend_from_slice(b"{\"BOOL\":true"),
            S => {
                out.extend_from_slice(b"{\"S\":");
                write_utf8(self.bytes()?, out);
            }
            N => {
                out.extend_from_slice(b"{\"N\":");
                write_number(self.number()?, out);
            }
            B => {
                out.extend_from_slice(b"{\"B\":");
                write_base64(self.bytes()?, out);
            }
            SS => self.list_json(b"{\"SS\":[", out, |reader, out| {
                reader.bytes().map(|text| write_utf8(text, out))
            })?,
            NS => self.list_json(b"{\"NS\":[", out, |reader, out| {
                reader.number().map(|it| write_number(it, out))
            })?,
            BS => self
                .list_json(b"{\"BS\":[", out, |reader, out| reader.bytes().map(|it| write_base64(it, out)))?,
            L => self.list_json(b"{\"L\":[", out, Self::value_json)?,
            M => {
                out.extend_from_slice(b"{\"M\":");
                self.map_json(out)?;
            }
            _ => return Err(Corrupt),
        }
        out.push(b'}');
        Ok(())
    }

    fn list_json(
        &mut self,
        opening: &[u8],
        out: &mut Vec<u8>,
        write: impl Fn(&mut Self, &mut Vec<u8>) -> Result<(), Corrupt>,
    ) -> Result<(), Corrupt> {
        out.extend_from_slice(opening);
        for at in 0..self.count()? {
            separate(at, out);
            write(self, out)?;
        }
        out.push(b']');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_item_is_an_error_and_no_panic() {
        let item: Item = [
            ("k".to_owned(), AttributeValue::S("key".into())),
            ("n".to_owned(), AttributeValue::N(Number::parse("-12.5").unwrap())),
            ("l".to_owned(), AttributeValue::L(vec![AttributeValue::Null, AttributeValue::B(vec![1, 2])])),
        ]
        .into();
        let stored = encode(&item);
        assert_eq!(decode(&stored), Ok(item));
        for end in 0..stored.len() {
            assert_eq!(decode(&stored[..end]), Err(Corrupt));
        }
        for at in 0..stored.len() {
            let mut damaged = stored.clone();
            damaged[at] = 0xff;
            let _ = decode(&damaged);
            let _ = StoredItem::open(&damaged).map(|item| item.write_json(&mut Vec::new()));
        }
    }
}
