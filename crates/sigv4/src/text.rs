//! Taking short texts apart at a byte. `str::split` searches for a character with what suits long texts, and every
//! signed call has some twenty short ones.

/// The text before and behind the first `at`, which must be ASCII.
pub(crate) fn cut(text: &str, at: u8) -> Option<(&str, &str)> {
    let place = text.bytes().position(|byte| byte == at)?;
    Some((&text[..place], &text[place + 1..]))
}

/// The parts between each `at`, which must be ASCII: one at least, as `str::split` has it.
pub(crate) fn parts(text: &str, at: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let (part, behind) = match cut(rest?, at) {
            Some((part, behind)) => (part, Some(behind)),
            None => (rest?, None),
        };
        rest = behind;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn texts_come_apart_as_the_library_takes_them_apart(text in "[;a-cä€]{0,12}") {
            prop_assert_eq!(cut(&text, b';'), text.split_once(';'));
            prop_assert!(parts(&text, b';').eq(text.split(';')));
        }
    }
}
