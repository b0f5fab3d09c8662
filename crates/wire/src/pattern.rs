use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};

/// A pattern of the models, compiled when a value is first held against it. The models write Java's dialect.
pub struct Pattern {
    source: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

/// What one compiled pattern may take. The few patterns beyond it (Unicode classes repeated thousands of times) or
/// with look-around constrain nothing here; a test names them.
const MAX_COMPILED_BYTES: usize = 4 << 20;

impl Pattern {
    pub(crate) fn new(source: &'static str) -> Self {
        Self { source, compiled: OnceLock::new() }
    }

    /// The pattern as AWS writes it.
    pub fn source(&self) -> &'static str {
        self.source
    }

    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        self.compiled().is_none_or(|regex| regex.is_match(text))
    }

    /// Whether values are held against it: false for look-around, and for what is too large when compiled.
    pub fn is_checked(&self) -> bool {
        self.compiled().is_some()
    }

    fn compiled(&self) -> Option<&Regex> {
        let compile = || {
            let pattern = format!(r"\A(?:{})\z", from_java(self.source));
            RegexBuilder::new(&pattern).size_limit(MAX_COMPILED_BYTES).build().ok()
        };
        self.compiled.get_or_init(compile).as_ref()
    }
}

impl std::fmt::Debug for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.source)
    }
}

/// The supplementary planes, which Java's authors wrote as a range of surrogate pairs.
const SURROGATE_RANGE: &str = r"\uD800\uDC00-\uDBFF\uDFFF";

/// What of Java's dialect has an equal without look-around.
const REWRITES: [(&str, &str); 9] = [
    (SURROGATE_RANGE, r"\x{10000}-\x{10FFFF}"),
    (r"\p{Print}", r"[\x20-\x7E]"),
    (r"^(?!\s*$).+", r".*\S.*"),
    (r"[0-9A-Za-z\.\-_]*(?<!\.)", r"([0-9A-Za-z._-]*[0-9A-Za-z_-])?"),
    (r"(?!^[0-9]+$)([a-zA-Z0-9-_]+)", r"[0-9]*[a-zA-Z_-][a-zA-Z0-9_-]*"),
    (r"((?!^\d+$)^[0-9a-zA-Z-_]+$)", r"[0-9]*[a-zA-Z_-][a-zA-Z0-9_-]*"),
    (r"((?!\d+$)[0-9a-zA-Z-_]+)", r"[0-9]*[a-zA-Z_-][a-zA-Z0-9_-]*"),
    (r"([a-z0-9]|-(?!-)){1,61}[a-z0-9]", r"(-?[a-z0-9])*"),
    // The length is a constraint of its own.
    (r".{1,100000}", r".+"),
];

/// Rewrites what Java understands otherwise: `\w`, `\d` and `\s` are ASCII there, and surrogates are characters.
fn from_java(pattern: &str) -> String {
    let pattern = REWRITES.iter().fold(pattern.to_owned(), |text, (from, to)| text.replace(from, to));
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut in_class = false;
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('w') => out.push_str("[0-9A-Za-z_]"),
                Some('W') => out.push_str("[^0-9A-Za-z_]"),
                Some('d') => out.push_str("[0-9]"),
                Some('D') => out.push_str("[^0-9]"),
                Some('s') => out.push_str(r"[\t\n\x0B\f\r ]"),
                Some('S') => out.push_str(r"[^\t\n\x0B\f\r ]"),
                Some(other) => out.extend(['\\', other]),
                None => out.push_str(r"\\"),
            },
            '[' => {
                out.push_str(if in_class { r"\[" } else { "[" });
                in_class = true;
            }
            ']' => {
                out.push(']');
                in_class = false;
            }
            '{' if !in_class && !chars.peek().is_some_and(char::is_ascii_digit) => out.push_str(r"\{"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_holds_the_whole_text() {
        let table = Pattern::new("[a-zA-Z0-9_.-]+");
        assert!(table.matches("notes-1"));
        assert!(!table.matches("notes$"));
        assert!(!table.matches("notes\n"));
    }

    #[test]
    fn word_characters_are_ascii() {
        let pattern = Pattern::new(r"[\w+=,.@-]+");
        assert!(pattern.matches("Ann_1@x"));
        assert!(!pattern.matches("Änn"));
        assert!(Pattern::new(r"[\S]+").matches("Änn"));
        assert!(!Pattern::new(r"[\S]+").matches("a b"));
    }

    #[test]
    fn surrogate_ranges_are_understood() {
        let pattern = Pattern::new(r"[\u0009\u0020-\uD7FF\uD800\uDC00-\uDBFF\uDFFF]*");
        assert!(pattern.compiled().is_some());
        assert!(pattern.matches("a\u{1F600}"));
        assert!(!pattern.matches("\u{0}"));
    }
}
