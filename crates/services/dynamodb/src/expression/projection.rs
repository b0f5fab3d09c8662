use std::collections::BTreeSet;

use super::condition::{check_reserved_path, resolve_path};
use super::path::{Clash, Path, Step};
use super::syntax::parse_projection;
use super::{ExpressionError, ExpressionKind, InvalidExpression, Placeholders};
use crate::value::{AttributeValue, Item};

/// Which parts of an item are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projection {
    paths: Vec<Path>,
    shape: Shape,
}

/// Where what is wanted lies in what is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Where it lay in the item.
    Document,
    /// Each path's value at the top, by the path's last name.
    Columns,
}

impl Projection {
    /// Reads a `ProjectionExpression`.
    pub fn parse(text: &str, placeholders: &mut Placeholders<'_>) -> Result<Self, InvalidExpression> {
        read(text, placeholders)
            .map(|paths| Self { paths, shape: Shape::Document })
            .map_err(|error| InvalidExpression { kind: ExpressionKind::Projection, error })
    }

    /// The projection to whole attributes, as `AttributesToGet` asks for.
    pub fn of_attributes(names: impl IntoIterator<Item = String>) -> Self {
        let paths = names.into_iter().map(|head| Path { head, rest: Vec::new() }).collect();
        Self { paths, shape: Shape::Document }
    }

    /// The projection to columns, as PartiQL's `SELECT` asks for.
    pub fn of_columns(paths: Vec<Path>) -> Self {
        Self { paths, shape: Shape::Columns }
    }

    /// The paths, as they were written.
    pub fn paths(&self) -> &[Path] {
        &self.paths
    }

    /// The wanted parts of the item. Lists keep their order and lose what isn't wanted.
    pub fn apply(&self, item: &Item) -> Item {
        match self.shape {
            Shape::Document => project(&self.paths, item),
            Shape::Columns => columns(&self.paths, item),
        }
    }
}

/// The values at these paths, by the last name of each, its indexes behind it: `b[0]` for `a.b[0]`.
fn columns(paths: &[Path], item: &Item) -> Item {
    let named = |path: &Path| {
        let mut name = path.head.clone();
        for step in &path.rest {
            match step {
                Step::Key(key) => name.clone_from(key),
                Step::Index(index) => name.push_str(&format!("[{index}]")),
            }
        }
        name
    };
    paths.iter().filter_map(|path| Some((named(path), path.get(item)?.clone()))).collect()
}

fn read(text: &str, placeholders: &mut Placeholders<'_>) -> Result<Vec<Path>, ExpressionError> {
    let raw = parse_projection(text)?;
    raw.iter().try_for_each(check_reserved_path)?;
    let paths = raw.iter().map(|path| resolve_path(path, placeholders)).collect::<Result<Vec<_>, _>>()?;
    check_clashes(&paths)?;
    Ok(paths)
}

/// The parts of the item at these paths, of which none leads through another.
pub(super) fn project(paths: &[Path], item: &Item) -> Item {
    let mut wanted: Vec<&Path> = paths.iter().filter(|path| path.get(item).is_some()).collect();
    // By index within a list, so that what is kept of it keeps its order.
    wanted.sort();
    let mut projected = Item::new();
    for (at, path) in wanted.iter().enumerate() {
        let Some(value) = path.get(item) else { continue };
        let before = at.checked_sub(1).and_then(|before| wanted.get(before));
        graft(&mut projected, path, before.copied(), value.clone());
    }
    projected
}

/// Puts a value at a path, making the maps and lists on the way. What the path shares with the one grafted
/// before it is the last element of each list on the way.
fn graft(projected: &mut Item, path: &Path, before: Option<&Path>, value: AttributeValue) {
    let shared = before
        .filter(|before| before.head == path.head)
        .map_or(0, |before| path.rest.iter().zip(&before.rest).take_while(|(a, b)| a == b).count());
    let empty = |step: Option<&Step>| match step {
        Some(Step::Key(_)) => AttributeValue::M(Item::new()),
        Some(Step::Index(_)) => AttributeValue::L(Vec::new()),
        None => AttributeValue::Null,
    };
    let mut slot = projected.entry(path.head.clone()).or_insert_with(|| empty(path.rest.first()));
    for (at, step) in path.rest.iter().enumerate() {
        let next = empty(path.rest.get(at + 1));
        slot = match (step, slot) {
            (Step::Key(key), AttributeValue::M(map)) => map.entry(key.clone()).or_insert(next),
            (Step::Index(_), AttributeValue::L(list)) => {
                if at >= shared || list.is_empty() {
                    list.push(next);
                }
                let last = list.len() - 1;
                &mut list[last]
            }
            (_, slot) => slot,
        };
    }
    *slot = value;
}

/// Refuses paths that lead through each other, or that see both a map and a list at one place.
pub(super) fn check_clashes(paths: &[Path]) -> Result<(), ExpressionError> {
    let heads: BTreeSet<&str> = paths.iter().map(|path| path.head.as_str()).collect();
    if heads.len() == paths.len() {
        return Ok(());
    }
    for wanted in [Clash::Overlap, Clash::Conflict] {
        for (at, two) in paths.iter().enumerate() {
            if let Some(one) = paths[..at].iter().find(|one| one.clash(two) == Some(wanted)) {
                let (one, two) = (one.to_string(), two.to_string());
                return Err(match wanted {
                    Clash::Overlap => ExpressionError::Overlap(one, two),
                    Clash::Conflict => ExpressionError::Conflict(one, two),
                });
            }
        }
    }
    Ok(())
}
