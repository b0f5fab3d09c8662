//! What is encoded into a body by one side is decoded to the same value by the other.

use homeport_wire::Protocol;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::requests::{Request, find};

fn attribute_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<String>().prop_map(|s| json!({"S": s})),
        any::<i64>().prop_map(|n| json!({"N": n.to_string()})),
        any::<bool>().prop_map(|b| json!({"BOOL": b})),
        Just(json!({"NULL": true})),
        Just(json!({"B": "AAEC"})),
        proptest::collection::vec("[a-z]{1,4}", 1..3).prop_map(|s| json!({"SS": s})),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| json!({"L": items})),
            proptest::collection::btree_map(any::<String>(), inner, 0..4).prop_map(|map| json!({"M": map})),
        ]
    })
}

/// Text that XML can hold as it is.
fn xml_text() -> impl Strategy<Value = String> {
    "[\\t\\n\\r -\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]{0,24}"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn json_values_come_back(item in proptest::collection::btree_map("[a-z]{1,8}", attribute_value(), 1..5)) {
        let value = json!({"TableName": "notes", "Item": item});
        let request = Request::new("POST", "/", &[], &value.to_string());
        prop_assert_eq!(request.decode("dynamodb", "PutItem").unwrap(), value);
    }

    #[test]
    fn forms_come_back(keys in proptest::collection::vec((any::<String>(), any::<String>()), 0..12)) {
        let encode = |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let mut body = "Action=TagRole&RoleName=r".to_owned();
        for (at, (key, value)) in keys.iter().enumerate() {
            body += &format!("&Tags.member.{0}.Key={1}&Tags.member.{0}.Value={2}", at + 1, encode(key), encode(value));
        }
        let request = Request::new("POST", "/", &[], &body);
        let (_, operation) = find("iam", "TagRole");
        let read = homeport_wire::parse(operation, Protocol::Query, &request.head(), &request.body).unwrap();
        let tags: Vec<Value> = keys.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
        let read_tags = read.get("Tags").cloned().unwrap_or(json!([]));
        prop_assert_eq!(read_tags, Value::Array(tags));
    }

    #[test]
    fn xml_comes_back(rules in proptest::collection::vec((xml_text(), 0_i32..99_999), 1..5)) {
        // An answer of GetBucketCors is a request of PutBucketCors.
        let rule = |(text, age): &(String, i32)| json!({"ID": text, "AllowedMethods": ["GET", text], "AllowedOrigins": ["*"], "MaxAgeSeconds": age});
        let rules: Vec<Value> = rules.iter().map(rule).collect();
        let (service, operation) = find("s3", "GetBucketCors");
        let answer = homeport_wire::encode(operation, service.protocol, &json!({"CORSRules": rules}), "r");
        let request = Request::new("PUT", "/b?cors", &[], &String::from_utf8(answer.body).unwrap());
        let read = request.decode("s3", "PutBucketCors").unwrap();
        prop_assert_eq!(&read["CORSConfiguration"]["CORSRules"], &Value::Array(rules));
    }

    #[test]
    fn labels_come_back(name in "[^\\x00]{1,40}") {
        let encoded = percent_encoding::utf8_percent_encode(&name, percent_encoding::NON_ALPHANUMERIC).to_string();
        let request = Request::new("PUT", &format!("/bucket/{encoded}"), &[], "");
        prop_assert_eq!(&request.decode("s3", "PutObject").unwrap()["Key"], &Value::from(name));
    }
}
