//! Queries against a model: a sorted list and the predicate itself.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use homeport_dynamodb::number::Number;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::app::{app, done, put, range_table, sorts};

#[derive(Clone, Copy, Debug)]
enum Predicate {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Between,
    BeginsWith,
}

impl Predicate {
    fn text(self) -> &'static str {
        match self {
            Self::Equal => "r = :x",
            Self::Less => "r < :x",
            Self::LessOrEqual => "r <= :x",
            Self::Greater => "r > :x",
            Self::GreaterOrEqual => "r >= :x",
            Self::Between => "r BETWEEN :x AND :y",
            Self::BeginsWith => "begins_with(r, :x)",
        }
    }

    fn holds<T: Ord>(self, sort: &T, x: &T, y: &T, begins: impl Fn(&T, &T) -> bool) -> bool {
        match self {
            Self::Equal => sort == x,
            Self::Less => sort < x,
            Self::LessOrEqual => sort <= x,
            Self::Greater => sort > x,
            Self::GreaterOrEqual => sort >= x,
            Self::Between => sort >= x && sort <= y,
            Self::BeginsWith => begins(sort, x),
        }
    }
}

fn predicate() -> impl Strategy<Value = Predicate> {
    prop_oneof![6 => comparison(), 1 => Just(Predicate::BeginsWith)]
}

/// What numbers can be asked too.
fn comparison() -> impl Strategy<Value = Predicate> {
    prop::sample::select(vec![
        Predicate::Equal,
        Predicate::Less,
        Predicate::LessOrEqual,
        Predicate::Greater,
        Predicate::GreaterOrEqual,
        Predicate::Between,
    ])
}

/// How a sort key of a type is written, and what its order is.
trait Sort: Ord + Clone + std::fmt::Debug {
    const KIND: &'static str;
    fn wire(&self) -> String;
    fn begins(&self, prefix: &Self) -> bool;
}

impl Sort for Vec<u8> {
    const KIND: &'static str = "B";

    fn wire(&self) -> String {
        STANDARD.encode(self)
    }

    fn begins(&self, prefix: &Self) -> bool {
        self.starts_with(prefix)
    }
}

impl Sort for Number {
    const KIND: &'static str = "N";

    fn wire(&self) -> String {
        self.to_string()
    }

    fn begins(&self, _: &Self) -> bool {
        false
    }
}

/// Whether every page, in both directions, makes up what the predicate leaves of the sorted keys.
fn agrees<T: Sort>(keys: &BTreeSet<T>, predicate: Predicate, x: &T, y: &T, limit: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let app = app();
        let admin = app.admin();
        done(&admin, "CreateTable", range_table("notes", T::KIND)).await;
        for key in keys {
            for partition in ["a", "b"] {
                put(&admin, "notes", json!({"p": {"S": partition}, "r": {T::KIND: key.wire()}})).await;
            }
        }
        for forward in [true, false] {
            let mut expected: Vec<String> =
                keys.iter().filter(|key| predicate.holds(*key, x, y, T::begins)).map(Sort::wire).collect();
            if !forward {
                expected.reverse();
            }
            let (mut seen, mut start) = (Vec::new(), Value::Null);
            loop {
                let mut values = json!({":p": {"S": "a"}, ":x": {T::KIND: x.wire()}});
                if matches!(predicate, Predicate::Between) {
                    values[":y"] = json!({T::KIND: y.wire()});
                }
                let mut query = json!({
                    "TableName": "notes", "KeyConditionExpression": format!("p = :p AND {}", predicate.text()),
                    "ExpressionAttributeValues": values, "Limit": limit, "ScanIndexForward": forward,
                });
                if !start.is_null() {
                    query["ExclusiveStartKey"] = start;
                }
                let page = done(&admin, "Query", query).await;
                seen.extend(sorts(&page));
                start = page["LastEvaluatedKey"].clone();
                if start.is_null() {
                    break;
                }
            }
            assert_eq!(seen, expected, "{predicate:?} {x:?} {y:?}");
        }
    });
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(prop::sample::select(vec![0_u8, 1, 2, 0x61, 0xff]), 1..4)
}

fn numbers() -> impl Strategy<Value = Number> {
    (any::<bool>(), 0_u128..12, -1_i32..2).prop_filter_map("a number", |(negative, mantissa, exponent)| {
        Number::from_parts(negative, mantissa, exponent).ok()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn a_query_of_binary_keys_gives_what_the_predicate_leaves(
        keys in btree_set(bytes(), 0..10), predicate in predicate(), x in bytes(), y in bytes(), limit in 1_usize..6,
    ) {
        let (x, y) = if x <= y { (x, y) } else { (y, x) };
        agrees(&keys, predicate, &x, &y, limit);
    }

    #[test]
    fn a_query_of_numeric_keys_gives_what_the_predicate_leaves(
        keys in btree_set(numbers(), 0..10), predicate in comparison(), x in numbers(), y in numbers(), limit in 1_usize..6,
    ) {
        let (x, y) = if x <= y { (x, y) } else { (y, x) };
        agrees(&keys, predicate, &x, &y, limit);
    }
}
