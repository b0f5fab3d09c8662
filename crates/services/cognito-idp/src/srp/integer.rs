use super::InvalidPublicValue;
use super::group::GROUP_BYTES;

/// A non-negative number as Java's `BigInteger.toByteArray` writes it, and the clients' `padHex` with it: the
/// shortest big-endian form whose highest bit is clear.
pub(super) fn signed_bytes(big_endian: &[u8]) -> Vec<u8> {
    let start = big_endian.iter().position(|byte| *byte != 0).unwrap_or(big_endian.len());
    let digits = &big_endian[start..];
    let sign = digits.first().is_none_or(|first| first & 0x80 != 0);
    let mut bytes = Vec::with_capacity(digits.len() + 1);
    if sign {
        bytes.push(0);
    }
    bytes.extend_from_slice(digits);
    bytes
}

/// A number in hexadecimal as clients print it: without leading zeros, in lower case.
pub(super) fn hex_of(big_endian: &[u8]) -> String {
    let text = hex::encode(big_endian);
    let digits = text.trim_start_matches('0');
    if digits.is_empty() { "0".to_owned() } else { digits.to_owned() }
}

/// Reads a number of at most 3,072 bits, in hexadecimal of any length parity.
pub(super) fn parse_hex(text: &str) -> Result<[u8; GROUP_BYTES], InvalidPublicValue> {
    let digits = text.trim_start_matches('0');
    if text.is_empty() || digits.len() > 2 * GROUP_BYTES {
        return Err(InvalidPublicValue);
    }
    let mut number = [0; GROUP_BYTES];
    let padded = format!("{digits:0>width$}", width = 2 * GROUP_BYTES);
    hex::decode_to_slice(padded, &mut number).map_err(|_| InvalidPublicValue)?;
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_java_does() {
        assert_eq!(signed_bytes(&[0, 0, 0x14]), [0x14]);
        assert_eq!(signed_bytes(&[0xEC]), [0, 0xEC]);
        assert_eq!(signed_bytes(&[0x7F, 0xFF]), [0x7F, 0xFF]);
        assert_eq!(signed_bytes(&[0, 0]), [0]);
        assert_eq!(signed_bytes(&[]), [0]);
    }

    #[test]
    fn hexadecimal_is_read_with_any_number_of_zeros() {
        assert_eq!(parse_hex("abc").unwrap()[382..], [0x0a, 0xbc]);
        assert_eq!(parse_hex(&format!("00{}", "F".repeat(768))).unwrap(), [0xFF; 384]);
        assert_eq!(parse_hex("0").unwrap(), [0; 384]);
        for wrong in ["", "xyz", "-1", "0x12", &"1".repeat(769), "é"] {
            assert_eq!(parse_hex(wrong), Err(InvalidPublicValue), "{wrong}");
        }
    }

    #[test]
    fn hexadecimal_is_written_without_zeros() {
        assert_eq!(hex_of(&[0, 0x0a, 0xbc]), "abc");
        assert_eq!(hex_of(&[0]), "0");
    }
}
