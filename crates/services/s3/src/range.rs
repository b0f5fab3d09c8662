use std::ops::Range;

use crate::error::S3Error;

/// The part of an object that a `Range` header asks for: `bytes=FROM-TO`, `bytes=FROM-` or `bytes=-LAST`. None for
/// the whole, which also several ranges and what is no range get; a range with no byte of the object is an error.
pub(crate) fn parse(header: &str, size: u64) -> Result<Option<Range<u64>>, S3Error> {
    let Some((first, last)) = header.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-'))
    else {
        return Ok(None);
    };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Some(first), None) if last.is_empty() => first..size,
        (None, Some(length)) if first.is_empty() => size.saturating_sub(length)..size,
        _ => return Ok(None),
    };
    if range.is_empty() {
        return Err(S3Error::InvalidRange { requested: header.to_owned(), size });
    }
    Ok(Some(range))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_range_is_read() {
        let of = |header: &str| parse(header, 10).map_err(|_| ());
        assert_eq!(of("bytes=0-4"), Ok(Some(0..5)));
        assert_eq!(of("bytes=9-"), Ok(Some(9..10)));
        assert_eq!(of("bytes=-3"), Ok(Some(7..10)));
        assert_eq!(of("bytes=-30"), Ok(Some(0..10)));
        assert_eq!(of("bytes=5-99999999999999999999999"), Ok(Some(5..10)));
        for whole in ["bytes=", "bytes=a-b", "bytes=5-4", "items=0-1", "bytes=0-1,3-4", "bytes=--1"] {
            assert_eq!(of(whole), Ok(None), "{whole}");
        }
        for outside in ["bytes=10-", "bytes=10-12", "bytes=-0"] {
            assert_eq!(of(outside), Err(()), "{outside}");
        }
        assert!(parse("bytes=0-", 0).is_err());
    }
}
