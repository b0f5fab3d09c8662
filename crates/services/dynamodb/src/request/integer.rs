use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

/// A 32-bit integer as AWS reads one: without its fraction, and no further than 32 bits reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Integer {
    pub(crate) value: i32,
    /// Whether something was left out of it.
    pub(crate) coerced: bool,
}

impl Integer {
    fn whole(value: i128) -> Self {
        let within = value.clamp(i32::MIN.into(), i32::MAX.into());
        Self { value: i32::try_from(within).unwrap_or_default(), coerced: within != value }
    }
}

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Found)
    }
}

struct Found;

impl<'de> Visitor<'de> for Found {
    type Value = Integer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Integer, E> {
        Ok(Integer::whole(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Integer, E> {
        Ok(Integer::whole(value.into()))
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float's conversion stops at the bounds, as AWS's does"
    )]
    fn visit_f64<E: Error>(self, value: f64) -> Result<Integer, E> {
        let whole = value.trunc();
        Ok(Integer { value: whole as i32, coerced: f64::from(whole as i32) != value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_is_cut_to_what_it_may_be() {
        for (json, value, coerced) in [
            ("5", 5, false),
            ("-1", -1, false),
            ("1.0", 1, false),
            ("1.5", 1, true),
            ("0.5", 0, true),
            ("-2147483649", i32::MIN, true),
            ("9223372036854775808", i32::MAX, true),
            ("1e300", i32::MAX, true),
        ] {
            assert_eq!(serde_json::from_str::<Integer>(json).unwrap(), Integer { value, coerced }, "{json}");
        }
    }
}
