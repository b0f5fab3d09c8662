/// Words and phrases: all of `required`; without any, one of `optional`; none of `excluded`.
#[derive(Debug, Default)]
pub(crate) struct Terms {
    required: Vec<String>,
    optional: Vec<String>,
    excluded: Vec<String>,
}

impl Terms {
    pub(super) fn match_text(&self, message: &str) -> bool {
        let has = |term: &String| message.contains(term.as_str());
        // Beside a term that must be there, AWS ignores those that may be.
        let optional = !self.required.is_empty() || self.optional.is_empty() || self.optional.iter().any(has);
        self.required.iter().all(has) && optional && !self.excluded.iter().any(has)
    }
}

pub(super) fn parse(text: &str) -> Option<Terms> {
    let mut terms = Terms::default();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| !c.is_whitespace()) {
        rest = &rest[start..];
        let list = match rest.as_bytes()[0] {
            b'?' => &mut terms.optional,
            b'-' => &mut terms.excluded,
            b'%' => return None,
            _ => &mut terms.required,
        };
        rest = rest.strip_prefix(['?', '-']).unwrap_or(rest);
        let (term, behind) = match rest.strip_prefix('"') {
            Some(quoted) => phrase(quoted)?,
            None => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        if term.is_empty() {
            return None;
        }
        list.push(term);
        rest = behind;
    }
    Some(terms)
}

/// What stands before the closing quote, and what behind it.
pub(super) fn phrase(text: &str) -> Option<(String, &str)> {
    let mut phrase = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((phrase, &text[at + 1..])),
            '\\' => phrase.push(characters.next()?.1),
            other => phrase.push(other),
        }
    }
    None
}
