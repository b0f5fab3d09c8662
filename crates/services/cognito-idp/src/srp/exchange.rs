use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use crypto_bigint::U3072;
use zeroize::Zeroizing;

use super::group::{GROUP_BYTES, bytes_of, element, generator, multiplier, power, prime};
use super::integer::{hex_of, parse_hex, signed_bytes};
use super::{InvalidPublicValue, Verifier};

/// The key that both sides have in the end, 16 bytes.
pub(crate) type SessionKey = Zeroizing<[u8; 16]>;

/// What the server must remember between the two halves of a sign-in. It goes to the client and back, sealed.
pub(crate) struct Exchange {
    /// The client's `A`.
    client_value: [u8; GROUP_BYTES],
    /// The server's secret `b`.
    secret: Zeroizing<[u8; 32]>,
    scramble: Scramble,
}

/// `u` = H(A | B), which is never 0: with `u = 0` the verifier would be no part of the key (SRP-6a).
pub(super) struct Scramble([u8; 32]);

impl Scramble {
    /// Takes a hash, unless it is 0.
    pub(super) fn new(hash: [u8; 32]) -> Result<Self, InvalidPublicValue> {
        if hash == [0; 32] { Err(InvalidPublicValue) } else { Ok(Self(hash)) }
    }

    fn of(client_value: &[u8], server_value: &[u8]) -> Result<Self, InvalidPublicValue> {
        let mut hash = Context::new(&SHA256);
        hash.update(&signed_bytes(client_value));
        hash.update(&signed_bytes(server_value));
        let mut scramble = [0; 32];
        scramble.copy_from_slice(hash.finish().as_ref());
        Self::new(scramble)
    }
}

impl Exchange {
    /// Bytes of an exchange as it is sealed.
    pub(crate) const BYTES: usize = GROUP_BYTES + 64;

    /// Answers `SRP_A` (hexadecimal) with `SRP_B`: `B = kv + g^b`. One exponentiation.
    ///
    /// `A` must lie between 0 and N, both excluded: with `A mod N = 0` anybody would know the session key. So it
    /// would be with `u = 0` ([`Scramble`]).
    pub(crate) fn open(
        verifier: &Verifier,
        srp_a: &str,
        secret: Zeroizing<[u8; 32]>,
    ) -> Result<(Self, String), InvalidPublicValue> {
        let client_value = parse_hex(srp_a)?;
        let number = U3072::from_be_slice(&client_value);
        if number.is_zero_vartime() || number.cmp_vartime(prime()).is_ge() {
            return Err(InvalidPublicValue);
        }
        let server_value = element(verifier.value()) * multiplier() + power(generator(), &secret);
        let server_value = bytes_of(&server_value.retrieve());
        let scramble = Scramble::of(&client_value, &server_value)?;
        Ok((Self { client_value, secret, scramble }, hex_of(&server_value)))
    }

    /// The session key: HKDF of `S = (A v^u)^b`. Two exponentiations.
    pub(crate) fn key(&self, verifier: &Verifier) -> SessionKey {
        let base = element(&self.client_value) * power(&element(verifier.value()), &self.scramble.0);
        let shared = Zeroizing::new(bytes_of(&power(&base, &self.secret).retrieve()));
        derive(&shared[..], &self.scramble.0)
    }

    /// `A`, `b` and `u`, to be sealed.
    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([&self.client_value[..], &self.secret[..], &self.scramble.0[..]].concat())
    }

    /// Reads what [`Exchange::to_bytes`] wrote.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != Self::BYTES {
            return None;
        }
        let (value, rest) = bytes.split_at(GROUP_BYTES);
        let (secret, scramble) = rest.split_at(32);
        Some(Self {
            client_value: value.try_into().ok()?,
            secret: Zeroizing::new(secret.try_into().ok()?),
            scramble: Scramble::new(scramble.try_into().ok()?).ok()?,
        })
    }
}

/// A key of 16 bytes.
struct SixteenBytes;

impl KeyType for SixteenBytes {
    fn len(&self) -> usize {
        16
    }
}

fn derive(shared: &[u8], scramble: &[u8]) -> SessionKey {
    let extracted = Salt::new(HKDF_SHA256, &signed_bytes(scramble)).extract(&signed_bytes(shared));
    let mut key = Zeroizing::new([0; 16]);
    let expanded = extracted.expand(&[b"Caldera Derived Key"], SixteenBytes);
    if expanded.and_then(|material| material.fill(&mut key[..])).is_err() {
        unreachable!("16 bytes are far below HKDF's limit of 255 blocks");
    }
    key
}
