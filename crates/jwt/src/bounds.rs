use crate::Refusal;

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// The deepest nesting of objects and arrays in a header or in claims.
pub const MAX_DEPTH: usize = 64;

/// Whether the text has the outer form of a compact JWS: three parts, and not too long.
pub(crate) fn check_length(token: &str) -> Result<(), Refusal> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Refusal::TooLong);
    }
    Ok(())
}

/// Whether a JSON text nests no deeper than [`MAX_DEPTH`]. Looks at brackets outside of strings only, so it
/// can stand before the parser.
pub(crate) fn check_depth(json: &[u8]) -> Result<(), Refusal> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json {
        match (in_string, *byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'{' | b'[') => depth += 1,
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(Refusal::TooDeep);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_strings_do_not_count() {
        let flat = format!(r#"{{"a":"{}\"["}}"#, "[".repeat(100));
        assert_eq!(check_depth(flat.as_bytes()), Ok(()));
    }

    #[test]
    fn one_level_too_many_is_refused() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert_eq!(check_depth(nested(MAX_DEPTH).as_bytes()), Ok(()));
        assert_eq!(check_depth(nested(MAX_DEPTH + 1).as_bytes()), Err(Refusal::TooDeep));
    }
}
