//! Statements and their clauses.

use super::{Malformed, Parser, StatementError};
use crate::expression::Path;
use crate::partiql::syntax::{
    Change, Delete, Expression, Insert, Order, OrderTerm, Returning, Select, Statement, Update,
};

/// Clauses of SQL that DynamoDB doesn't have.
const UNSUPPORTED: [&str; 4] = ["LIMIT", "OFFSET", "GROUP", "HAVING"];

impl Parser<'_> {
    pub(super) fn statement(&mut self) -> Result<Statement, StatementError> {
        if self.is_over() {
            return Err(Malformed::Term.into());
        }
        if self.take_word("SELECT") {
            return self.select().map(Statement::Select);
        }
        if self.take_word("INSERT") {
            return self.insert().map(Statement::Insert);
        }
        if self.take_word("UPDATE") {
            return self.update().map(Statement::Update);
        }
        if self.take_word("DELETE") {
            return self.delete().map(Statement::Delete);
        }
        if self.take_word("FROM") {
            return self.update_from().map(Statement::Update);
        }
        if self.take_word("EXISTS") {
            self.expect("(")?;
            self.expect_word("SELECT")?;
            let select = self.select()?;
            self.expect(")")?;
            return Ok(Statement::Exists(select));
        }
        Err(Malformed::Manipulation.into())
    }

    fn select(&mut self) -> Result<Select, StatementError> {
        let columns = if self.take_symbol("*") { None } else { Some(self.columns()?) };
        self.expect_word("FROM")?;
        let source = self.source()?;
        let condition = self.condition()?;
        let order = self.order()?;
        let token = self.peek();
        if UNSUPPORTED.iter().any(|clause| self.sees_word(clause)) {
            let clause = token.text.to_ascii_uppercase();
            return Err(StatementError::UnsupportedClause { clause, at: token.at });
        }
        Ok(Select { columns, source, condition, order })
    }

    fn columns(&mut self) -> Result<Vec<Path>, StatementError> {
        let mut columns = Vec::new();
        loop {
            columns.push(self.column()?);
            if !self.take_symbol(",") {
                return Ok(columns);
            }
        }
    }

    fn column(&mut self) -> Result<Path, StatementError> {
        let token = self.peek();
        if self.sees_call() {
            return Err(StatementError::ColumnNoPath(token.at));
        }
        if !self.sees_name() {
            // What is no term at all is said to be so; a term that is no path, that it is none.
            self.value()?;
            return Err(StatementError::ColumnNoPath(token.at));
        }
        let path = self.path()?;
        let aliased = self.sees_name() || self.sees_word("AS");
        if aliased { Err(StatementError::Aliasing) } else { Ok(path) }
    }

    fn condition(&mut self) -> Result<Option<Expression>, StatementError> {
        if self.take_word("WHERE") { self.value().map(Some) } else { Ok(None) }
    }

    fn order(&mut self) -> Result<Vec<OrderTerm>, StatementError> {
        let mut order = Vec::new();
        if !self.take_word("ORDER") {
            return Ok(order);
        }
        self.expect_word("BY")?;
        loop {
            if !self.sees_name() {
                return Err(self.unexpected());
            }
            let at = self.peek().at;
            let path = self.path()?;
            if !path.is_top_level() {
                return Err(StatementError::ColumnNoPath(at));
            }
            let descending = self.take_word("DESC");
            if !descending {
                self.take_word("ASC");
            }
            let direction = if descending { Order::Descending } else { Order::Ascending };
            order.push(OrderTerm { attribute: path.head, order: direction });
            if !self.take_symbol(",") {
                return Ok(order);
            }
        }
    }

    fn insert(&mut self) -> Result<Insert, StatementError> {
        self.expect_word("INTO")?;
        let table = self.insert_target()?;
        if self.take_word("VALUE") {
            return Ok(Insert { table, value: self.value()? });
        }
        if self.sees_word("VALUES") || self.sees_symbol("<<") {
            return Err(StatementError::InsertMany);
        }
        self.value()?;
        Err(Malformed::Leftover.into())
    }

    fn update(&mut self) -> Result<Update, StatementError> {
        let source = self.target()?;
        let changes = self.changes()?;
        let condition = self.condition()?;
        let returning = self.returning()?;
        Ok(Update { source, changes, condition, returning, from_first: false })
    }

    fn update_from(&mut self) -> Result<Update, StatementError> {
        let source = self.target()?;
        let condition = self.condition()?;
        let changes = self.changes()?;
        let returning = self.returning()?;
        Ok(Update { source, changes, condition, returning, from_first: true })
    }

    fn delete(&mut self) -> Result<Delete, StatementError> {
        self.expect_word("FROM")?;
        let source = self.target()?;
        let condition = self.condition()?;
        let returning = self.returning()?;
        Ok(Delete { source, condition, returning })
    }

    fn changes(&mut self) -> Result<Vec<Change>, StatementError> {
        let mut changes = Vec::new();
        loop {
            let sets = self.take_word("SET");
            if !sets && !self.take_word("REMOVE") {
                break;
            }
            changes.push(self.change(sets)?);
            while self.take_symbol(",") {
                changes.push(self.change(sets)?);
            }
        }
        if changes.is_empty() { Err(Malformed::Manipulation.into()) } else { Ok(changes) }
    }

    fn change(&mut self, sets: bool) -> Result<Change, StatementError> {
        let path = self.written_path()?;
        if !sets {
            return Ok(Change::Remove(path));
        }
        self.expect("=")?;
        Ok(Change::Set(path, self.value()?))
    }

    fn returning(&mut self) -> Result<Option<Returning>, StatementError> {
        if !self.take_word("RETURNING") {
            return Ok(None);
        }
        let all = self.take_word("ALL");
        if !all {
            self.expect_word("MODIFIED")?;
        }
        let new = self.take_word("NEW");
        if !new {
            self.expect_word("OLD")?;
        }
        self.expect("*")?;
        Ok(Some(match (all, new) {
            (true, true) => Returning::AllNew,
            (true, false) => Returning::AllOld,
            (false, true) => Returning::ModifiedNew,
            (false, false) => Returning::ModifiedOld,
        }))
    }
}
