use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{BINARIES, NUMBERS, STRINGS};
use crate::number::Number;
use crate::value::{AttributeValue, Item};

/// Appends an item as a struct.
pub(in crate::transfer) fn write_item(item: &Item, out: &mut Vec<u8>) {
    out.push(b'{');
    for (at, (name, value)) in item.iter().enumerate() {
        separate(at, out);
        write_name(name, out);
        out.push(b':');
        write_value(value, out);
    }
    out.push(b'}');
}

fn separate(at: usize, out: &mut Vec<u8>) {
    if at > 0 {
        out.push(b',');
    }
}

/// A field's name: bare where that means itself.
fn write_name(name: &str, out: &mut Vec<u8>) {
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let goes_on = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$');
    let is_word = matches!(name, "null" | "true" | "false" | "nan");
    match begins && goes_on && !is_word {
        true => out.extend_from_slice(name.as_bytes()),
        false => write_quoted(name, b'\'', out),
    }
}

fn write_quoted(text: &str, quote: u8, out: &mut Vec<u8>) {
    out.push(quote);
    for byte in text.bytes() {
        match byte {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\\' => out.extend_from_slice(b"\\\\"),
            _ if byte == quote => out.extend_from_slice(&[b'\\', quote]),
            0..0x20 | 0x7f => out.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(quote);
}

fn write_value(value: &AttributeValue, out: &mut Vec<u8>) {
    match value {
        AttributeValue::S(text) => write_quoted(text, b'"', out),
        AttributeValue::N(number) => write_number(*number, out),
        AttributeValue::B(bytes) => write_blob(bytes, out),
        AttributeValue::Bool(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
        AttributeValue::Null => out.extend_from_slice(b"null"),
        AttributeValue::Ss(set) => write_set(STRINGS, set, out, |text, out| write_quoted(text, b'"', out)),
        AttributeValue::Ns(set) => write_set(NUMBERS, set, out, |number, out| write_number(*number, out)),
        AttributeValue::Bs(set) => write_set(BINARIES, set, out, |bytes, out| write_blob(bytes, out)),
        AttributeValue::L(list) => write_list(list, out, write_value),
        AttributeValue::M(map) => write_item(map, out),
    }
}

fn write_set<'a, T: 'a>(
    annotation: &str,
    set: impl IntoIterator<Item = &'a T>,
    out: &mut Vec<u8>,
    write: impl Fn(&'a T, &mut Vec<u8>),
) {
    out.extend_from_slice(annotation.as_bytes());
    out.extend_from_slice(b"::");
    write_list(set, out, write);
}

fn write_list<'a, T: 'a>(
    list: impl IntoIterator<Item = &'a T>,
    out: &mut Vec<u8>,
    write: impl Fn(&'a T, &mut Vec<u8>),
) {
    out.push(b'[');
    for (at, element) in list.into_iter().enumerate() {
        separate(at, out);
        write(element, out);
    }
    out.push(b']');
}

/// A decimal: `103.`, `6d2`, `15d-1`.
fn write_number(number: Number, out: &mut Vec<u8>) {
    let (negative, mantissa, exponent) = number.parts();
    let sign = if negative { "-" } else { "" };
    let text = match exponent {
        0 => format!("{sign}{mantissa}."),
        _ => format!("{sign}{mantissa}d{exponent}"),
    };
    out.extend_from_slice(text.as_bytes());
}

fn write_blob(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{{");
    out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
    out.extend_from_slice(b"}}");
}
