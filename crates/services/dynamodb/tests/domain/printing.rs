//! What is read of an expression, written down and read again, is the same.

use std::collections::BTreeMap;

use homeport_dynamodb::expression::{
    Comparator, Condition, ExpressionKind, Operand, Path, Placeholders, Projection, SetValue, Step, Update,
};
use homeport_dynamodb::number::Number;
use homeport_dynamodb::value::{AttributeValue, SharedValue, ValueType};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;

/// An expression's text, with the placeholders that it came to use.
#[derive(Default)]
struct Printer {
    names: BTreeMap<String, String>,
    values: BTreeMap<String, SharedValue>,
}

impl Printer {
    fn name(&mut self, name: &str) -> String {
        let key = format!("#n{}", self.names.len());
        self.names.insert(key.clone(), name.to_owned());
        key
    }

    fn value(&mut self, value: &AttributeValue) -> String {
        let key = format!(":v{}", self.values.len());
        self.values.insert(key.clone(), value.clone().into());
        key
    }

    fn path(&mut self, path: &Path) -> String {
        let mut text = self.name(&path.head);
        for step in &path.rest {
            match step {
                Step::Index(index) => text += &format!("[{index}]"),
                Step::Key(key) => text += &format!(".{}", self.name(key)),
            }
        }
        text
    }

    fn operand(&mut self, operand: &Operand) -> String {
        match operand {
            Operand::Path(path) => self.path(path),
            Operand::Value(value) => self.value(value),
            Operand::Size(of) => format!("size({})", self.operand(of)),
        }
    }

    fn condition(&mut self, condition: &Condition) -> String {
        match condition {
            Condition::Compare(comparator, a, b) => {
                format!("{} {} {}", self.operand(a), comparator.text(), self.operand(b))
            }
            Condition::Between(a, b, c) => {
                format!("{} BETWEEN {} AND {}", self.operand(a), self.operand(b), self.operand(c))
            }
            Condition::In(a, among) => {
                let a = self.operand(a);
                let among: Vec<String> = among.iter().map(|it| self.operand(it)).collect();
                format!("{a} IN ({})", among.join(", "))
            }
            Condition::Exists(path) => format!("attribute_exists({})", self.path(path)),
            Condition::NotExists(path) => format!("attribute_not_exists({})", self.path(path)),
            Condition::IsType(operand, kind) => {
                let kind = AttributeValue::S(kind.name().to_owned());
                format!("attribute_type({}, {})", self.operand(operand), self.value(&kind))
            }
            Condition::BeginsWith(a, b) => format!("begins_with({}, {})", self.operand(a), self.operand(b)),
            Condition::Contains(a, b) => format!("contains({}, {})", self.operand(a), self.operand(b)),
            Condition::And(a, b) => format!("{} AND {}", self.side(a), self.side(b)),
            Condition::Or(a, b) => format!("{} OR {}", self.side(a), self.side(b)),
            Condition::Not(a) => format!("NOT {}", self.side(a)),
        }
    }

    /// A side of an operator, in parentheses where it is one itself.
    fn side(&mut self, condition: &Condition) -> String {
        let text = self.condition(condition);
        match condition {
            Condition::And(..) | Condition::Or(..) | Condition::Not(_) => format!("({text})"),
            _ => text,
        }
    }

    fn set_value(&mut self, value: &SetValue) -> String {
        match value {
            SetValue::Path(path) => self.path(path),
            SetValue::Value(value) => self.value(value),
            SetValue::Plus(a, b) => format!("{} + {}", self.set_value(a), self.set_value(b)),
            SetValue::Minus(a, b) => format!("{} - {}", self.set_value(a), self.set_value(b)),
            SetValue::IfNotExists(path, or) => {
                format!("if_not_exists({}, {})", self.path(path), self.set_value(or))
            }
            SetValue::ListAppend(a, b) => {
                format!("list_append({}, {})", self.set_value(a), self.set_value(b))
            }
        }
    }

    fn update(&mut self, update: &Update) -> String {
        let mut sections = Vec::new();
        let mut section = |name: &str, parts: Vec<String>| {
            if !parts.is_empty() {
                sections.push(format!("{name} {}", parts.join(", ")));
            }
        };
        let sets = update.sets.iter();
        section(
            "SET",
            sets.map(|(path, value)| format!("{} = {}", self.path(path), self.set_value(value))).collect(),
        );
        section("REMOVE", update.removes.iter().map(|path| self.path(path)).collect());
        let pair = |(path, value): &(Path, SharedValue), printer: &mut Self| {
            format!("{} {}", printer.path(path), printer.value(value))
        };
        section("ADD", update.adds.iter().map(|it| pair(it, self)).collect());
        section("DELETE", update.deletes.iter().map(|it| pair(it, self)).collect());
        sections.join(" ")
    }

    /// Reads the text again with the placeholders that printing it left.
    fn read<T, E>(&self, read: impl FnOnce(&mut Placeholders<'_>) -> Result<T, E>) -> Result<T, E> {
        let values = (!self.values.is_empty()).then_some(&self.values);
        let names = (!self.names.is_empty()).then_some(&self.names);
        let mut placeholders = Placeholders::new(names, values).expect("placeholders");
        read(&mut placeholders)
    }
}

fn path() -> impl Strategy<Value = Path> {
    let name = || select(vec!["a", "b", "size", "a.b", "x[0]", "ä", " "]).prop_map(str::to_owned);
    let step = prop_oneof![(0_usize..3).prop_map(Step::Index), name().prop_map(Step::Key)];
    (name(), vec(step, 0..3)).prop_map(|(head, rest)| Path { head, rest })
}

fn value() -> impl Strategy<Value = AttributeValue> {
    prop_oneof![
        "[a-c]{0,2}".prop_map(AttributeValue::S),
        (0_u64..20).prop_map(|n| AttributeValue::N(Number::from(n))),
        vec(any::<u8>(), 0..2).prop_map(AttributeValue::B),
        any::<bool>().prop_map(AttributeValue::Bool),
        vec((0_u64..3).prop_map(|n| AttributeValue::N(Number::from(n))), 0..2).prop_map(AttributeValue::L),
        ("[a-c]").prop_map(|text| AttributeValue::Ss([text].into())),
    ]
}

fn operand() -> impl Strategy<Value = Operand> {
    prop_oneof![
        path().prop_map(Operand::Path),
        shared().prop_map(Operand::Value),
        path().prop_map(|path| Operand::Size(Box::new(Operand::Path(path)))),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    let comparator = select(vec![
        Comparator::Equal,
        Comparator::NotEqual,
        Comparator::Less,
        Comparator::LessOrEqual,
        Comparator::Greater,
        Comparator::GreaterOrEqual,
    ]);
    let leaf = prop_oneof![
        (comparator, operand(), operand()).prop_map(|(c, a, b)| Condition::Compare(c, a, b)),
        (operand(), operand(), operand()).prop_map(|(a, b, c)| Condition::Between(a, b, c)),
        (operand(), vec(operand(), 1..4)).prop_map(|(a, among)| Condition::In(a, among)),
        path().prop_map(Condition::Exists),
        path().prop_map(Condition::NotExists),
        (operand(), select(vec![ValueType::S, ValueType::Null, ValueType::Bs]))
            .prop_map(|(a, kind)| Condition::IsType(a, kind)),
        (operand(), operand()).prop_map(|(a, b)| Condition::BeginsWith(a, b)),
        (operand(), operand()).prop_map(|(a, b)| Condition::Contains(a, b)),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        let pair = (inner.clone(), inner.clone()).prop_map(|(a, b)| (Box::new(a), Box::new(b)));
        prop_oneof![
            pair.clone().prop_map(|(a, b)| Condition::And(a, b)),
            pair.prop_map(|(a, b)| Condition::Or(a, b)),
            inner.prop_map(|a| Condition::Not(Box::new(a))),
        ]
    })
}

fn shared() -> impl Strategy<Value = SharedValue> {
    value().prop_map(SharedValue::new)
}

fn set_value() -> impl Strategy<Value = SetValue> {
    let leaf = prop_oneof![path().prop_map(SetValue::Path), shared().prop_map(SetValue::Value)];
    let inner = leaf.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            (path(), inner.clone()).prop_map(|(path, or)| SetValue::IfNotExists(path, Box::new(or))),
            (inner.clone(), inner).prop_map(|(a, b)| SetValue::ListAppend(Box::new(a), Box::new(b))),
        ]
    });
    (inner.clone(), inner, 0..4_u8).prop_map(|(a, b, kind)| match kind {
        0 => SetValue::Plus(Box::new(a), Box::new(b)),
        1 => SetValue::Minus(Box::new(a), Box::new(b)),
        _ => a,
    })
}

fn update() -> impl Strategy<Value = Update> {
    (
        vec((path(), set_value()), 0..3),
        vec(path(), 0..3),
        vec((path(), shared()), 0..2),
        vec((path(), shared()), 0..2),
    )
        .prop_map(|(sets, removes, adds, deletes)| Update { sets, removes, adds, deletes })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn a_condition_that_is_taken_reads_as_it_was_meant(condition in condition()) {
        let mut printer = Printer::default();
        let text = printer.condition(&condition);
        if let Ok(read) = printer.read(|given| Condition::parse(ExpressionKind::Condition, &text, given)) {
            prop_assert_eq!(read, condition);
        }
    }

    #[test]
    fn an_update_that_is_taken_reads_as_it_was_meant(update in update()) {
        let mut printer = Printer::default();
        let text = printer.update(&update);
        if let Ok(read) = printer.read(|given| Update::parse(&text, given)) {
            prop_assert_eq!(read, update);
        }
    }

    #[test]
    fn a_projection_that_is_taken_reads_as_it_was_meant(paths in vec(path(), 1..4)) {
        let mut printer = Printer::default();
        let text = paths.iter().map(|path| printer.path(path)).collect::<Vec<_>>().join(", ");
        if let Ok(read) = printer.read(|given| Projection::parse(&text, given)) {
            prop_assert_eq!(read.paths(), &paths[..]);
        }
    }
}

/// Most of what is made up must be taken, or the properties would say nothing.
#[test]
fn most_made_up_expressions_are_taken() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut taken = [0; 2];
    for _ in 0..500 {
        let made = condition().new_tree(&mut runner).unwrap().current();
        let mut printer = Printer::default();
        let text = printer.condition(&made);
        let read = printer.read(|given| Condition::parse(ExpressionKind::Condition, &text, given));
        taken[0] += usize::from(read.is_ok());
        let made = update().new_tree(&mut runner).unwrap().current();
        let mut printer = Printer::default();
        let text = printer.update(&made);
        taken[1] += usize::from(printer.read(|given| Update::parse(&text, given)).is_ok());
    }
    assert!(taken.iter().all(|taken| *taken > 60), "{taken:?}");
}
