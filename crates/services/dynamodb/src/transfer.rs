//! Items as objects in a bucket hold them: what an export writes and an import reads (Developer Guide, "DynamoDB table
//! export output format" and "Amazon S3 import formats for DynamoDB").

mod csv;
mod decoder;
mod input;
mod ion;
mod line;
mod source;

pub(crate) use input::{InputError, ItemReader};
pub(crate) use line::{ChangedItem, write_change, write_item_line};
pub(crate) use source::{Source, SourceError};
