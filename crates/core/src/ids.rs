use crate::Randomness;

/// Characters that an id is drawn from; at most 256.
pub type Alphabet = &'static [u8];

/// `0-9`.
pub const DIGITS: Alphabet = b"0123456789";
/// `A-Z2-7`, as in access key ids and unique ids of IAM.
pub const BASE32: Alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// `a-z0-9`, as in client ids and API ids.
pub const LOWER_ALPHANUMERIC: Alphabet = b"abcdefghijklmnopqrstuvwxyz0123456789";
/// `A-Z0-9`, as in unique ids of IAM.
pub const UPPER_ALPHANUMERIC: Alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
/// `A-Za-z0-9`, as in the ids of user pools.
pub const ALPHANUMERIC: Alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Draws `length` characters, each equally likely (bytes that would favour some are thrown away).
pub fn draw(randomness: &dyn Randomness, alphabet: Alphabet, length: usize) -> String {
    let fair = 256 - 256 % alphabet.len();
    let mut drawn = String::with_capacity(length);
    let mut pool = [0_u8; 64];
    while drawn.len() < length {
        randomness.fill(&mut pool);
        let usable = pool.iter().map(|b| usize::from(*b)).filter(|b| *b < fair);
        drawn.extend(usable.take(length - drawn.len()).map(|b| char::from(alphabet[b % alphabet.len()])));
    }
    drawn
}

/// A random UUID (RFC 9562 version 4), hyphenated and in lower case.
pub fn uuid_v4(randomness: &dyn Randomness) -> String {
    let mut bytes = [0_u8; 16];
    randomness.fill(&mut bytes);
    let id = uuid::Builder::from_random_bytes(bytes).into_uuid();
    id.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededRandomness;

    #[test]
    fn an_id_has_its_length_and_alphabet() {
        let random = SeededRandomness::new(7);
        let id = draw(&random, DIGITS, 1_000);
        assert_eq!(id.len(), 1_000);
        for digit in DIGITS {
            let seen = id.bytes().filter(|b| b == digit).count();
            assert!((60..140).contains(&seen), "{seen}");
        }
    }

    #[test]
    fn a_uuid_says_its_version() {
        let id = uuid_v4(&SeededRandomness::new(1));
        assert_eq!(id.len(), 36);
        assert_eq!(&id[14..15], "4");
        assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"));
    }
}
