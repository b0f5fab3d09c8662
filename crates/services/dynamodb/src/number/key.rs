use super::{MIN_MAGNITUDE, Number};

const NEGATIVE: u8 = 1;
const ZERO: u8 = 2;
const POSITIVE: u8 = 3;

impl Number {
    /// The longest form that [`Number::write_key`] makes, in bytes.
    pub const MAX_KEY_LENGTH: usize = 22;

    /// Appends bytes that compare as the numbers do, and of which none is a prefix of another's: the sign, the
    /// leading digit's power of ten, the digits by twos (each pair plus one), and a zero byte as the end. All but
    /// the sign is inverted for numbers below zero.
    pub fn write_key(self, out: &mut Vec<u8>) {
        if self.mantissa == 0 {
            out.push(ZERO);
            return;
        }
        out.push(if self.negative { NEGATIVE } else { POSITIVE });
        let from = out.len();
        // Magnitudes are -130 to 125: 256 of them.
        out.push((self.magnitude() - MIN_MAGNITUDE) as u8);
        let digits = self.digits();
        let mut rest = if digits.is_multiple_of(2) { self.mantissa } else { self.mantissa * 10 };
        for pair in (0..digits.div_ceil(2)).rev() {
            let scale = 100_u128.pow(pair);
            out.push((rest / scale) as u8 + 1);
            rest %= scale;
        }
        out.push(0);
        if self.negative {
            out[from..].iter_mut().for_each(|byte| *byte = !*byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Vec<u8> {
        let mut key = Vec::new();
        Number::parse(text).unwrap().write_key(&mut key);
        key
    }

    #[test]
    fn keys_of_numbers_keep_their_order() {
        let ascending = [
            "-9.9999999999999999999999999999999999999E+125",
            "-100",
            "-99.91",
            "-99.9",
            "-10",
            "-9",
            "-1.05",
            "-1",
            "-0.5",
            "-1E-130",
            "0",
            "1E-130",
            "0.5",
            "1",
            "1.0001",
            "1.05",
            "9",
            "10",
            "99.9",
            "99.91",
            "100",
            "9.9999999999999999999999999999999999999E+125",
        ];
        for pair in ascending.windows(2) {
            assert!(key(pair[0]) < key(pair[1]), "{pair:?}");
        }
        assert!(ascending.iter().all(|text| key(text).len() <= Number::MAX_KEY_LENGTH));
    }
}
