//! `SECRET_HASH`: what an app client with a secret proves with each call that it knows it.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign, verify};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Whether `given` is base64 of HMAC-SHA-256(client secret, name + client id), compared in constant time.
pub(crate) fn is_right(client_secret: &[u8], name: &str, client_id: &str, given: &str) -> bool {
    let key = Key::new(HMAC_SHA256, client_secret);
    let message = [name.as_bytes(), client_id.as_bytes()].concat();
    match STANDARD.decode(given) {
        Ok(tag) => verify(&key, &message, &tag).is_ok(),
        Err(_) => {
            // The same work as above, so that form and value cost the same.
            let _ = sign(&key, &message);
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_right;

    // python3: base64.b64encode(hmac.new(b"s3cret", b"ann" + b"client", hashlib.sha256).digest())
    const HASH: &str = "4q6Rn1PaHFX2DHLFpb72CUsfCXPz4bFspNpEp6SUSkI=";

    #[test]
    fn the_hash_of_another_name_secret_or_client_is_wrong() {
        assert!(is_right(b"s3cret", "ann", "client", HASH));
        assert!(!is_right(b"s3cret", "bob", "client", HASH));
        assert!(!is_right(b"other", "ann", "client", HASH));
        assert!(!is_right(b"s3cret", "ann", "other", HASH));
        assert!(!is_right(b"s3cret", "ann", "client", ""));
        assert!(!is_right(b"s3cret", "ann", "client", "not base64!"));
    }
}
