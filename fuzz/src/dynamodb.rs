//! DynamoDB: whatever text comes as an expression and whatever bytes as an item, there is an answer and no panic; and
//! what was taken can be used.

use std::collections::BTreeMap;

use homeport_dynamodb::expression::{
    Condition, ExpressionKind, Placeholders, Projection, Update, key_conditions,
};
use homeport_dynamodb::partiql::parse;
use homeport_dynamodb::value::{
    AttributeValue, Checked, Item, SharedValue, StoredItem, decode_stored, encode_stored, item_size,
    write_item,
};

/// An item that every taken expression is used on.
const SUBJECT: &str = r#"{
    "a": {"S": "text"}, "b": {"N": "12.5"}, "l": {"L": [{"N": "1"}, {"M": {"m": {"SS": ["x", "y"]}}}]},
    "s": {"NS": ["1", "2"]}, "x": {"B": "AAEC"}, "t": {"BOOL": true}, "n": {"NULL": true}
}"#;
/// The values that expressions may name.
const VALUES: &str = r#"{
    ":s": {"S": "te"}, ":n": {"N": "3"}, ":l": {"L": [{"S": "z"}]}, ":set": {"NS": ["2", "7"]},
    ":m": {"M": {"k": {"N": "1"}}}, ":b": {"B": "AA=="}, ":t": {"BOOL": false}
}"#;

fn item(json: &str) -> Item {
    match serde_json::from_str::<Checked<Item>>(json) {
        Ok(Checked(Ok(item))) => item,
        _ => Item::new(),
    }
}

/// Reads the text as each kind of expression, and uses what is read.
pub fn expressions(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let subject = item(SUBJECT);
    let values: BTreeMap<String, SharedValue> =
        item(VALUES).into_iter().map(|(key, value)| (key, value.into())).collect();
    let names: BTreeMap<String, String> =
        [("#a", "a"), ("#l", "l"), ("#s", "s")].map(|(key, name)| (key.to_owned(), name.to_owned())).into();
    let given = || Placeholders::new(Some(&names), Some(&values)).ok();
    for kind in [ExpressionKind::Condition, ExpressionKind::Filter, ExpressionKind::KeyCondition] {
        let read = given().map(|mut given| Condition::parse(kind, text, &mut given));
        if let Some(Ok(condition)) = read {
            let _ = (condition.holds(&subject), condition.holds(&Item::new()), condition.paths().len());
            let _ = key_conditions(condition);
        }
    }
    if let Some(Ok(projection)) = given().map(|mut given| Projection::parse(text, &mut given)) {
        assert!(item_size(&projection.apply(&subject)) <= item_size(&subject));
    }
    if let Some(Ok(update)) = given().map(|mut given| Update::parse(text, &mut given)) {
        for before in [&subject, &Item::new()] {
            if let Ok(after) = update.apply(before) {
                let _ = update.touched(&after);
                assert_eq!(decode_stored(&encode_stored(&after)).as_ref(), Ok(&after));
            }
        }
    }
}

/// Reads the bytes as an item's JSON and as a stored item; what is read is written and read again.
pub fn items(data: &[u8]) {
    if let Ok(Checked(Ok(item))) = serde_json::from_slice::<Checked<Item>>(data) {
        let mut json = Vec::new();
        write_item(&item, &mut json);
        match serde_json::from_slice::<Checked<Item>>(&json) {
            Ok(Checked(Ok(again))) => assert_eq!(again, item),
            _ => panic!("an item that was written is none"),
        }
        let stored = encode_stored(&item);
        assert_eq!(decode_stored(&stored).as_ref(), Ok(&item));
        let mut straight = Vec::new();
        let opened = StoredItem::open(&stored).expect("a stored item opens");
        assert_eq!(opened.size(), item_size(&item));
        assert!(opened.holds(&item.iter().collect()));
        for (name, value) in &item {
            assert_eq!(opened.value(name), Ok(Some(value.clone())));
        }
        opened.write_json(&mut straight).expect("a stored item is written");
        assert_eq!(straight, json);
    }
    if let Ok(item) = decode_stored(data) {
        assert_eq!(decode_stored(&encode_stored(&item)).as_ref(), Ok(&item));
    }
    if let Ok(opened) = StoredItem::open(data) {
        let _ = opened.write_json(&mut Vec::new());
        let null = ("a".to_owned(), AttributeValue::Null);
        let _ = (opened.holds(&[(&null.0, &null.1)].into_iter().collect()), opened.value("a"));
    }
}

/// Reads the text as a PartiQL statement; what is read is printed and read again, unless the parentheses that printing
/// adds nest too deep.
pub fn statements(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(read) = parse(text) else { return };
    let printed = read.statement.to_string();
    match parse(&printed) {
        Ok(again) => assert_eq!(again.statement, read.statement, "{printed}"),
        Err(error) if error.to_string().starts_with("Nesting Levels") => {}
        Err(error) => panic!("what was printed is not read: {printed}: {error}"),
    }
}
