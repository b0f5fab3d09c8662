//! DynamoDB's numbers: decimal, up to 38 significant digits, magnitudes from 1E-130 to 9.99…E+125 (API reference,
//! "Data types"). Own, since no decimal type has 38 digits; `bigdecimal` is the tests' oracle.

use std::cmp::Ordering;

mod arithmetic;
mod key;
mod text;

/// The most significant digits a number has.
pub const MAX_DIGITS: u32 = 38;
/// The largest power of ten of a leading digit.
pub const MAX_MAGNITUDE: i32 = 125;
/// The smallest power of ten of a leading digit.
pub const MIN_MAGNITUDE: i32 = -130;

/// `mantissa × 10^exponent`, negated if `negative`. Always in lowest form: the mantissa doesn't end in a zero digit,
/// and zero is neither negative nor has an exponent, so that equal numbers have equal parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Number {
    negative: bool,
    exponent: i16,
    mantissa: u128,
}

/// Why something is no number, in AWS's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// No text at all.
    #[error("The parameter cannot be converted to a numeric value")]
    Empty,
    /// Not a decimal number.
    #[error("The parameter cannot be converted to a numeric value: {0}")]
    NotANumber(String),
    /// Beyond 9.99…E+125.
    #[error("Number overflow. Attempting to store a number with magnitude larger than supported range")]
    Overflow,
    /// Closer to zero than 1E-130.
    #[error("Number underflow. Attempting to store a number with magnitude smaller than supported range")]
    Underflow,
    /// So far beyond 9.99…E+125 that AWS's older words, whose count of digits is of 32 bits, take it for too close to
    /// zero.
    #[error("{}", Self::Underflow)]
    Wrapped,
    /// More than 38 significant digits.
    #[error("Attempting to store more than 38 significant digits in a Number")]
    TooPrecise,
}

impl Number {
    /// 0.
    pub const ZERO: Self = Self { negative: false, exponent: 0, mantissa: 0 };

    /// A number of these parts, brought to lowest form.
    pub fn from_parts(negative: bool, mut mantissa: u128, exponent: i32) -> Result<Self, NumberError> {
        if mantissa == 0 {
            return Ok(Self::ZERO);
        }
        let mut exponent = exponent;
        while mantissa.is_multiple_of(10) {
            mantissa /= 10;
            exponent = exponent.saturating_add(1);
        }
        let magnitude = exponent.saturating_add(mantissa.ilog10() as i32);
        if magnitude > MAX_MAGNITUDE {
            return Err(NumberError::Overflow);
        }
        if magnitude < MIN_MAGNITUDE {
            return Err(NumberError::Underflow);
        }
        if mantissa.ilog10() >= MAX_DIGITS {
            return Err(NumberError::TooPrecise);
        }
        let exponent = i16::try_from(exponent).map_err(|_| NumberError::Underflow)?;
        Ok(Self { negative, exponent, mantissa })
    }

    /// Whether the number is below zero, its mantissa and its exponent.
    pub fn parts(self) -> (bool, u128, i16) {
        (self.negative, self.mantissa, self.exponent)
    }

    /// The number without its fraction, towards zero; none beyond 64 bits.
    pub fn whole(self) -> Option<i64> {
        let scale = 10_u128.checked_pow(u32::from(self.exponent.unsigned_abs()));
        let magnitude = match (scale, self.exponent < 0) {
            (Some(scale), true) => self.mantissa / scale,
            (Some(scale), false) => self.mantissa.checked_mul(scale)?,
            (None, true) => 0,
            (None, false) => return None,
        };
        let whole = i64::try_from(magnitude).ok()?;
        Some(if self.negative { -whole } else { whole })
    }

    /// What AWS counts for it towards an item's size, in bytes: one, plus one per two digits before the point
    /// and one per two after it (leading and trailing zeros don't count), plus one for a minus.
    pub fn size(self) -> usize {
        if self.mantissa == 0 {
            return 1;
        }
        let digits = self.digits() as usize;
        let fraction = usize::from(self.exponent.min(0).unsigned_abs()).min(digits);
        1 + (digits - fraction).div_ceil(2) + fraction.div_ceil(2) + usize::from(self.negative)
    }

    /// How many digits the mantissa has; 1 for zero.
    fn digits(self) -> u32 {
        self.mantissa.checked_ilog10().map_or(1, |log| log + 1)
    }

    /// The power of ten of the leading digit.
    fn magnitude(self) -> i32 {
        i32::from(self.exponent) + self.digits() as i32 - 1
    }

    fn compare_magnitudes(self, other: Self) -> Ordering {
        let aligned = |n: Self| n.mantissa * 10_u128.pow(MAX_DIGITS - n.digits());
        self.magnitude().cmp(&other.magnitude()).then_with(|| aligned(self).cmp(&aligned(other)))
    }
}

impl From<u64> for Number {
    fn from(n: u64) -> Self {
        let (mut mantissa, mut exponent) = (n, 0);
        while mantissa != 0 && mantissa.is_multiple_of(10) {
            mantissa /= 10;
            exponent += 1;
        }
        Self { negative: false, exponent, mantissa: u128::from(mantissa) }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |n: &Self| match (n.mantissa, n.negative) {
            (0, _) => 0,
            (_, true) => -1,
            (_, false) => 1,
        };
        match (sign(self), sign(other)) {
            (1, 1) => self.compare_magnitudes(*other),
            (-1, -1) => other.compare_magnitudes(*self),
            (a, b) => a.cmp(&b),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
