/// The Developer Guide's list of reserved words, sorted, one a line.
const WORDS: &str = include_str!("reserved_words.txt");

/// Whether the word, in whatever case, is reserved.
pub(super) fn is_reserved(word: &str) -> bool {
    use std::collections::HashSet;
    use std::sync::LazyLock;
    static RESERVED: LazyLock<HashSet<&'static str>> = LazyLock::new(|| WORDS.lines().collect());
    RESERVED.contains(word.to_ascii_uppercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_whole() {
        assert_eq!(WORDS.lines().count(), 573);
        assert!(is_reserved("status") && is_reserved("Name") && is_reserved("ZONE"));
        assert!(!is_reserved("title"));
    }
}
