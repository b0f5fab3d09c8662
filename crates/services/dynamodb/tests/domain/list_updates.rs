//! Updates of lists: every index means the list as it was.

use std::collections::BTreeMap;

use homeport_dynamodb::expression::{Placeholders, Update};
use homeport_dynamodb::value::{AttributeValue, Checked, Item};
use proptest::prelude::*;
use serde_json::{Value, json};

fn item(json: Value) -> Item {
    serde_json::from_value::<Checked<Item>>(json).unwrap().0.unwrap()
}

fn updated(text: &str, of: &Item, values: &BTreeMap<String, AttributeValue>) -> Result<Item, String> {
    let values = values.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect();
    let mut placeholders = Placeholders::new(None, Some(&values)).unwrap();
    let update = Update::parse(text, &mut placeholders).map_err(|error| error.to_string())?;
    update.apply(of).map_err(|error| error.to_string())
}

fn constants() -> Item {
    item(
        json!({":5": {"N": "5"}, ":7": {"N": "7"}, ":a": {"SS": ["a"]}, ":b": {"SS": ["b"]}, ":m": {"M": {}}}),
    )
}

/// Recorded from AWS.
#[test]
fn indexes_of_all_clauses_mean_the_item_as_it_was() {
    let before = item(json!({
        "l": {"L": [{"N": "1"}, {"N": "2"}, {"N": "3"}]},
        "ls": {"L": [{"SS": ["a"]}, {"S": "x"}, {"S": "y"}]},
        "ls2": {"L": [{"SS": ["a"]}, {"SS": ["b"]}]},
        "lss": {"L": [{"SS": ["a"]}, {"SS": ["b", "c"]}, {"S": "z"}]},
    }));
    for (text, attribute, after) in [
        (
            "SET l[10] = :7 ADD l[3] :5",
            "l",
            json!([{"N": "1"}, {"N": "2"}, {"N": "3"}, {"N": "5"}, {"N": "7"}]),
        ),
        ("SET l[10] = :7 REMOVE l[3]", "l", json!([{"N": "1"}, {"N": "2"}, {"N": "3"}, {"N": "7"}])),
        ("SET l[10] = :7 REMOVE l[0]", "l", json!([{"N": "2"}, {"N": "3"}, {"N": "7"}])),
        ("SET l[1] = :7 REMOVE l[0] ADD l[2] :5", "l", json!([{"N": "7"}, {"N": "8"}])),
        ("DELETE ls[0] :a REMOVE ls[1]", "ls", json!([{"S": "y"}])),
        ("REMOVE ls[1] DELETE ls[0] :a", "ls", json!([{"S": "y"}])),
        ("DELETE lss[0] :a, lss[1] :b", "lss", json!([{"SS": ["c"]}, {"S": "z"}])),
        ("DELETE ls2[0] :a, ls2[1] :b", "ls2", json!([])),
    ] {
        let mut expected = before.clone();
        expected.extend(item(json!({attribute: {"L": after}})));
        assert_eq!(updated(text, &before, &constants()), Ok(expected), "{text}");
    }
}

#[test]
fn a_path_leads_into_nothing_that_the_same_update_puts_there() {
    let before = item(json!({"l": {"L": []}}));
    assert_eq!(
        updated("SET l[9] = :m, l[0].x = :7", &before, &constants()),
        Err("The document path provided in the update expression is invalid for update".to_owned())
    );
}

#[test]
fn a_wrong_operand_is_told_before_a_wrong_path() {
    let before = item(json!({"s": {"S": "x"}}));
    assert_eq!(
        updated("SET zz.y = :7 ADD s :7", &before, &constants()),
        Err("An operand in the update expression has an incorrect data type".to_owned())
    );
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Clause {
    Keep,
    Set,
    Remove,
    Add,
    Delete,
}

fn clause() -> impl Strategy<Value = Clause> {
    prop::sample::select(vec![Clause::Keep, Clause::Set, Clause::Remove, Clause::Add, Clause::Delete])
}

/// What a clause does to one place of a list of the sets `{a}` and `{a, b}`: what is there then, if anything.
fn meant(clause: Clause, before: Option<&AttributeValue>) -> Option<AttributeValue> {
    let set = |members: &[&str]| AttributeValue::Ss(members.iter().map(|it| (*it).to_owned()).collect());
    let both = before.is_some_and(|before| *before == set(&["a", "b"]));
    match clause {
        Clause::Keep => before.cloned(),
        Clause::Set => Some(set(&["set"])),
        Clause::Remove => None,
        Clause::Add if both => Some(set(&["a", "add", "b"])),
        Clause::Add if before.is_some() => Some(set(&["a", "add"])),
        Clause::Add => Some(set(&["add"])),
        Clause::Delete => both.then(|| set(&["b"])),
    }
}

fn section(keyword: &str, clauses: &[(usize, Clause)], wanted: Clause, value: &str) -> Option<String> {
    let actions: Vec<String> = clauses
        .iter()
        .filter(|(_, clause)| *clause == wanted)
        .map(|(index, _)| format!("l[{index}]{value}"))
        .collect();
    (!actions.is_empty()).then(|| format!("{keyword} {}", actions.join(", ")))
}

proptest! {
    #[test]
    fn a_list_is_what_each_clause_makes_of_its_own_place(
        sets in prop::collection::vec(any::<bool>(), 0..5), clauses in prop::collection::vec(clause(), 8),
        order in Just(vec![0, 1, 2, 3]).prop_shuffle(),
    ) {
        let of = |both: &bool| json!({"SS": if *both { vec!["a", "b"] } else { vec!["a"] }});
        let before = item(json!({"l": {"L": sets.iter().map(of).collect::<Vec<_>>()}}));
        let AttributeValue::L(list) = &before["l"] else { panic!("not a list") };
        let clauses: Vec<(usize, Clause)> = clauses.into_iter().enumerate().collect();
        let sections = [
            section("SET", &clauses, Clause::Set, " = :set"),
            section("REMOVE", &clauses, Clause::Remove, ""),
            section("ADD", &clauses, Clause::Add, " :add"),
            section("DELETE", &clauses, Clause::Delete, " :delete"),
        ];
        let text: Vec<String> = order.into_iter().filter_map(|at| sections[at].clone()).collect();
        prop_assume!(!text.is_empty());
        let values = item(json!({":set": {"SS": ["set"]}, ":add": {"SS": ["add"]}, ":delete": {"SS": ["a"]}}));
        let after: Vec<AttributeValue> =
            clauses.iter().filter_map(|(index, clause)| meant(*clause, list.get(*index))).collect();
        prop_assert_eq!(
            updated(&text.join(" "), &before, &values),
            Ok(Item::from([("l".to_owned(), AttributeValue::L(after))])),
            "{:?}", text
        );
    }
}
