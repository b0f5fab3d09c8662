use std::str::FromStr;

use bigdecimal::BigDecimal;
use homeport_dynamodb::number::{Number, NumberError};
use proptest::prelude::*;

fn decimals() -> impl Strategy<Value = String> {
    ("-?", "[0-9]{1,38}", "(\\.[0-9]{0,6})?", proptest::option::of(-140_i32..140))
        .prop_map(|(sign, whole, fraction, exponent)| {
            let exponent = exponent.map(|e| format!("e{e}")).unwrap_or_default();
            format!("{sign}{whole}{fraction}{exponent}")
        })
        // The bounds of a zero that is written with an exponent are the parser's own unit test.
        .prop_filter("a zero", |text| {
            text.split('e')
                .next()
                .is_some_and(|digits| digits.contains(['1', '2', '3', '4', '5', '6', '7', '8', '9']))
        })
}

fn near_decimals() -> impl Strategy<Value = String> {
    ("-?", "[0-9]{1,20}", "(\\.[0-9]{0,15})?")
        .prop_map(|(sign, whole, fraction)| format!("{sign}{whole}{fraction}"))
}

fn oracle(text: &str) -> BigDecimal {
    BigDecimal::from_str(text).unwrap().normalized()
}

/// What AWS would say to this exact value.
fn judged(exact: &BigDecimal) -> Result<(), NumberError> {
    let (digits, scale) = exact.normalized().as_bigint_and_exponent();
    let digits = digits.magnitude().to_string();
    if digits == "0" {
        return Ok(());
    }
    let magnitude = digits.len() as i64 - 1 - scale;
    match magnitude {
        126.. => Err(NumberError::Overflow),
        ..=-131 => Err(NumberError::Underflow),
        _ if digits.len() > 38 => Err(NumberError::TooPrecise),
        _ => Ok(()),
    }
}

fn key(number: Number) -> Vec<u8> {
    let mut key = Vec::new();
    number.write_key(&mut key);
    key
}

proptest! {
    #[test]
    fn a_number_is_read_as_the_oracle_reads_it(text in decimals()) {
        let exact = oracle(&text);
        match judged(&exact) {
            Ok(()) => {
                let number = Number::parse(&text).unwrap();
                prop_assert_eq!(oracle(&number.to_string()), exact);
                prop_assert_eq!(Number::parse(&number.to_string()), Ok(number));
            }
            Err(refusal) => prop_assert_eq!(Number::parse(&text), Err(refusal)),
        }
    }

    #[test]
    fn sums_and_differences_are_the_oracles_or_refused(a in near_decimals(), b in near_decimals()) {
        let (Ok(x), Ok(y)) = (Number::parse(&a), Number::parse(&b)) else { return Ok(()) };
        for (sum, exact) in [(x.plus(y), oracle(&a) + oracle(&b)), (x.minus(y), oracle(&a) - oracle(&b))] {
            match judged(&exact) {
                Ok(()) => prop_assert_eq!(oracle(&sum.unwrap().to_string()), exact.normalized()),
                Err(refusal) => prop_assert_eq!(sum, Err(refusal)),
            }
        }
    }

    #[test]
    fn keys_and_numbers_have_one_order(a in decimals(), b in decimals()) {
        let (Ok(x), Ok(y)) = (Number::parse(&a), Number::parse(&b)) else { return Ok(()) };
        let exact = oracle(&a).cmp(&oracle(&b));
        prop_assert_eq!(x.cmp(&y), exact);
        prop_assert_eq!(key(x).cmp(&key(y)), exact);
        prop_assert!(x == y || !key(x).starts_with(&key(y)));
    }
}

/// Measured on AWS by the item size that is just accepted and just refused.
#[test]
fn numbers_count_as_many_bytes_as_on_aws() {
    for (text, bytes) in [
        ("0", 1),
        ("1", 2),
        ("12", 2),
        ("123", 3),
        ("1234", 3),
        ("12345678901234567890123456789012345678", 20),
        ("0042", 2),
        ("100", 2),
        ("1010", 3),
        ("0.0000001", 2),
        ("1E125", 2),
        ("1E-100", 2),
        ("1.5", 3),
        ("15", 2),
        ("1.200", 3),
        ("1.234", 4),
        ("3.14159", 5),
        ("123456", 4),
        ("100.5", 4),
        ("0.15", 2),
        ("-42", 3),
        ("-0", 1),
    ] {
        assert_eq!(Number::parse(text).unwrap().size(), bytes, "{text}");
    }
}
