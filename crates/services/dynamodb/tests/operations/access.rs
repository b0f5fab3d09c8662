use serde_json::{Value, json};

use super::app::{app, call, done, get, hash_table, put, range_table};
use homeport_testkit::TestApp;

const TABLE: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/notes";

fn own_rows(actions: &[&str]) -> String {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": actions, "Resource": [TABLE, format!("{TABLE}/index/*")],
        "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["ada"]}},
    }]})
    .to_string()
}

async fn shared() -> TestApp {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", range_table("notes", "S")).await;
    done(&admin, "CreateTable", hash_table("other")).await;
    put(&admin, "notes", json!({"p": {"S": "bob"}, "r": {"S": "1"}, "v": {"S": "bob's"}})).await;
    put(&admin, "notes", json!({"p": {"S": "ada"}, "r": {"S": "1"}, "v": {"S": "ada's"}})).await;
    app
}

#[tokio::test]
async fn leading_keys_hold_a_user_to_their_own_rows() {
    let app = shared().await;
    let ada = app.user("ada", &[&own_rows(&["dynamodb:*"])]);
    let calls = |who: &str| -> Vec<(&str, Value)> {
        let key = json!({"p": {"S": who}, "r": {"S": "1"}});
        let update = json!({"TableName": "notes", "Key": key, "UpdateExpression": "SET v = :v", "ExpressionAttributeValues": {":v": {"S": "new"}}});
        vec![
            ("GetItem", json!({"TableName": "notes", "Key": key})),
            (
                "Query",
                json!({"TableName": "notes", "KeyConditionExpression": "p = :p", "ExpressionAttributeValues": {":p": {"S": who}}}),
            ),
            (
                "BatchGetItem",
                json!({"RequestItems": {"notes": {"Keys": [{"p": {"S": "ada"}, "r": {"S": "2"}}, key]}}}),
            ),
            ("TransactGetItems", json!({"TransactItems": [{"Get": {"TableName": "notes", "Key": key}}]})),
            ("PutItem", json!({"TableName": "notes", "Item": {"p": {"S": who}, "r": {"S": "1"}}})),
            ("UpdateItem", update.clone()),
            ("TransactWriteItems", json!({"TransactItems": [{"Update": update}]})),
            (
                "BatchWriteItem",
                json!({"RequestItems": {"notes": [{"PutRequest": {"Item": {"p": {"S": "ada"}, "r": {"S": "9"}}}}, {"DeleteRequest": {"Key": key}}]}}),
            ),
            ("DeleteItem", json!({"TableName": "notes", "Key": key})),
        ]
    };
    let before = app.rows().await;
    for (operation, input) in calls("bob") {
        call(&ada, operation, input).await.refused("AccessDeniedException", 400);
    }
    assert_eq!(app.rows().await, before);
    for (operation, input) in calls("ada") {
        done(&ada, operation, input).await;
    }
    assert_eq!(
        get(&app.admin(), "notes", json!({"p": {"S": "bob"}, "r": {"S": "1"}})).await["v"]["S"],
        "bob's"
    );
}

#[tokio::test]
async fn every_table_of_a_batch_must_be_allowed() {
    let app = shared().await;
    let ada = app.user("ada", &[&own_rows(&["dynamodb:BatchWriteItem", "dynamodb:PutItem"])]);
    let both = json!({"RequestItems": {
        "notes": [{"PutRequest": {"Item": {"p": {"S": "ada"}, "r": {"S": "2"}}}}],
        "other": [{"PutRequest": {"Item": {"p": {"S": "ada"}}}}],
    }});
    call(&ada, "BatchWriteItem", both).await.refused("AccessDeniedException", 400);
    let own =
        json!({"RequestItems": {"notes": [{"PutRequest": {"Item": {"p": {"S": "ada"}, "r": {"S": "2"}}}}]}});
    done(&ada, "BatchWriteItem", own).await;
    let check = json!({"TransactItems": [{"ConditionCheck": {"TableName": "notes", "Key": {"p": {"S": "ada"}, "r": {"S": "2"}}, "ConditionExpression": "attribute_exists(p)"}}]});
    call(&ada, "TransactWriteItems", check).await.refused("AccessDeniedException", 400);
}

#[tokio::test]
async fn attributes_and_selections_can_be_held_to_a_list() {
    let app = shared().await;
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem", "dynamodb:PutItem"], "Resource": TABLE,
        "Condition": {
            "ForAllValues:StringEquals": {"dynamodb:Attributes": ["p", "r", "title"]},
            "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES", "dynamodb:ReturnValues": ["NONE", "UPDATED_NEW"]},
        },
    }]}).to_string();
    let reader = app.user("reader", &[&policy]);
    let key = json!({"p": {"S": "bob"}, "r": {"S": "1"}});
    let get = |projection: Option<&str>| {
        let mut get = json!({"TableName": "notes", "Key": key});
        if let Some(projection) = projection {
            get["ProjectionExpression"] = json!(projection);
        }
        get
    };
    done(&reader, "GetItem", get(Some("title, r"))).await;
    for refused in [get(None), get(Some("title, v")), get(Some("v.title"))] {
        call(&reader, "GetItem", refused).await.refused("AccessDeniedException", 400);
    }
    let update = |expression: &str, returned: &str| json!({"TableName": "notes", "Key": key, "UpdateExpression": expression, "ExpressionAttributeValues": {":v": {"S": "x"}}, "ReturnValues": returned});
    done(&reader, "UpdateItem", update("SET title = :v", "NONE")).await;
    for refused in [
        update("SET v = :v", "NONE"),
        update("SET title = if_not_exists(v, :v)", "UPDATED_NEW"),
        update("SET title = :v", "ALL_NEW"),
    ] {
        call(&reader, "UpdateItem", refused).await.refused("AccessDeniedException", 400);
    }
    // What is shown where the condition doesn't hold is the whole item, too.
    let mut failing = update("SET title = :v", "NONE");
    failing["ConditionExpression"] = json!("attribute_not_exists(p)");
    call(&reader, "UpdateItem", failing.clone()).await.refused("ConditionalCheckFailedException", 400);
    failing["ReturnValuesOnConditionCheckFailure"] = json!("ALL_OLD");
    call(&reader, "UpdateItem", failing.clone()).await.refused("AccessDeniedException", 400);
    failing.as_object_mut().unwrap().remove("ReturnValues");
    let transaction = json!({"TransactItems": [{"Update": failing}]});
    call(&reader, "TransactWriteItems", transaction).await.refused("AccessDeniedException", 400);
    let put = |name: &str| json!({"TableName": "notes", "Item": {"p": {"S": "z"}, "r": {"S": "1"}, name: {"S": "x"}}});
    done(&reader, "PutItem", put("title")).await;
    call(&reader, "PutItem", put("v")).await.refused("AccessDeniedException", 400);
    let query = |filter: &str| {
        json!({
            "TableName": "notes", "KeyConditionExpression": "p = :p", "FilterExpression": filter, "ProjectionExpression": "title",
            "ExpressionAttributeValues": {":p": {"S": "bob"}, ":v": {"S": "x"}},
        })
    };
    done(&reader, "Query", query("title = :v")).await;
    call(&reader, "Query", query("v = :v")).await.refused("AccessDeniedException", 400);
}

#[tokio::test]
async fn a_refused_caller_does_not_learn_which_tables_there_are() {
    let app = shared().await;
    let stranger = app.stranger();
    for table in ["notes", "absent"] {
        let get = json!({"TableName": table, "Key": {"p": {"S": "a"}, "r": {"S": "b"}}});
        call(&stranger, "GetItem", get).await.refused("AccessDeniedException", 400);
        call(&stranger, "DescribeTable", json!({"TableName": table}))
            .await
            .refused("AccessDeniedException", 400);
    }
}
