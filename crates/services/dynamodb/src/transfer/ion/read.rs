use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{BINARIES, NUMBERS, STRINGS, VERSION_MARKER};
use crate::number::Number;
use crate::value::{AttributeValue, Item, MAX_DEPTH, ValueError};

/// Why a line is no item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::transfer) enum IonError {
    /// It isn't Ion, or has types that items haven't.
    #[error("Unexpected token")]
    Syntax,
    /// It is something else.
    #[error("Expected 'Item' top level container")]
    NoItem,
    /// A value breaks a rule of DynamoDB's.
    #[error("{0}")]
    Value(ValueError),
}

impl From<ValueError> for IonError {
    fn from(error: ValueError) -> Self {
        Self::Value(error)
    }
}

/// The item of a line; none of one that has only the version marker.
pub(in crate::transfer) fn read_line(line: &str) -> Result<Option<Item>, IonError> {
    let text = line.trim();
    let mut reader = Reader { text: text.strip_prefix(VERSION_MARKER).unwrap_or(text) };
    reader.skip_space();
    if reader.text.is_empty() {
        return Ok(None);
    }
    let AttributeValue::M(mut fields) = reader.value(0)? else { return Err(IonError::NoItem) };
    reader.skip_space();
    if !reader.text.is_empty() {
        return Err(IonError::Syntax);
    }
    match fields.remove("Item") {
        Some(AttributeValue::M(item)) => Ok(Some(item)),
        _ => Err(IonError::NoItem),
    }
}

struct Reader<'a> {
    text: &'a str,
}

impl<'a> Reader<'a> {
    fn skip_space(&mut self) {
        self.text = self.text.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    fn takes(&mut self, expected: &str) -> bool {
        self.skip_space();
        let rest = self.text.strip_prefix(expected);
        self.text = rest.unwrap_or(self.text);
        rest.is_some()
    }

    fn expect(&mut self, expected: &str) -> Result<(), IonError> {
        if self.takes(expected) { Ok(()) } else { Err(IonError::Syntax) }
    }

    /// What stands here as long as it is of these characters.
    fn run(&mut self, of: impl Fn(char) -> bool) -> &'a str {
        let end = self.text.find(|other| !of(other)).unwrap_or(self.text.len());
        let (run, rest) = self.text.split_at(end);
        self.text = rest;
        run
    }

    /// A value that lies in so many others; the line's struct and the item are two that don't count.
    fn value(&mut self, depth: usize) -> Result<AttributeValue, IonError> {
        if depth > MAX_DEPTH + 1 {
            return Err(ValueError::TooDeep.into());
        }
        self.skip_space();
        match self.text.bytes().next() {
            Some(b'"') => Ok(AttributeValue::S(self.quoted('"')?)),
            Some(b'[') => Ok(AttributeValue::L(self.list(depth)?)),
            Some(b'{') if self.text.starts_with("{{") => self.blob(),
            Some(b'{') => Ok(AttributeValue::M(self.fields(depth)?)),
            Some(b'0'..=b'9' | b'-') => self.number(),
            _ => self.word(depth),
        }
    }

    /// `null`, a truth value, or a set's annotation and its list.
    fn word(&mut self, depth: usize) -> Result<AttributeValue, IonError> {
        let word = match self.text.starts_with('\'') {
            true => self.quoted('\'')?,
            false => self.run(is_of_symbol).to_owned(),
        };
        match word.as_str() {
            "null" if !self.text.starts_with('.') => Ok(AttributeValue::Null),
            "true" => Ok(AttributeValue::Bool(true)),
            "false" => Ok(AttributeValue::Bool(false)),
            annotation @ (STRINGS | NUMBERS | BINARIES) => {
                self.expect("::")?;
                self.skip_space();
                if !self.text.starts_with('[') {
                    return Err(IonError::Syntax);
                }
                set(annotation, self.list(depth)?)
            }
            _ => Err(IonError::Syntax),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Vec<AttributeValue>, IonError> {
        self.expect("[")?;
        let mut values = Vec::new();
        while !self.takes("]") {
            values.push(self.value(depth + 1)?);
            if !self.takes(",") {
                self.expect("]")?;
                break;
            }
        }
        Ok(values)
    }

    fn fields(&mut self, depth: usize) -> Result<Item, IonError> {
        self.expect("{")?;
        let mut fields = Item::new();
        while !self.takes("}") {
            let name = self.name()?;
            if name.is_empty() {
                return Err(ValueError::NoName.into());
            }
            self.expect(":")?;
            let value = self.value(depth + 1)?;
            if fields.insert(name, value).is_some() {
                return Err(IonError::Syntax);
            }
            if !self.takes(",") {
                self.expect("}")?;
                break;
            }
        }
        Ok(fields)
    }

    fn name(&mut self) -> Result<String, IonError> {
        self.skip_space();
        match self.text.chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote),
            Some(first) if is_of_symbol(first) && !first.is_ascii_digit() => {
                Ok(self.run(is_of_symbol).to_owned())
            }
            _ => Err(IonError::Syntax),
        }
    }

    /// A decimal or an integer; floats are no numbers of DynamoDB's.
    fn number(&mut self) -> Result<AttributeValue, IonError> {
        let text = self.run(|c| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'd' | 'D' | '_'));
        if self.text.starts_with(is_of_symbol) {
            return Err(IonError::Syntax);
        }
        let text: String = text.chars().filter(|c| *c != '_').collect();
        let number = Number::parse(&text.replace(['d', 'D'], "E")).map_err(ValueError::Number);
        match number {
            Ok(number) => Ok(AttributeValue::N(number)),
            Err(ValueError::Number(crate::number::NumberError::NotANumber(_))) => Err(IonError::Syntax),
            Err(error) => Err(error.into()),
        }
    }

    fn blob(&mut self) -> Result<AttributeValue, IonError> {
        self.expect("{{")?;
        let end = self.text.find("}}").ok_or(IonError::Syntax)?;
        let (text, rest) = self.text.split_at(end);
        self.text = &rest[2..];
        let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        STANDARD.decode(text).map(AttributeValue::B).map_err(|_| IonError::Syntax)
    }

    fn quoted(&mut self, quote: char) -> Result<String, IonError> {
        let mut text = String::new();
        let mut rest = self.text.chars();
        rest.next();
        loop {
            match rest.next().ok_or(IonError::Syntax)? {
                '\\' => {
                    let escaped = escape(&mut rest).ok_or(IonError::Syntax)?;
                    text.push(escaped);
                }
                end if end == quote => break,
                other => text.push(other),
            }
        }
        self.text = rest.as_str();
        // `'''` begins a long string, which a line of an item has no need for.
        if text.is_empty() && self.text.starts_with(quote) {
            return Err(IonError::Syntax);
        }
        Ok(text)
    }
}

fn is_of_symbol(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$'
}

/// What an escape stands for, behind its backslash.
fn escape(rest: &mut std::str::Chars<'_>) -> Option<char> {
    Some(match rest.next()? {
        '0' => '\0',
        'a' => '\x07',
        'b' => '\x08',
        't' => '\t',
        'n' => '\n',
        'f' => '\x0c',
        'r' => '\r',
        'v' => '\x0b',
        'x' => char::from_u32(digits(rest, 2)?)?,
        'U' => char::from_u32(digits(rest, 8)?)?,
        'u' => match digits(rest, 4)? {
            high @ 0xd800..0xdc00 => {
                if (rest.next()?, rest.next()?) != ('\\', 'u') {
                    return None;
                }
                let low = digits(rest, 4)?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                char::from_u32(0x10000 + ((high - 0xd800) << 10) + low)?
            }
            other => char::from_u32(other)?,
        },
        itself @ ('"' | '\'' | '?' | '\\' | '/') => itself,
        _ => return None,
    })
}

fn digits(rest: &mut std::str::Chars<'_>, count: usize) -> Option<u32> {
    let text = rest.as_str().get(..count)?;
    *rest = rest.as_str()[count..].chars();
    if text.bytes().all(|byte| byte.is_ascii_hexdigit()) { u32::from_str_radix(text, 16).ok() } else { None }
}

/// A set of a list's values, which must all be of its type and each there once.
fn set(annotation: &str, values: Vec<AttributeValue>) -> Result<AttributeValue, IonError> {
    let given = values.len();
    let syntax = IonError::Syntax;
    match annotation {
        STRINGS => {
            let of = |value| if let AttributeValue::S(text) = value { Some(text) } else { None };
            let set: BTreeSet<String> = values.into_iter().map(of).collect::<Option<_>>().ok_or(syntax)?;
            check(set.len(), given, ValueError::EmptyStringSet).map(|()| AttributeValue::Ss(set))
        }
        NUMBERS => {
            let of = |value| if let AttributeValue::N(number) = value { Some(number) } else { None };
            let set: BTreeSet<Number> = values.into_iter().map(of).collect::<Option<_>>().ok_or(syntax)?;
            check(set.len(), given, ValueError::EmptyNumberSet).map(|()| AttributeValue::Ns(set))
        }
        _ => {
            let of = |value| if let AttributeValue::B(bytes) = value { Some(bytes) } else { None };
            let set: BTreeSet<Vec<u8>> = values.into_iter().map(of).collect::<Option<_>>().ok_or(syntax)?;
            check(set.len(), given, ValueError::EmptyBinarySet).map(|()| AttributeValue::Bs(set))
        }
    }
}

fn check(kept: usize, given: usize, empty: ValueError) -> Result<(), IonError> {
    match (kept, given) {
        (0, _) => Err(empty.into()),
        _ if kept < given => Err(ValueError::DuplicateNumbers.into()),
        _ => Ok(()),
    }
}
