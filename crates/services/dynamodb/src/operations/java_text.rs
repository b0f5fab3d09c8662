//! Items as AWS's messages show them: as Java shows its objects.

use std::fmt::{self, Write};

use super::hash_order::distinct;
use crate::value::{AttributeValue, Item};

/// The members of an attribute value, in the order of AWS's own class; most of them are of no use to clients.
const MEMBERS: [&str; 16] = [
    "s",
    "n",
    "b",
    "iNT",
    "dECIMAL",
    "dOUBLE",
    "sS",
    "nS",
    "bS",
    "iNTSET",
    "dECIMALSET",
    "dOUBLESET",
    "m",
    "l",
    "nULL",
    "bOOL",
];

/// The most bytes of a request that a message shows.
const SHOWN: usize = 64 << 10;

/// Text that ends at a length, so that no message grows with its request. Where it ends, nothing more may be written.
struct Bounded {
    text: String,
    most: usize,
}

/// What is written, or as much of it as a message shows.
pub(super) fn shown(write: impl FnOnce(&mut dyn Write) -> fmt::Result) -> String {
    let mut out = Bounded { text: String::new(), most: SHOWN };
    // An error says that there was more, and the text shows it.
    let _ = write(&mut out);
    out.text
}

impl Write for Bounded {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = self.most.saturating_sub(self.text.len());
        if more.len() <= room {
            self.text.push_str(more);
            return Ok(());
        }
        self.text.push_str(&more[..more.floor_char_boundary(room)]);
        self.text.push('…');
        Err(fmt::Error)
    }
}

/// `{p=AttributeValue(s=a, n=null, …)}`
pub(super) fn write_item(out: &mut dyn Write, item: &Item) -> fmt::Result {
    out.write_char('{')?;
    for (at, name) in distinct(item.keys().map(String::as_str).collect()).into_iter().enumerate() {
        write!(out, "{}{name}=", if at > 0 { ", " } else { "" })?;
        match item.get(name) {
            Some(value) => write_value(out, value)?,
            None => out.write_str("null")?,
        }
    }
    out.write_char('}')
}

fn write_value(out: &mut dyn Write, value: &AttributeValue) -> fmt::Result {
    let member = match value {
        AttributeValue::S(_) => "s",
        AttributeValue::N(_) => "n",
        AttributeValue::B(_) => "b",
        AttributeValue::Ss(_) => "sS",
        AttributeValue::Ns(_) => "nS",
        AttributeValue::Bs(_) => "bS",
        AttributeValue::M(_) => "m",
        AttributeValue::L(_) => "l",
        AttributeValue::Null => "nULL",
        AttributeValue::Bool(_) => "bOOL",
    };
    out.write_str("AttributeValue(")?;
    for (at, name) in MEMBERS.into_iter().enumerate() {
        write!(out, "{}{name}=", if at > 0 { ", " } else { "" })?;
        if name == member { write_inner(out, value)? } else { out.write_str("null")? }
    }
    out.write_char(')')
}

fn write_inner(out: &mut dyn Write, value: &AttributeValue) -> fmt::Result {
    match value {
        AttributeValue::S(text) => out.write_str(text),
        AttributeValue::N(number) => write!(out, "{number}"),
        AttributeValue::B(bytes) => write_bytes(out, bytes),
        AttributeValue::Ss(set) => write_list(out, set, |out, text| out.write_str(text)),
        AttributeValue::Ns(set) => write_list(out, set, |out, number| write!(out, "{number}")),
        AttributeValue::Bs(set) => write_list(out, set, |out, bytes| write_bytes(out, bytes)),
        AttributeValue::M(map) => write_item(out, map),
        AttributeValue::L(list) => write_list(out, list, write_value),
        AttributeValue::Null => out.write_str("true"),
        AttributeValue::Bool(truth) => write!(out, "{truth}"),
    }
}

fn write_bytes(out: &mut dyn Write, bytes: &[u8]) -> fmt::Result {
    let length = bytes.len();
    write!(out, "java.nio.HeapByteBuffer[pos=0 lim={length} cap={length}]")
}

fn write_list<T>(
    out: &mut dyn Write,
    values: impl IntoIterator<Item = T>,
    write: impl Fn(&mut dyn Write, T) -> fmt::Result,
) -> fmt::Result {
    out.write_char('[')?;
    for (at, value) in values.into_iter().enumerate() {
        out.write_str(if at > 0 { ", " } else { "" })?;
        write(out, value)?;
    }
    out.write_char(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_at_a_character() {
        let mut out = Bounded { text: String::new(), most: 4 };
        assert_eq!(out.write_str("aé"), Ok(()));
        assert_eq!(out.write_str("ü"), Err(fmt::Error));
        assert_eq!(out.text, "aé…");
    }

    #[test]
    fn an_item_of_hundreds_of_thousands_of_attributes_is_shown_at_once_and_in_part() {
        let item: Item = (0..400_000).map(|n| (format!("attribute-{n}"), AttributeValue::Null)).collect();
        let list = AttributeValue::L(vec![AttributeValue::M(item.clone()); 3]);
        for item in [item, Item::from([("list".to_owned(), list)])] {
            let text = shown(|out| write_item(out, &item));
            assert_eq!(text.trim_end_matches('…').len(), SHOWN);
        }
    }

    #[test]
    fn nothing_is_asked_for_behind_the_end_of_the_text() {
        let mut asked = 0;
        let numbers = std::iter::from_fn(|| {
            asked += 1;
            Some(asked)
        });
        shown(|out| write_list(out, numbers, |out, number| write!(out, "{number}")));
        assert!(asked < SHOWN, "{asked}");
    }
}
