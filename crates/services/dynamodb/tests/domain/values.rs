use std::collections::BTreeSet;

use homeport_dynamodb::number::Number;
use homeport_dynamodb::value::{
    AttributeValue, Checked, Item, StoredItem, decode_stored, encode_stored, item_size, write_item,
};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

pub(super) fn number() -> impl Strategy<Value = Number> {
    (any::<bool>(), 0_u128..10_u128.pow(38), -100_i32..80)
        .prop_map(|(negative, mantissa, exponent)| Number::from_parts(negative, mantissa, exponent).unwrap())
}

fn value() -> impl Strategy<Value = AttributeValue> {
    let leaf = prop_oneof![
        ".{0,12}".prop_map(AttributeValue::S),
        number().prop_map(AttributeValue::N),
        vec(any::<u8>(), 0..20).prop_map(AttributeValue::B),
        btree_set(".{0,5}", 1..4).prop_map(AttributeValue::Ss),
        btree_set(number(), 1..4).prop_map(AttributeValue::Ns),
        btree_set(vec(any::<u8>(), 0..5), 1..4).prop_map(AttributeValue::Bs),
        any::<bool>().prop_map(AttributeValue::Bool),
        Just(AttributeValue::Null),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(AttributeValue::L),
            btree_map(".{0,6}", inner, 0..5).prop_map(AttributeValue::M),
        ]
    })
}

fn item() -> impl Strategy<Value = Item> {
    btree_map("[a-z]{1,6}", value(), 0..6)
}

fn json(item: &Item) -> Vec<u8> {
    let mut out = Vec::new();
    write_item(item, &mut out);
    out
}

proptest! {
    #[test]
    fn an_item_comes_back_from_the_wire_and_from_the_store(item in item()) {
        let wire = json(&item);
        let read: Checked<Item> = serde_json::from_slice(&wire).unwrap();
        prop_assert_eq!(read.0.as_ref(), Ok(&item));
        let stored = encode_stored(&item);
        prop_assert_eq!(decode_stored(&stored), Ok(item.clone()));
        let opened = StoredItem::open(&stored).unwrap();
        prop_assert_eq!(opened.size(), item_size(&item));
        let mut straight = Vec::new();
        opened.write_json(&mut straight).unwrap();
        prop_assert_eq!(straight, wire);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = decode_stored(&bytes);
        let _ = StoredItem::open(&bytes).map(|stored| stored.write_json(&mut Vec::new()));
        let _ = serde_json::from_slice::<Checked<Item>>(&bytes);
    }
}

#[test]
fn an_items_size_is_counted_as_the_developer_guide_says() {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let item: Item = [
        ("id".to_owned(), text("abc")),
        ("flag".to_owned(), AttributeValue::Bool(true)),
        ("tags".to_owned(), AttributeValue::Ss(BTreeSet::from(["a".to_owned(), "bc".to_owned()]))),
        ("list".to_owned(), AttributeValue::L(vec![text("x"), AttributeValue::Null])),
        ("map".to_owned(), AttributeValue::M([("k".to_owned(), text("ä"))].into())),
    ]
    .into();
    let expected = (2 + 3) + (4 + 1) + (4 + 3) + (4 + 3 + (1 + 1) + (1 + 1)) + (3 + 3 + (1 + 1 + 2));
    assert_eq!(item_size(&item), expected);
}
