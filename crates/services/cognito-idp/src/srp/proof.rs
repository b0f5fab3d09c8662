//! The client's last word: a signature under the session key, over what both sides know.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, verify};

use super::SessionKey;

/// What the signature covers.
pub(crate) struct Signed<'a> {
    /// What follows the underscore in the pool's id.
    pub(crate) pool_name: &'a str,
    /// `USER_ID_FOR_SRP`, as the client was told.
    pub(crate) user_id: &'a str,
    /// `PASSWORD_CLAIM_SECRET_BLOCK`, decoded.
    pub(crate) secret_block: &'a [u8],
    /// `TIMESTAMP`, as the client wrote it.
    pub(crate) timestamp: &'a str,
}

impl Signed<'_> {
    fn parts(&self) -> [&[u8]; 4] {
        [self.pool_name.as_bytes(), self.user_id.as_bytes(), self.secret_block, self.timestamp.as_bytes()]
    }

    /// The signature itself.
    #[cfg(test)]
    fn sign(&self, key: &SessionKey) -> Vec<u8> {
        let key = Key::new(HMAC_SHA256, &key[..]);
        aws_lc_rs::hmac::sign(&key, &self.parts().concat()).as_ref().to_vec()
    }
}

/// Whether `signature` is the client's, in constant time.
pub(crate) fn check(key: &SessionKey, signed: &Signed<'_>, signature: &[u8]) -> bool {
    verify(&Key::new(HMAC_SHA256, &key[..]), &signed.parts().concat(), signature).is_ok()
}

/// Whether a timestamp has the clients' form, `EEE MMM d HH:mm:ss z yyyy` in English, such as
/// `Sat Nov 21 01:02:03 UTC 2026`. Its value is not judged: the secret block's own age is, by our clock, and
/// phones' clocks are often wrong.
pub(crate) fn timestamp_is_well_formed(text: &str) -> bool {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let number =
        |text: &str, digits: std::ops::RangeInclusive<usize>, values: std::ops::RangeInclusive<u32>| {
            let formed = digits.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            formed && text.parse().is_ok_and(|value| values.contains(&value))
        };
    let [day, month, date, time, zone, year] = text.split(' ').collect::<Vec<_>>()[..] else {
        return false;
    };
    let [hour, minute, second] = time.split(':').collect::<Vec<_>>()[..] else {
        return false;
    };
    DAYS.contains(&day)
        && MONTHS.contains(&month)
        && number(date, 1..=2, 1..=31)
        && number(hour, 2..=2, 0..=23)
        && number(minute, 2..=2, 0..=59)
        && number(second, 2..=2, 0..=60)
        && matches!(zone, "UTC" | "GMT")
        && number(year, 4..=4, 1970..=9999)
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn each_part_of_what_is_signed_counts() {
        let key = Zeroizing::new([7; 16]);
        let signed =
            || Signed { pool_name: "pool", user_id: "ann", secret_block: b"block", timestamp: "now" };
        let signature = signed().sign(&key);
        assert!(check(&key, &signed(), &signature));
        assert!(!check(&Zeroizing::new([8; 16]), &signed(), &signature));
        assert!(!check(&key, &Signed { pool_name: "other", ..signed() }, &signature));
        assert!(!check(&key, &Signed { user_id: "bob", ..signed() }, &signature));
        assert!(!check(&key, &Signed { secret_block: b"other", ..signed() }, &signature));
        assert!(!check(&key, &Signed { timestamp: "then", ..signed() }, &signature));
        assert!(!check(&key, &signed(), &signature[..31]));
        assert!(!check(&key, &signed(), &[]));
    }

    #[test]
    fn the_clients_timestamps_are_taken_and_others_not() {
        for good in
            ["Sat Nov 21 01:02:03 UTC 2026", "Mon Feb 2 23:59:59 UTC 2026", "Sun Mar 01 00:00:00 GMT 2026"]
        {
            assert!(timestamp_is_well_formed(good), "{good}");
        }
        for bad in [
            "",
            "2026-11-21T01:02:03Z",
            "Sam Nov 21 01:02:03 UTC 2026",
            "Sat nov 21 01:02:03 UTC 2026",
            "Sat Nov 32 01:02:03 UTC 2026",
            "Sat Nov 21 24:02:03 UTC 2026",
            "Sat Nov 21 1:2:3 UTC 2026",
            "Sat Nov 21 01:02:03 UTC 2026 ",
            "Sat  Nov 21 01:02:03 UTC 2026",
        ] {
            assert!(!timestamp_is_well_formed(bad), "{bad}");
        }
    }
}
