/// A piece of a pattern. Pieces of text are never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece<S> {
    /// `*`: any characters, or none.
    Star,
    /// `?`: one character.
    One,
    /// Itself.
    Text(S),
}

/// Whether letters of ASCII in either case are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Matters,
    Ignored,
}

impl Case {
    /// How many bytes of `text` the literal takes at its beginning.
    fn takes(self, text: &str, literal: &str) -> Option<usize> {
        let head = text.as_bytes().get(..literal.len())?;
        let same = match self {
            Self::Matters => head == literal.as_bytes(),
            Self::Ignored => head.eq_ignore_ascii_case(literal.as_bytes()),
        };
        same.then_some(literal.len())
    }
}

/// Whether the pieces match the whole text.
///
/// Only the last star is ever tried again: the earlier ones have taken as little as they can, so a
/// longer reach of theirs cannot help. Time is at most pieces × text, never exponential.
pub(super) fn matches<S: AsRef<str>>(pieces: &[Piece<S>], text: &str, case: Case) -> bool {
    let mut piece = 0;
    let mut at = 0;
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let rest = text.get(at..).unwrap_or("");
        let taken = match pieces.get(piece) {
            Some(Piece::Star) => {
                retry = Some((piece + 1, at));
                Some(0)
            }
            Some(Piece::One) => rest.chars().next().map(char::len_utf8),
            Some(Piece::Text(literal)) => case.takes(rest, literal.as_ref()),
            None if rest.is_empty() => return true,
            None => None,
        };
        if let Some(bytes) = taken {
            at += bytes;
            piece += 1;
            if piece == pieces.len() && retry == Some((piece, at)) {
                return true;
            }
            continue;
        }
        let Some((after_star, from)) = retry else {
            return false;
        };
        let Some(skipped) = text.get(from..).and_then(|rest| rest.chars().next()) else {
            return false;
        };
        let next = from + skipped.len_utf8();
        retry = Some((after_star, next));
        (piece, at) = (after_star, next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pieces(pattern: &str) -> Vec<Piece<String>> {
        pattern
            .chars()
            .map(|c| match c {
                '*' => Piece::Star,
                '?' => Piece::One,
                c => Piece::Text(c.to_string()),
            })
            .collect()
    }

    fn naive(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|n| naive(rest, &text[n..])),
            Some((c, rest)) => {
                text.split_first().is_some_and(|(t, others)| (*c == '?' || c == t) && naive(rest, others))
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn it_agrees_with_the_plain_recursive_definition(pattern in "[abé*?]{0,8}", text in "[abé]{0,10}") {
            let chars = |s: &str| s.chars().collect::<Vec<_>>();
            prop_assert_eq!(
                matches(&pieces(&pattern), &text, Case::Matters),
                naive(&chars(&pattern), &chars(&text))
            );
        }

        #[test]
        fn ignoring_case_is_matching_in_one_case(pattern in "[abAB*?]{0,8}", text in "[abAB]{0,10}") {
            prop_assert_eq!(
                matches(&pieces(&pattern), &text, Case::Ignored),
                matches(&pieces(&pattern.to_lowercase()), &text.to_lowercase(), Case::Matters)
            );
        }
    }

    #[test]
    fn a_pattern_of_many_stars_is_no_trap() {
        let text = "a".repeat(2_000);
        let pattern = pieces(&format!("{}b", "a*".repeat(1_000)));
        assert!(!matches(&pattern, &text, Case::Matters));
    }
}
