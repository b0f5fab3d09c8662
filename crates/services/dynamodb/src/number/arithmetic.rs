use super::{Number, NumberError};

impl Number {
    /// The exact sum, or an error: nothing is ever rounded.
    pub fn plus(self, other: Self) -> Result<Self, NumberError> {
        if self.mantissa == 0 {
            return Ok(other);
        }
        if other.mantissa == 0 {
            return Ok(self);
        }
        let (high, low) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        let shift = u32::from((high.exponent - low.exponent).unsigned_abs());
        // A shift that doesn't fit leaves a gap of more than 38 digits between the two: their sum needs them all,
        // as the lower one's last digit isn't zero.
        let shifted = 10_u128.checked_pow(shift).and_then(|scale| high.mantissa.checked_mul(scale));
        let too_wide = || {
            if self.magnitude().max(other.magnitude()) > super::MAX_MAGNITUDE {
                NumberError::Overflow
            } else {
                NumberError::TooPrecise
            }
        };
        let shifted = shifted.ok_or_else(too_wide)?;
        let exponent = i32::from(low.exponent);
        if high.negative == low.negative {
            let sum = shifted.checked_add(low.mantissa).ok_or_else(too_wide)?;
            return Self::from_parts(high.negative, sum, exponent);
        }
        let negative = if shifted >= low.mantissa { high.negative } else { low.negative };
        Self::from_parts(negative, shifted.abs_diff(low.mantissa), exponent)
    }

    /// The exact difference, or an error.
    pub fn minus(self, other: Self) -> Result<Self, NumberError> {
        self.plus(Self { negative: other.mantissa != 0 && !other.negative, ..other })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn sums_and_differences_are_exact() {
        assert_eq!(number("0.1").plus(number("0.2")), Ok(number("0.3")));
        assert_eq!(number("5").minus(number("5")), Ok(Number::ZERO));
        assert_eq!(number("1").minus(number("0.001")), Ok(number("0.999")));
        assert_eq!(number("-3").plus(number("10")), Ok(number("7")));
        assert_eq!(number("1e38").minus(number("1")), Ok(number(&"9".repeat(38))));
    }

    #[test]
    fn what_does_not_fit_is_refused_rather_than_rounded() {
        assert_eq!(number("9.9e125").plus(number("9.9e125")), Err(NumberError::Overflow));
        assert_eq!(number("1e38").plus(number("1")), Err(NumberError::TooPrecise));
        assert_eq!(number("1e125").plus(number("1e-130")), Err(NumberError::TooPrecise));
        assert_eq!(number("1.1e-130").minus(number("1.0e-130")), Err(NumberError::Underflow));
    }
}
