use std::borrow::Cow;

/// The request's target is not well-formed: a `%` without two hexadecimal digits, or text that is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The request target is not correctly percent-encoded UTF-8.")]
pub struct MalformedTarget;

/// Decodes the path of a target for routing: percent-encoding once, nothing normalized, `+` a plus.
pub fn decode_path(raw: &str) -> Result<String, MalformedTarget> {
    let decoded = decode(raw.as_bytes(), false)?;
    String::from_utf8(decoded.into_owned()).map_err(|_| MalformedTarget)
}

/// Encodes all but `A-Z a-z 0-9 - . _ ~`, and `/` where it is to stay, as `%XX` in upper case.
pub fn uri_encode(text: &str, keep_slash: bool) -> String {
    let mut out = Vec::with_capacity(text.len() + 8);
    encode_into(&mut out, text.as_bytes(), keep_slash);
    String::from_utf8_lossy(&out).into_owned()
}

pub(crate) fn encode_into(out: &mut Vec<u8>, bytes: &[u8], keep_slash: bool) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte),
            b'/' if keep_slash => out.push(byte),
            _ => out.extend([b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]),
        }
    }
}

pub(crate) fn decode(bytes: &[u8], plus_is_space: bool) -> Result<Cow<'_, [u8]>, MalformedTarget> {
    let plain = |byte: &u8| *byte != b'%' && !(plus_is_space && *byte == b'+');
    if bytes.iter().all(plain) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(&byte) = rest.next() {
        match byte {
            b'%' => out.push(hex_digit(rest.next())? << 4 | hex_digit(rest.next())?),
            b'+' if plus_is_space => out.push(b' '),
            _ => out.push(byte),
        }
    }
    Ok(Cow::Owned(out))
}

fn hex_digit(byte: Option<&u8>) -> Result<u8, MalformedTarget> {
    match byte {
        Some(b @ b'0'..=b'9') => Ok(b - b'0'),
        Some(b @ b'a'..=b'f') => Ok(b - b'a' + 10),
        Some(b @ b'A'..=b'F') => Ok(b - b'A' + 10),
        _ => Err(MalformedTarget),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(uri_encode("a~b-c_d.e/f*g h+é", false), "a~b-c_d.e%2Ff%2Ag%20h%2B%C3%A9");
        assert_eq!(uri_encode("a/b", true), "a/b");
    }

    #[test]
    fn a_path_is_decoded_once_and_a_plus_stays() {
        assert_eq!(decode_path("/a+b%20c%252F%2f").unwrap(), "/a+b c%2F/");
        for bad in ["/%", "/%2", "/%zz", "/%ff"] {
            assert_eq!(decode_path(bad), Err(MalformedTarget), "{bad}");
        }
    }
}
