use homeport_core::{Randomness, draw};
use zeroize::Zeroizing;

use super::PasswordPolicy;

const UPPER: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
const LOWER: &[u8] = b"abcdefghijkmnpqrstuvwxyz";
const NUMBERS: &[u8] = b"23456789";
const SYMBOLS: &[u8] = b"!@#$%&*-_=+";
const ANY: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";

/// Draws a temporary password that the policy accepts, of at least 12 characters, without look-alikes.
pub(crate) fn draw_temporary(policy: &PasswordPolicy, randomness: &dyn Randomness) -> Zeroizing<String> {
    let length = policy.minimum_length.max(12);
    let one = |alphabet| draw(randomness, alphabet, 1);
    let mut password = Zeroizing::new(String::with_capacity(length));
    password.push_str(&one(UPPER));
    password.push_str(&draw(randomness, ANY, length - 4));
    for alphabet in [LOWER, NUMBERS, SYMBOLS] {
        password.push_str(&one(alphabet));
    }
    password
}

#[cfg(test)]
mod tests {
    use homeport_core::SeededRandomness;

    use super::*;

    #[test]
    fn what_is_drawn_fits_any_policy() {
        let random = SeededRandomness::new(5);
        for minimum_length in [6, 8, 12, 99] {
            let policy = PasswordPolicy { minimum_length, ..PasswordPolicy::default() };
            for _ in 0..100 {
                assert_eq!(policy.check(&draw_temporary(&policy, &random)), Ok(()));
            }
        }
    }
}
