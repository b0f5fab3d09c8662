use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{AttributeValue, Item};
use crate::number::Number;

/// Appends an item as JSON: `{"name":{"S":"value"},…}`.
pub fn write_item(item: &Item, out: &mut Vec<u8>) {
    out.push(b'{');
    for (at, (name, value)) in item.iter().enumerate() {
        separate(at, out);
        write_string(name, out);
        out.push(b':');
        write_value(value, out);
    }
    out.push(b'}');
}

/// Appends a value as JSON: `{"S":"value"}`.
pub fn write_value(value: &AttributeValue, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"");
    out.extend_from_slice(value.value_type().name().as_bytes());
    out.extend_from_slice(b"\":");
    match value {
        AttributeValue::S(text) => write_string(text, out),
        AttributeValue::N(number) => write_number(*number, out),
        AttributeValue::B(bytes) => write_base64(bytes, out),
        AttributeValue::Ss(set) => write_list(set.iter(), out, |text, out| write_string(text, out)),
        AttributeValue::Ns(set) => write_list(set.iter(), out, |number, out| write_number(*number, out)),
        AttributeValue::Bs(set) => write_list(set.iter(), out, |bytes, out| write_base64(bytes, out)),
        AttributeValue::M(map) => write_item(map, out),
        AttributeValue::L(list) => write_list(list.iter(), out, write_value),
        AttributeValue::Bool(true) | AttributeValue::Null => out.extend_from_slice(b"true"),
        AttributeValue::Bool(false) => out.extend_from_slice(b"false"),
    }
    out.push(b'}');
}

fn write_list<T>(values: impl Iterator<Item = T>, out: &mut Vec<u8>, write: impl Fn(T, &mut Vec<u8>)) {
    out.push(b'[');
    for (at, value) in values.enumerate() {
        separate(at, out);
        write(value, out);
    }
    out.push(b']');
}

pub(super) fn separate(at: usize, out: &mut Vec<u8>) {
    if at > 0 {
        out.push(b',');
    }
}

pub(super) fn write_number(number: Number, out: &mut Vec<u8>) {
    out.push(b'"');
    number.write_text(out);
    out.push(b'"');
}

pub(super) fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let from = out.len();
    out.resize(from + bytes.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(bytes, &mut out[from..]).unwrap_or(0);
    out.truncate(from + written);
    out.push(b'"');
}

/// Appends a JSON string, quotes included.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    write_utf8(text.as_bytes(), out);
}

/// As [`write_string`], for bytes that are known to be UTF-8.
pub(super) fn write_utf8(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    // Most texts need no escape. Looking through all of one, without a way out, is done many bytes at a time.
    if !text.iter().fold(false, |found, &byte| found | is_escaped(byte)) {
        out.extend_from_slice(text);
        out.push(b'"');
        return;
    }
    let mut from = 0;
    for (at, &byte) in text.iter().enumerate() {
        if !is_escaped(byte) {
            continue;
        }
        out.extend_from_slice(&text[from..at]);
        from = at + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.extend([byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)]));
            }
        }
    }
    out.extend_from_slice(&text[from..]);
    out.push(b'"');
}

fn is_escaped(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_as_json_wants() {
        let every: String = (0..0x80_u8).map(char::from).chain("äß€😀".chars()).collect();
        let mut out = Vec::new();
        write_string(&every, &mut out);
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), every);
    }
}
