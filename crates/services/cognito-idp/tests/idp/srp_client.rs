//! The client's side of SRP, written from the clients' own behaviour and apart from the service's.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U3072};
use homeport_testkit::Reply;
use serde_json::{Value, json};

use crate::world::{World, text};

const TIMESTAMP: &str = "Sat Nov 21 01:02:03 UTC 2026";
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

type Element = FixedMontyForm<{ U3072::LIMBS }>;

fn element(number: &U3072) -> Element {
    FixedMontyForm::new(number, &FixedMontyParams::new_vartime(Odd::<U3072>::from_be_hex(PRIME)))
}

fn number(hex: &str) -> U3072 {
    U3072::from_be_hex(&format!("{hex:0>768}"))
}

fn of_bytes(bytes: &[u8]) -> U3072 {
    number(&hex::encode(bytes))
}

/// `padHex`, decoded.
fn padded(number: &U3072) -> Vec<u8> {
    let bytes = number.to_be_bytes().as_ref().to_vec();
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1);
    let sign = (bytes[start] & 0x80 != 0).then_some(0);
    sign.into_iter().chain(bytes[start..].iter().copied()).collect()
}

fn hash(parts: &[&[u8]]) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &parts.concat()).as_ref().to_vec()
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, key);
    aws_lc_rs::hmac::sign(&key, &parts.concat()).as_ref().to_vec()
}

/// A client that has sent `SRP_A`.
pub(crate) struct SrpClient {
    secret: U3072,
    value: U3072,
}

impl SrpClient {
    pub(crate) fn new(secret: u64) -> Self {
        let secret = of_bytes(&hash(&[&secret.to_be_bytes()]));
        let value = element(&U3072::from_u8(2)).pow(&secret).retrieve();
        Self { secret, value }
    }

    pub(crate) fn srp_a(&self) -> String {
        hex::encode(padded(&self.value))
    }

    /// `InitiateAuth` with `USER_SRP_AUTH`.
    pub(crate) async fn open(&self, world: &World, name: &str) -> Reply {
        let parameters = json!({"USERNAME": name, "SRP_A": self.srp_a()});
        world.public("InitiateAuth", json!({"AuthFlow": "USER_SRP_AUTH", "AuthParameters": parameters})).await
    }

    /// The answers to the challenge.
    pub(crate) fn answers(&self, world: &World, challenge: &Value, password: &str) -> Value {
        let parameter = |name: &str| text(&challenge["ChallengeParameters"][name]);
        let user = parameter("USER_ID_FOR_SRP");
        let pool_name = world.pool.split_once('_').unwrap().1.to_owned();
        let server = number(&parameter("SRP_B"));
        let prime = U3072::from_be_hex(PRIME);
        let multiplier = element(&of_bytes(&hash(&[&padded(&prime), &[2]])));
        let scramble = of_bytes(&hash(&[&padded(&self.value), &padded(&server)]));
        let inner = hash(&[pool_name.as_bytes(), user.as_bytes(), b":", password.as_bytes()]);
        let x = of_bytes(&hash(&[&padded(&number(&parameter("SALT"))), &inner]));
        let base = element(&server) - multiplier * element(&U3072::from_u8(2)).pow(&x);
        let exponent = self.secret.wrapping_add(&scramble.wrapping_mul(&x));
        let shared = base.pow(&exponent).retrieve();
        let extracted = mac(&padded(&scramble), &[&padded(&shared)]);
        let key = mac(&extracted, &[b"Caldera Derived Key", &[1]]);
        let block = parameter("SECRET_BLOCK");
        let decoded = STANDARD.decode(&block).unwrap();
        let signature =
            mac(&key[..16], &[pool_name.as_bytes(), user.as_bytes(), &decoded, TIMESTAMP.as_bytes()]);
        json!({
            "USERNAME": user, "PASSWORD_CLAIM_SECRET_BLOCK": block, "TIMESTAMP": TIMESTAMP,
            "PASSWORD_CLAIM_SIGNATURE": STANDARD.encode(signature),
        })
    }

    /// `RespondToAuthChallenge` with `PASSWORD_VERIFIER`.
    pub(crate) async fn answer(world: &World, answers: Value) -> Reply {
        let input = json!({"ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": answers});
        world.public("RespondToAuthChallenge", input).await
    }

    /// Both steps.
    pub(crate) async fn sign_in(world: &World, name: &str, password: &str) -> Reply {
        let client = Self::new(7);
        let challenge = client.open(world, name).await.ok().json();
        Self::answer(world, client.answers(world, &challenge, password)).await
    }
}
