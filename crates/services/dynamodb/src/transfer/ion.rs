//! Items in Amazon Ion's text form, as DynamoDB maps them: numbers as decimals, sets as lists with an annotation.

mod read;
mod write;

pub(super) use read::{IonError, read_line};
pub(super) use write::write_item;

/// The annotations that tell sets from lists.
const STRINGS: &str = "$dynamodb_SS";
const NUMBERS: &str = "$dynamodb_NS";
const BINARIES: &str = "$dynamodb_BS";
/// What each line begins with.
const VERSION_MARKER: &str = "$ion_1_0";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::number::Number;
    use crate::value::{AttributeValue, Item};

    fn scalar() -> impl Strategy<Value = AttributeValue> {
        prop_oneof![
            any::<String>().prop_map(AttributeValue::S),
            "[\\x00-\\x7f]{0,8}".prop_map(AttributeValue::S),
            number().prop_map(AttributeValue::N),
            any::<Vec<u8>>().prop_map(AttributeValue::B),
            any::<bool>().prop_map(AttributeValue::Bool),
            Just(AttributeValue::Null),
            prop::collection::btree_set(any::<String>(), 1..3).prop_map(AttributeValue::Ss),
            prop::collection::btree_set(number(), 1..3).prop_map(AttributeValue::Ns),
            prop::collection::btree_set(any::<Vec<u8>>(), 1..3).prop_map(AttributeValue::Bs),
        ]
    }

    fn number() -> impl Strategy<Value = Number> {
        (any::<bool>(), any::<u64>(), -60_i32..60).prop_map(|(negative, mantissa, exponent)| {
            Number::from_parts(negative, mantissa.into(), exponent).unwrap()
        })
    }

    fn value() -> impl Strategy<Value = AttributeValue> {
        scalar().prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(AttributeValue::L),
                prop::collection::btree_map("[a-z$'\\\\ ]{1,4}|null|true", inner, 0..3)
                    .prop_map(AttributeValue::M),
            ]
        })
    }

    fn line(item: &Item) -> String {
        let mut out = b"$ion_1_0 {Item:".to_vec();
        write_item(item, &mut out);
        out.push(b'}');
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(item in prop::collection::btree_map("\\PC{1,5}", value(), 0..4)) {
            let written = line(&item);
            prop_assert!(!written.contains('\n'), "{written:?}");
            prop_assert_eq!(read_line(&written).unwrap(), Some(item));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[${}:\\[\\]'\",\\\\dxu0-9a-f. ]{0,40}") {
            let _ = read_line(&text);
        }
    }

    #[test]
    fn it_is_written_as_dynamodb_does() {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let number = |text: &str| AttributeValue::N(Number::parse(text).unwrap());
        let item = Item::from([
            ("Authors".to_owned(), AttributeValue::Ss(["Author1".to_owned(), "Author2".to_owned()].into())),
            ("Id".to_owned(), number("103")),
            ("InPublication".to_owned(), AttributeValue::Bool(false)),
            ("PageCount".to_owned(), number("600")),
            ("Title".to_owned(), text("Book \"103\"\n")),
        ]);
        assert_eq!(
            line(&item),
            r#"$ion_1_0 {Item:{Authors:$dynamodb_SS::["Author1","Author2"],Id:103.,InPublication:false,PageCount:6d2,Title:"Book \"103\"\n"}}"#
        );
    }

    #[test]
    fn what_is_no_item_is_told() {
        for (line, expected) in [
            ("$ion_1_0 {Items:{}}", IonError::NoItem),
            ("$ion_1_0 {Item:[]}", IonError::NoItem),
            ("$ion_1_0 {Item:{a:1e2}}", IonError::Syntax),
            ("$ion_1_0 {Item:{a:2026-01-01}}", IonError::Syntax),
            ("$ion_1_0 {Item:{a:symbol}}", IonError::Syntax),
            ("$ion_1_0 {Item:{a:$dynamodb_NS::[\"1\"]}}", IonError::Syntax),
            ("{\"Item\": ", IonError::Syntax),
            ("$ion_1_0 {Item:{}} {}", IonError::Syntax),
        ] {
            assert_eq!(read_line(line), Err(expected), "{line}");
        }
        let deep = format!("$ion_1_0 {{Item:{{a:{}{}}}}}", "[".repeat(1_000), "]".repeat(1_000));
        assert!(matches!(read_line(&deep), Err(IonError::Value(_))));
        assert_eq!(read_line("$ion_1_0"), Ok(None));
        assert!(read_line(r#"{'Item':{p:"x",c:null.string,n:-0x0}}"#).is_err());
        assert!(read_line(r#"$ion_1_0 { "Item" : { p : '''a''' 'b' } }"#).is_err());
    }
}
