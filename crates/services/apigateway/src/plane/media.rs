//! Which bodies are bytes and which are text.

use crate::limits::MAX_PAYLOAD;

/// Whether a content type is one of the API's binary ones (`*/*` and `image/*` count).
pub(super) fn is_binary(binary: &[String], content_type: &str) -> bool {
    let bare = content_type.split(';').next().unwrap_or_default().trim();
    binary.iter().any(|pattern| {
        pattern == "*/*"
            || pattern.eq_ignore_ascii_case(bare)
            || pattern.strip_suffix("/*").is_some_and(|kind| {
                bare.split_once('/').is_some_and(|(given, _)| given.eq_ignore_ascii_case(kind))
            })
    })
}

/// Whether an answer's base64 is to be sent as bytes: by the first type the client accepts.
pub(super) fn accepts_binary(binary: &[String], accept: Option<&str>) -> bool {
    let first = accept.unwrap_or_default().split(',').next().unwrap_or_default();
    is_binary(binary, first)
}

/// Whether a body of this length may pass.
pub(super) fn fits(length: usize) -> bool {
    length <= MAX_PAYLOAD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_match_whole_by_kind_or_all() {
        let binary = |patterns: &[&str], given: &str| {
            is_binary(&patterns.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>(), given)
        };
        assert!(binary(&["image/png"], "image/PNG; q=1"));
        assert!(binary(&["image/*"], "image/jpeg"));
        assert!(!binary(&["image/*"], "images/jpeg"));
        assert!(binary(&["*/*"], ""));
        assert!(!binary(&[], "application/octet-stream"));
        assert!(accepts_binary(&["image/png".to_owned()], Some("image/png, text/html")));
        assert!(!accepts_binary(&["image/png".to_owned()], Some("text/html, image/png")));
    }
}
