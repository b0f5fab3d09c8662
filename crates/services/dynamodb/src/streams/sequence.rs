//! Sequence numbers: versionstamps in decimal digits, offset so that all have as many.

use homeport_store::Versionstamp;

/// More than any versionstamp's ten bytes as a number, so that all sequence numbers have 26 digits.
const OFFSET: u128 = 10_u128.pow(25);

/// The sequence number of a stamp.
pub(super) fn number_of(stamp: Versionstamp) -> String {
    let mut bytes = [0; 16];
    bytes[6..].copy_from_slice(&stamp.to_bytes());
    (OFFSET + u128::from_be_bytes(bytes)).to_string()
}

/// The stamp of a sequence number; none if it is no number of ours.
pub(super) fn stamp_of(number: &str) -> Option<Versionstamp> {
    let stamp = number.parse::<u128>().ok()?.checked_sub(OFFSET)?.to_be_bytes();
    let (high, low) = stamp.split_first_chunk::<6>()?;
    (*high == [0; 6]).then_some(Versionstamp::from_bytes(low.try_into().ok()?))
}

/// The stamp before this one; none before the first.
pub(super) fn before(stamp: Versionstamp) -> Option<Versionstamp> {
    let mut bytes = [0; 16];
    bytes[6..].copy_from_slice(&stamp.to_bytes());
    let before = u128::from_be_bytes(bytes).checked_sub(1)?.to_be_bytes();
    Some(Versionstamp::from_bytes(*before.last_chunk()?))
}

/// The number before all records of a stream.
pub(super) fn first() -> String {
    number_of(Versionstamp::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_read_back_and_keep_the_order() {
        let stamps = [[0; 10], [0, 0, 0, 0, 0, 0, 1, 0, 0, 9], [0xff; 10]].map(Versionstamp::from_bytes);
        let numbers = stamps.map(number_of);
        assert!(numbers.iter().all(|number| number.len() == 26));
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(numbers.map(|number| stamp_of(&number)), stamps.map(Some));
        assert_eq!(stamps.map(before)[0], None);
        assert_eq!(before(stamps[1]), Some(Versionstamp::from_bytes([0, 0, 0, 0, 0, 0, 1, 0, 0, 8])));
        for wrong in ["", "x", "1", "99999999999999999999999999999999999999", "-1"] {
            assert_eq!(stamp_of(wrong), None);
        }
    }
}
