//! What expressions mean: pure functions of an item.

mod condition;
mod update;

pub(super) use condition::order;
pub use update::UpdateError;
