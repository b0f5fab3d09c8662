use super::condition::{check_reserved_path, collect_inner, resolve_path};
use super::path::Path;
use super::projection::check_clashes;
use super::syntax::{RawAction, RawOperand, RawPath, Section, parse_update};
use super::{ExpressionError, ExpressionKind, InvalidExpression, Placeholders};
use crate::value::{SharedValue, ValueType};

/// An update, ready to be applied to an item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Update {
    /// `SET path = value`
    pub sets: Vec<(Path, SetValue)>,
    /// `REMOVE path`
    pub removes: Vec<Path>,
    /// `ADD path value`: numbers and sets.
    pub adds: Vec<(Path, SharedValue)>,
    /// `DELETE path value`: sets.
    pub deletes: Vec<(Path, SharedValue)>,
}

/// What a path is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetValue {
    /// The value at another path.
    Path(Path),
    /// A value of the request's.
    Value(SharedValue),
    /// A sum.
    Plus(Box<SetValue>, Box<SetValue>),
    /// A difference.
    Minus(Box<SetValue>, Box<SetValue>),
    /// The value at the path, or else another.
    IfNotExists(Path, Box<SetValue>),
    /// Two lists, one behind the other.
    ListAppend(Box<SetValue>, Box<SetValue>),
}

impl Update {
    /// Reads an `UpdateExpression`.
    pub fn parse(text: &str, placeholders: &mut Placeholders<'_>) -> Result<Self, InvalidExpression> {
        let invalid = |error| InvalidExpression { kind: ExpressionKind::Update, error };
        read(text, placeholders).map_err(|error| invalid(error).without_size())
    }

    /// Refuses targets that lead through each other, and operands of types that their operators don't take.
    pub(crate) fn check(&self) -> Result<(), ExpressionError> {
        let targets: Vec<Path> = self.targets().cloned().collect();
        check_clashes(&targets)?;
        self.sets.iter().try_for_each(|(_, value)| known_type(value).map(drop))
    }

    /// The paths that are written, section by section.
    pub fn targets(&self) -> impl Iterator<Item = &Path> {
        let sets = self.sets.iter().map(|(path, _)| path);
        let adds = self.adds.iter().chain(&self.deletes).map(|(path, _)| path);
        sets.chain(&self.removes).chain(adds)
    }

    /// Whether it takes away and gives nothing: of no item it makes none, though an update that is empty does.
    pub fn only_takes_away(&self) -> bool {
        let takes = !self.removes.is_empty() || !self.deletes.is_empty();
        takes && self.sets.is_empty() && self.adds.is_empty()
    }

    /// The attributes that the update writes or reads.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        let mut read = Vec::new();
        self.sets.iter().for_each(|(_, value)| value.collect_paths(&mut read));
        self.targets().chain(read).map(|path| path.head.as_str())
    }
}

impl SetValue {
    fn collect_paths<'a>(&'a self, paths: &mut Vec<&'a Path>) {
        match self {
            Self::Path(path) => paths.push(path),
            Self::Value(_) => {}
            Self::IfNotExists(path, otherwise) => {
                paths.push(path);
                otherwise.collect_paths(paths);
            }
            Self::Plus(left, right) | Self::Minus(left, right) | Self::ListAppend(left, right) => {
                left.collect_paths(paths);
                right.collect_paths(paths);
            }
        }
    }
}

fn read(text: &str, placeholders: &mut Placeholders<'_>) -> Result<Update, ExpressionError> {
    let sections = parse_update(text)?;
    let actions: Vec<&RawAction<'_>> = sections.iter().flat_map(|section| &section.actions).collect();
    let mut operands = Vec::new();
    for action in &actions {
        if let RawAction::Set(_, value) = action {
            collect_inner(value, &mut operands);
        }
    }
    check_reserved(&actions)?;
    check_functions(&operands)?;
    check_sections(&sections)?;
    // Names are looked up before values, whatever stands first.
    for path in paths(&actions) {
        resolve_path(path, placeholders)?;
    }
    let mut update = Update::default();
    let mut targets = Vec::new();
    for action in &actions {
        targets.push(resolve_path(target(action), placeholders)?);
    }
    let operations =
        actions.iter().map(|action| resolve_action(action, placeholders)).collect::<Result<Vec<_>, _>>()?;
    check_clashes(&targets)?;
    check_action_types(&operations)?;
    for (path, operation) in targets.into_iter().zip(operations) {
        match operation {
            Operation::Set(value) => {
                known_type(&value)?;
                update.sets.push((path, value));
            }
            Operation::Remove => update.removes.push(path),
            Operation::Add(value) => update.adds.push((path, value)),
            Operation::Delete(value) => update.deletes.push((path, value)),
        }
    }
    Ok(update)
}

fn target<'r, 'e>(action: &'r RawAction<'e>) -> &'r RawPath<'e> {
    match action {
        RawAction::Set(path, _)
        | RawAction::Remove(path)
        | RawAction::Add(path, _)
        | RawAction::Delete(path, _) => path,
    }
}

/// All paths, in the order they are written.
fn paths<'r, 'e>(actions: &[&'r RawAction<'e>]) -> Vec<&'r RawPath<'e>> {
    let mut paths = Vec::new();
    for &action in actions {
        paths.push(target(action));
        if let RawAction::Set(_, value) = action {
            let mut operands = Vec::new();
            collect_inner(value, &mut operands);
            paths.extend(operands.into_iter().filter_map(|operand| match operand {
                RawOperand::Path(path) => Some(path),
                _ => None,
            }));
        }
    }
    paths
}

fn check_reserved(actions: &[&RawAction<'_>]) -> Result<(), ExpressionError> {
    paths(actions).into_iter().try_for_each(check_reserved_path)
}

fn check_functions(operands: &[&RawOperand<'_>]) -> Result<(), ExpressionError> {
    for operand in operands {
        let RawOperand::Call { name, .. } = operand else {
            continue;
        };
        match *name {
            "if_not_exists" | "list_append" => {}
            "attribute_exists"
            | "attribute_not_exists"
            | "attribute_type"
            | "begins_with"
            | "contains"
            | "size" => {
                return Err(ExpressionError::NotAllowedHere("an update", (*name).to_owned()));
            }
            _ => return Err(ExpressionError::UnknownFunction((*name).to_owned())),
        }
    }
    Ok(())
}

fn check_sections(sections: &[Section<'_>]) -> Result<(), ExpressionError> {
    for (at, section) in sections.iter().enumerate() {
        if sections[..at].iter().any(|earlier| earlier.keyword == section.keyword) {
            return Err(ExpressionError::SectionTwice(section.keyword));
        }
    }
    Ok(())
}

enum Operation {
    Set(SetValue),
    Remove,
    Add(SharedValue),
    Delete(SharedValue),
}

fn resolve_action(
    action: &RawAction<'_>,
    placeholders: &mut Placeholders<'_>,
) -> Result<Operation, ExpressionError> {
    Ok(match action {
        RawAction::Set(_, value) => Operation::Set(resolve_value(value, placeholders)?),
        RawAction::Remove(_) => Operation::Remove,
        RawAction::Add(_, key) => Operation::Add(placeholders.value(key)?),
        RawAction::Delete(_, key) => Operation::Delete(placeholders.value(key)?),
    })
}

fn resolve_value(
    raw: &RawOperand<'_>,
    placeholders: &mut Placeholders<'_>,
) -> Result<SetValue, ExpressionError> {
    match raw {
        RawOperand::Path(path) => resolve_path(path, placeholders).map(SetValue::Path),
        RawOperand::Value(key) => placeholders.value(key).map(SetValue::Value),
        RawOperand::Arithmetic { operator, sides } => {
            let [left, right] = sides.as_ref();
            let left = Box::new(resolve_value(left, placeholders)?);
            let right = Box::new(resolve_value(right, placeholders)?);
            Ok(if *operator == "+" { SetValue::Plus(left, right) } else { SetValue::Minus(left, right) })
        }
        RawOperand::Call { name, args } => {
            let count = args.len();
            let args =
                args.iter().map(|arg| resolve_value(arg, placeholders)).collect::<Result<Vec<_>, _>>()?;
            let [first, second] = args
                .try_into()
                .map_err(|_| ExpressionError::OperandCount { name: (*name).to_owned(), count })?;
            match (*name, first) {
                ("list_append", first) => Ok(SetValue::ListAppend(Box::new(first), Box::new(second))),
                (_, SetValue::Path(path)) => Ok(SetValue::IfNotExists(path, Box::new(second))),
                (name, _) => Err(ExpressionError::NeedsPath(name.to_owned())),
            }
        }
    }
}

fn check_action_types(operations: &[Operation]) -> Result<(), ExpressionError> {
    for operation in operations {
        let (operator, value) = match operation {
            Operation::Add(value) => ("ADD", value),
            Operation::Delete(value) => ("DELETE", value),
            Operation::Set(_) | Operation::Remove => continue,
        };
        let given = match value.value_type() {
            ValueType::Ss | ValueType::Ns | ValueType::Bs => continue,
            ValueType::N if operator == "ADD" => continue,
            ValueType::S => "STRING",
            ValueType::N => "NUMBER",
            ValueType::B => "Binary",
            ValueType::M => "MAP",
            ValueType::L => "LIST",
            ValueType::Bool => "BOOL",
            ValueType::Null => "NULL",
        };
        return Err(ExpressionError::ActionType { operator, given });
    }
    Ok(())
}

/// The type of a value where it is known before any item is, once what it is made of has the types it must have.
fn known_type(value: &SetValue) -> Result<Option<ValueType>, ExpressionError> {
    let each = |name: &str, wanted: ValueType, sides: [&SetValue; 2]| {
        for side in sides {
            if let Some(given) = known_type(side)?
                && given != wanted
            {
                return Err(ExpressionError::OperandType {
                    name: name.to_owned(),
                    given: given.name().to_owned(),
                });
            }
        }
        Ok(Some(wanted))
    };
    match value {
        SetValue::Path(_) => Ok(None),
        SetValue::Value(value) => Ok(Some(value.value_type())),
        SetValue::Plus(left, right) => each("+", ValueType::N, [left, right]),
        SetValue::Minus(left, right) => each("-", ValueType::N, [left, right]),
        SetValue::ListAppend(left, right) => each("list_append", ValueType::L, [left, right]),
        SetValue::IfNotExists(_, otherwise) => known_type(otherwise).map(|_| None),
    }
}
