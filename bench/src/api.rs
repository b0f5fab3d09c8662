//! Calls of a deployed API: a Cognito authorizer before a `MOCK` integration, with many tokens.

use std::time::{Duration, Instant};

use bytes::Bytes;
use homeport_demo::Aws;
use serde_json::{Value, json};

use crate::load::{Connection, at_pace, once_each, request};
use crate::process::{Program, Server};
use crate::sign_in::Person;
use crate::table::Table;
use crate::{Outcome, bare};

const CONNECTIONS: usize = 64;
const TOKENS: usize = 10_000;
/// From one connection's call to its next, as an account may make 10,000 calls a second in all.
const PACE: Option<Duration> = Some(Duration::from_millis(12));
/// How long tokens are gathered at most.
const GATHERING: Duration = Duration::from_secs(45);

pub(crate) async fn measure(program: &Program, table: &mut Table) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let server = program.serve(&data).await?;
    let admin = server.anyone().with(program.keys(&data)?);
    let person = Person::new(&admin).await?;
    let path = deploy(&admin, &person.pool_arn).await?;
    let calls = calls(&server, &person, &path).await?;

    let (first, rest) = calls.split_first().ok_or("no tokens")?;
    let body = Connection::open(&server.address, 0).await?.send(first).await?;
    let missed = once_each(&server, CONNECTIONS, rest, PACE).await?;
    let hit = at_pace(&server, CONNECTIONS, rest, PACE).await?;
    let peer = bare::start(program, folder.path(), &body).await?;
    let peer = at_pace(&peer, CONNECTIONS, rest, PACE).await?;
    table.by_cpu(&format!("API call, token known ({} tokens)", rest.len()), Some(0.5), &hit, &peer);
    table.by_cpu("API call, token new", None, &missed, &peer);
    Ok(())
}

async fn deploy(admin: &Aws, pool_arn: &str) -> Outcome<String> {
    let send = |method: &'static str, path: String, input: Value| async move {
        admin.rest("apigateway", method, &path, Some(input)).await
    };
    let text =
        |value: &Value, at: &str| value.pointer(at).and_then(Value::as_str).map(str::to_owned).ok_or("no id");
    let api = text(&send("POST", "/restapis".into(), json!({"name": "bench"})).await?, "/id")?;
    let authorizer = json!({"name": "people", "type": "COGNITO_USER_POOLS", "providerARNs": [pool_arn],
        "identitySource": "method.request.header.Authorization"});
    let authorizer = text(&send("POST", format!("/restapis/{api}/authorizers"), authorizer).await?, "/id")?;
    let resources = admin.rest("apigateway", "GET", &format!("/restapis/{api}/resources"), None).await?;
    let root = text(&resources, "/item/0/id").or_else(|_| text(&resources, "/_embedded/item/id"))?;
    let method = format!("/restapis/{api}/resources/{root}/methods/GET");
    let guarded = json!({"authorizationType": "COGNITO_USER_POOLS", "authorizerId": authorizer});
    send("PUT", method.clone(), guarded).await?;
    let mock = json!({"type": "MOCK", "requestTemplates": {"application/json": "{\"statusCode\": 200}"}});
    send("PUT", format!("{method}/integration"), mock).await?;
    send("PUT", format!("{method}/responses/200"), json!({})).await?;
    let said = json!({"responseTemplates": {"application/json": "{\"notes\": [\"one\", \"two\"]}"}});
    send("PUT", format!("{method}/integration/responses/200"), said).await?;
    send("POST", format!("/restapis/{api}/deployments"), json!({"stageName": "bench"})).await?;
    Ok(format!("/_aws/execute-api/{api}/bench"))
}

/// Calls with as many different ID tokens, as refreshing gives them.
async fn calls(server: &Server, person: &Person, path: &str) -> Outcome<Vec<Bytes>> {
    let target = "AWSCognitoIdentityProviderService.InitiateAuth";
    let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
    let input = json!({"ClientId": person.client, "AuthFlow": "REFRESH_TOKEN_AUTH",
        "AuthParameters": {"REFRESH_TOKEN": person.refresh_token}});
    let refresh = request(&server.address, "POST", "/", &headers, input.to_string().as_bytes());
    // Fifty addresses or more, as each may call 50 times a second.
    let end = Instant::now() + GATHERING;
    let lane = |lane: usize| {
        let (address, host, path, refresh) =
            (server.address.clone(), server.address.clone(), path.to_owned(), refresh.clone());
        async move {
            let mut connection = Connection::open(&address, lane).await.map_err(|error| error.to_string())?;
            let mut calls = Vec::new();
            while calls.len() < TOKENS / CONNECTIONS + 1 && Instant::now() < end {
                let answer: Value = serde_json::from_slice(&connection.send(&refresh).await?)
                    .map_err(|error| error.to_string())?;
                let token = answer["AuthenticationResult"]["IdToken"].as_str().ok_or("no token")?;
                calls.push(request(&host, "GET", &path, &[("authorization", token)], b""));
            }
            Ok::<_, String>(calls)
        }
    };
    let lanes: Vec<_> = (0..CONNECTIONS).map(|at| tokio::spawn(lane(at))).collect();
    let mut calls = Vec::new();
    for lane in lanes {
        calls.extend(lane.await??);
    }
    calls.truncate(TOKENS + 1);
    Ok(calls)
}
