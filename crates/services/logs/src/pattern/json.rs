use serde_json::Value;

use super::terms::phrase;

/// Parentheses within parentheses.
const DEEPEST: usize = 32;

/// What must hold of a JSON event.
#[derive(Debug)]
pub(crate) enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Test(Selector, Test),
}

/// The steps from the root to a value.
#[derive(Debug)]
pub(crate) struct Selector(Vec<Step>);

#[derive(Debug)]
enum Step {
    Member(String),
    Item(usize),
}

#[derive(Debug)]
pub(crate) enum Test {
    Text { equal: bool, pattern: String },
    Number(Comparison, f64),
    Null,
    Boolean(bool),
    Absent,
    Present,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Expression {
    pub(super) fn holds(&self, event: &Value) -> bool {
        match self {
            Self::All(all) => all.iter().all(|one| one.holds(event)),
            Self::Any(any) => any.iter().any(|one| one.holds(event)),
            Self::Test(selector, test) => test.holds(selector.find(event)),
        }
    }
}

impl Selector {
    fn find<'a>(&self, event: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(event, |value, step| match step {
            Step::Member(name) => value.get(name),
            Step::Item(index) => value.get(index),
        })
    }
}

impl Test {
    /// A value that isn't there passes only the test that it isn't.
    fn holds(&self, value: Option<&Value>) -> bool {
        let Some(value) = value else { return matches!(self, Self::Absent) };
        match self {
            Self::Absent => false,
            Self::Present => true,
            Self::Null => value.is_null(),
            Self::Boolean(wanted) => value.as_bool() == Some(*wanted),
            Self::Text { equal, pattern } => match text(value) {
                Some(text) => like(pattern, &text) == *equal,
                None => false,
            },
            Self::Number(comparison, number) => match value.as_f64() {
                Some(value) => comparison.holds(value, *number),
                None => {
                    matches!(comparison, Comparison::Equal) && value.as_str() == Some(&number.to_string())
                }
            },
        }
    }
}

impl Comparison {
    #[expect(clippy::float_cmp, reason = "a pattern compares exactly what it says")]
    fn holds(self, value: f64, number: f64) -> bool {
        match self {
            Self::Equal => value == number,
            Self::Unequal => value != number,
            Self::Less => value < number,
            Self::LessOrEqual => value <= number,
            Self::Greater => value > number,
            Self::GreaterOrEqual => value >= number,
        }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// `*` stands for any characters, also none. Linear in both: the last star alone is gone back to.
fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p) == Some(&text[t]) {
            (p, t) = (p + 1, t + 1);
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            (p, t) = (at + 1, from + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// Reads `{ … }`.
pub(super) fn parse(text: &str) -> Option<Expression> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let mut reader = Reader { rest: inner, depth: 0 };
    let expression = reader.any()?;
    reader.skip_space();
    reader.rest.is_empty().then_some(expression)
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    fn any(&mut self) -> Option<Expression> {
        let mut any = vec![self.all()?];
        while self.take("||") {
            any.push(self.all()?);
        }
        Some(Expression::Any(any))
    }

    fn all(&mut self) -> Option<Expression> {
        let mut all = vec![self.one()?];
        while self.take("&&") {
            all.push(self.one()?);
        }
        Some(Expression::All(all))
    }

    fn one(&mut self) -> Option<Expression> {
        if !self.take("(") {
            return Some(Expression::Test(self.selector()?, self.test()?));
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let inner = self.any()?;
        self.depth -= 1;
        self.take(")").then_some(inner)
    }

    fn selector(&mut self) -> Option<Selector> {
        if !self.take("$") {
            return None;
        }
        let mut steps = Vec::new();
        loop {
            if let Some(rest) = self.rest.strip_prefix("['").or_else(|| self.rest.strip_prefix(".['")) {
                let (name, rest) = rest.split_once("']")?;
                steps.push(Step::Member(name.to_owned()));
                self.rest = rest;
            } else if let Some(rest) = self.rest.strip_prefix('[') {
                let (index, rest) = rest.split_once(']')?;
                steps.push(Step::Item(index.parse().ok()?));
                self.rest = rest;
            } else if let Some(rest) = self.rest.strip_prefix('.') {
                let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-' || c == '@';
                let end = rest.find(|c| !plain(c)).unwrap_or(rest.len());
                let name = rest[..end].to_owned();
                steps.push(Step::Member((!name.is_empty()).then_some(name)?));
                self.rest = &rest[end..];
            } else {
                return (!steps.is_empty()).then_some(Selector(steps));
            }
        }
    }

    fn test(&mut self) -> Option<Test> {
        if self.take_word("IS") {
            let tests =
                [("NULL", Test::Null), ("TRUE", Test::Boolean(true)), ("FALSE", Test::Boolean(false))];
            return tests.into_iter().find(|(word, _)| self.take_word(word)).map(|(_, test)| test);
        }
        if self.take_word("NOT") {
            return self.take_word("EXISTS").then_some(Test::Absent);
        }
        if self.take_word("EXISTS") {
            return Some(Test::Present);
        }
        let comparison = self.comparison()?;
        self.skip_space();
        if let Some(quoted) = self.rest.strip_prefix('"') {
            let (pattern, rest) = phrase(quoted)?;
            self.rest = rest;
            return text_test(comparison, pattern);
        }
        let end = self
            .rest
            .find(|c: char| c.is_whitespace() || matches!(c, ')' | '&' | '|'))
            .unwrap_or(self.rest.len());
        let word = &self.rest[..end];
        self.rest = &self.rest[end..];
        match word.parse::<f64>() {
            Ok(number) if number.is_finite() => Some(Test::Number(comparison, number)),
            _ if word.is_empty() || word.contains(['%', '"', '(']) => None,
            _ => text_test(comparison, word.to_owned()),
        }
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let all = [
            ("!=", Comparison::Unequal),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("=", Comparison::Equal),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        all.into_iter().find(|(sign, _)| self.take(sign)).map(|(_, comparison)| comparison)
    }

    fn take(&mut self, sign: &str) -> bool {
        self.skip_space();
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.skip_space();
        let found = self.rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
            && !self.rest[word.len()..].starts_with(|c: char| c.is_alphanumeric());
        if found {
            self.rest = &self.rest[word.len()..];
        }
        found
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }
}

fn text_test(comparison: Comparison, pattern: String) -> Option<Test> {
    match comparison {
        Comparison::Equal => Some(Test::Text { equal: true, pattern }),
        Comparison::Unequal => Some(Test::Text { equal: false, pattern }),
        _ => None,
    }
}
