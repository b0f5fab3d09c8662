use aws_lc_rs::digest::{Context, SHA256};
use zeroize::Zeroizing;

use super::group::{GROUP_BYTES, bytes_of, generator, power, reduced};
use super::integer::{hex_of, signed_bytes};

/// Bytes of a salt.
pub(crate) const SALT_BYTES: usize = 16;

/// What the server keeps of a password for SRP: salt and `v = g^x`. As good as the password to who would guess
/// it, so it is stored sealed.
#[derive(Clone)]
pub(crate) struct Verifier {
    salt: [u8; SALT_BYTES],
    value: Zeroizing<[u8; GROUP_BYTES]>,
}

impl Verifier {
    /// Bytes of a verifier as it is stored.
    pub(crate) const BYTES: usize = SALT_BYTES + GROUP_BYTES;

    /// The verifier of a password: `x = H(salt | H(pool name, user id, ":", password))`. One exponentiation.
    ///
    /// `pool_name` is what follows the underscore in the pool's id; `user_id` is what the client is told as
    /// `USER_ID_FOR_SRP`.
    pub(crate) fn of(pool_name: &str, user_id: &str, password: &str, salt: [u8; SALT_BYTES]) -> Self {
        let salt = unambiguous(salt);
        let mut inner = Context::new(&SHA256);
        for part in [pool_name, user_id, ":", password] {
            inner.update(part.as_bytes());
        }
        let mut outer = Context::new(&SHA256);
        outer.update(&signed_bytes(&salt));
        outer.update(inner.finish().as_ref());
        let mut x = Zeroizing::new([0; 32]);
        x.copy_from_slice(outer.finish().as_ref());
        Self { salt, value: Zeroizing::new(bytes_of(&power(generator(), &x).retrieve())) }
    }

    /// The verifier of nobody's password, from bytes that look random: what an unknown user is answered with.
    pub(crate) fn decoy(bytes: &[u8; Self::BYTES]) -> Self {
        let (salt, value) = Self::split(bytes);
        Self { salt: unambiguous(salt), value: Zeroizing::new(reduced(&value)) }
    }

    /// Reads what [`Verifier::to_bytes`] wrote.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (salt, value) = Self::split(bytes.try_into().ok()?);
        Some(Self { salt, value })
    }

    /// Salt and value, to be sealed.
    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([&self.salt[..], &self.value[..]].concat())
    }

    /// `SALT`, as the client is told it.
    pub(crate) fn salt_hex(&self) -> String {
        hex_of(&self.salt)
    }

    pub(super) fn value(&self) -> &[u8; GROUP_BYTES] {
        &self.value
    }

    fn split(bytes: &[u8; Self::BYTES]) -> ([u8; SALT_BYTES], Zeroizing<[u8; GROUP_BYTES]>) {
        let (mut salt, mut value) = ([0; SALT_BYTES], Zeroizing::new([0; GROUP_BYTES]));
        salt.copy_from_slice(&bytes[..SALT_BYTES]);
        value.copy_from_slice(&bytes[SALT_BYTES..]);
        (salt, value)
    }
}

/// Sets a salt's first byte between 0x40 and 0x7f. A salt that starts so is written the same with or without
/// sign and leading zeros, and clients differ in how they write the others.
fn unambiguous(mut salt: [u8; SALT_BYTES]) -> [u8; SALT_BYTES] {
    salt[0] = 0x40 | (salt[0] & 0x3f);
    salt
}
