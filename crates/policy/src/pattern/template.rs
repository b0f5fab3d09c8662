use super::Match;
use super::glob::{self, Case, Piece};
use crate::{Context, PolicyFault};

/// What has a meaning in a text beside itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grammar {
    /// `*` and `?`.
    pub(crate) wildcards: bool,
    /// `${key}`, `${key, 'default'}`, `${*}`, `${?}` and `${$}`: from version 2012-10-17 on.
    pub(crate) variables: bool,
}

/// A text that may hold wildcards and policy variables, compiled.
///
/// What a variable stands for is taken literally: a `*` in a tag's value is a star, not a wildcard.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Template {
    /// `*` alone.
    Anything,
    /// Without wildcards and variables.
    Exact(Box<str>),
    /// With wildcards, without variables.
    Glob(Box<[Piece<Box<str>>]>),
    /// With variables.
    Variables(Box<[Piece<Text>]>),
}

/// A text within a pattern, known or from the request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Text {
    Literal(Box<str>),
    Variable { key: Box<str>, default: Option<Box<str>> },
}

impl Template {
    pub(crate) fn parse(text: &str, grammar: Grammar) -> Result<Self, PolicyFault> {
        let pieces = Reader { rest: text, grammar }.pieces()?;
        if matches!(pieces[..], [Piece::Star]) {
            return Ok(Self::Anything);
        }
        let has_variables = pieces.iter().any(|piece| matches!(piece, Piece::Text(Text::Variable { .. })));
        if has_variables {
            return Ok(Self::Variables(pieces.into()));
        }
        let known: Vec<Piece<Box<str>>> = pieces
            .into_iter()
            .filter_map(|piece| match piece {
                Piece::Star => Some(Piece::Star),
                Piece::One => Some(Piece::One),
                Piece::Text(Text::Literal(literal)) => Some(Piece::Text(literal)),
                Piece::Text(Text::Variable { .. }) => None,
            })
            .collect();
        Ok(match &known[..] {
            [] => Self::Exact("".into()),
            [Piece::Text(literal)] => Self::Exact(literal.clone()),
            _ => Self::Glob(known.into()),
        })
    }

    /// Holds the template against a text, with the case of letters.
    pub(crate) fn matches(&self, text: &str, context: &Context) -> Match {
        self.compare(text, context, Case::Matters)
    }

    /// Holds the template against a text, without regard to the case of ASCII letters.
    pub(crate) fn matches_in_any_case(&self, text: &str, context: &Context) -> Match {
        self.compare(text, context, Case::Ignored)
    }

    fn compare(&self, text: &str, context: &Context, case: Case) -> Match {
        match self {
            Self::Anything => Match::Yes,
            Self::Exact(exact) if case == Case::Matters => Match::of(**exact == *text),
            Self::Exact(exact) => Match::of(exact.eq_ignore_ascii_case(text)),
            Self::Glob(pieces) => Match::of(glob::matches(pieces, text, case)),
            Self::Variables(pieces) => match resolve(pieces, context) {
                Some(resolved) => Match::of(glob::matches(&resolved, text, case)),
                None => Match::Unresolved,
            },
        }
    }
}

/// The pieces with the request's values in place of the variables; none where one has no value.
fn resolve<'a>(pieces: &'a [Piece<Text>], context: &'a Context) -> Option<Vec<Piece<&'a str>>> {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Star => Some(Piece::Star),
            Piece::One => Some(Piece::One),
            Piece::Text(Text::Literal(literal)) => Some(Piece::Text(&**literal)),
            Piece::Text(Text::Variable { key, default }) => {
                context.single(key).or(default.as_deref()).map(Piece::Text)
            }
        })
        .collect()
}

struct Reader<'a> {
    rest: &'a str,
    grammar: Grammar,
}

impl Reader<'_> {
    fn pieces(mut self) -> Result<Vec<Piece<Text>>, PolicyFault> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        while let Some(first) = self.rest.chars().next() {
            let piece = match first {
                '*' if self.grammar.wildcards => Piece::Star,
                '?' if self.grammar.wildcards => Piece::One,
                '$' if self.grammar.variables && self.rest.starts_with("${") => {
                    let (inner, after) = self.rest[2..].split_once('}').ok_or(PolicyFault::Variable)?;
                    self.rest = after;
                    match inner {
                        "*" | "?" | "$" => literal.push_str(inner),
                        name => {
                            flush(&mut literal, &mut pieces);
                            pieces.push(Piece::Text(variable(name)?));
                        }
                    }
                    continue;
                }
                other => {
                    literal.push(other);
                    self.rest = &self.rest[other.len_utf8()..];
                    continue;
                }
            };
            self.rest = &self.rest[1..];
            flush(&mut literal, &mut pieces);
            if piece != Piece::Star || pieces.last() != Some(&Piece::Star) {
                pieces.push(piece);
            }
        }
        flush(&mut literal, &mut pieces);
        Ok(pieces)
    }
}

fn flush(literal: &mut String, pieces: &mut Vec<Piece<Text>>) {
    if !literal.is_empty() {
        pieces.push(Piece::Text(Text::Literal(std::mem::take(literal).into())));
    }
}

/// Reads `key` or `key, 'default'`.
fn variable(inner: &str) -> Result<Text, PolicyFault> {
    let (key, default) = match inner.split_once(',') {
        None => (inner.trim(), None),
        Some((key, quoted)) => {
            let quoted = quoted.trim();
            let default = quoted.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
            (key.trim(), Some(default.ok_or(PolicyFault::Variable)?.into()))
        }
    };
    if key.is_empty() || key.contains("${") {
        return Err(PolicyFault::Variable);
    }
    Ok(Text::Variable { key: key.into(), default })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: Grammar = Grammar { wildcards: true, variables: true };
    const OLD: Grammar = Grammar { wildcards: true, variables: false };
    const PLAIN: Grammar = Grammar { wildcards: false, variables: true };

    fn held(pattern: &str, grammar: Grammar, text: &str) -> Match {
        let mut context = Context::new();
        context.set("aws:username", "alice");
        context.set("aws:PrincipalTag/glob", "a*");
        context.set("aws:PrincipalTag/empty", "");
        context.set_many("aws:TagKeys", vec!["a".into(), "b".into()]);
        Template::parse(pattern, grammar).unwrap().matches(text, &context)
    }

    #[test]
    fn a_variable_stands_for_the_requests_value() {
        assert_eq!(held("home/${aws:username}/*", FULL, "home/alice/x"), Match::Yes);
        assert_eq!(held("home/${AWS:UserName}/*", FULL, "home/alice/x"), Match::Yes);
        assert_eq!(held("home/${aws:username}/*", FULL, "home/bob/x"), Match::No);
        assert_eq!(held("${aws:PrincipalTag/empty}", FULL, ""), Match::Yes);
    }

    #[test]
    fn a_variable_without_one_value_is_unresolved() {
        assert_eq!(held("home/${aws:userid}/*", FULL, "home//x"), Match::Unresolved);
        assert_eq!(held("${aws:TagKeys}", FULL, "a"), Match::Unresolved);
    }

    #[test]
    fn a_default_stands_in_for_an_absent_value_only() {
        assert_eq!(held("t/${aws:PrincipalTag/team, 'all'}", FULL, "t/all"), Match::Yes);
        assert_eq!(held("t/${aws:username, 'all'}", FULL, "t/alice"), Match::Yes);
        assert_eq!(held("t/${aws:username, 'all'}", FULL, "t/all"), Match::No);
    }

    #[test]
    fn a_wildcard_in_a_value_is_a_character() {
        assert_eq!(held("${aws:PrincipalTag/glob}", FULL, "a*"), Match::Yes);
        assert_eq!(held("${aws:PrincipalTag/glob}", FULL, "abc"), Match::No);
    }

    #[test]
    fn escapes_stand_for_the_characters_themselves() {
        assert_eq!(held("a${*}b${?}c${$}", FULL, "a*b?c$"), Match::Yes);
        assert_eq!(held("a${*}b", FULL, "aXb"), Match::No);
    }

    #[test]
    fn the_old_version_knows_no_variables() {
        assert_eq!(held("${aws:username}", OLD, "${aws:username}"), Match::Yes);
        assert_eq!(held("${aws:username}", OLD, "alice"), Match::No);
    }

    #[test]
    fn stars_are_plain_where_wildcards_have_no_meaning() {
        assert_eq!(held("a*", PLAIN, "a*"), Match::Yes);
        assert_eq!(held("a*", PLAIN, "ab"), Match::No);
        assert_eq!(held("*", PLAIN, "ab"), Match::No);
    }

    #[test]
    fn a_broken_variable_is_refused() {
        for pattern in ["${", "a${b", "${}", "${a, b}", "${a${b}}"] {
            assert_eq!(Template::parse(pattern, FULL).err(), Some(PolicyFault::Variable), "{pattern}");
        }
    }
}
