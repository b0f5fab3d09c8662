//! A backup's file is written beside its name and takes it when it is whole; it is read part by part.

mod reader;
mod writer;

pub(super) use reader::{Piece, Reader};
pub(super) use writer::Writer;
pub(crate) use writer::partial_of;

use std::path::Path;

use super::MovingError;

fn failed(path: &Path) -> impl Fn(std::io::Error) -> MovingError + '_ {
    |source| MovingError::File { path: path.to_owned(), source }
}
