use serde::Deserialize;
use zeroize::Zeroizing;

use super::proof::{Signed, check, timestamp_is_well_formed};
use super::*;

/// A sign-in as a client library computed it (`tests/srp/make_vectors.*`).
#[derive(Deserialize)]
struct Vector {
    client: String,
    pool: String,
    user: String,
    password: String,
    salt: String,
    srp_a: String,
    b: String,
    srp_b: String,
    key: String,
    secret_block: String,
    timestamp: String,
    signature: String,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../../tests/srp/srp_vectors.json")).unwrap()
}

impl Vector {
    fn verifier(&self, password: &str) -> Verifier {
        Verifier::of(&self.pool, &self.user, password, hex::decode(&self.salt).unwrap().try_into().unwrap())
    }

    fn secret(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(hex::decode(&self.b).unwrap().try_into().unwrap())
    }

    fn accepts(&self, key: &SessionKey) -> bool {
        let block = hex::decode(&self.secret_block).unwrap();
        let signed = Signed {
            pool_name: &self.pool,
            user_id: &self.user,
            secret_block: &block,
            timestamp: &self.timestamp,
        };
        check(key, &signed, &hex::decode(&self.signature).unwrap())
    }
}

#[test]
fn the_clients_reach_the_same_key() {
    let mut clients = std::collections::BTreeMap::new();
    for vector in vectors() {
        let verifier = vector.verifier(&vector.password);
        assert_eq!(verifier.salt_hex(), vector.salt);
        let (exchange, srp_b) = Exchange::open(&verifier, &vector.srp_a, vector.secret()).unwrap();
        assert_eq!(srp_b, vector.srp_b, "{} as {}", vector.client, vector.user);
        let remembered = Exchange::from_bytes(&exchange.to_bytes()).unwrap();
        let key = remembered.key(&Verifier::from_bytes(&verifier.to_bytes()).unwrap());
        assert_eq!(hex::encode(&key[..]), vector.key, "{} as {}", vector.client, vector.user);
        assert!(timestamp_is_well_formed(&vector.timestamp));
        assert!(vector.accepts(&key));
        *clients.entry(vector.client).or_insert(0) += 1;
    }
    assert_eq!(clients.len(), 2, "{clients:?}");
}

#[test]
fn another_password_reaches_another_key() {
    let vector = &vectors()[0];
    let verifier = vector.verifier("Correct-horse8");
    let (exchange, _) = Exchange::open(&verifier, &vector.srp_a, vector.secret()).unwrap();
    assert!(!vector.accepts(&exchange.key(&verifier)));
}

#[test]
fn a_public_value_that_would_give_the_key_away_is_refused() {
    let prime = hex::encode(group::bytes_of(group::prime()));
    let above = hex::encode(group::bytes_of(&group::prime().wrapping_add(&crypto_bigint::U3072::ONE)));
    let vector = &vectors()[0];
    let verifier = vector.verifier(&vector.password);
    for value in ["0", "000", &prime, &above, &format!("{prime}0"), "", "g"] {
        let opened = Exchange::open(&verifier, value, vector.secret());
        assert_eq!(opened.err(), Some(InvalidPublicValue), "{value}");
    }
    assert!(Exchange::open(&verifier, "1", vector.secret()).is_ok());
}

/// No `A` is known whose hash with `B` is 0, so the rule is tested where it is made, and where an exchange comes back.
#[test]
fn a_scramble_of_zero_is_refused() {
    let vector = &vectors()[0];
    let verifier = vector.verifier(&vector.password);
    let (exchange, _) = Exchange::open(&verifier, &vector.srp_a, vector.secret()).unwrap();
    let at = Exchange::BYTES - 32;
    for (last, is_taken) in [(0, false), (1, true)] {
        let mut scramble = [0; 32];
        scramble[31] = last;
        assert_eq!(exchange::Scramble::new(scramble).is_ok(), is_taken);
        let mut remembered = exchange.to_bytes();
        remembered[at..].copy_from_slice(&scramble);
        assert_eq!(Exchange::from_bytes(&remembered).is_some(), is_taken);
    }
}

#[test]
fn a_decoy_answers_like_a_verifier_and_accepts_nobody() {
    let vector = &vectors()[0];
    let decoy = Verifier::decoy(&[0xff; Verifier::BYTES]);
    assert_eq!(decoy.salt_hex().len(), vector.verifier(&vector.password).salt_hex().len());
    assert_ne!(decoy.to_bytes()[SALT_BYTES..], [0xff; 384]);
    let (exchange, srp_b) = Exchange::open(&decoy, &vector.srp_a, vector.secret()).unwrap();
    assert!(srp_b.len() > 700);
    assert!(!vector.accepts(&exchange.key(&decoy)));
}

#[test]
fn what_was_not_stored_by_us_is_not_read() {
    assert!(Verifier::from_bytes(&[1; Verifier::BYTES - 1]).is_none());
    assert!(Exchange::from_bytes(&[1; Exchange::BYTES + 1]).is_none());
}
