use crate::expression::projection::project;
use crate::expression::{Path, SetValue, Step, Update};
use crate::number::{Number, NumberError};
use crate::value::{AttributeValue, Item, MAX_DEPTH, MAX_ITEM_SIZE};

/// Why an update can't be applied to an item, in AWS's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    /// A path of the request's values leads nowhere.
    #[error("The provided expression refers to an attribute that does not exist in the item")]
    NoSuchAttribute,
    /// What a path leads into is neither map nor list, or isn't there.
    #[error("The document path provided in the update expression is invalid for update")]
    InvalidPath,
    /// The item's value is of another type than the action needs.
    #[error("An operand in the update expression has an incorrect data type")]
    WrongType,
    /// The sum is no number of DynamoDB's.
    #[error(transparent)]
    Number(#[from] NumberError),
    /// The values that are set are more than an item may be.
    #[error("Item size to update has exceeded the maximum allowed size")]
    TooBig,
    /// The value would lie deeper than values may.
    #[error(
        "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
    )]
    TooDeep,
}

/// What is written where, and what is removed.
type Effects<'u> = (Vec<(&'u Path, AttributeValue)>, Vec<&'u Path>);

impl Update {
    /// The item as the update leaves it. Every value is computed from the item as it was, and every path means a
    /// place in it: an index of a list is the one before anything was put in or taken out.
    pub fn apply(&self, item: &Item) -> Result<Item, UpdateError> {
        let (mut writes, mut removes) = self.effects(item)?;
        if writes
            .iter()
            .map(|(path, _)| *path)
            .chain(removes.iter().copied())
            .any(|path| !path.has_parent(item))
        {
            return Err(UpdateError::InvalidPath);
        }
        // In the order of their indexes, so that what lies behind a list's end is appended in that order.
        writes.sort_by_key(|(path, _)| *path);
        let mut updated = item.clone();
        for (path, value) in writes {
            set(&mut updated, path, value)?;
        }
        // What was not there stays: something new may have its index by now. The others go from the highest index
        // down, so that each still has its own.
        removes.retain(|path| path.get(item).is_some());
        removes.sort_by(|a, b| b.cmp(a));
        for path in removes {
            remove(&mut updated, path);
        }
        Ok(updated)
    }

    /// What is written where, and what is removed. No target leads through another.
    fn effects(&self, item: &Item) -> Result<Effects<'_>, UpdateError> {
        let mut writes = Vec::with_capacity(self.sets.len() + self.adds.len());
        let mut removes: Vec<&Path> = self.removes.iter().collect();
        let mut size = 0;
        for (path, value) in &self.sets {
            let value = value.of(item)?;
            // All of the values end up in the item.
            size += value.size();
            if size > MAX_ITEM_SIZE {
                return Err(UpdateError::TooBig);
            }
            writes.push((path, value));
        }
        for (path, value) in &self.adds {
            writes.push((path, add(path.get(item), value)?));
        }
        for (path, value) in &self.deletes {
            match delete(path.get(item), value)? {
                Some(left) => writes.push((path, left)),
                None => removes.push(path),
            }
        }
        Ok((writes, removes))
    }

    /// The values at the updated paths, as `UPDATED_OLD` and `UPDATED_NEW` want them.
    pub fn touched(&self, item: &Item) -> Item {
        let paths: Vec<Path> = self.targets().cloned().collect();
        project(&paths, item)
    }
}

impl SetValue {
    fn of(&self, item: &Item) -> Result<AttributeValue, UpdateError> {
        match self {
            Self::Value(value) => Ok(AttributeValue::clone(value)),
            Self::Path(path) => path.get(item).cloned().ok_or(UpdateError::NoSuchAttribute),
            Self::IfNotExists(path, otherwise) => {
                path.get(item).cloned().map_or_else(|| otherwise.of(item), Ok)
            }
            Self::Plus(left, right) => Ok(AttributeValue::N(left.number(item)?.plus(right.number(item)?)?)),
            Self::Minus(left, right) => Ok(AttributeValue::N(left.number(item)?.minus(right.number(item)?)?)),
            Self::ListAppend(left, right) => match (left.of(item)?, right.of(item)?) {
                (AttributeValue::L(mut list), AttributeValue::L(more)) => {
                    list.extend(more);
                    let list = AttributeValue::L(list);
                    if list.size() > MAX_ITEM_SIZE { Err(UpdateError::TooBig) } else { Ok(list) }
                }
                _ => Err(UpdateError::WrongType),
            },
        }
    }

    fn number(&self, item: &Item) -> Result<Number, UpdateError> {
        match self.of(item)? {
            AttributeValue::N(number) => Ok(number),
            _ => Err(UpdateError::WrongType),
        }
    }
}

/// What a path's last step leads into, and the step; none if the path is an attribute.
fn parent<'a>(
    item: &'a mut Item,
    path: &'a Path,
) -> Result<Option<(&'a mut AttributeValue, &'a Step)>, UpdateError> {
    let Some((last, way)) = path.rest.split_last() else {
        return Ok(None);
    };
    let mut value = item.get_mut(&path.head).ok_or(UpdateError::InvalidPath)?;
    for step in way {
        value = match (step, value) {
            (Step::Key(key), AttributeValue::M(map)) => map.get_mut(key),
            (Step::Index(index), AttributeValue::L(list)) => list.get_mut(*index),
            _ => None,
        }
        .ok_or(UpdateError::InvalidPath)?;
    }
    Ok(Some((value, last)))
}

fn set(item: &mut Item, path: &Path, value: AttributeValue) -> Result<(), UpdateError> {
    if path.rest.len() + value.depth() > MAX_DEPTH {
        return Err(UpdateError::TooDeep);
    }
    match parent(item, path)? {
        None => drop(item.insert(path.head.clone(), value)),
        Some((AttributeValue::M(map), Step::Key(key))) => drop(map.insert(key.clone(), value)),
        Some((AttributeValue::L(list), Step::Index(index))) => match list.get_mut(*index) {
            Some(slot) => *slot = value,
            None => list.push(value),
        },
        Some(_) => return Err(UpdateError::InvalidPath),
    }
    Ok(())
}

fn remove(item: &mut Item, path: &Path) {
    match parent(item, path) {
        Ok(None) => drop(item.remove(&path.head)),
        Ok(Some((AttributeValue::M(map), Step::Key(key)))) => drop(map.remove(key)),
        Ok(Some((AttributeValue::L(list), Step::Index(index)))) if *index < list.len() => {
            drop(list.remove(*index));
        }
        Ok(Some(_)) | Err(_) => {}
    }
}

fn add(existing: Option<&AttributeValue>, value: &AttributeValue) -> Result<AttributeValue, UpdateError> {
    use AttributeValue::{Bs, N, Ns, Ss};
    Ok(match (existing, value) {
        (None, value) => value.clone(),
        (Some(N(number)), N(more)) => N(number.plus(*more)?),
        (Some(Ss(set)), Ss(more)) => Ss(set.union(more).cloned().collect()),
        (Some(Ns(set)), Ns(more)) => Ns(set.union(more).copied().collect()),
        (Some(Bs(set)), Bs(more)) => Bs(set.union(more).cloned().collect()),
        _ => return Err(UpdateError::WrongType),
    })
}

/// What is left of a set; none if nothing is, or if there was no set.
fn delete(
    existing: Option<&AttributeValue>,
    value: &AttributeValue,
) -> Result<Option<AttributeValue>, UpdateError> {
    use AttributeValue::{Bs, Ns, Ss};
    Ok(match (existing, value) {
        (None, _) => None,
        (Some(Ss(set)), Ss(less)) => Some(set - less).filter(|left| !left.is_empty()).map(Ss),
        (Some(Ns(set)), Ns(less)) => Some(set - less).filter(|left| !left.is_empty()).map(Ns),
        (Some(Bs(set)), Bs(less)) => Some(set - less).filter(|left| !left.is_empty()).map(Bs),
        _ => return Err(UpdateError::WrongType),
    })
}
