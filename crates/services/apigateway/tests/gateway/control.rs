use serde_json::{Value, json};

use crate::house::{POOL, house};

#[tokio::test]
async fn an_api_is_made_changed_and_gone() {
    let house = house();
    let api = house.api().await;
    let place = json!({"restApiId": api.id});
    let patches = json!([
        {"op": "replace", "path": "/name", "value": "renamed"},
        {"op": "replace", "path": "/description", "value": "for people"},
        {"op": "add", "path": "/binaryMediaTypes/image~1png"},
    ]);
    house.admin("UpdateRestApi", json!({"restApiId": api.id, "patchOperations": patches})).await.ok();
    let shown = house.admin("GetRestApi", place.clone()).await.ok().json();
    assert_eq!(
        (shown["name"].as_str(), shown["description"].as_str()),
        (Some("renamed"), Some("for people"))
    );
    assert_eq!(shown["binaryMediaTypes"], json!(["image/png"]));
    assert_eq!(shown["endpointConfiguration"]["types"], json!(["EDGE"]));
    assert!(shown["createdDate"].is_number() && shown.get("home").is_none());
    assert_eq!(house.admin("GetRestApis", json!({})).await.ok().json()["item"].as_array().unwrap().len(), 1);
    house.admin("DeleteRestApi", place.clone()).await.ok();
    let gone = house.admin("GetRestApi", place).await.refused("NotFoundException", 404);
    assert_eq!(gone.message(), format!("Invalid API identifier specified 123456789012:{}", api.id));
}

#[tokio::test]
async fn lists_come_in_pages() {
    let house = house();
    for _ in 0..3 {
        house.api().await;
    }
    let first = house.admin("GetRestApis", json!({"limit": 2})).await.ok().json();
    assert_eq!(first["item"].as_array().unwrap().len(), 2);
    let rest =
        house.admin("GetRestApis", json!({"limit": 2, "position": first["position"]})).await.ok().json();
    assert_eq!(rest["item"].as_array().unwrap().len(), 1);
    assert!(rest.get("position").is_none());
    house.admin("GetRestApis", json!({"limit": 501})).await.refused("BadRequestException", 400);
}

#[tokio::test]
async fn another_region_does_not_know_the_api() {
    let house = house();
    let api = house.api().await;
    let elsewhere = house.app.admin().in_region("eu-central-1");
    elsewhere
        .call("apigateway", "GetRestApi", json!({"restApiId": api.id}))
        .await
        .refused("NotFoundException", 404);
}

#[tokio::test]
async fn resources_are_a_tree() {
    let house = house();
    let api = house.api().await;
    let notes = api.resource(&api.root, "notes").await;
    let id = api.resource(&notes, "{id}").await;
    let create = async |parent: &str, part: &str| {
        let input = json!({"restApiId": api.id, "parentId": parent, "pathPart": part});
        house.admin("CreateResource", input).await
    };
    create(&api.root, "notes").await.refused("ConflictException", 409);
    create(&notes, "{other}").await.refused("BadRequestException", 400);
    create(&notes, "a b").await.refused("BadRequestException", 400);
    create("nonesuch", "a").await.refused("NotFoundException", 404);
    let greedy = api.resource(&id, "{proxy+}").await;
    create(&greedy, "below").await.refused("BadRequestException", 400);
    let rename = json!({"restApiId": api.id, "resourceId": notes,
        "patchOperations": [{"op": "replace", "path": "/pathPart", "value": "memos"}]});
    house.admin("UpdateResource", rename).await.ok();
    let shown =
        house.admin("GetResource", json!({"restApiId": api.id, "resourceId": greedy})).await.ok().json();
    assert_eq!(shown["path"], "/memos/{id}/{proxy+}");
    house.admin("DeleteResource", json!({"restApiId": api.id, "resourceId": notes})).await.ok();
    let left = house.admin("GetResources", json!({"restApiId": api.id})).await.ok().json();
    assert_eq!(left["item"].as_array().unwrap().len(), 1);
    house
        .admin("DeleteResource", json!({"restApiId": api.id, "resourceId": api.root}))
        .await
        .refused("BadRequestException", 400);
}

#[tokio::test]
async fn methods_are_shown_with_what_answers_them() {
    let house = house();
    let api = house.api().await;
    api.mock(&api.root, "GET", json!({"operationName": "List"}), "[]").await;
    let input = json!({"restApiId": api.id, "embed": ["methods"]});
    let shown = house.admin("GetResources", input).await.ok().json();
    let method = &shown["item"][0]["resourceMethods"]["GET"];
    assert_eq!(
        (method["httpMethod"].as_str(), method["operationName"].as_str()),
        (Some("GET"), Some("List"))
    );
    assert_eq!(method["methodIntegration"]["type"], "MOCK");
    assert_eq!(method["methodIntegration"]["timeoutInMillis"], 29_000);
    assert_eq!(method["methodIntegration"]["integrationResponses"]["200"]["statusCode"], "200");
    let plain = house.admin("GetResources", json!({"restApiId": api.id})).await.ok().json();
    assert_eq!(plain["item"][0]["resourceMethods"], json!({"GET": {}}));
}

#[tokio::test]
async fn what_cannot_run_is_refused_when_it_is_put() {
    let house = house();
    let api = house.api().await;
    let place = json!({"restApiId": api.id, "resourceId": api.root, "httpMethod": "GET"});
    let with = |more: Value| {
        let mut input = place.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    for method in [
        json!({"authorizationType": "MAGIC"}),
        json!({"authorizationType": "CUSTOM"}),
        json!({"authorizationType": "COGNITO_USER_POOLS", "authorizerId": "nonesu"}),
    ] {
        house.admin("PutMethod", with(method)).await.refused("BadRequestException", 400);
    }
    house.admin("PutMethod", with(json!({"authorizationType": "NONE"}))).await.ok();
    house
        .admin("PutMethod", with(json!({"authorizationType": "NONE"})))
        .await
        .refused("ConflictException", 409);
    for integration in [
        json!({"type": "HTTP", "integrationHttpMethod": "GET", "uri": "http://a"}),
        json!({"type": "AWS", "integrationHttpMethod": "POST", "uri": "arn:aws:apigateway:us-east-1:sqs:path/1/q"}),
        json!({"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": "arn:aws:lambda:us-east-1:1:function:f"}),
        json!({"type": "HTTP_PROXY", "integrationHttpMethod": "GET", "uri": "file:///etc/passwd"}),
        json!({"type": "HTTP_PROXY", "uri": "http://a"}),
        json!({"type": "MOCK", "timeoutInMillis": 10}),
        json!({"type": "MOCK", "requestTemplates": {"application/json": "$input.body"}}),
        json!({"type": "MOCK", "requestParameters": {"integration.request.header.a": "method.request.body.b"}}),
    ] {
        house.admin("PutIntegration", with(integration.clone())).await.refused("BadRequestException", 400);
    }
    let deploy = house.admin("CreateDeployment", json!({"restApiId": api.id})).await;
    assert_eq!(deploy.refused("BadRequestException", 400).message(), "No integration defined for method");
}

#[tokio::test]
async fn a_role_is_not_handed_over_in_passing() {
    let house = house();
    let api = house.api().await;
    let place = json!({"restApiId": api.id, "resourceId": api.root, "httpMethod": "GET"});
    let mut method = place.clone();
    method["authorizationType"] = json!("NONE");
    house.admin("PutMethod", method).await.ok();
    let policy =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"apigateway:*","Resource":"*"}]}"#;
    let mut input = place;
    input["type"] = json!("MOCK");
    input["credentials"] = json!("arn:aws:iam::123456789012:role/Admin");
    let builder = house.app.user("builder", &[policy]);
    builder.call("apigateway", "PutIntegration", input).await.refused("AccessDeniedException", 403);
}

#[tokio::test]
async fn a_deployment_that_is_served_stays() {
    let house = house();
    let api = house.api().await;
    let empty = house.admin("CreateDeployment", json!({"restApiId": api.id})).await;
    assert_eq!(
        empty.refused("BadRequestException", 400).message(),
        "The REST API doesn't contain any methods"
    );
    api.mock(&api.root, "GET", json!({}), "{}").await;
    let deployment = api.deploy("prod").await;
    let place = json!({"restApiId": api.id, "deploymentId": deployment});
    house.admin("DeleteDeployment", place.clone()).await.refused("BadRequestException", 400);
    let stage = json!({"restApiId": api.id, "stageName": "prod", "deploymentId": deployment});
    house.admin("CreateStage", stage).await.refused("ConflictException", 409);
    house.admin("DeleteStage", json!({"restApiId": api.id, "stageName": "prod"})).await.ok();
    house.admin("DeleteDeployment", place).await.ok();
}

#[tokio::test]
async fn stages_refuse_what_is_not_built_or_not_possible() {
    let house = house();
    let api = house.api().await;
    api.mock(&api.root, "GET", json!({}), "{}").await;
    api.deploy("prod").await;
    for (path, value) in [
        ("/cacheClusterEnabled", "true"),
        ("/*/*/throttling/rateLimit", "fast"),
        ("/*/*/throttling/burstLimit", "-2"),
        ("/*/*/logging/loglevel", "LOUD"),
        ("/*/*/nothing/known", "1"),
        ("/deploymentId", "nonesu"),
        ("/variables/bad name", "1"),
        ("/variables/name", "a b"),
        ("/unknown", "1"),
    ] {
        let patches = json!([{"op": "replace", "path": path, "value": value}]);
        api.patch_stage("prod", patches).await.refused("BadRequestException", 400);
    }
}

#[tokio::test]
async fn authorizers_are_checked_and_kept_while_used() {
    let house = house();
    let api = house.api().await;
    let create = async |more: Value| {
        let mut input = json!({"restApiId": api.id, "name": "users"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        house.admin("CreateAuthorizer", input).await
    };
    for wrong in [
        json!({"type": "COGNITO_USER_POOLS", "identitySource": "method.request.header.Authorization"}),
        json!({"type": "COGNITO_USER_POOLS", "providerARNs": ["arn:aws:s3:::a"], "identitySource": "method.request.header.A"}),
        json!({"type": "COGNITO_USER_POOLS", "providerARNs": [POOL], "identitySource": "Authorization"}),
        json!({"type": "TOKEN", "identitySource": "method.request.header.A", "authorizerUri": "arn:aws:lambda:x"}),
        json!({"type": "COGNITO_USER_POOLS", "providerARNs": [POOL], "identitySource": "method.request.header.A",
            "authorizerResultTtlInSeconds": 3_601}),
    ] {
        create(wrong).await.refused("BadRequestException", 400);
    }
    let right = json!({"type": "COGNITO_USER_POOLS", "providerARNs": [POOL], "identitySource": "method.request.header.A"});
    let id = create(right.clone()).await.ok().json()["id"].as_str().unwrap().to_owned();
    create(right).await.refused("BadRequestException", 400);
    api.mock(&api.root, "GET", json!({"authorizationType": "COGNITO_USER_POOLS", "authorizerId": id}), "{}")
        .await;
    let place = json!({"restApiId": api.id, "authorizerId": id});
    house.admin("DeleteAuthorizer", place.clone()).await.refused("ConflictException", 409);
    house
        .admin("DeleteMethod", json!({"restApiId": api.id, "resourceId": api.root, "httpMethod": "GET"}))
        .await
        .ok();
    house.admin("DeleteAuthorizer", place).await.ok();
}
