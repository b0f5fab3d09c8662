//! What updates are charged as requests: of each, AWS was seen to take so many bytes of `:pad`, and not one more.

use homeport_dynamodb::expression::{Placeholders, Update};
use homeport_dynamodb::value::{Checked, Item, MAX_ITEM_SIZE};
use serde_json::{Value, json};

fn charge(text: &str, mut values: Value, padding: usize) -> usize {
    values[":pad"] = json!({"S": "x".repeat(padding)});
    let values = serde_json::from_value::<Checked<Item>>(values).unwrap().0.unwrap();
    let values = values.into_iter().map(|(key, value)| (key, value.into())).collect();
    let names = [("#e".to_owned(), "€€".to_owned())].into();
    let mut placeholders = Placeholders::new(Some(&names), Some(&values)).unwrap();
    Update::parse(text, &mut placeholders).unwrap().charge()
}

#[test]
fn an_update_is_charged_for_its_paths_its_values_and_its_operators() {
    let one = || json!({":one": {"N": "1"}});
    let ten = || json!({":v": {"S": "y".repeat(10)}});
    let list = || json!({":new": {"L": [{"S": "y".repeat(10)}]}, ":e": {"L": []}});
    let set = || json!({":rm": {"SS": ["z".repeat(20)]}});
    for (text, values, padding) in [
        ("SET b = :pad", json!({}), 409_577),
        ("SET b = :pad, n = n + :one", one(), 409_505),
        ("SET b = :pad, n = (n + :one)", one(), 409_505),
        ("SET b = :pad, n = n - :one", one(), 409_502),
        ("SET b = :pad, n = n + n", json!({}), 409_491),
        ("SET b = :pad, c = if_not_exists(c, :v)", ten(), 409_492),
        ("SET b = :pad, c = big", json!({}), 409_539),
        ("SET b = :pad, c = m.a.z", json!({}), 409_511),
        ("SET b = :pad, c = l[10]", json!({}), 409_525),
        ("SET b = :pad, l[10] = :v", ten(), 409_541),
        ("SET b = :pad, m.a.x = :v", ten(), 409_537),
        ("SET b = :pad, #e = :v", ten(), 409_542),
        ("SET b = :pad REMOVE m.a.y", json!({}), 409_565),
        ("SET b = :pad REMOVE l[10]", json!({}), 409_569),
        ("SET b = :pad DELETE m.ss :rm", set(), 409_569),
        ("SET b = :pad ADD m.n :one", one(), 409_550),
        ("SET b = :pad, l = list_append(l, :new)", list(), 409_490),
        ("SET b = :pad, l = list_append(if_not_exists(l, :e), :new)", list(), 409_448),
    ] {
        assert_eq!(charge(text, values, padding), MAX_ITEM_SIZE, "{text}");
    }
}
