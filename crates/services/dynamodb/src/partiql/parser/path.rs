//! Names and paths.

use super::{Malformed, Parser, StatementError, TokenKind};
use crate::expression::{ExpressionError, Path, Step};
use crate::partiql::syntax::Source;
use crate::value::MAX_DEPTH;

impl Parser<'_> {
    /// A name that [`Parser::sees_name`] saw.
    fn name(&mut self) -> Result<String, StatementError> {
        let name = self.advance().unquoted();
        if name.is_empty() { Err(StatementError::EmptyPathComponent) } else { Ok(name) }
    }

    /// What a `SELECT` reads.
    pub(super) fn source(&mut self) -> Result<Source, StatementError> {
        if !self.sees_name() {
            return Err(self.unexpected());
        }
        let table = self.name()?;
        let mut rest = Vec::new();
        while self.take_symbol(".") {
            rest.push(self.dot_component()?);
        }
        if rest.len() > 1 {
            return Err(StatementError::SourceTooLong);
        }
        let source = Source { table, index: rest.pop() };
        // `RETURNING` is no reserved word, but it ends what is written.
        let aliased = self.sees_word("AS") || (self.sees_name() && !self.sees_word("RETURNING"));
        if aliased { Err(StatementError::Aliasing) } else { Ok(source) }
    }

    /// What an `UPDATE` or a `DELETE` writes.
    pub(super) fn target(&mut self) -> Result<Source, StatementError> {
        if self.sees_name() { self.source() } else { Err(Malformed::SimplePath.into()) }
    }

    /// What an `INSERT` writes: names with dots between them.
    pub(super) fn insert_target(&mut self) -> Result<String, StatementError> {
        if !self.sees_name() {
            return Err(Malformed::SimplePath.into());
        }
        let at = self.peek().at;
        let table = self.name()?;
        if self.take_symbol(".") {
            self.dot_component()?;
            return Err(StatementError::InsertIntoIndex(at));
        }
        Ok(table)
    }

    /// The path of an attribute that is written.
    pub(super) fn written_path(&mut self) -> Result<Path, StatementError> {
        if self.sees_name() { self.path() } else { Err(Malformed::SimplePath.into()) }
    }

    /// A path that begins with a name, which [`Parser::sees_name`] saw.
    pub(super) fn path(&mut self) -> Result<Path, StatementError> {
        let head = self.name()?;
        let mut rest = Vec::new();
        loop {
            if self.take_symbol(".") {
                rest.push(Step::Key(self.dot_component()?));
            } else if self.take_symbol("[") {
                rest.push(Step::Index(self.index()?));
            } else {
                break;
            }
        }
        if rest.len() >= MAX_DEPTH {
            return Err(ExpressionError::PathTooDeep(rest.len() + 1).into());
        }
        Ok(Path { head, rest })
    }

    fn dot_component(&mut self) -> Result<String, StatementError> {
        if self.sees_name() { self.name() } else { Err(Malformed::DotComponent.into()) }
    }

    fn index(&mut self) -> Result<usize, StatementError> {
        let sign = if self.take_symbol("-") { "-" } else { "" };
        let Some(number) = self.take(|token| token.kind == TokenKind::Number) else {
            return Err(self.unexpected());
        };
        self.expect("]")?;
        let index = format!("{sign}{}", number.text);
        match index.parse::<i32>().ok().and_then(|index| usize::try_from(index).ok()) {
            Some(index) => Ok(index),
            None => Err(StatementError::IndexRange { index, at: number.at }),
        }
    }
}
