use winnow::combinator::{alt, dispatch, fail, peek, repeat};
use winnow::error::EmptyError;
use winnow::prelude::*;
use winnow::stream::LocatingSlice;
use winnow::token::{any, take_while};

/// A token and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'e> {
    pub(super) kind: TokenKind,
    pub(super) text: &'e str,
    pub(super) start: usize,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// `abc`, keywords included
    Identifier,
    /// `#abc`
    Name,
    /// `:abc`
    Value,
    /// `0` or `123`: no number has a zero in front
    Index,
    /// `=`, `<>`, `(` and the like
    Symbol,
    /// Anything else: no rule takes it.
    Unknown,
}

type Text<'e> = LocatingSlice<&'e str>;

/// Takes an expression apart. Every text has tokens; what is none of DynamoDB's is `Unknown`.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut input = LocatingSlice::new(text);
    let mut tokens = Vec::new();
    while let Some(token) = next(&mut input) {
        tokens.push(token);
    }
    tokens
}

fn next<'e>(input: &mut Text<'e>) -> Option<Token<'e>> {
    let blank: winnow::Result<(), EmptyError> =
        repeat(0.., any.verify(|c: &char| c.is_ascii_whitespace()).void()).parse_next(input);
    blank.ok()?;
    let ((kind, text), range) = token.with_span().parse_next(input).ok()?;
    Some(Token { kind, text, start: range.start })
}

fn token<'e>(input: &mut Text<'e>) -> winnow::Result<(TokenKind, &'e str), EmptyError> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    alt((
        dispatch! { peek(any);
            'a'..='z' | 'A'..='Z' => take_while(1.., word).map(|text| (TokenKind::Identifier, text)),
            '0' => '0'.take().map(|text| (TokenKind::Index, text)),
            '1'..='9' => take_while(1.., '0'..='9').map(|text| (TokenKind::Index, text)),
            '#' => ('#', take_while(1.., word)).take().map(|text| (TokenKind::Name, text)),
            ':' => (':', take_while(1.., word)).take().map(|text| (TokenKind::Value, text)),
            '<' | '>' | '=' | '(' | ')' | '[' | ']' | ',' | '.' | '+' | '-' => {
                alt(("<>", "<=", ">=", any.take())).map(|text| (TokenKind::Symbol, text))
            },
            _ => fail,
        },
        any.take().map(|text| (TokenKind::Unknown, text)),
    ))
    .parse_next(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_falls_into_its_tokens() {
        let texts: Vec<_> = tokens("SET #a.b[10]=:v+_x, c<>d").iter().map(|token| token.text).collect();
        assert_eq!(
            texts,
            ["SET", "#a", ".", "b", "[", "10", "]", "=", ":v", "+", "_", "x", ",", "c", "<>", "d"]
        );
        let unknown: Vec<_> = tokens("a ! # :ä").iter().map(|token| token.kind).collect();
        assert_eq!(unknown[1..], [TokenKind::Unknown; 4]);
        let spaces: Vec<_> = tokens("a\u{a0}=\t\u{2003}").iter().map(|token| token.text).collect();
        assert_eq!(spaces, ["a", "\u{a0}", "=", "\u{2003}"]);
        let zeros: Vec<_> = tokens("[007]").iter().map(|token| token.text).collect();
        assert_eq!(zeros, ["[", "0", "0", "7", "]"]);
    }
}
