use homeport_testkit::{Sample, TestApp, assert_strangers_are_refused};
use serde_json::{Value, json};

use crate::house::{POOL, house};

fn make() -> TestApp {
    house().app
}

/// An API with one of everything. Ids come from a seed, so they are the same in every new house.
async fn prelude() -> (Vec<(&'static str, Value)>, Value) {
    let app = make();
    let mut calls: Vec<(&'static str, Value)> = Vec::new();
    let mut ids = json!({});
    let mut call = async |operation: &'static str, input: Value| {
        let made = app.admin().call("apigateway", operation, input.clone()).await.ok().json();
        calls.push((operation, input));
        made
    };
    let api = call("CreateRestApi", json!({"name": "notes"})).await;
    let (id, root) = (api["id"].clone(), api["rootResourceId"].clone());
    let resource =
        call("CreateResource", json!({"restApiId": id, "parentId": root, "pathPart": "notes"})).await;
    let place = json!({"restApiId": id, "resourceId": resource["id"], "httpMethod": "GET"});
    let with = |more: Value| {
        let mut whole = place.clone();
        whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        whole
    };
    call("PutMethod", with(json!({"authorizationType": "NONE"}))).await;
    call("PutMethodResponse", with(json!({"statusCode": "200"}))).await;
    call("PutIntegration", with(json!({"type": "MOCK"}))).await;
    call("PutIntegrationResponse", with(json!({"statusCode": "200"}))).await;
    let spare = call("CreateDeployment", json!({"restApiId": id})).await;
    call("CreateDeployment", json!({"restApiId": id, "stageName": "prod"})).await;
    let authorizer = call(
        "CreateAuthorizer",
        json!({"restApiId": id, "name": "users", "type": "COGNITO_USER_POOLS", "providerARNs": [POOL],
            "identitySource": "method.request.header.Authorization"}),
    )
    .await;
    ids["api"] = id;
    ids["root"] = root;
    ids["resource"] = resource["id"].clone();
    ids["deployment"] = spare["id"].clone();
    ids["authorizer"] = authorizer["id"].clone();
    (calls, ids)
}

#[tokio::test]
async fn strangers_are_refused() {
    let (before, ids) = prelude().await;
    let (api, resource) = (&ids["api"], &ids["resource"]);
    let description = json!([{"op": "replace", "path": "/description", "value": "x"}]);
    let inputs: Vec<(&'static str, Value)> = vec![
        ("CreateRestApi", json!({"name": "more"})),
        ("GetRestApi", json!({"restApiId": api})),
        ("GetRestApis", json!({})),
        ("UpdateRestApi", json!({"restApiId": api, "patchOperations": description})),
        ("DeleteRestApi", json!({"restApiId": api})),
        ("CreateResource", json!({"restApiId": api, "parentId": ids["root"], "pathPart": "more"})),
        ("GetResource", json!({"restApiId": api, "resourceId": resource})),
        ("GetResources", json!({"restApiId": api})),
        (
            "UpdateResource",
            json!({"restApiId": api, "resourceId": resource,
            "patchOperations": [{"op": "replace", "path": "/pathPart", "value": "memos"}]}),
        ),
        ("DeleteResource", json!({"restApiId": api, "resourceId": resource})),
        (
            "PutMethod",
            json!({"restApiId": api, "resourceId": resource, "httpMethod": "POST", "authorizationType": "NONE"}),
        ),
        ("GetMethod", json!({"restApiId": api, "resourceId": resource, "httpMethod": "GET"})),
        (
            "UpdateMethod",
            json!({"restApiId": api, "resourceId": resource, "httpMethod": "GET",
            "patchOperations": [{"op": "replace", "path": "/apiKeyRequired", "value": "true"}]}),
        ),
        ("DeleteMethod", json!({"restApiId": api, "resourceId": resource, "httpMethod": "GET"})),
        (
            "PutMethodResponse",
            json!({"restApiId": api, "resourceId": resource, "httpMethod": "GET", "statusCode": "404"}),
        ),
        (
            "GetMethodResponse",
            json!({"restApiId": api, "resourceId": resource, "httpMethod": "GET", "statusCode": "200"}),
        ),
        (
            "UpdateMethodResponse",
            json!({"restApiId": api, "resourceId": resource, "httpMethod": "GET", "statusCode": "200",
            "patchOperations": [{"op": "add", "path": "/responseModels/application~1json", "value": "Empty"}]}),
        ),
        (
            "DeleteMethodResponse",
            json!({"restApiId": api, "resourceId": resource, "httpMethod": "GET", "statusCode": "200"}),
        ),
        (
            "PutIntegration",
            json!({"restApiId": api, "resourceId": resource, "httpMethod": "GET", "type": "MOCK"}),
        ),
        ("GetIntegration", json!({"restApiId": api, "resourceId": resource, "httpMethod": "GET"})),
        (
            "UpdateIntegration",
            json!({"restApiId": api, "resourceId": resource, "httpMethod": "GET",
            "patchOperations": [{"op": "replace", "path": "/timeoutInMillis", "value": "1000"}]}),
        ),
        ("DeleteIntegration", json!({"restApiId": api, "resourceId": resource, "httpMethod": "GET"})),
        (
            "PutIntegrationResponse",
            json!({"restApiId": api, "resourceId": resource, "httpMethod": "GET", "statusCode": "200"}),
        ),
        (
            "GetIntegrationResponse",
            json!({"restApiId": api, "resourceId": resource, "httpMethod": "GET", "statusCode": "200"}),
        ),
        (
            "UpdateIntegrationResponse",
            json!({"restApiId": api, "resourceId": resource, "httpMethod": "GET", "statusCode": "200",
            "patchOperations": [{"op": "replace", "path": "/selectionPattern", "value": "2.."}]}),
        ),
        (
            "DeleteIntegrationResponse",
            json!({"restApiId": api, "resourceId": resource, "httpMethod": "GET", "statusCode": "200"}),
        ),
        ("CreateDeployment", json!({"restApiId": api})),
        ("GetDeployment", json!({"restApiId": api, "deploymentId": ids["deployment"]})),
        ("GetDeployments", json!({"restApiId": api})),
        (
            "UpdateDeployment",
            json!({"restApiId": api, "deploymentId": ids["deployment"], "patchOperations": description}),
        ),
        ("DeleteDeployment", json!({"restApiId": api, "deploymentId": ids["deployment"]})),
        ("CreateStage", json!({"restApiId": api, "stageName": "test", "deploymentId": ids["deployment"]})),
        ("GetStage", json!({"restApiId": api, "stageName": "prod"})),
        ("GetStages", json!({"restApiId": api})),
        ("UpdateStage", json!({"restApiId": api, "stageName": "prod", "patchOperations": description})),
        ("DeleteStage", json!({"restApiId": api, "stageName": "prod"})),
        ("FlushStageAuthorizersCache", json!({"restApiId": api, "stageName": "prod"})),
        (
            "CreateAuthorizer",
            json!({"restApiId": api, "name": "more", "type": "COGNITO_USER_POOLS", "providerARNs": [POOL],
            "identitySource": "method.request.header.Authorization"}),
        ),
        ("GetAuthorizer", json!({"restApiId": api, "authorizerId": ids["authorizer"]})),
        ("GetAuthorizers", json!({"restApiId": api})),
        (
            "UpdateAuthorizer",
            json!({"restApiId": api, "authorizerId": ids["authorizer"],
            "patchOperations": [{"op": "replace", "path": "/name", "value": "renamed"}]}),
        ),
        ("DeleteAuthorizer", json!({"restApiId": api, "authorizerId": ids["authorizer"]})),
    ];
    let after_prelude = |(operation, input): (&'static str, Value)| {
        let sample = Sample::new("apigateway", operation, input);
        before.iter().fold(sample, |sample, (operation, input)| sample.after(operation, input.clone()))
    };
    let samples: Vec<Sample> = inputs.into_iter().map(after_prelude).collect();
    assert_strangers_are_refused(make, &samples).await;
}
