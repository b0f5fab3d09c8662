//! Values and conditions, from the operator that binds least to the one that binds most.

use super::{ExpressionError, Malformed, Parser, StatementError, TokenKind};
use crate::expression::{Comparator, MAX_OPERATORS};
use crate::partiql::keywords::{is_keyword, is_operator};
use crate::partiql::syntax::{Arithmetic, Expression, TypeTest};

const COMPARATORS: [(&str, Comparator); 7] = [
    ("=", Comparator::Equal),
    ("<>", Comparator::NotEqual),
    ("!=", Comparator::NotEqual),
    ("<", Comparator::Less),
    ("<=", Comparator::LessOrEqual),
    (">", Comparator::Greater),
    (">=", Comparator::GreaterOrEqual),
];

/// Keywords behind which a parenthesis is no function's.
const CLAUSES: [&str; 12] =
    ["select", "from", "where", "order", "by", "set", "remove", "value", "values", "as", "insert", "into"];

/// Words behind a value that ask something of it.
const TESTS: [&str; 5] = ["IS", "NOT", "BETWEEN", "IN", "LIKE"];

type Read = Result<Expression, StatementError>;

impl Parser<'_> {
    /// A value or a condition.
    pub(super) fn value(&mut self) -> Read {
        self.chain("OR", Self::conjunction, Expression::Or)
    }

    fn conjunction(&mut self) -> Read {
        self.chain("AND", Self::negation, Expression::And)
    }

    /// One side, or sides with an operator between them.
    fn chain(
        &mut self,
        operator: &str,
        side: fn(&mut Self) -> Read,
        all: fn(Vec<Expression>) -> Expression,
    ) -> Read {
        let first = side(self)?;
        if !self.sees_word(operator) {
            return Ok(first);
        }
        let mut sides = vec![first];
        while self.take_word(operator) {
            sides.push(self.right(side)?);
        }
        Ok(all(sides))
    }

    /// The right side of an operator.
    fn right(&mut self, side: fn(&mut Self) -> Read) -> Read {
        self.operators += 1;
        if self.is_over() { Err(Malformed::RightHandSide.into()) } else { side(self) }
    }

    fn negation(&mut self) -> Read {
        if !self.take_word("NOT") {
            return self.comparison();
        }
        self.operators += 1;
        self.deeper(Self::negation).map(negated)
    }

    fn comparison(&mut self) -> Read {
        let mut left = self.sum()?;
        loop {
            let comparator = COMPARATORS.iter().find(|(text, _)| self.sees_symbol(text));
            if let Some((_, comparator)) = comparator {
                self.advance();
                let right = self.right(Self::sum)?;
                left = self.bounded(Expression::Compare(*comparator, Box::new([left, right])));
            } else if TESTS.iter().any(|test| self.sees_word(test)) {
                let test = self.test(left)?;
                left = self.bounded(test);
            } else {
                return Ok(left);
            }
        }
    }

    /// What was read; nothing of it where there are too many operators, which are only counted from then on: what
    /// they make of the sides before them would be a tree as deep as there are operators.
    fn bounded(&self, read: Expression) -> Expression {
        if self.operators > MAX_OPERATORS { Expression::Missing } else { read }
    }

    /// What a word asks of the operand.
    fn test(&mut self, operand: Expression) -> Read {
        if self.take_word("IS") {
            return self.type_test(operand);
        }
        let turned = self.take_word("NOT");
        let found = if self.take_word("BETWEEN") {
            let lower = self.right(Self::sum)?;
            self.expect_word("AND")?;
            let upper = self.right(Self::sum)?;
            Expression::Between(Box::new([operand, lower, upper]))
        } else if self.take_word("IN") {
            self.operators += 1;
            Expression::In(Box::new(operand), self.among()?)
        } else if self.sees_word("LIKE") {
            return Err(StatementError::ConditionOperator("LIKE"));
        } else {
            return Err(self.unexpected());
        };
        Ok(if turned { negated(found) } else { found })
    }

    fn type_test(&mut self, operand: Expression) -> Read {
        self.operators += 1;
        let turned = self.take_word("NOT");
        let name = self.take(|token| token.kind == TokenKind::Word);
        let test = name.and_then(|name| TypeTest::parse(name.text)).ok_or(Malformed::TypeName)?;
        // The types with a second word.
        let _ = self.take_word("PRECISION") || self.take_word("VARYING");
        let found = Expression::Is(Box::new(operand), test);
        Ok(if turned { negated(found) } else { found })
    }

    /// What `IN` looks among: values in any brackets.
    fn among(&mut self) -> Result<Vec<Expression>, StatementError> {
        for (open, close) in [("[", "]"), ("(", ")"), ("<<", ">>")] {
            if self.take_symbol(open) {
                return self.deeper(|parser| parser.until(close, Self::value));
            }
        }
        Err(self.unexpected())
    }

    fn sum(&mut self) -> Read {
        let mut left = self.sign()?;
        loop {
            let operator = if self.take_symbol("+") {
                Arithmetic::Plus
            } else if self.take_symbol("-") {
                Arithmetic::Minus
            } else {
                return Ok(left);
            };
            let right = self.right(Self::sign)?;
            left = self.bounded(Expression::Arithmetic(operator, Box::new([left, right])));
        }
    }

    /// A sign belongs to a number; nothing else has one.
    fn sign(&mut self) -> Read {
        let sign = if self.take_symbol("-") {
            "-"
        } else if self.take_symbol("+") {
            "+"
        } else {
            return self.term();
        };
        match self.take(|token| token.kind == TokenKind::Number) {
            Some(number) if sign == "-" => Ok(Expression::Number(format!("-{}", number.text))),
            Some(number) => Ok(Expression::Number(number.text.to_owned())),
            None => Err(ExpressionError::OperandCount { name: sign.to_owned(), count: 1 }.into()),
        }
    }

    fn term(&mut self) -> Read {
        let token = self.peek();
        match token.kind {
            TokenKind::Text => Ok(Expression::Text(self.advance().unquoted())),
            TokenKind::Number => Ok(Expression::Number(self.advance().text.to_owned())),
            TokenKind::Parameter => {
                self.advance();
                self.parameters += 1;
                Ok(Expression::Parameter(self.parameters - 1))
            }
            TokenKind::Symbol => self.bracketed(),
            TokenKind::Word if self.sees_call() => self.call(),
            TokenKind::Word | TokenKind::Quoted => self.constant_or_path(),
            TokenKind::End => Err(self.unexpected()),
        }
    }

    fn bracketed(&mut self) -> Read {
        if self.take_symbol("(") {
            return self.deeper(|parser| {
                let mut inner = vec![parser.value()?];
                while parser.take_symbol(",") {
                    inner.push(parser.value()?);
                }
                parser.expect(")")?;
                let alone = if inner.len() == 1 { inner.pop() } else { None };
                Ok(alone.unwrap_or(Expression::List(inner)))
            });
        }
        if self.take_symbol("[") {
            return self.deeper(|parser| parser.until("]", Self::value)).map(Expression::List);
        }
        if self.take_symbol("<<") {
            return self.deeper(|parser| parser.until(">>", Self::value)).map(Expression::Bag);
        }
        if self.take_symbol("{") {
            return self.deeper(|parser| parser.until("}", Self::field)).map(Expression::Tuple);
        }
        Err(self.unexpected())
    }

    fn field(&mut self) -> Result<(String, Expression), StatementError> {
        let Some(name) = self.take(|token| token.kind == TokenKind::Text) else {
            return Err(self.unexpected());
        };
        self.expect(":")?;
        Ok((name.unquoted(), self.value()?))
    }

    /// Whether a function stands next: a word with a parenthesis behind it. Some functions' names are keywords.
    pub(super) fn sees_call(&self) -> bool {
        let (token, next) = (self.peek(), self.peek_over(1));
        let is_clause = CLAUSES.iter().any(|clause| token.text.eq_ignore_ascii_case(clause));
        let opens = next.kind == TokenKind::Symbol && next.text == "(";
        token.kind == TokenKind::Word && opens && !is_operator(token.text) && !is_clause
    }

    fn call(&mut self) -> Read {
        self.operators += 1;
        let token = self.advance();
        self.advance();
        let arguments = self.deeper(|parser| parser.until(")", Self::value))?;
        Ok(Expression::Call { name: token.text.to_ascii_lowercase(), arguments, at: token.at })
    }

    fn constant_or_path(&mut self) -> Read {
        let token = self.peek();
        if token.kind == TokenKind::Word && is_keyword(token.text) {
            let constant = match token.text.to_ascii_lowercase().as_str() {
                "true" => Expression::Bool(true),
                "false" => Expression::Bool(false),
                "null" => Expression::Null,
                "missing" => Expression::Missing,
                _ => return Err(self.unexpected()),
            };
            self.advance();
            return Ok(constant);
        }
        Ok(Expression::Path(self.path()?, token.at))
    }
}

fn negated(expression: Expression) -> Expression {
    Expression::Not(Box::new(expression))
}
