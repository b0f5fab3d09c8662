//! Lists of keys as they lie in the table of groups.

use bytes::Bytes;

use crate::Versionstamp;
use crate::commit::Touched;

/// Each key behind its length.
pub(super) fn keys<'a>(keys: impl IntoIterator<Item = &'a Bytes>) -> Vec<u8> {
    let mut packed = Vec::new();
    for key in keys {
        packed.extend_from_slice(&u32::try_from(key.len()).unwrap_or_default().to_be_bytes());
        packed.extend_from_slice(key);
    }
    packed
}

/// The keys again; what can't be read ends the list.
pub(super) fn unpacked_keys(packed: &[u8]) -> Vec<Bytes> {
    let mut left = packed;
    std::iter::from_fn(|| {
        let (length, rest) = left.split_first_chunk::<4>()?;
        let (key, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        left = rest;
        Some(Bytes::copy_from_slice(key))
    })
    .collect()
}

/// What watchers are told of a group: each commit's number, and its keys behind their length in bytes. None for nothing.
pub(super) fn touched(touched: &[Touched]) -> Option<Vec<u8>> {
    let mut packed = Vec::new();
    for (stamp, touched) in touched {
        let touched = keys(touched);
        packed.extend_from_slice(&stamp.to_bytes());
        packed.extend_from_slice(&u32::try_from(touched.len()).unwrap_or_default().to_be_bytes());
        packed.extend_from_slice(&touched);
    }
    (!packed.is_empty()).then_some(packed)
}

/// The same again.
pub(super) fn unpacked_touched(packed: &[u8]) -> Vec<Touched> {
    let mut left = packed;
    std::iter::from_fn(|| {
        let (stamp, rest) = left.split_first_chunk::<10>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (touched, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        left = rest;
        Some((Versionstamp::from_bytes(*stamp), unpacked_keys(touched)))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_is_unpacked() {
        let list = [Bytes::from("a"), Bytes::new(), Bytes::from(vec![7; 300])];
        assert_eq!(unpacked_keys(&keys(&list)), list);
        let told =
            vec![(Versionstamp::new(5, 0), list.to_vec()), (Versionstamp::new(6, 0), vec![Bytes::from("b")])];
        assert_eq!(unpacked_touched(&touched(&told).unwrap()), told);
        assert_eq!(touched(&[]), None);
    }

    #[test]
    fn what_is_cut_off_ends_the_list() {
        let packed = keys(&[Bytes::from("abc"), Bytes::from("def")]);
        for length in 0..packed.len() {
            assert!(unpacked_keys(&packed[..length]).len() < 2);
        }
    }
}
