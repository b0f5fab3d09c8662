use super::error::shown;
use super::path::{Path, Step};
use super::reserved::is_reserved;
use super::syntax::{RawCondition, RawName, RawOperand, RawPath, RawStep, parse_condition};
use super::{ExpressionError, ExpressionKind, InvalidExpression, MAX_IN_OPERANDS, Placeholders};
use crate::value::{AttributeValue, MAX_DEPTH, SharedValue, ValueType};

/// A condition on an item, ready to be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `left comparator right`
    Compare(Comparator, Operand, Operand),
    /// `operand BETWEEN lower AND upper`
    Between(Operand, Operand, Operand),
    /// `operand IN (…)`
    In(Operand, Vec<Operand>),
    /// `attribute_exists(path)`
    Exists(Path),
    /// `attribute_not_exists(path)`
    NotExists(Path),
    /// `attribute_type(operand, type)`
    IsType(Operand, ValueType),
    /// `begins_with(operand, prefix)`
    BeginsWith(Operand, Operand),
    /// `contains(operand, part)`
    Contains(Operand, Operand),
    /// Both.
    And(Box<Condition>, Box<Condition>),
    /// Either.
    Or(Box<Condition>, Box<Condition>),
    /// Not.
    Not(Box<Condition>),
}

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// The value at a path.
    Path(Path),
    /// A value of the request's.
    Value(SharedValue),
    /// `size(operand)`
    Size(Box<Operand>),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparator {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparator {
    fn parse(text: &str) -> Self {
        match text {
            "<>" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => Self::Equal,
        }
    }

    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// The comparator that says the same with the sides swapped.
    pub fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }
}

const FUNCTIONS: [(&str, usize); 6] = [
    ("attribute_exists", 1),
    ("attribute_not_exists", 1),
    ("attribute_type", 2),
    ("begins_with", 2),
    ("contains", 2),
    ("size", 1),
];

impl Condition {
    /// Reads a condition, a filter or a key condition.
    pub fn parse(
        kind: ExpressionKind,
        text: &str,
        placeholders: &mut Placeholders<'_>,
    ) -> Result<Self, InvalidExpression> {
        read(text, placeholders).map_err(|error| InvalidExpression { kind, error })
    }

    /// The paths that the condition looks at, in the order they are written.
    pub fn paths(&self) -> Vec<&Path> {
        let mut paths = Vec::new();
        self.collect_paths(&mut paths);
        paths
    }

    fn collect_paths<'a>(&'a self, paths: &mut Vec<&'a Path>) {
        match self {
            Self::Compare(_, a, b) | Self::BeginsWith(a, b) | Self::Contains(a, b) => {
                paths.extend([a, b].into_iter().filter_map(Operand::path))
            }
            Self::Between(a, b, c) => paths.extend([a, b, c].into_iter().filter_map(Operand::path)),
            Self::In(a, among) => paths.extend(std::iter::once(a).chain(among).filter_map(Operand::path)),
            Self::Exists(path) | Self::NotExists(path) => paths.push(path),
            Self::IsType(a, _) => paths.extend(a.path()),
            Self::And(a, b) | Self::Or(a, b) => {
                a.collect_paths(paths);
                b.collect_paths(paths);
            }
            Self::Not(a) => a.collect_paths(paths),
        }
    }
}

impl Operand {
    fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            Self::Size(of) => of.path(),
            Self::Value(_) => None,
        }
    }

    /// The type, where it is known before any item is.
    pub(crate) fn known_type(&self) -> Option<ValueType> {
        match self {
            Self::Path(_) => None,
            Self::Value(value) => Some(value.value_type()),
            Self::Size(_) => Some(ValueType::N),
        }
    }
}

fn read(text: &str, placeholders: &mut Placeholders<'_>) -> Result<Condition, ExpressionError> {
    let (raw, seen) = parse_condition(text)?;
    if seen.redundant {
        return Err(ExpressionError::RedundantParentheses);
    }
    let mut operands = Vec::new();
    collect_operands(&raw, &mut operands);
    check_functions(&operands)?;
    check_uses(&raw)?;
    check_reserved(&operands)?;
    resolve(&raw, placeholders)
}

/// All operands in the order they are written, those of functions among them.
fn collect_operands<'r, 'e>(raw: &'r RawCondition<'e>, operands: &mut Vec<&'r RawOperand<'e>>) {
    match raw {
        RawCondition::Compare { left, right, .. } => {
            [left, right].into_iter().for_each(|it| collect_inner(it, operands))
        }
        RawCondition::Between { operand, lower, upper } => {
            [operand, lower, upper].into_iter().for_each(|it| collect_inner(it, operands))
        }
        RawCondition::In { operand, among } => {
            std::iter::once(operand).chain(among).for_each(|it| collect_inner(it, operands))
        }
        RawCondition::Call(call) => collect_inner(call, operands),
        RawCondition::And(sides) | RawCondition::Or(sides) => {
            sides.iter().for_each(|side| collect_operands(side, operands))
        }
        RawCondition::Not(inner) => collect_operands(inner, operands),
    }
}

pub(super) fn collect_inner<'r, 'e>(operand: &'r RawOperand<'e>, operands: &mut Vec<&'r RawOperand<'e>>) {
    operands.push(operand);
    match operand {
        RawOperand::Call { args, .. } => args.iter().for_each(|arg| collect_inner(arg, operands)),
        RawOperand::Arithmetic { sides, .. } => sides.iter().for_each(|side| collect_inner(side, operands)),
        RawOperand::Path(_) | RawOperand::Value(_) => {}
    }
}

fn check_functions(operands: &[&RawOperand<'_>]) -> Result<(), ExpressionError> {
    for operand in operands {
        let RawOperand::Call { name, .. } = operand else {
            continue;
        };
        if matches!(*name, "if_not_exists" | "list_append") {
            return Err(ExpressionError::NotAllowedHere("a condition", (*name).to_owned()));
        }
        if FUNCTIONS.iter().all(|(known, _)| known != name) {
            return Err(ExpressionError::UnknownFunction((*name).to_owned()));
        }
    }
    Ok(())
}

/// `size` is a value and stands in comparisons; the others are truths and stand alone.
fn check_uses(raw: &RawCondition<'_>) -> Result<(), ExpressionError> {
    match raw {
        RawCondition::Compare { left, right, .. } => [left, right].into_iter().try_for_each(check_value),
        RawCondition::Between { operand, lower, upper } => {
            [operand, lower, upper].into_iter().try_for_each(check_value)
        }
        RawCondition::In { operand, among } => {
            std::iter::once(operand).chain(among).try_for_each(check_value)
        }
        RawCondition::Call(RawOperand::Call { name: "size", .. }) => {
            Err(ExpressionError::Misused("size".to_owned()))
        }
        RawCondition::Call(RawOperand::Call { args, .. }) => args.iter().try_for_each(check_value),
        RawCondition::Call(_) => Ok(()),
        RawCondition::And(sides) | RawCondition::Or(sides) => sides.iter().try_for_each(check_uses),
        RawCondition::Not(inner) => check_uses(inner),
    }
}

fn check_value(operand: &RawOperand<'_>) -> Result<(), ExpressionError> {
    match operand {
        RawOperand::Call { name: "size", args } => args.iter().try_for_each(check_value),
        RawOperand::Call { name, .. } => Err(ExpressionError::Misused((*name).to_owned())),
        _ => Ok(()),
    }
}

fn check_reserved(operands: &[&RawOperand<'_>]) -> Result<(), ExpressionError> {
    operands.iter().try_for_each(|operand| match operand {
        RawOperand::Path(path) => check_reserved_path(path),
        _ => Ok(()),
    })
}

pub(super) fn check_reserved_path(path: &RawPath<'_>) -> Result<(), ExpressionError> {
    let keys = path.rest.iter().filter_map(|step| match step {
        RawStep::Key(name) => Some(name),
        RawStep::Index(_) => None,
    });
    for name in std::iter::once(&path.head).chain(keys) {
        if let RawName::Plain(name) = name
            && is_reserved(name)
        {
            return Err(ExpressionError::Reserved((*name).to_owned()));
        }
    }
    Ok(())
}

pub(super) fn resolve_path(
    raw: &RawPath<'_>,
    placeholders: &mut Placeholders<'_>,
) -> Result<Path, ExpressionError> {
    let mut name = |name: &RawName<'_>| match name {
        RawName::Plain(name) => Ok((*name).to_owned()),
        RawName::Placeholder(key) => placeholders.name(key).map(str::to_owned),
    };
    let head = name(&raw.head)?;
    let rest = raw.rest.iter().map(|step| match step {
        RawStep::Key(key) => name(key).map(Step::Key),
        RawStep::Index(text) => {
            let index = text.parse::<u32>().ok().filter(|index| i32::try_from(*index).is_ok());
            index
                .map(|index| Step::Index(index as usize))
                .ok_or_else(|| ExpressionError::IndexRange((*text).to_owned()))
        }
    });
    let rest = rest.collect::<Result<Vec<_>, _>>()?;
    if rest.len() >= MAX_DEPTH {
        return Err(ExpressionError::PathTooDeep(rest.len() + 1));
    }
    Ok(Path { head, rest })
}

fn resolve(
    raw: &RawCondition<'_>,
    placeholders: &mut Placeholders<'_>,
) -> Result<Condition, ExpressionError> {
    match raw {
        RawCondition::Compare { operator, left, right } => {
            let (left, right) = (resolve_operand(left, placeholders)?, resolve_operand(right, placeholders)?);
            let comparator = Comparator::parse(operator);
            check_distinct(comparator.text(), &left, &right)?;
            check_ordered(comparator, &[&left, &right])?;
            Ok(Condition::Compare(comparator, left, right))
        }
        RawCondition::Between { operand, lower, upper } => {
            let operand = resolve_operand(operand, placeholders)?;
            let (lower, upper) =
                (resolve_operand(lower, placeholders)?, resolve_operand(upper, placeholders)?);
            check_bounds(&lower, &upper)?;
            Ok(Condition::Between(operand, lower, upper))
        }
        RawCondition::In { operand, among } => {
            if among.len() > MAX_IN_OPERANDS {
                return Err(ExpressionError::TooManyInOperands(among.len()));
            }
            let operand = resolve_operand(operand, placeholders)?;
            let among = among.iter().map(|it| resolve_operand(it, placeholders)).collect::<Result<_, _>>()?;
            Ok(Condition::In(operand, among))
        }
        RawCondition::Call(RawOperand::Call { name, args }) => resolve_call(name, args, placeholders),
        RawCondition::Call(_) => Err(ExpressionError::Empty),
        RawCondition::And(sides) => {
            let [a, b] = sides.as_ref();
            Ok(Condition::And(Box::new(resolve(a, placeholders)?), Box::new(resolve(b, placeholders)?)))
        }
        RawCondition::Or(sides) => {
            let [a, b] = sides.as_ref();
            Ok(Condition::Or(Box::new(resolve(a, placeholders)?), Box::new(resolve(b, placeholders)?)))
        }
        RawCondition::Not(inner) => Ok(Condition::Not(Box::new(resolve(inner, placeholders)?))),
    }
}

fn resolve_operand(
    raw: &RawOperand<'_>,
    placeholders: &mut Placeholders<'_>,
) -> Result<Operand, ExpressionError> {
    match raw {
        RawOperand::Path(path) => resolve_path(path, placeholders).map(Operand::Path),
        RawOperand::Value(key) => placeholders.value(key).map(Operand::Value),
        RawOperand::Call { name, args } => {
            let args = resolve_args(name, args, placeholders)?;
            let [of] = args.try_into().map_err(|_| ExpressionError::Misused((*name).to_owned()))?;
            let given = Operand::known_type(&of);
            if let Some(given @ (ValueType::N | ValueType::Bool | ValueType::Null)) = given {
                return Err(wrong_type(name, given));
            }
            Ok(Operand::Size(Box::new(of)))
        }
        RawOperand::Arithmetic { operator, .. } => {
            Err(ExpressionError::UnknownFunction((*operator).to_owned()))
        }
    }
}

fn resolve_args(
    name: &str,
    args: &[RawOperand<'_>],
    placeholders: &mut Placeholders<'_>,
) -> Result<Vec<Operand>, ExpressionError> {
    let count = args.len();
    let args = args.iter().map(|arg| resolve_operand(arg, placeholders)).collect::<Result<Vec<_>, _>>()?;
    match FUNCTIONS.iter().find(|(known, _)| *known == name) {
        Some((_, wanted)) if *wanted == count => Ok(args),
        _ => Err(ExpressionError::OperandCount { name: name.to_owned(), count }),
    }
}

fn resolve_call(
    name: &str,
    args: &[RawOperand<'_>],
    placeholders: &mut Placeholders<'_>,
) -> Result<Condition, ExpressionError> {
    let mut args = resolve_args(name, args, placeholders)?.into_iter();
    let (Some(first), second) = (args.next(), args.next()) else {
        return Err(ExpressionError::OperandCount { name: name.to_owned(), count: 0 });
    };
    let Some(second) = second else {
        return existence(name, first);
    };
    check_distinct(name, &first, &second)?;
    match name {
        "begins_with" => {
            for given in [&first, &second].into_iter().filter_map(|operand| operand.known_type()) {
                if !matches!(given, ValueType::S | ValueType::B) {
                    return Err(wrong_type(name, given));
                }
            }
            Ok(Condition::BeginsWith(first, second))
        }
        "attribute_type" => wanted_type(name, &second).map(|kind| Condition::IsType(first, kind)),
        _ => Ok(Condition::Contains(first, second)),
    }
}

fn existence(name: &str, operand: Operand) -> Result<Condition, ExpressionError> {
    match operand {
        Operand::Path(path) if name == "attribute_exists" => Ok(Condition::Exists(path)),
        Operand::Path(path) => Ok(Condition::NotExists(path)),
        _ => Err(ExpressionError::NeedsPath(name.to_owned())),
    }
}

fn wanted_type(name: &str, operand: &Operand) -> Result<ValueType, ExpressionError> {
    match operand {
        Operand::Value(value) if value.value_type() == ValueType::S => {
            let text = if let AttributeValue::S(text) = &**value { text.as_str() } else { "" };
            ValueType::parse(text).ok_or_else(|| ExpressionError::UnknownType(text.to_owned()))
        }
        Operand::Path(_) => {
            let given = "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}".to_owned();
            Err(ExpressionError::OperandType { name: name.to_owned(), given })
        }
        other => Err(wrong_type(name, other.known_type().unwrap_or(ValueType::N))),
    }
}

fn wrong_type(name: &str, given: ValueType) -> ExpressionError {
    ExpressionError::OperandType { name: name.to_owned(), given: given.name().to_owned() }
}

/// Refuses a path that is held against itself.
pub(crate) fn check_distinct(
    operator: &str,
    first: &Operand,
    second: &Operand,
) -> Result<(), ExpressionError> {
    match (first, second) {
        (Operand::Path(a), Operand::Path(b)) if a == b => {
            Err(ExpressionError::NotDistinct { operator: operator.to_owned(), operand: a.to_string() })
        }
        _ => Ok(()),
    }
}

/// Only strings, numbers and bytes have an order.
fn check_ordered(comparator: Comparator, operands: &[&Operand]) -> Result<(), ExpressionError> {
    if matches!(comparator, Comparator::Equal | Comparator::NotEqual) {
        return Ok(());
    }
    let given = operands.iter().filter_map(|operand| operand.known_type());
    match given.into_iter().find(|given| !matches!(given, ValueType::S | ValueType::N | ValueType::B)) {
        Some(given) => Err(wrong_type(comparator.text(), given)),
        None => Ok(()),
    }
}

/// Refuses bounds of two types, or the wrong way round.
pub(crate) fn check_bounds(lower: &Operand, upper: &Operand) -> Result<(), ExpressionError> {
    let (Operand::Value(low), Operand::Value(high)) = (lower, upper) else {
        return Ok(());
    };
    let given = [low, high].map(|value| value.value_type());
    if let Some(given) =
        given.into_iter().find(|given| !matches!(given, ValueType::S | ValueType::N | ValueType::B))
    {
        return Err(wrong_type("BETWEEN", given));
    }
    let (lower, upper) = (shown(low), shown(high));
    match super::evaluate::order(low, high) {
        None => Err(ExpressionError::BoundTypes { lower, upper }),
        Some(std::cmp::Ordering::Greater) => Err(ExpressionError::BoundOrder { lower, upper }),
        Some(_) => Ok(()),
    }
}
