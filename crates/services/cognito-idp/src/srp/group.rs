use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U256, U3072};

use super::integer::signed_bytes;

/// Bytes of a number of the group.
pub(super) const GROUP_BYTES: usize = 384;

/// The 3,072-bit prime of RFC 3526 section 4, which RFC 5054's appendix and all Cognito clients use.
const PRIME: &str = concat!(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD",
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED",
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F",
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B",
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510",
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7",
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C",
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
);

/// Numbers modulo the prime, as the library multiplies them.
pub(super) type Element = FixedMontyForm<{ U3072::LIMBS }>;

struct Group {
    params: FixedMontyParams<{ U3072::LIMBS }>,
    /// `k` = H(N | g), which ties the verifier to the group.
    multiplier: Element,
    generator: Element,
}

static GROUP: LazyLock<Group> = LazyLock::new(|| {
    let params = FixedMontyParams::new(Odd::<U3072>::from_be_hex(PRIME));
    let prime = bytes_of(params.modulus().as_ref());
    let hashed = digest(&SHA256, &[&signed_bytes(&prime)[..], &[2]].concat());
    let multiplier = FixedMontyForm::new(&widened(hashed.as_ref()), &params);
    let generator = FixedMontyForm::new(&U3072::from_u8(2), &params);
    Group { params, multiplier, generator }
});

/// The prime itself.
pub(super) fn prime() -> &'static U3072 {
    GROUP.params.modulus().as_ref()
}

/// `g`.
pub(super) fn generator() -> &'static Element {
    &GROUP.generator
}

/// `k`.
pub(super) fn multiplier() -> &'static Element {
    &GROUP.multiplier
}

/// A number modulo the prime.
pub(super) fn reduced(bytes: &[u8; GROUP_BYTES]) -> [u8; GROUP_BYTES] {
    bytes_of(&U3072::from_be_slice(bytes).rem(GROUP.params.modulus().as_nz_ref()))
}

/// A number as an element of the group.
pub(super) fn element(bytes: &[u8; GROUP_BYTES]) -> Element {
    FixedMontyForm::new(&U3072::from_be_slice(bytes), &GROUP.params)
}

/// Raises to a 256-bit power, in time that depends on neither.
pub(super) fn power(base: &Element, exponent: &[u8; 32]) -> Element {
    base.pow(&U256::from_be_slice(exponent))
}

/// A number of the group, big-endian, with its leading zeros.
pub(super) fn bytes_of(number: &U3072) -> [u8; GROUP_BYTES] {
    let mut bytes = [0; GROUP_BYTES];
    bytes.copy_from_slice(number.to_be_bytes().as_ref());
    bytes
}

fn widened(hash: &[u8]) -> U3072 {
    let mut bytes = [0; GROUP_BYTES];
    bytes[GROUP_BYTES - hash.len()..].copy_from_slice(hash);
    U3072::from_be_slice(&bytes)
}
