//! Both sides show that they know the token of this start without saying it: a file of a server that is gone may name
//! an address where somebody else listens by now.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, Tag, sign, verify};

/// Who speaks: a question is no answer.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Asks,
    Answers,
}

impl Side {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Asks => b"homeport-asks",
            Self::Answers => b"homeport-answers",
        }
    }
}

/// The HMAC-SHA256 (RFC 2104) of side, nonce and body under the token, in hexadecimal digits.
pub(super) fn of(token: &str, side: Side, nonce: &[u8], body: &[u8]) -> String {
    let tag: Tag = sign(&key(token), &text(side, nonce, body));
    hex::encode(tag)
}

/// Whether it is the one, in a time that doesn't tell how nearly.
pub(super) fn is_right(given: &[u8], token: &str, side: Side, nonce: &[u8], body: &[u8]) -> bool {
    hex::decode(given).is_ok_and(|tag| verify(&key(token), &text(side, nonce, body), &tag).is_ok())
}

fn key(token: &str) -> Key {
    Key::new(HMAC_SHA256, token.as_bytes())
}

/// Each part behind its length, so that no two lists of parts make one text.
fn text(side: Side, nonce: &[u8], body: &[u8]) -> Vec<u8> {
    let parts = [side.label(), nonce, body];
    parts
        .iter()
        .flat_map(|part| (part.len() as u64).to_be_bytes().into_iter().chain(part.iter().copied()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_holds_for_its_side_nonce_body_and_token_alone() {
        let proof = of("token", Side::Asks, b"n", b"body");
        let right =
            |token, side, nonce: &[u8], body: &[u8]| is_right(proof.as_bytes(), token, side, nonce, body);
        assert!(right("token", Side::Asks, b"n", b"body"));
        assert!(!right("other", Side::Asks, b"n", b"body"));
        assert!(!right("token", Side::Answers, b"n", b"body"));
        assert!(!right("token", Side::Asks, b"m", b"body"));
        assert!(!right("token", Side::Asks, b"nb", b"ody"));
        assert!(!is_right(b"", "token", Side::Asks, b"n", b"body"));
        assert!(!is_right(b"zz", "token", Side::Asks, b"n", b"body"));
    }
}
