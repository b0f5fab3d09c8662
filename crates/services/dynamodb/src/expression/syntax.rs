//! Expressions as they are written: trees of what stands in the text, and the parsers that make them. No rule
//! looks back, so where a parser stops is where AWS's message points.

use winnow::combinator::separated;
use winnow::error::{EmptyError, ErrMode};
use winnow::prelude::*;
use winnow::stream::{Stateful, Stream, TokenSlice};

use super::lexer::{Token, TokenKind, tokens};
use super::{ExpressionError, MAX_EXPRESSION_LENGTH, MAX_OPERATORS};

/// An attribute's name, or a placeholder for it.
#[derive(Clone, Copy, Debug)]
pub(super) enum RawName<'e> {
    Plain(&'e str),
    Placeholder(&'e str),
}

#[derive(Debug)]
pub(super) enum RawStep<'e> {
    Key(RawName<'e>),
    Index(&'e str),
}

#[derive(Debug)]
pub(super) struct RawPath<'e> {
    pub(super) head: RawName<'e>,
    pub(super) rest: Vec<RawStep<'e>>,
}

#[derive(Debug)]
pub(super) enum RawOperand<'e> {
    Path(RawPath<'e>),
    Value(&'e str),
    Call { name: &'e str, args: Vec<RawOperand<'e>> },
    Arithmetic { operator: &'e str, sides: Box<[RawOperand<'e>; 2]> },
}

#[derive(Debug)]
pub(super) enum RawCondition<'e> {
    Compare { operator: &'e str, left: RawOperand<'e>, right: RawOperand<'e> },
    Between { operand: RawOperand<'e>, lower: RawOperand<'e>, upper: RawOperand<'e> },
    In { operand: RawOperand<'e>, among: Vec<RawOperand<'e>> },
    Call(RawOperand<'e>),
    And(Box<[RawCondition<'e>; 2]>),
    Or(Box<[RawCondition<'e>; 2]>),
    Not(Box<RawCondition<'e>>),
}

/// An action of an update expression.
#[derive(Debug)]
pub(super) enum RawAction<'e> {
    Set(RawPath<'e>, RawOperand<'e>),
    Remove(RawPath<'e>),
    Add(RawPath<'e>, &'e str),
    Delete(RawPath<'e>, &'e str),
}

/// What is counted while parsing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    operators: usize,
    depth: usize,
    keywords: &'static [&'static str],
    /// Whether there were parentheses around parentheses.
    pub(super) redundant: bool,
}

type Input<'i, 'e> = Stateful<TokenSlice<'i, Token<'e>>, Seen>;
type Parsed<T> = winnow::ModalResult<T, EmptyError>;

const CONDITION_KEYWORDS: &[&str] = &["AND", "OR", "NOT", "IN", "BETWEEN"];
const UPDATE_KEYWORDS: &[&str] = &["SET", "REMOVE", "ADD", "DELETE"];
const COMPARATORS: &[&str] = &["=", "<>", "<", "<=", ">", ">="];

/// Reads the text of a condition, a filter or a key condition.
pub(super) fn parse_condition(text: &str) -> Result<(RawCondition<'_>, Seen), ExpressionError> {
    parse(text, CONDITION_KEYWORDS, |input| {
        let node = disjunction(input)?;
        as_condition(node, input)
    })
}

/// Reads the text of an update.
pub(super) fn parse_update(text: &str) -> Result<Vec<Section<'_>>, ExpressionError> {
    parse(text, UPDATE_KEYWORDS, |input| {
        let mut sections = vec![section(input)?];
        while !input.is_empty() {
            sections.push(section(input)?);
        }
        Ok(sections)
    })
    .map(|(sections, _)| sections)
}

/// Reads the text of a projection.
pub(super) fn parse_projection(text: &str) -> Result<Vec<RawPath<'_>>, ExpressionError> {
    parse(text, &[], |input| separated(1.., path, comma).parse_next(input)).map(|(paths, _)| paths)
}

fn parse<'e, T>(
    text: &'e str,
    keywords: &'static [&'static str],
    rule: impl FnOnce(&mut Input<'_, 'e>) -> Parsed<T>,
) -> Result<(T, Seen), ExpressionError> {
    if text.is_empty() {
        return Err(ExpressionError::Empty);
    }
    if text.len() > MAX_EXPRESSION_LENGTH {
        return Err(ExpressionError::TooLong(text.len()));
    }
    let tokens = tokens(text);
    let mut input = Stateful { input: TokenSlice::new(&tokens), state: Seen { keywords, ..Seen::default() } };
    let parsed = rule(&mut input);
    let seen = input.state;
    if seen.depth > MAX_OPERATORS {
        // Every pair of parentheses that isn't redundant needs an operator of its own.
        return Err(ExpressionError::RedundantParentheses);
    }
    let Ok(tree) = parsed else {
        return Err(syntax_error(text, &tokens, input.len()));
    };
    if !input.is_empty() {
        return Err(syntax_error(text, &tokens, input.len()));
    }
    if seen.operators > MAX_OPERATORS {
        return Err(ExpressionError::TooManyOperators(seen.operators));
    }
    Ok((tree, seen))
}

/// The error at the token before which `remaining` tokens are left, that one included.
fn syntax_error(text: &str, tokens: &[Token<'_>], remaining: usize) -> ExpressionError {
    let at = tokens.len() - remaining;
    let end = |token: &Token<'_>| token.start + token.text.len();
    let from = tokens.get(at.saturating_sub(1)).or(tokens.get(at)).map_or(0, |token| token.start);
    let to = tokens.get(at + 1).or(tokens.get(at)).or(tokens.last()).map_or(text.len(), end);
    let token = tokens.get(at).map_or("<EOF>", |token| token.text);
    ExpressionError::Syntax { token: token.to_owned(), near: text.get(from..to).unwrap_or(text).to_owned() }
}

fn no_match<T>() -> Parsed<T> {
    Err(ErrMode::Cut(EmptyError))
}

fn peek<'e>(input: &Input<'_, 'e>) -> Option<Token<'e>> {
    input.first().copied()
}

fn take<'e>(input: &mut Input<'_, 'e>, fits: impl Fn(&Token<'e>) -> bool) -> Option<&'e str> {
    let token = peek(input).filter(fits)?;
    input.next_token();
    Some(token.text)
}

fn take_symbol<'e>(input: &mut Input<'_, 'e>, symbols: &[&str]) -> Option<&'e str> {
    take(input, |token| token.kind == TokenKind::Symbol && symbols.contains(&token.text))
}

fn take_keyword<'e>(input: &mut Input<'_, 'e>, keyword: &str) -> Option<&'e str> {
    take(input, |token| token.kind == TokenKind::Identifier && token.text.eq_ignore_ascii_case(keyword))
}

fn expect(input: &mut Input<'_, '_>, symbol: &str) -> Parsed<()> {
    if take_symbol(input, &[symbol]).is_some() { Ok(()) } else { no_match() }
}

fn comma(input: &mut Input<'_, '_>) -> Parsed<()> {
    take_symbol(input, &[","]).map(drop).ok_or(ErrMode::Backtrack(EmptyError))
}

/// An operator that AWS counts.
fn count_operator(input: &mut Input<'_, '_>) {
    input.state.operators += 1;
}

/// A rule inside a further pair of parentheses.
fn deeper<'i, 'e, T>(
    input: &mut Input<'i, 'e>,
    rule: impl FnOnce(&mut Input<'i, 'e>) -> Parsed<T>,
) -> Parsed<T> {
    input.state.depth += 1;
    if input.state.depth > MAX_OPERATORS {
        return no_match();
    }
    let parsed = rule(input)?;
    input.state.depth -= 1;
    Ok(parsed)
}

fn name<'e>(input: &mut Input<'_, 'e>) -> Parsed<RawName<'e>> {
    let keywords = input.state.keywords;
    let is_keyword =
        |token: &Token<'_>| keywords.iter().any(|keyword| token.text.eq_ignore_ascii_case(keyword));
    if let Some(name) = take(input, |token| token.kind == TokenKind::Identifier && !is_keyword(token)) {
        return Ok(RawName::Plain(name));
    }
    match take(input, |token| token.kind == TokenKind::Name) {
        Some(name) => Ok(RawName::Placeholder(name)),
        None => no_match(),
    }
}

fn path<'e>(input: &mut Input<'_, 'e>) -> Parsed<RawPath<'e>> {
    let head = name(input)?;
    path_from(head, input)
}

fn path_from<'e>(head: RawName<'e>, input: &mut Input<'_, 'e>) -> Parsed<RawPath<'e>> {
    let mut rest = Vec::new();
    loop {
        if take_symbol(input, &["."]).is_some() {
            rest.push(RawStep::Key(name(input)?));
        } else if take_symbol(input, &["["]).is_some() {
            let Some(index) = take(input, |token| token.kind == TokenKind::Index) else {
                return no_match();
            };
            expect(input, "]")?;
            rest.push(RawStep::Index(index));
        } else {
            return Ok(RawPath { head, rest });
        }
    }
}

fn value<'e>(input: &mut Input<'_, 'e>) -> Parsed<&'e str> {
    match take(input, |token| token.kind == TokenKind::Value) {
        Some(value) => Ok(value),
        None => no_match(),
    }
}

fn operand<'e>(input: &mut Input<'_, 'e>) -> Parsed<RawOperand<'e>> {
    if peek(input).is_some_and(|token| token.kind == TokenKind::Value) {
        return value(input).map(RawOperand::Value);
    }
    let head = name(input)?;
    if let RawName::Plain(name) = head
        && take_symbol(input, &["("]).is_some()
    {
        count_operator(input);
        let args = deeper(input, |input| separated(1.., argument, comma).parse_next(input))?;
        expect(input, ")")?;
        return Ok(RawOperand::Call { name, args });
    }
    path_from(head, input).map(RawOperand::Path)
}

/// A function's argument: in updates it may be a sum or a difference.
fn argument<'e>(input: &mut Input<'_, 'e>) -> Parsed<RawOperand<'e>> {
    if input.state.keywords == UPDATE_KEYWORDS {
        set_value(input)
    } else {
        enclosed_operand(input).map(|(it, _)| it)
    }
}

/// An operand, with or without parentheses, and whether it has them.
fn enclosed_operand<'e>(input: &mut Input<'_, 'e>) -> Parsed<(RawOperand<'e>, bool)> {
    if take_symbol(input, &["("]).is_none() {
        return operand(input).map(|operand| (operand, false));
    }
    let (operand, enclosed) = deeper(input, enclosed_operand)?;
    expect(input, ")")?;
    input.state.redundant |= enclosed;
    Ok((operand, true))
}

/// What a rule of conditions found: a truth, or a value that may yet become the side of a comparison.
enum Node<'e> {
    Condition(RawCondition<'e>),
    Operand(RawOperand<'e>),
}

/// The condition of a node; a function is one by itself, any other value is not.
fn as_condition<'e>(node: Node<'e>, _: &mut Input<'_, 'e>) -> Parsed<RawCondition<'e>> {
    match node {
        Node::Condition(condition) => Ok(condition),
        Node::Operand(call @ RawOperand::Call { .. }) => Ok(RawCondition::Call(call)),
        Node::Operand(_) => no_match(),
    }
}

fn disjunction<'e>(input: &mut Input<'_, 'e>) -> Parsed<Node<'e>> {
    let mut node = conjunction(input)?;
    while peek(input)
        .is_some_and(|token| token.kind == TokenKind::Identifier && token.text.eq_ignore_ascii_case("OR"))
    {
        let left = as_condition(node, input)?;
        take_keyword(input, "OR");
        count_operator(input);
        let right = conjunction(input)?;
        node = Node::Condition(RawCondition::Or(Box::new([left, as_condition(right, input)?])));
    }
    Ok(node)
}

fn conjunction<'e>(input: &mut Input<'_, 'e>) -> Parsed<Node<'e>> {
    let mut node = negation(input)?;
    while peek(input)
        .is_some_and(|token| token.kind == TokenKind::Identifier && token.text.eq_ignore_ascii_case("AND"))
    {
        let left = as_condition(node, input)?;
        take_keyword(input, "AND");
        count_operator(input);
        let right = negation(input)?;
        node = Node::Condition(RawCondition::And(Box::new([left, as_condition(right, input)?])));
    }
    Ok(node)
}

fn negation<'e>(input: &mut Input<'_, 'e>) -> Parsed<Node<'e>> {
    if take_keyword(input, "NOT").is_none() {
        return predicate(input);
    }
    count_operator(input);
    let node = deeper(input, negation)?;
    Ok(Node::Condition(RawCondition::Not(Box::new(as_condition(node, input)?))))
}

fn predicate<'e>(input: &mut Input<'_, 'e>) -> Parsed<Node<'e>> {
    let node = match enclosed_node(input)? {
        (Node::Operand(operand), _) => operand,
        (condition, _) => return Ok(condition),
    };
    if let Some(operator) = take_symbol(input, COMPARATORS) {
        count_operator(input);
        let (right, _) = enclosed_operand(input)?;
        return Ok(Node::Condition(RawCondition::Compare { operator, left: node, right }));
    }
    if take_keyword(input, "BETWEEN").is_some() {
        return between(node, input).map(Node::Condition);
    }
    if take_keyword(input, "IN").is_some() {
        count_operator(input);
        expect(input, "(")?;
        let among: Vec<_> = deeper(input, |input| separated(1.., enclosed_operand, comma).parse_next(input))?;
        expect(input, ")")?;
        let among = among.into_iter().map(|(operand, _)| operand).collect();
        return Ok(Node::Condition(RawCondition::In { operand: node, among }));
    }
    let closes = peek(input).is_some_and(|token| token.text == ")");
    let is_call = matches!(node, RawOperand::Call { .. });
    if is_call || (closes && input.state.depth > 0) { Ok(Node::Operand(node)) } else { no_match() }
}

fn between<'e>(operand: RawOperand<'e>, input: &mut Input<'_, 'e>) -> Parsed<RawCondition<'e>> {
    count_operator(input);
    let (lower, _) = enclosed_operand(input)?;
    if take_keyword(input, "AND").is_none() {
        return no_match();
    }
    let (upper, _) = enclosed_operand(input)?;
    Ok(RawCondition::Between { operand, lower, upper })
}

/// A condition in parentheses, or an operand with or without them; and whether there are parentheses.
fn enclosed_node<'e>(input: &mut Input<'_, 'e>) -> Parsed<(Node<'e>, bool)> {
    if take_symbol(input, &["("]).is_none() {
        return operand(input).map(|operand| (Node::Operand(operand), false));
    }
    let doubled = peek(input).is_some_and(|token| token.text == "(");
    let start = input.len();
    let node = deeper(input, disjunction)?;
    input.state.redundant |= doubled && encloses(input, start);
    expect(input, ")")?;
    Ok((node, true))
}

/// Whether the parenthesis that opened where `start` tokens were left closed just now: `((…))` and not `(…) AND (…)`.
fn encloses(input: &Input<'_, '_>, start: usize) -> bool {
    let consumed = start - input.len();
    let mut depth = 0_usize;
    let tokens: Vec<_> = input.input.previous_tokens().take(consumed).collect();
    for (at, token) in tokens.iter().rev().enumerate() {
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + 1 == consumed;
        }
    }
    false
}

/// A section of an update: its keyword and its actions.
pub(super) struct Section<'e> {
    pub(super) keyword: &'static str,
    pub(super) actions: Vec<RawAction<'e>>,
}

fn section<'e>(input: &mut Input<'_, 'e>) -> Parsed<Section<'e>> {
    let keyword = UPDATE_KEYWORDS.iter().find(|keyword| take_keyword(input, keyword).is_some());
    let Some(&keyword) = keyword else {
        return no_match();
    };
    let actions =
        separated(1.., |input: &mut Input<'_, 'e>| action(keyword, input), comma).parse_next(input)?;
    Ok(Section { keyword, actions })
}

fn action<'e>(keyword: &str, input: &mut Input<'_, 'e>) -> Parsed<RawAction<'e>> {
    let target = path(input)?;
    match keyword {
        "SET" => {
            expect(input, "=")?;
            Ok(RawAction::Set(target, set_value(input)?))
        }
        "REMOVE" => Ok(RawAction::Remove(target)),
        "ADD" => Ok(RawAction::Add(target, value(input)?)),
        _ => Ok(RawAction::Delete(target, value(input)?)),
    }
}

fn set_value<'e>(input: &mut Input<'_, 'e>) -> Parsed<RawOperand<'e>> {
    let left = summand(input)?;
    let Some(operator) = take_symbol(input, &["+", "-"]) else {
        return Ok(left);
    };
    count_operator(input);
    let right = summand(input)?;
    Ok(RawOperand::Arithmetic { operator, sides: Box::new([left, right]) })
}

fn summand<'e>(input: &mut Input<'_, 'e>) -> Parsed<RawOperand<'e>> {
    if take_symbol(input, &["("]).is_none() {
        return operand(input);
    }
    let inner = deeper(input, set_value)?;
    expect(input, ")")?;
    Ok(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused<T>(parsed: Result<T, ExpressionError>) -> String {
        parsed.err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_syntax_error_names_its_token_and_its_neighbours() {
        for (text, said) in [
            ("INVALID SYNTAX HERE", r#"Syntax error; token: "INVALID", near: "INVALID SYNTAX""#),
            ("ADD hits : incr", r#"Syntax error; token: ":", near: "hits : incr""#),
            ("SET _123 = :v", r#"Syntax error; token: "_", near: "SET _123""#),
            ("SET", r#"Syntax error; token: "<EOF>", near: "SET""#),
            ("SET a = ", r#"Syntax error; token: "<EOF>", near: "=""#),
            ("SET a = :v,", r#"Syntax error; token: "<EOF>", near: ",""#),
            ("SET a-b = :v", r#"Syntax error; token: "-", near: "a-b""#),
            ("SET a = b + c + d", r#"Syntax error; token: "+", near: "c + d""#),
            ("REMOVE a b", r#"Syntax error; token: "b", near: "a b""#),
        ] {
            assert_eq!(refused(parse_update(text)), said, "{text}");
        }
        for (text, said) in [
            ("foo", r#"Syntax error; token: "<EOF>", near: "foo""#),
            ("a = :b AND", r#"Syntax error; token: "<EOF>", near: "AND""#),
            ("a b = :v", r#"Syntax error; token: "b", near: "a b =""#),
            ("a IN ()", r#"Syntax error; token: ")", near: "()""#),
            ("a = (:v", r#"Syntax error; token: "<EOF>", near: ":v""#),
            ("a = :v)", r#"Syntax error; token: ")", near: ":v)""#),
            ("a BETWEEN :x OR :y", r#"Syntax error; token: "OR", near: ":x OR :y""#),
            ("a AND b = :v", r#"Syntax error; token: "AND", near: "a AND b""#),
            ("   ", r#"Syntax error; token: "<EOF>", near: "   ""#),
            ("l[00] = :v", r#"Syntax error; token: "0", near: "00]""#),
            ("l[007] = :v", r#"Syntax error; token: "0", near: "007""#),
            ("l[01] = :v", r#"Syntax error; token: "1", near: "01]""#),
        ] {
            assert_eq!(refused(parse_condition(text)), said, "{text}");
        }
        assert_eq!(refused(parse_projection("a,")), r#"Syntax error; token: "<EOF>", near: ",""#);
        assert_eq!(refused(parse_projection("a b")), r#"Syntax error; token: "b", near: "a b""#);
        assert_eq!(refused(parse_projection("a[b]")), r#"Syntax error; token: "b", near: "[b]""#);
    }

    #[test]
    fn parentheses_around_parentheses_are_seen() {
        let redundant = |text: &str| parse_condition(text).map(|(_, seen)| seen.redundant).unwrap();
        for text in ["((a = :b))", "((attribute_exists(a)))", "a = ((:b))", "((a)) = :b", "NOT ((a = :b))"] {
            assert!(redundant(text), "{text}");
        }
        for text in [
            "(a = :b) AND (c = :d)",
            "((a = :b) AND (c = :d))",
            "(a) = (:b)",
            "(size(a)) > :b",
            "NOT (a = :b)",
        ] {
            assert!(!redundant(text), "{text}");
        }
    }

    #[test]
    fn nothing_nests_or_grows_without_bound() {
        assert_eq!(refused(parse_condition(&"(".repeat(4_000))), "The expression has redundant parentheses;");
        let nots = format!("{}a = :b", "NOT ".repeat(900));
        assert!(parse_condition(&nots).is_err());
        let many = vec!["a=:b"; 151].join(" OR ");
        assert_eq!(
            refused(parse_condition(&many)),
            "The expression contains too many operators; operator count: 301"
        );
        assert!(parse_condition(&vec!["a=:b"; 150].join(" OR ")).is_ok());
        assert!(refused(parse_condition(&"a".repeat(4_097))).ends_with("expression size: 4097"));
        assert_eq!(refused(parse_condition("")), "The expression can not be empty;");
    }
}
