//! From text to tree. Where a rule finds what it can't take, it says so in AWS's words; no rule looks back.

use super::MAX_NESTING;
use super::error::{Malformed, StatementError};
use super::keywords::is_keyword;
use super::lexer::{Token, TokenKind, tokens};
use super::syntax::Statement;
use crate::expression::{ExpressionError, MAX_OPERATORS};
use crate::value::ValueError;

mod expression;
mod path;
mod statement;

/// A statement that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// Its tree.
    pub statement: Statement,
    /// How many `?`s it has.
    pub parameters: usize,
}

/// Reads a statement.
pub fn parse(text: &str) -> Result<Parsed, StatementError> {
    let mut parser = Parser::new(text)?;
    let statement = parser.statement()?;
    parser.take_symbol(";");
    if parser.peek().kind != TokenKind::End {
        return Err(Malformed::Leftover.into());
    }
    if parser.operators > MAX_OPERATORS {
        return Err(ExpressionError::TooManyOperators(parser.operators).into());
    }
    Ok(Parsed { statement, parameters: parser.parameters })
}

/// The tokens, and what is counted while they are read.
struct Parser<'s> {
    tokens: Vec<Token<'s>>,
    at: usize,
    depth: usize,
    operators: usize,
    parameters: usize,
}

impl<'s> Parser<'s> {
    fn new(text: &'s str) -> Result<Self, StatementError> {
        Ok(Self { tokens: tokens(text)?, at: 0, depth: 0, operators: 0, parameters: 0 })
    }

    /// The next token; the last one is [`TokenKind::End`], for ever.
    fn peek(&self) -> Token<'s> {
        self.peek_over(0)
    }

    /// The token behind so many others.
    fn peek_over(&self, over: usize) -> Token<'s> {
        let last = self.tokens.len().saturating_sub(1);
        let end = Token { kind: TokenKind::End, text: "", at: Default::default() };
        self.tokens.get((self.at + over).min(last)).copied().unwrap_or(end)
    }

    fn advance(&mut self) -> Token<'s> {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn take(&mut self, fits: impl FnOnce(&Token<'s>) -> bool) -> Option<Token<'s>> {
        let token = self.peek();
        fits(&token).then(|| self.advance())
    }

    fn sees_symbol(&self, symbol: &str) -> bool {
        let token = self.peek();
        token.kind == TokenKind::Symbol && token.text == symbol
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        self.take(|token| token.kind == TokenKind::Symbol && token.text == symbol).is_some()
    }

    fn sees_word(&self, word: &str) -> bool {
        let token = self.peek();
        token.kind == TokenKind::Word && token.text.eq_ignore_ascii_case(word)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let sees = self.sees_word(word);
        self.at += usize::from(sees);
        sees
    }

    /// Takes a symbol that must be there.
    fn expect(&mut self, symbol: &str) -> Result<(), StatementError> {
        if self.take_symbol(symbol) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Takes a keyword that must be there.
    fn expect_word(&mut self, word: &str) -> Result<(), StatementError> {
        if self.take_word(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Whether the statement is over.
    fn is_over(&self) -> bool {
        self.peek().kind == TokenKind::End || self.sees_symbol(";")
    }

    /// Whether a name stands next: in quotes, or no keyword.
    fn sees_name(&self) -> bool {
        let token = self.peek();
        match token.kind {
            TokenKind::Quoted => true,
            TokenKind::Word => !is_keyword(token.text),
            _ => false,
        }
    }

    /// The error at a token that no term begins with.
    fn unexpected(&self) -> StatementError {
        let token = self.peek();
        let is_operator = match token.kind {
            TokenKind::Word => super::keywords::is_operator(token.text),
            TokenKind::Symbol => {
                matches!(
                    token.text,
                    "=" | "<>" | "!=" | "<" | "<=" | ">" | ">=" | "*" | "+" | "-" | "/" | "%"
                )
            }
            _ => false,
        };
        let malformed = match token.kind {
            _ if is_operator => Malformed::Operator,
            TokenKind::Word if is_keyword(token.text) => Malformed::Keyword,
            _ => Malformed::Term,
        };
        malformed.into()
    }

    /// A rule inside a further pair of brackets.
    fn deeper<T>(
        &mut self,
        rule: impl FnOnce(&mut Self) -> Result<T, StatementError>,
    ) -> Result<T, StatementError> {
        if self.depth >= MAX_NESTING {
            return Err(ValueError::TooDeep.into());
        }
        self.depth += 1;
        let read = rule(self);
        self.depth -= 1;
        read
    }

    /// Things with commas between them, up to the closing symbol; none is fine.
    fn until<T>(
        &mut self,
        close: &str,
        mut rule: impl FnMut(&mut Self) -> Result<T, StatementError>,
    ) -> Result<Vec<T>, StatementError> {
        let mut found = Vec::new();
        if self.take_symbol(close) {
            return Ok(found);
        }
        loop {
            found.push(rule(self)?);
            if !self.take_symbol(",") {
                self.expect(close)?;
                return Ok(found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        parse(text).expect_err(text).to_string()
    }

    #[test]
    fn a_statement_that_cannot_be_read_is_refused_in_awss_words() {
        let cases = [
            ("SLECT * FROM t", "Expected data manipulation"),
            ("UPDATE a-b SET c = ? WHERE d = ?", "Expected data manipulation"),
            ("FROM t WHERE p = 1", "Expected data manipulation"),
            ("SELECT * FROM", "Unexpected term"),
            ("SELECT FROM t", "Unexpected keyword"),
            ("SELECT * FROM t WHERE", "Unexpected term"),
            ("SELECT * FROM t WHERE;", "Unexpected term"),
            ("SELECT * FROM t WHERE NOT", "Unexpected term"),
            ("SELECT * FROM t WHERE (", "Unexpected term"),
            ("SELECT * FROM t WHERE ORDER BY p", "Unexpected keyword"),
            ("SELECT * FROM t WHERE IS NULL", "Unexpected operator"),
            ("SELECT * FROM t WHERE p = LIKE", "Unexpected operator"),
            ("SELECT * FROM t WHERE p = 1 AND", "Missing right-hand side expression of infix operator"),
            ("SELECT * FROM t WHERE p = 1 OR", "Missing right-hand side expression of infix operator"),
            ("SELECT * FROM t WHERE p = 1 AND x IS FOO", "Expected type name"),
            ("SELECT * FROM t WHERE p = 1)", "Unexpected token after expression"),
            ("SELECT * FROM t WHERE p = 1 foo", "Unexpected token after expression"),
            ("SELECT * FROM t ORDER BY p WHERE p = 1", "Unexpected token after expression"),
            ("DELETE FROM", "Expected identifier for simple path"),
            ("DELETE FROM;", "Expected identifier for simple path"),
            ("DELETE FROM WHERE p = 'a'", "Expected identifier for simple path"),
            ("DELETE FROM t WHERE p = 1 ORDER BY p", "Unexpected token after expression"),
            ("INSERT INTO t x VALUE {'p': 'x'}", "Unexpected token after expression"),
            ("INSERT INTO t VALUE {'p': 1} foo", "Unexpected token after expression"),
            ("INSERT INTO t (key, b) VALUES (?, ?)", "Unexpected keyword"),
            ("FROM t SET c = 1 WHERE p = 'x'", "Unexpected token after expression"),
            ("SELECT * FROM t WHERE m.inner = 1", "Invalid path dot component"),
            ("SELECT * FROM t WHERE p = 1 # note", ""),
        ];
        for (text, detail) in cases {
            let said = format!("Statement wasn't well formed, can't be processed: {detail}");
            assert_eq!(refused(text), said, "{text}");
        }
    }

    #[test]
    fn what_can_be_read_and_is_not_supported_is_refused_in_awss_words() {
        for (text, said) in [
            ("SELECT * FROM t x WHERE p = 1", "Aliasing is not supported"),
            ("SELECT * FROM t AS x WHERE p = 1", "Aliasing is not supported"),
            ("UPDATE t x SET a = 3 WHERE p = 1", "Aliasing is not supported"),
            ("DELETE FROM t x WHERE p = 1", "Aliasing is not supported"),
            ("SELECT * FROM a.b.c", "A path may contain at most 2 components in the FROM clause"),
            ("SELECT * FROM \"\"", "Path component cannot be an empty string"),
            ("SELECT * FROM t.\"\"", "Path component cannot be an empty string"),
            ("SELECT COUNT(*) FROM t", "Unexpected path component at 1:8:5"),
            ("SELECT attribute_exists(a) FROM t", "Unexpected path component at 1:8:16"),
            ("SELECT l[-1] FROM t", "List index is not within the allowable range; index: [-1] at 1:11:1"),
            (
                "INSERT INTO t.i VALUE {'p': 1}",
                "FROM clause may only contain a single table name in data manipulation statements at 1:13:1",
            ),
            ("SELECT * FROM t LIMIT 3", "Unsupported clause: LIMIT at 1:17:5"),
        ] {
            assert_eq!(refused(text), said, "{text}");
        }
    }

    #[test]
    fn keywords_are_read_however_they_are_written() {
        let read = |text: &str| parse(text).unwrap();
        assert_eq!(
            read("select a, b.c[0] from t where p = 'x' and not a is missing order by r desc;"),
            read(
                "SELECT \"a\", b.\"c\"[-0] FROM \"t\" WHERE p='x' AND NOT a IS MISSING ORDER BY r DESC -- done"
            ),
        );
        assert_eq!(read("UPDATE t SET a = 1, b = 2 WHERE p = ?"), read("update t set a=1 set b=2 where p=?"));
        assert_eq!(read("SELECT * FROM t WHERE p IN (1)"), read("SELECT * FROM t WHERE p IN [1]"));
        assert_eq!(read("SELECT * FROM t WHERE p != ? AND b = ?").parameters, 2);
    }

    #[test]
    fn nothing_nests_or_grows_without_bound() {
        let nested = |open: &str, close: &str| {
            let (open, close) = (open.repeat(2_000), close.repeat(2_000));
            refused(&format!("SELECT * FROM t WHERE {open}1{close}"))
        };
        for (open, close) in [("(", ")"), ("[", "]"), ("<<", ">>"), ("{'a':", "}"), ("NOT ", ""), ("f(", ")")]
        {
            assert!(nested(open, close).starts_with("Nesting Levels"), "{open}");
        }
        let chained = |test: &str| refused(&format!("SELECT*FROM t WHERE {}a{test}", "a=".repeat(4_000)));
        for (test, count) in [(" IN[]", 4_001), (" IS NULL", 4_001), (" BETWEEN a AND a", 4_002)] {
            let said = format!("The expression contains too many operators; operator count: {count}");
            assert_eq!(chained(test), said, "{test}");
        }
        let many = |between: &str| vec!["a"; 400].join(between);
        let said = "The expression contains too many operators; operator count: 399";
        assert_eq!(refused(&format!("SELECT * FROM t WHERE {}", many(" = "))), said);
        assert_eq!(refused(&format!("UPDATE t SET a = {}", many("+"))), said);
        assert_eq!(refused(&format!("SELECT * FROM t WHERE {}", many(" OR "))), said);
    }
}
