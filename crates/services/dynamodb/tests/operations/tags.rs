use homeport_testkit::TestCaller;
use serde_json::{Value, json};

use super::app::{app, done, hash_table, refusal};

const NOTES: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/notes";
const TOO_MANY: &str = "Number of Tags exceed the current limit for the provided ResourceArn";

fn tag(key: &str, value: &str) -> Value {
    json!({"Key": key, "Value": value})
}

fn numbered(numbers: std::ops::Range<usize>) -> Value {
    numbers.map(|number| tag(&format!("tag-{number}"), "")).collect()
}

fn tagging(arn: &str, tags: Value) -> Value {
    json!({"ResourceArn": arn, "Tags": tags})
}

async fn tags_of(caller: &TestCaller) -> Vec<Value> {
    let listed = done(caller, "ListTagsOfResource", json!({"ResourceArn": NOTES})).await;
    listed["Tags"].as_array().cloned().unwrap()
}

fn invalid(said: &str) -> (String, String) {
    ("ValidationException".to_owned(), said.to_owned())
}

#[tokio::test]
async fn tags_that_cannot_be_are_refused_of_tables_old_and_new() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    for (tags, said) in [
        (json!([tag("a!", "b")]), "The Tag Key provided is invalid, Key: a!"),
        (json!([tag("a\tb", "b")]), "The Tag Key provided is invalid, Key: a\tb"),
        (json!([tag("a", "<b>")]), "The Tag Value provided is invalid, Value: <b>"),
        (json!([tag("aws:x", "b")]), "Tag Key cannot be prefixed with aws:, Key: aws:x"),
        (
            json!([tag("a", "b"), tag("a", "c")]),
            "Duplicate Tag Keys provided as input: Duplicate Tag Key found a",
        ),
        (numbered(0..51), TOO_MANY),
    ] {
        assert_eq!(refusal(&admin, "TagResource", tagging(NOTES, tags.clone())).await, invalid(said));
        let mut table = hash_table("others");
        table["Tags"] = tags;
        assert_eq!(refusal(&admin, "CreateTable", table).await, invalid(said));
    }
    assert_eq!(tags_of(&admin).await, Vec::<Value>::new());
    assert_eq!(done(&admin, "ListTables", json!({})).await, json!({"TableNames": ["notes"]}));
}

#[tokio::test]
async fn tags_are_written_in_every_language_and_with_some_signs() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    for (key, value) in [("Größe 1", "日本 語"), ("_.:/=+-@", "_.:/=+-@"), ("my:aws:x", ""), ("Цена", "१२")]
    {
        done(&admin, "TagResource", tagging(NOTES, json!([tag(key, value)]))).await;
        assert!(tags_of(&admin).await.contains(&tag(key, value)), "{key}");
    }
}

#[tokio::test]
async fn a_table_has_fifty_tags_at_most() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    done(&admin, "TagResource", tagging(NOTES, numbered(0..50))).await;
    let one_more = tagging(NOTES, numbered(50..51));
    assert_eq!(refusal(&admin, "TagResource", one_more.clone()).await, invalid(TOO_MANY));
    // What is there already is only changed.
    done(&admin, "TagResource", tagging(NOTES, numbered(49..50))).await;
    let keys = |count: usize| -> Value { (0..count).map(|number| json!(format!("tag-{number}"))).collect() };
    let untag = |count| json!({"ResourceArn": NOTES, "TagKeys": keys(count)});
    assert_eq!(refusal(&admin, "UntagResource", untag(51)).await, invalid(TOO_MANY));
    assert_eq!(tags_of(&admin).await.len(), 50);
    done(&admin, "UntagResource", untag(50)).await;
    done(&admin, "TagResource", one_more).await;
    assert_eq!(tags_of(&admin).await.len(), 1);
}

#[tokio::test]
async fn only_a_table_or_stream_of_the_region_has_tags() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let wrong =
        |said: &str, arn: &str| invalid(&format!("One or more parameter values were invalid: {said} {arn}"));
    let index = format!("{NOTES}/index/by-g");
    let elsewhere = NOTES.replace("us-east-1", "us-west-2");
    let other_service = "arn:aws:sqs:us-east-1:123456789012:notes";
    let absent = NOTES.replace("notes", "absent");
    for (arn, refused) in [
        ("foo", wrong("ARNs must start with 'arn:':", "foo")),
        (other_service, wrong("Provided Arn is not a DynamoDB resource arn:", other_service)),
        (
            &index,
            wrong(
                "Invalid resource arn provided, only table or stream is accepted. Provided resource arn:",
                &index,
            ),
        ),
        (
            &elsewhere,
            invalid(&format!("Invalid TableArn: Invalid ResourceArn provided as input {elsewhere}")),
        ),
        (
            &absent,
            (
                "ResourceNotFoundException".to_owned(),
                format!("Requested resource not found: ResourceArn: {absent} not found"),
            ),
        ),
    ] {
        for (operation, input) in [
            ("TagResource", tagging(arn, json!([tag("a", "b")]))),
            ("UntagResource", json!({"ResourceArn": arn, "TagKeys": ["a"]})),
            ("ListTagsOfResource", json!({"ResourceArn": arn})),
        ] {
            assert_eq!(refusal(&admin, operation, input).await, refused, "{operation}");
        }
    }
}

#[tokio::test]
async fn a_stream_has_tags_of_its_own() {
    let app = app();
    let admin = app.admin();
    let mut table = hash_table("notes");
    table["StreamSpecification"] = json!({"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"});
    table["Tags"] = json!([tag("of", "table")]);
    let made = done(&admin, "CreateTable", table).await;
    let stream = made["TableDescription"]["LatestStreamArn"].as_str().unwrap();
    let listing = |arn: &str| json!({"ResourceArn": arn});
    assert_eq!(done(&admin, "ListTagsOfResource", listing(stream)).await, json!({"Tags": []}));
    done(&admin, "TagResource", tagging(stream, json!([tag("of", "stream"), tag("b", "")]))).await;
    done(&admin, "UntagResource", json!({"ResourceArn": stream, "TagKeys": ["b"]})).await;
    let kept = json!({"Tags": [tag("of", "stream")]});
    assert_eq!(done(&admin, "ListTagsOfResource", listing(stream)).await, kept);
    assert_eq!(tags_of(&admin).await, [tag("of", "table")]);
    let too_many = tagging(stream, numbered(0..50));
    assert_eq!(refusal(&admin, "TagResource", too_many).await, invalid(TOO_MANY));
    let other = format!("{NOTES}/stream/2026-11-21T00:00:00.000");
    let (code, said) = refusal(&admin, "ListTagsOfResource", listing(&other)).await;
    assert_eq!(code, "ResourceNotFoundException");
    assert_eq!(said, format!("Requested resource not found: ResourceArn: {other} not found"));
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "dynamodb:TagResource", "Resource": NOTES},
    ]});
    let ada = app.user("ada", &[&policy.to_string()]);
    done(&ada, "TagResource", tagging(NOTES, json!([tag("by", "ada")]))).await;
    let (code, _) = refusal(&ada, "TagResource", tagging(stream, json!([tag("by", "ada")]))).await;
    assert_eq!(code, "AccessDeniedException");
    // Its end leaves them, as long as it can be read.
    done(&admin, "DeleteTable", json!({"TableName": "notes"})).await;
    assert_eq!(done(&admin, "ListTagsOfResource", listing(stream)).await, kept);
}

#[tokio::test]
async fn policies_see_the_tags_that_a_request_brings() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {
            "Effect": "Allow", "Action": ["dynamodb:CreateTable", "dynamodb:TagResource"], "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestTag/team": ["red", "blue"]}},
        },
        {"Effect": "Allow", "Action": "dynamodb:UntagResource", "Resource": "*"},
        {
            "Effect": "Deny", "Action": "dynamodb:*", "Resource": "*",
            "Condition": {"ForAnyValue:StringEquals": {"aws:TagKeys": "owner"}},
        },
    ]});
    let ada = app.user("ada", &[&policy.to_string()]);
    let creating = |name: &str, tags: Value| {
        let mut table = hash_table(name);
        table["Tags"] = tags;
        table
    };
    let untagging = |key: &str| json!({"ResourceArn": NOTES, "TagKeys": ["team", key]});
    for (operation, input) in [
        ("TagResource", tagging(NOTES, json!([tag("team", "green")]))),
        ("TagResource", tagging(NOTES, json!([tag("size", "red")]))),
        ("TagResource", tagging(NOTES, json!([tag("team", "red"), tag("owner", "ada")]))),
        ("CreateTable", creating("green", json!([tag("team", "green")]))),
        ("CreateTable", creating("owned", json!([tag("owner", "ada"), tag("team", "red")]))),
        ("CreateTable", hash_table("untagged")),
        ("UntagResource", untagging("owner")),
    ] {
        assert_eq!(refusal(&ada, operation, input).await.0, "AccessDeniedException", "{operation}");
    }
    assert_eq!(tags_of(&admin).await, Vec::<Value>::new());
    assert_eq!(done(&admin, "ListTables", json!({})).await, json!({"TableNames": ["notes"]}));
    done(&ada, "TagResource", tagging(NOTES, json!([tag("team", "red"), tag("size", "small")]))).await;
    done(&ada, "CreateTable", creating("blue", json!([tag("team", "blue")]))).await;
    done(&ada, "UntagResource", untagging("none")).await;
    assert_eq!(tags_of(&admin).await, [tag("size", "small")]);
}
