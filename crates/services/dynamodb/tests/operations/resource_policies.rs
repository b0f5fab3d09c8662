use serde_json::{Value, json};

use super::app::{call, done, get, hash_table, put, refusal, working_app};

const TABLE: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/notes";
const STRANGER: &str = "arn:aws:iam::123456789012:user/teststranger0000";

/// Lets in the stranger, or keeps out everybody.
fn policy(effect: &str, actions: &[&str], resource: &str) -> String {
    let principal = if effect == "Allow" { STRANGER } else { "*" };
    let statement = json!({
        "Effect": effect, "Principal": {"AWS": principal}, "Action": actions, "Resource": resource,
    });
    document(json!([statement]))
}

fn document(statements: Value) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn putting(text: &str) -> Value {
    json!({"ResourceArn": TABLE, "Policy": text})
}

#[tokio::test]
async fn a_tables_policy_lets_in_and_keeps_out_until_it_is_removed() {
    let (app, _service) = working_app();
    let (admin, stranger) = (app.admin(), app.stranger());
    done(&admin, "CreateTable", hash_table("notes")).await;
    put(&admin, "notes", json!({"p": {"S": "a"}})).await;
    let read = json!({"TableName": "notes", "Key": {"p": {"S": "a"}}});
    assert_eq!(refusal(&stranger, "GetItem", read.clone()).await.0, "AccessDeniedException");
    let lets = policy("Allow", &["dynamodb:GetItem"], TABLE);
    let revision = done(&admin, "PutResourcePolicy", putting(&lets)).await["RevisionId"].clone();
    assert!(!get(&stranger, "notes", json!({"p": {"S": "a"}})).await.is_null());
    let write = json!({"TableName": "notes", "Item": {"p": {"S": "b"}}});
    assert_eq!(refusal(&stranger, "PutItem", write.clone()).await.0, "AccessDeniedException");
    let again = done(&admin, "PutResourcePolicy", putting(&lets)).await;
    assert_eq!(again["RevisionId"], revision);
    let shown = done(&admin, "GetResourcePolicy", json!({"ResourceArn": TABLE})).await;
    assert_eq!(shown, json!({"Policy": lets, "RevisionId": revision}));
    done(&admin, "PutResourcePolicy", putting(&policy("Deny", &["dynamodb:PutItem"], TABLE))).await;
    assert_eq!(refusal(&admin, "PutItem", write.clone()).await.0, "AccessDeniedException");
    assert_eq!(refusal(&stranger, "GetItem", read.clone()).await.0, "AccessDeniedException");
    done(&admin, "DeleteResourcePolicy", json!({"ResourceArn": TABLE})).await;
    done(&admin, "PutItem", write).await;
    assert_eq!(done(&admin, "DeleteResourcePolicy", json!({"ResourceArn": TABLE})).await, json!({}));
}

#[tokio::test]
async fn an_indexs_reads_are_the_tables_policy_and_a_streams_are_its_own() {
    let (app, _service) = working_app();
    let (admin, stranger) = (app.admin(), app.stranger());
    let mut table = hash_table("notes");
    table["AttributeDefinitions"] =
        json!([{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "g", "AttributeType": "S"}]);
    table["GlobalSecondaryIndexes"] = json!([{
        "IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }]);
    table["StreamSpecification"] = json!({"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"});
    table["ResourcePolicy"] = json!(policy("Allow", &["dynamodb:Scan"], &format!("{TABLE}/index/by-g")));
    let made = done(&admin, "CreateTable", table).await;
    let stream = made["TableDescription"]["LatestStreamArn"].as_str().unwrap().to_owned();
    done(&stranger, "Scan", json!({"TableName": "notes", "IndexName": "by-g"})).await;
    assert_eq!(refusal(&stranger, "Scan", json!({"TableName": "notes"})).await.0, "AccessDeniedException");
    let describe = json!({"StreamArn": stream});
    let refused = stranger.call("dynamodbstreams", "DescribeStream", describe.clone()).await;
    assert_eq!(refused.code(), "AccessDeniedException");
    let text = policy("Allow", &["dynamodb:DescribeStream"], &stream);
    done(&admin, "PutResourcePolicy", json!({"ResourceArn": stream, "Policy": text})).await;
    stranger.call("dynamodbstreams", "DescribeStream", describe).await.ok();
}

#[tokio::test]
async fn a_policy_goes_with_its_table() {
    let (app, _service) = working_app();
    let (admin, stranger) = (app.admin(), app.stranger());
    let mut table = hash_table("notes");
    table["ResourcePolicy"] = json!(policy("Allow", &["dynamodb:*"], TABLE));
    done(&admin, "CreateTable", table).await;
    done(&stranger, "DescribeTable", json!({"TableName": "notes"})).await;
    done(&admin, "DeleteTable", json!({"TableName": "notes"})).await;
    done(&admin, "CreateTable", hash_table("notes")).await;
    assert_eq!(
        refusal(&stranger, "DescribeTable", json!({"TableName": "notes"})).await.0,
        "AccessDeniedException"
    );
}

#[tokio::test]
async fn policies_that_cannot_be_are_refused() {
    let (app, _service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let lets = policy("Allow", &["dynamodb:GetItem"], TABLE);
    let expecting =
        |revision: &str| json!({"ResourceArn": TABLE, "Policy": lets, "ExpectedRevisionId": revision});
    for (operation, input, code) in [
        ("GetResourcePolicy", json!({"ResourceArn": TABLE}), "PolicyNotFoundException"),
        ("GetResourcePolicy", json!({"ResourceArn": format!("{TABLE}x")}), "ResourceNotFoundException"),
        ("PutResourcePolicy", putting("{"), "ValidationException"),
        ("PutResourcePolicy", putting(&"x".repeat(20 * 1024 + 1)), "ValidationException"),
        ("PutResourcePolicy", expecting("1"), "PolicyNotFoundException"),
        (
            "PutResourcePolicy",
            json!({"ResourceArn": format!("{TABLE}/index/by-g"), "Policy": lets}),
            "ResourceNotFoundException",
        ),
        (
            "PutResourcePolicy",
            putting(&lets.replace(STRANGER, "arn:aws:iam::123456789012:role/nobody")),
            "ValidationException",
        ),
    ] {
        assert_eq!(refusal(&admin, operation, input).await.0, code, "{operation}");
    }
    assert!(call(&admin, "PutResourcePolicy", expecting("NO_POLICY")).await.status < 300);
    assert_eq!(
        refusal(&admin, "PutResourcePolicy", expecting("NO_POLICY")).await.0,
        "PolicyNotFoundException"
    );
}

/// A statement that lets somebody read the table, with these members beside or instead.
fn reading(members: Value) -> Value {
    let mut statement = json!({
        "Effect": "Allow", "Principal": {"AWS": STRANGER}, "Action": "dynamodb:GetItem", "Resource": TABLE,
    });
    let members = members.as_object().cloned().unwrap_or_default();
    statement.as_object_mut().unwrap().extend(members);
    statement
}

#[tokio::test]
async fn a_policy_lets_in_everybody_only_on_a_condition() {
    let (app, _service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let said = "Resource-based policy grants unbounded access in one or more elements. Please revise the policy to ensure least-privilege form of access";
    let unbounded = ("ValidationException".to_owned(), said.to_owned());
    let everybody = [json!("*"), json!({"AWS": "*"}), json!({"AWS": [STRANGER, "*"]})];
    for principal in &everybody {
        let lets = reading(json!({"Principal": principal}));
        let nothing_asked = reading(json!({"Principal": principal, "Condition": {"StringEquals": {}}}));
        for statements in [lets.clone(), json!([reading(json!({})), lets.clone()]), nothing_asked] {
            let text = document(statements);
            assert_eq!(refusal(&admin, "PutResourcePolicy", putting(&text)).await, unbounded, "{text}");
        }
        let mut table = hash_table("others");
        table["ResourcePolicy"] = json!(document(lets));
        assert_eq!(refusal(&admin, "CreateTable", table).await, unbounded);
        let condition = json!({"StringEquals": {"aws:PrincipalAccount": "123456789012"}});
        for members in [
            json!({"Principal": principal, "Condition": condition}),
            json!({"Principal": principal, "Effect": "Deny", "Action": "dynamodb:Scan"}),
        ] {
            done(&admin, "PutResourcePolicy", putting(&document(reading(members)))).await;
        }
    }
    // Everybody but one is everybody.
    let others = |members: Value| {
        let mut statement = reading(members);
        let principal = statement.as_object_mut().unwrap().remove("Principal").unwrap();
        statement["NotPrincipal"] = principal;
        document(statement)
    };
    let but_one = others(json!({"Principal": {"AWS": STRANGER}}));
    assert_eq!(refusal(&admin, "PutResourcePolicy", putting(&but_one)).await, unbounded);
    let keeps_out = json!({"Principal": {"AWS": STRANGER}, "Effect": "Deny", "Action": "dynamodb:Scan"});
    done(&admin, "PutResourcePolicy", putting(&others(keeps_out))).await;
}

#[tokio::test]
async fn a_policy_speaks_only_of_what_can_be_done_to_its_resource() {
    let (app, _service) = working_app();
    let admin = app.admin();
    let mut table = hash_table("notes");
    table["StreamSpecification"] = json!({"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"});
    let made = done(&admin, "CreateTable", table).await;
    let stream = made["TableDescription"]["LatestStreamArn"].as_str().unwrap();
    for (resource, actions, strange) in [
        (TABLE, json!("dynamodb:GetRecords"), "\"dynamodb:GetRecords\""),
        (
            TABLE,
            json!(["dynamodb:ExecuteStatement", "dynamodb:PutItem", "s3:GetObject"]),
            "\"dynamodb:ExecuteStatement\", \"s3:GetObject\"",
        ),
        (stream, json!(["dynamodb:GetItem"]), "\"dynamodb:GetItem\""),
        (stream, json!(["dynamodb:ListStreams", "dynamodb:GetRecords"]), "\"dynamodb:ListStreams\""),
    ] {
        let text = document(reading(json!({"Action": actions, "Resource": resource})));
        let said = format!(
            "One or more parameter values were invalid: Invalid policy document: The following action names are invalid: {strange}"
        );
        let refused =
            refusal(&admin, "PutResourcePolicy", json!({"ResourceArn": resource, "Policy": text})).await;
        assert_eq!(refused, ("ValidationException".to_owned(), said));
    }
    for (resource, actions) in [
        (TABLE, json!(["dynamodb:getitem", "dynamodb:PartiQL*", "dynamodb:UpdateTimeToLive"])),
        (TABLE, json!("*")),
        (stream, json!(["dynamodb:GetRecords", "dynamodb:Get*"])),
    ] {
        let text = document(reading(json!({"Action": actions, "Resource": resource})));
        done(&admin, "PutResourcePolicy", json!({"ResourceArn": resource, "Policy": text})).await;
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_policy_is_told_in_the_services_words() {
    let (app, _service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let twice = reading(json!({"Sid": "one"}));
    let mut nothing = reading(json!({}));
    nothing.as_object_mut().unwrap().remove("Resource");
    let nobody = reading(json!({"Principal": {"AWS": "arn:aws:iam::123456789012:role/nobody"}}));
    for (text, said) in [
        ("{".to_owned(), "Invalid policy document: This policy contains invalid Json"),
        (document(nothing), "Invalid policy document: Missing required field Resource"),
        (
            document(json!([twice, twice])),
            "Invalid policy document: The Statement Ids in the policy are not unique",
        ),
        (document(json!([])), "Invalid policy document: Could not parse the policy: Statement is empty!"),
        (
            document(nobody),
            "Invalid policy document: Invalid principal in policy: arn:aws:iam::123456789012:role/nobody",
        ),
        ("x".repeat(20 * 1024 + 1), "Maximum policy size of 20480 bytes exceeded"),
    ] {
        let said = format!("One or more parameter values were invalid: {said}");
        let refused = refusal(&admin, "PutResourcePolicy", putting(&text)).await;
        assert_eq!(refused, ("ValidationException".to_owned(), said));
    }
}

#[tokio::test]
async fn what_other_services_would_add_is_told_as_it_stands() {
    let (app, _service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let table = json!({"TableName": "notes"});
    let told = done(&admin, "DescribeContributorInsights", table.clone()).await;
    assert_eq!(told, json!({"TableName": "notes", "ContributorInsightsStatus": "DISABLED"}));
    let told = done(&admin, "DescribeKinesisStreamingDestination", table.clone()).await;
    assert_eq!(told, json!({"TableName": "notes", "KinesisDataStreamDestinations": []}));
    let told = done(&admin, "DescribeTableReplicaAutoScaling", table).await;
    assert_eq!(told["TableAutoScalingDescription"]["Replicas"], json!([]));
    let nowhere = json!({"TableName": "nope"});
    assert_eq!(refusal(&admin, "DescribeContributorInsights", nowhere).await.0, "ResourceNotFoundException");
}
