//! The client's side of Cognito's SRP, as cheap as it can be: with a constant `a`, whose security is nobody's concern
//! here.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U256, U3072};
use serde_json::Value;

use crate::Outcome;

/// The 3,072-bit prime of RFC 3526.
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
const BYTES: usize = 384;
/// The client's secret `a`.
const SECRET: [u8; 32] = [0x5A; 32];

type Element = FixedMontyForm<{ U3072::LIMBS }>;

static PARAMS: LazyLock<FixedMontyParams<{ U3072::LIMBS }>> =
    LazyLock::new(|| FixedMontyParams::new(Odd::<U3072>::from_be_hex(PRIME)));
static PUBLIC: LazyLock<Vec<u8>> = LazyLock::new(|| bytes(&power(&generator(), &SECRET)));

fn generator() -> Element {
    FixedMontyForm::new(&U3072::from_u8(2), &PARAMS)
}

fn bytes(element: &Element) -> Vec<u8> {
    element.retrieve().to_be_bytes().as_ref().to_vec()
}

fn element(bytes: &[u8]) -> Element {
    let mut wide = [0; BYTES];
    wide[BYTES - bytes.len()..].copy_from_slice(bytes);
    FixedMontyForm::new(&U3072::from_be_slice(&wide), &PARAMS)
}

/// Raises to a 256-bit power; also the bound that sign-ins are compared with.
fn power(base: &Element, exponent: &[u8]) -> Element {
    base.pow(&U256::from_be_slice(exponent))
}

/// One bare exponentiation.
pub(crate) fn exponentiation() {
    std::hint::black_box(power(&element(&PUBLIC), &SECRET));
}

/// As Java writes a number that is not negative.
fn signed(big_endian: &[u8]) -> Vec<u8> {
    let start = big_endian.iter().position(|byte| *byte != 0).unwrap_or(big_endian.len());
    let digits = &big_endian[start..];
    let sign = digits.first().is_none_or(|first| first & 0x80 != 0);
    [&[0][..usize::from(sign)], digits].concat()
}

fn unhex(text: &str) -> Outcome<Vec<u8>> {
    let even = if text.len() % 2 == 1 { format!("0{text}") } else { text.to_owned() };
    Ok(hex::decode(even)?)
}

/// `SRP_A`.
pub(crate) fn public_value() -> String {
    hex::encode(&*PUBLIC)
}

/// What the client answers to the server's challenge: the claim's signature, over `timestamp`.
pub(crate) fn claim(pool: &str, password: &str, challenge: &Value, timestamp: &str) -> Outcome<String> {
    let parameter = |name: &str| challenge[name].as_str().ok_or_else(|| format!("no {name}"));
    let (salt, server_value) = (unhex(parameter("SALT")?)?, unhex(parameter("SRP_B")?)?);
    let (user, block) = (parameter("USER_ID_FOR_SRP")?, STANDARD.decode(parameter("SECRET_BLOCK")?)?);
    let name = pool.split_once('_').ok_or("no pool's name")?.1;

    let scramble = digest(&SHA256, &[signed(&PUBLIC), signed(&server_value)].concat());
    let inner = digest(&SHA256, format!("{name}{user}:{password}").as_bytes());
    let private = digest(&SHA256, &[&signed(&salt)[..], inner.as_ref()].concat());
    let prime = PARAMS.modulus().to_be_bytes();
    let multiplier = digest(&SHA256, &[&signed(prime.as_ref())[..], &[2]].concat());

    // S = (B - k g^x)^(a + u x), as two powers of 256 bits each.
    let private = private.as_ref();
    let base = element(&server_value) - element(multiplier.as_ref()) * power(&generator(), private);
    let shared = power(&base, &SECRET) * power(&power(&base, scramble.as_ref()), private);
    let extracted = Salt::new(HKDF_SHA256, &signed(scramble.as_ref())).extract(&signed(&bytes(&shared)));
    let mut key = [0; 16];
    let expanded = extracted.expand(&[b"Caldera Derived Key"], Sixteen).map_err(|_| "HKDF failed")?;
    expanded.fill(&mut key).map_err(|_| "HKDF failed")?;
    let said = [name.as_bytes(), user.as_bytes(), &block, timestamp.as_bytes()].concat();
    Ok(STANDARD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &said)))
}

struct Sixteen;

impl KeyType for Sixteen {
    fn len(&self) -> usize {
        16
    }
}
