//! What an update is charged as a request: AWS refuses one beyond the size of an item whatever the item holds. The
//! figures are measured, not documented: of 86 updates of growing size, the largest that AWS took.

use super::path::{Path, Step};
use super::update::{SetValue, Update};

const UPDATE: usize = 3;
/// `SET` and `ADD`.
const WRITES: usize = 19;
/// `REMOVE` and `DELETE`: what is deleted is not charged.
const CLEARS: usize = 1;
const STEP_OF_TARGET: usize = 4;
const READS: usize = 1;
const STEP_READ: usize = 14;
const PLUS: usize = 34;
const MINUS: usize = 37;
const LIST_APPEND: usize = 37;
const IF_NOT_EXISTS: usize = 39;

impl Update {
    /// What the update is charged, in bytes. What the item holds is not in it, nor what a path reads.
    pub fn charge(&self) -> usize {
        let sets = self.sets.iter().map(|(path, value)| WRITES + target(path) + operand(value));
        let adds = self.adds.iter().map(|(path, value)| WRITES + target(path) + value.size());
        let cleared = self.removes.iter().chain(self.deletes.iter().map(|(path, _)| path));
        UPDATE + sets.chain(adds).chain(cleared.map(|path| CLEARS + target(path))).sum::<usize>()
    }
}

fn target(path: &Path) -> usize {
    path.head.len() + path.rest.iter().map(|rest| STEP_OF_TARGET + step(rest)).sum::<usize>()
}

fn read(path: &Path) -> usize {
    READS + STEP_READ + path.head.len() + path.rest.iter().map(|rest| STEP_READ + step(rest)).sum::<usize>()
}

fn step(step: &Step) -> usize {
    match step {
        Step::Key(name) => name.len(),
        Step::Index(index) => index.to_string().len(),
    }
}

fn operand(value: &SetValue) -> usize {
    match value {
        SetValue::Path(path) => read(path),
        SetValue::Value(value) => value.size(),
        SetValue::Plus(left, right) => PLUS + operand(left) + operand(right),
        SetValue::Minus(left, right) => MINUS + operand(left) + operand(right),
        SetValue::IfNotExists(path, otherwise) => IF_NOT_EXISTS + read(path) + operand(otherwise),
        SetValue::ListAppend(left, right) => LIST_APPEND + operand(left) + operand(right),
    }
}
