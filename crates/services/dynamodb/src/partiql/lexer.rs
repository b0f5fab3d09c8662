use std::fmt;

use super::error::{Malformed, StatementError};

/// Where a token stands in a statement: line and column from 1, and its length, all in characters.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span {
    line: usize,
    column: usize,
    length: usize,
}

/// Where something stands is no part of what it is: trees are equal wherever their parts stood.
impl PartialEq for Span {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Span {}

/// As AWS's messages show it.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.line, self.column, self.length)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A keyword or a name.
    Word,
    /// `"name"`
    Quoted,
    /// `'text'`
    Text,
    /// Without a sign.
    Number,
    /// `?`
    Parameter,
    Symbol,
    /// Behind the last token.
    End,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'s> {
    pub(super) kind: TokenKind,
    /// As it is written, quotes included.
    pub(super) text: &'s str,
    pub(super) at: Span,
}

impl Token<'_> {
    /// What stands between the quotes.
    pub(super) fn unquoted(&self) -> String {
        let inner = self.text.get(1..self.text.len().saturating_sub(1)).unwrap_or_default();
        match self.kind {
            TokenKind::Text => inner.replace("''", "'"),
            TokenKind::Quoted => inner.replace("\"\"", "\""),
            _ => self.text.to_owned(),
        }
    }
}

/// Longest first.
const SYMBOLS: [&str; 24] = [
    "<<", ">>", "<=", ">=", "<>", "!=", "=", "<", ">", "(", ")", "[", "]", "{", "}", ",", ":", ".", "*", "+",
    "-", "/", "%", ";",
];

/// The tokens of a statement, an [`TokenKind::End`] behind them. What can't be read at all is refused without a word
/// on it, as AWS does.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, StatementError> {
    let mut found = Vec::new();
    let mut place = Span { line: 1, column: 1, length: 0 };
    let mut rest = text;
    while !rest.is_empty() {
        let (kind, length) = next(rest).ok_or(StatementError::Malformed(Malformed::Unreadable))?;
        let (token, behind) = rest.split_at(length);
        if let Some(kind) = kind {
            let at = Span { length: token.chars().count(), ..place };
            found.push(Token { kind, text: token, at });
        }
        place = moved(place, token);
        rest = behind;
    }
    found.push(Token { kind: TokenKind::End, text: "", at: place });
    Ok(found)
}

fn moved(place: Span, over: &str) -> Span {
    over.chars().fold(place, |place, char| match char {
        '\n' => Span { line: place.line + 1, column: 1, ..place },
        _ => Span { column: place.column + 1, ..place },
    })
}

/// The kind of what the text begins with, none for spaces and comments, and how many bytes it has.
fn next(text: &str) -> Option<(Option<TokenKind>, usize)> {
    let bytes = text.as_bytes();
    let spaces = text.len() - text.trim_start().len();
    if spaces > 0 {
        return Some((None, spaces));
    }
    if text.starts_with("--") {
        return Some((None, text.find('\n').unwrap_or(text.len())));
    }
    if let Some(comment) = text.strip_prefix("/*") {
        return Some((None, comment.find("*/")? + 4));
    }
    match *bytes.first()? {
        quote @ (b'\'' | b'"') => {
            let kind = if quote == b'"' { TokenKind::Quoted } else { TokenKind::Text };
            Some((Some(kind), quoted(bytes, quote)?))
        }
        b'?' => Some((Some(TokenKind::Parameter), 1)),
        first if is_word(first) && !first.is_ascii_digit() => {
            let length = bytes.iter().take_while(|byte| is_word(**byte)).count();
            Some((Some(TokenKind::Word), length))
        }
        first if first.is_ascii_digit() || starts_with_point(bytes) => {
            Some((Some(TokenKind::Number), number(text)?))
        }
        _ => {
            let symbol = SYMBOLS.iter().find(|symbol| text.starts_with(**symbol))?;
            Some((Some(TokenKind::Symbol), symbol.len()))
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$')
}

fn starts_with_point(bytes: &[u8]) -> bool {
    bytes[0] == b'.' && bytes.get(1).is_some_and(u8::is_ascii_digit)
}

/// The length of a quoted text; a doubled quote stands for one.
fn quoted(bytes: &[u8], quote: u8) -> Option<usize> {
    let mut at = 1;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == quote)?;
        if bytes.get(at + 1) != Some(&quote) {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// The length of a number; none if its exponent, or the scale that it leaves, does not fit 32 bits.
fn number(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    let mut length = digits(0);
    let mut fraction = 0;
    if bytes.get(length) == Some(&b'.') {
        fraction = digits(length + 1);
        length += 1 + fraction;
    }
    if !matches!(bytes.get(length), Some(b'e' | b'E')) {
        return Some(length);
    }
    let signed = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
    let exponent = digits(length + 1 + signed);
    if exponent == 0 {
        return Some(length);
    }
    let end = length + 1 + signed + exponent;
    let exponent: i32 = text.get(length + 1..end)?.parse().ok()?;
    let scale = i64::try_from(fraction).ok()? - i64::from(exponent);
    i32::try_from(scale).is_ok().then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<&str> {
        tokens(text).unwrap().into_iter().map(|token| token.text).filter(|text| !text.is_empty()).collect()
    }

    #[test]
    fn a_statement_falls_into_its_tokens() {
        assert_eq!(read("a.b[0]>=-1.5e3"), ["a", ".", "b", "[", "0", "]", ">=", "-", "1.5e3"]);
        assert_eq!(read("<<'it''s',\"a\"\"b\">>"), ["<<", "'it''s'", ",", "\"a\"\"b\"", ">>"]);
        assert_eq!(read("n-1 .5 1e5 1 e5 1e x"), ["n", "-", "1", ".5", "1e5", "1", "e5", "1", "e", "x"]);
        assert_eq!(read("a--b\nc/*d*/e-- f"), ["a", "c", "e"]);
        assert_eq!(tokens("'it''s'").unwrap()[0].unquoted(), "it's");
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for text in
            ["'a", "\"a", "a # b", "/* a", "é", "1e2147483648", "1.5e-2147483647", "1e99999999999", "!"]
        {
            assert!(tokens(text).is_err(), "{text}");
        }
        assert!(tokens("1e2147483647").is_ok());
    }

    #[test]
    fn places_are_counted_in_characters() {
        let tokens = tokens("'ä'\n  \"bc\" d").unwrap();
        let places: Vec<String> = tokens.iter().map(|token| token.at.to_string()).collect();
        assert_eq!(places, ["1:1:3", "2:3:4", "2:8:1", "2:9:0"]);
    }
}
