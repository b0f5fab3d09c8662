use std::fmt;

use super::{MAX_DIGITS, MAX_MAGNITUDE, MIN_MAGNITUDE, Number, NumberError};

/// What has been read of a number's digits.
#[derive(Default)]
struct Reading {
    mantissa: u128,
    /// Digits in the mantissa.
    significant: u32,
    /// Zeros read since the last significant digit.
    zeros: u32,
    /// Digits since the first one that isn't zero, that one included.
    length: i64,
    /// Digits behind the point.
    fraction: i64,
    any: bool,
    too_precise: bool,
}

impl Reading {
    fn digit(&mut self, digit: u8, behind_point: bool) {
        self.any = true;
        self.fraction += i64::from(behind_point);
        self.length += i64::from(self.length > 0 || digit != 0);
        if digit == 0 {
            self.zeros = self.zeros.saturating_add(u32::from(self.length > 0));
            return;
        }
        let digits = self.significant.saturating_add(self.zeros).saturating_add(1);
        if digits > MAX_DIGITS {
            self.too_precise = true;
            return;
        }
        self.mantissa = self.mantissa * 10_u128.pow(self.zeros + 1) + u128::from(digit);
        self.significant = digits;
        self.zeros = 0;
    }
}

impl Number {
    /// Reads a decimal number as Java's `BigDecimal` does: an optional sign, digits with an optional point,
    /// an optional exponent.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        if text.is_empty() {
            return Err(NumberError::Empty);
        }
        let wrong = || NumberError::NotANumber(text.chars().take(256).collect());
        let bytes = text.as_bytes();
        let negative = bytes[0] == b'-';
        let mut at = usize::from(matches!(bytes[0], b'-' | b'+'));
        let mut reading = Reading::default();
        let mut behind_point = false;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'0'..=b'9' => reading.digit(byte - b'0', behind_point),
                b'.' if !behind_point => behind_point = true,
                b'e' | b'E' => break,
                _ => return Err(wrong()),
            }
            at += 1;
        }
        if !reading.any {
            return Err(wrong());
        }
        let exponent = match bytes.get(at) {
            None => 0,
            Some(_) => parse_exponent(&text[at + 1..]).ok_or_else(wrong)?,
        };
        finish(negative, &reading, exponent)
    }

    /// Appends the canonical text: plain digits, no exponent, no needless zeros.
    pub fn write_text(self, out: &mut Vec<u8>) {
        let mut digits = [0_u8; 39];
        let digits = ascii(self.mantissa, &mut digits);
        if self.negative {
            out.push(b'-');
        }
        if self.exponent >= 0 {
            out.extend_from_slice(digits);
            out.resize(out.len() + usize::from(self.exponent.unsigned_abs()), b'0');
            return;
        }
        let behind = usize::from(self.exponent.unsigned_abs());
        if behind < digits.len() {
            let (whole, fraction) = digits.split_at(digits.len() - behind);
            out.extend_from_slice(whole);
            out.push(b'.');
            out.extend_from_slice(fraction);
        } else {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + behind - digits.len(), b'0');
            out.extend_from_slice(digits);
        }
    }
}

fn finish(negative: bool, reading: &Reading, exponent: i64) -> Result<Number, NumberError> {
    let digits_before = if reading.mantissa == 0 { 0 } else { reading.length - 1 };
    let magnitude = (digits_before - reading.fraction).saturating_add(exponent);
    if magnitude >= i64::from(i32::MAX) && exponent <= i64::from(i32::MAX) {
        return Err(NumberError::Wrapped);
    }
    if magnitude > i64::from(MAX_MAGNITUDE) {
        return Err(NumberError::Overflow);
    }
    if magnitude < i64::from(MIN_MAGNITUDE) {
        return Err(NumberError::Underflow);
    }
    if reading.too_precise {
        return Err(NumberError::TooPrecise);
    }
    if reading.mantissa == 0 {
        return Ok(Number::ZERO);
    }
    let exponent = exponent - reading.fraction + i64::from(reading.zeros);
    let exponent = i16::try_from(exponent).map_err(|_| NumberError::Underflow)?;
    Ok(Number { negative, exponent, mantissa: reading.mantissa })
}

/// An exponent's value; none if it is malformed, or of more than 64 bits.
fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value: i64 = digits.parse().ok()?;
    Some(if text.starts_with('-') { -value } else { value })
}

/// The decimal digits of `n`, at the end of `buffer`.
fn ascii(mut n: u128, buffer: &mut [u8; 39]) -> &[u8] {
    let mut at = buffer.len();
    while n > u128::from(u64::MAX) {
        at -= 1;
        buffer[at] = b'0' + (n % 10) as u8;
        n /= 10;
    }
    let mut n = n as u64;
    loop {
        at -= 1;
        buffer[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            return &buffer[at..];
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(40);
        self.write_text(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        Number::parse(text).unwrap().to_string()
    }

    #[test]
    fn a_number_is_written_plainly() {
        for (given, written) in [
            ("0042.1200", "42.12"),
            ("-0", "0"),
            ("0.000", "0"),
            ("1.5E2", "150"),
            ("1.", "1"),
            (".5", "0.5"),
            ("+7", "7"),
            ("-1e-3", "-0.001"),
            ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
            ("0e125", "0"),
            ("0.0e-129", "0"),
        ] {
            assert_eq!(canonical(given), written, "{given}");
        }
        assert_eq!(canonical("1E125"), format!("1{}", "0".repeat(125)));
        assert_eq!(canonical("1E-130"), format!("0.{}1", "0".repeat(129)));
    }

    #[test]
    fn what_is_no_number_is_refused_in_awss_words() {
        assert_eq!(Number::parse(""), Err(NumberError::Empty));
        for text in
            ["b", "-", ".", "1e", "1e+", "1..2", " 1", "1 ", "0x1", "--1", "1e1.5", "NaN", "Infinity", "1_0"]
        {
            let refusal = Number::parse(text).unwrap_err().to_string();
            assert_eq!(refusal, format!("The parameter cannot be converted to a numeric value: {text}"));
        }
    }

    #[test]
    fn the_bounds_of_numbers_are_awss() {
        assert!(Number::parse("9.9999999999999999999999999999999999999E+125").is_ok());
        assert!(Number::parse("-9.9999999999999999999999999999999999999E+125").is_ok());
        assert_eq!(Number::parse("1E126"), Err(NumberError::Overflow));
        assert_eq!(Number::parse("-1E126"), Err(NumberError::Overflow));
        assert_eq!(Number::parse("1E-131"), Err(NumberError::Underflow));
        assert_eq!(Number::parse("123456789012345678901234567890123456789"), Err(NumberError::TooPrecise));
        assert!(Number::parse("1E-130").is_ok());
        assert_eq!(Number::parse("0e126"), Err(NumberError::Overflow));
        assert_eq!(Number::parse("0e-131"), Err(NumberError::Underflow));
        assert_eq!(Number::parse("1e2147483646"), Err(NumberError::Overflow));
        assert_eq!(Number::parse("1e2147483647"), Err(NumberError::Wrapped));
        assert_eq!(Number::parse("12e2147483646"), Err(NumberError::Wrapped));
        assert_eq!(Number::parse("1e2147483648"), Err(NumberError::Overflow));
        assert_eq!(Number::parse("1e9223372036854775807"), Err(NumberError::Overflow));
        let beyond = "1e9223372036854775808";
        assert_eq!(Number::parse(beyond), Err(NumberError::NotANumber(beyond.to_owned())));
        assert!(Number::parse(&format!("1{}", "0".repeat(100))).is_ok());
    }
}
