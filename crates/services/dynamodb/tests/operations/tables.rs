use serde_json::{Value, json};

use super::app::{app, done, get, hash_table, put, range_table, refusal, working_app};

#[tokio::test]
async fn a_table_says_what_it_is_and_how_much_it_holds() {
    let app = app();
    let admin = app.admin();
    let created = done(&admin, "CreateTable", range_table("notes", "N")).await["TableDescription"].clone();
    assert_eq!(created["TableStatus"], "ACTIVE");
    put(&admin, "notes", json!({"p": {"S": "a"}, "r": {"N": "1"}, "v": {"S": "abc"}})).await;
    put(&admin, "notes", json!({"p": {"S": "a"}, "r": {"N": "1"}, "v": {"S": "abcd"}})).await;
    put(&admin, "notes", json!({"p": {"S": "b"}, "r": {"N": "1"}})).await;
    let table = done(&admin, "DescribeTable", json!({"TableName": "notes"})).await["Table"].clone();
    assert_eq!((&table["ItemCount"], &table["TableSizeBytes"]), (&json!(2), &json!(5 + 5 + 5)));
    assert_eq!(table["TableArn"], "arn:aws:dynamodb:us-east-1:123456789012:table/notes");
    assert_eq!(
        table["KeySchema"],
        json!([{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "r", "KeyType": "RANGE"}])
    );
    assert_eq!(table["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST");
    let by_arn = json!({"TableName": table["TableArn"]});
    assert_eq!(done(&admin, "DescribeTable", by_arn).await["Table"]["TableName"], "notes");
    assert_eq!(
        refusal(&admin, "CreateTable", hash_table("notes")).await,
        ("ResourceInUseException".into(), "Table already exists: notes".into())
    );
    let elsewhere = app.admin().in_region("eu-west-1");
    let said = "Requested resource not found: Table: notes not found";
    assert_eq!(
        refusal(&elsewhere, "DescribeTable", json!({"TableName": "notes"})).await,
        ("ResourceNotFoundException".into(), said.into())
    );
}

#[tokio::test]
async fn a_table_that_one_node_makes_anew_is_another_on_the_other() {
    let one = app();
    let other = one.beside(|parts| (vec![homeport_dynamodb::host(parts).1], Vec::new()));
    let (admin, elsewhere) = (one.admin(), other.admin());
    done(&admin, "CreateTable", hash_table("notes")).await;
    put(&elsewhere, "notes", json!({"p": {"S": "a"}})).await;
    done(&admin, "DeleteTable", json!({"TableName": "notes"})).await;
    done(&admin, "CreateTable", range_table("notes", "N")).await;
    let (code, _) =
        refusal(&elsewhere, "PutItem", json!({"TableName": "notes", "Item": {"p": {"S": "a"}}})).await;
    assert_eq!(code, "ValidationException");
    let key = json!({"p": {"S": "a"}, "r": {"N": "1"}});
    put(&elsewhere, "notes", key.clone()).await;
    assert_eq!(get(&admin, "notes", key.clone()).await, key);
}

#[tokio::test]
async fn a_deleted_table_takes_its_items_along() {
    let (app, service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    put(&admin, "notes", json!({"p": {"S": "a"}})).await;
    let deleted = done(&admin, "DeleteTable", json!({"TableName": "notes"})).await;
    assert_eq!(deleted["TableDescription"]["TableStatus"], "DELETING");
    let get_item = json!({"TableName": "notes", "Key": {"p": {"S": "a"}}});
    assert_eq!(
        refusal(&admin, "GetItem", get_item).await,
        ("ResourceNotFoundException".into(), "Requested resource not found".into())
    );
    done(&admin, "CreateTable", hash_table("notes")).await;
    assert_eq!(get(&admin, "notes", json!({"p": {"S": "a"}})).await, Value::Null);
    service.do_jobs().await.unwrap();
    let left = app.rows().await;
    let items = homeport_store::Key::of("dynamodb-items");
    assert!(!left.iter().any(|(key, _)| key.starts_with(items.as_bytes())));
}

#[tokio::test]
async fn what_a_deleted_table_was_made_of_is_told_no_more() {
    let app = app();
    let admin = app.admin();
    let mut table = range_table("notes", "S");
    let keys = table["KeySchema"].clone();
    for (member, name) in [("LocalSecondaryIndexes", "local"), ("GlobalSecondaryIndexes", "global")] {
        table[member] = json!([
            {"IndexName": name, "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}},
        ]);
    }
    let made = done(&admin, "CreateTable", table).await["TableDescription"].clone();
    let deleted = done(&admin, "DeleteTable", json!({"TableName": "notes"})).await;
    let told = deleted["TableDescription"].as_object().unwrap();
    let mut left = made.as_object().cloned().unwrap();
    for gone in [
        "KeySchema",
        "AttributeDefinitions",
        "CreationDateTime",
        "GlobalSecondaryIndexes",
        "LocalSecondaryIndexes",
    ] {
        assert!(left.remove(gone).is_some(), "{gone}");
    }
    left.insert("TableStatus".to_owned(), json!("DELETING"));
    assert_eq!(*told, left);
}

#[tokio::test]
async fn tables_are_listed_in_order_and_pages() {
    let app = app();
    let admin = app.admin();
    for name in ["ccc", "aaa", "bbb"] {
        done(&admin, "CreateTable", hash_table(name)).await;
    }
    let first = done(&admin, "ListTables", json!({"Limit": 2})).await;
    assert_eq!(first, json!({"TableNames": ["aaa", "bbb"], "LastEvaluatedTableName": "bbb"}));
    let rest = done(&admin, "ListTables", json!({"ExclusiveStartTableName": "bbb"})).await;
    assert_eq!(rest, json!({"TableNames": ["ccc"]}));
}

#[tokio::test]
async fn a_protected_table_stays_until_it_is_not() {
    let app = app();
    let admin = app.admin();
    let mut table = hash_table("notes");
    table["DeletionProtectionEnabled"] = json!(true);
    done(&admin, "CreateTable", table).await;
    let (code, said) = refusal(&admin, "DeleteTable", json!({"TableName": "notes"})).await;
    assert_eq!(code, "ValidationException");
    let expected = "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.";
    assert_eq!(said, expected);
    let update = json!({"TableName": "notes", "DeletionProtectionEnabled": false});
    let updated = done(&admin, "UpdateTable", update).await["TableDescription"].clone();
    assert_eq!(updated["DeletionProtectionEnabled"], false);
    done(&admin, "DeleteTable", json!({"TableName": "notes"})).await;
}

#[tokio::test]
async fn a_table_keeps_its_tags() {
    let app = app();
    let admin = app.admin();
    let mut table = hash_table("notes");
    table["Tags"] = json!([{"Key": "team", "Value": "a"}]);
    let arn = done(&admin, "CreateTable", table).await["TableDescription"]["TableArn"].clone();
    done(&admin, "TagResource", json!({"ResourceArn": arn, "Tags": [{"Key": "stage", "Value": "test"}]}))
        .await;
    done(&admin, "UntagResource", json!({"ResourceArn": arn, "TagKeys": ["team"]})).await;
    let tags = done(&admin, "ListTagsOfResource", json!({"ResourceArn": arn})).await;
    assert_eq!(tags, json!({"Tags": [{"Key": "stage", "Value": "test"}]}));
}

#[tokio::test]
async fn a_table_that_cannot_be_is_refused_in_awss_words() {
    let app = app();
    let admin = app.admin();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut table = range_table("notes", "S");
        change(&mut table);
        table
    };
    let cases: Vec<(Value, &str)> = vec![
        (
            changed(&|t| t["TableName"] = json!("ab")),
            "1 validation error detected: Value 'ab' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3",
        ),
        (
            changed(
                &|t| t["KeySchema"] = json!([{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "r", "KeyType": "RANGE"}, {"AttributeName": "q", "KeyType": "RANGE"}]),
            ),
            "1 validation error detected: Value '[KeySchemaElement(attributeName=p, keyType=HASH), KeySchemaElement(attributeName=r, keyType=RANGE), KeySchemaElement(attributeName=q, keyType=RANGE)]' at 'keySchema' failed to satisfy constraint: Member must have length less than or equal to 2",
        ),
        (
            changed(&|t| t["BillingMode"] = json!("PROVISIONED")),
            "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        ),
        (
            changed(&|t| t["AttributeDefinitions"] = json!([{"AttributeName": "p", "AttributeType": "S"}])),
            "Invalid KeySchema: Some index key attribute have no definition",
        ),
        (
            changed(&|t| t["KeySchema"][1]["AttributeName"] = json!("q")),
            "One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [p, q], AttributeDefinitions: [p, r]",
        ),
        (
            changed(&|t| t["KeySchema"][1]["AttributeName"] = json!("p")),
            "Both the Hash Key and the Range Key element in the KeySchema have the same name",
        ),
        (
            changed(&|t| t["KeySchema"] = json!([{"AttributeName": "p", "KeyType": "HASH"}])),
            "One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions",
        ),
        (
            changed(
                &|t| t["LocalSecondaryIndexes"] = json!([{"IndexName": "lsi", "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}], "Projection": {"ProjectionType": "ALL"}}]),
            ),
            "One or more parameter values were invalid: Index KeySchema does not have a range key for index: lsi",
        ),
        (
            changed(&|t| t["StreamSpecification"] = json!({"StreamEnabled": true})),
            "One or more parameter values were invalid: Table is being created with a stream enabled, UpdateViewType is required",
        ),
    ];
    for (table, said) in cases {
        assert_eq!(
            refusal(&admin, "CreateTable", table).await,
            ("ValidationException".to_owned(), said.to_owned())
        );
    }
    assert_eq!(done(&admin, "ListTables", json!({})).await, json!({"TableNames": []}));
}

#[tokio::test]
async fn an_index_that_cannot_be_is_refused_in_awss_words() {
    let app = app();
    let admin = app.admin();
    let indexed = |keys: &[(&str, &str)], projection: Value| {
        let mut table = hash_table("notes");
        let mut names = vec!["p"];
        names.extend(keys.iter().map(|(name, _)| *name));
        let attribute = |name: &&str| json!({"AttributeName": name, "AttributeType": "S"});
        table["AttributeDefinitions"] = names.iter().map(attribute).collect();
        let element = |(name, kind): &(&str, &str)| json!({"AttributeName": name, "KeyType": kind});
        let key: Value = keys.iter().map(element).collect();
        table["GlobalSecondaryIndexes"] =
            json!([{"IndexName": "index", "KeySchema": key, "Projection": projection}]);
        table
    };
    let all = || json!({"ProjectionType": "ALL"});
    let five = ["a", "b", "c", "d", "e"].map(|name| (name, "HASH"));
    let included = json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x", "x"]});
    let mut unused = indexed(&[("g", "HASH")], json!({"ProjectionType": "INCLUDE"}));
    let more = json!({"AttributeName": "more", "AttributeType": "S"});
    unused["AttributeDefinitions"].as_array_mut().unwrap().push(more);
    for (table, said) in [
        (indexed(&five, all()), "The KeySchema exceeds the maximum allowed number of HASH key attributes"),
        (
            indexed(&[("a", "HASH"), ("b", "RANGE"), ("c", "HASH")], all()),
            "All HASH key attributes must precede RANGE key attributes in the KeySchema",
        ),
        (indexed(&[("g", "HASH")], included), "Duplicate element in NonKeyAttributes: x"),
        (
            indexed(&[("g", "HASH")], json!({"ProjectionType": "INCLUDE"})),
            "ProjectionType is INCLUDE, but NonKeyAttributes is not specified",
        ),
        (
            unused,
            "Some AttributeDefinitions are not used. AttributeDefinitions: [p, more, g], keys used: [p, g]",
        ),
    ] {
        let said = format!("One or more parameter values were invalid: {said}");
        assert_eq!(refusal(&admin, "CreateTable", table).await, ("ValidationException".to_owned(), said));
    }
}

#[tokio::test]
async fn a_table_that_an_arn_puts_elsewhere_is_not_made_here() {
    let app = app();
    let admin = app.admin();
    let here = "arn:aws:dynamodb:us-east-1:123456789012:table/notes";
    for (elsewhere, expected) in [
        (here.replace("us-east-1", "us-west-2"), "ValidationException"),
        (here.replace("123456789012", "210987654321"), "AccessDeniedException"),
    ] {
        let (code, _) = refusal(&admin, "CreateTable", hash_table(&elsewhere)).await;
        assert_eq!(code, expected);
    }
    assert_eq!(done(&admin, "ListTables", json!({})).await["TableNames"], json!([]));
    done(&admin, "CreateTable", hash_table(here)).await;
    assert_eq!(done(&admin, "ListTables", json!({})).await["TableNames"], json!(["notes"]));
}
