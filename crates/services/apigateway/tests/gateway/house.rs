//! A house with API Gateway in it, and stand-ins for what it asks of others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use homeport_core::{BoxFuture, Region};
use homeport_service::needs::{
    Fetch, FetchRefused, Invocation, Invoke, InvokeRefused, Invoked, LogLine, On, PutLog, TokenUse, Verified,
};
use homeport_service::{Body, Hosted, Parts, Plane, full};
use homeport_store::StoreError;
use homeport_testkit::{FixedTokens, Reply, TestApp};
use http::HeaderMap;
use serde_json::{Value, json};

pub(crate) const POOL: &str = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_Abcdefghi";
pub(crate) const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:notes";

/// What a function does with an event.
type Handler = Box<dyn Fn(&On, &Value) -> Result<Value, Failure> + Send + Sync>;

/// How a function fails.
pub(crate) enum Failure {
    /// It raises an error with this message.
    Raises(&'static str),
    /// It may not be invoked.
    NotPermitted,
    /// It takes longer than anybody waits.
    Hangs,
}

#[derive(Default)]
pub(crate) struct Functions {
    handlers: Mutex<BTreeMap<String, Arc<Handler>>>,
    pub(crate) invocations: Mutex<Vec<(On, Value)>>,
}

impl Functions {
    pub(crate) fn put(
        &self,
        arn: &str,
        handler: impl Fn(&On, &Value) -> Result<Value, Failure> + Send + Sync + 'static,
    ) {
        self.handlers.lock().unwrap().insert(arn.to_owned(), Arc::new(Box::new(handler)));
    }

    pub(crate) fn count(&self) -> usize {
        self.invocations.lock().unwrap().len()
    }
}

impl Invoke for Functions {
    fn invoke<'a>(&'a self, on: On, invocation: Invocation) -> BoxFuture<'a, Result<Invoked, InvokeRefused>> {
        Box::pin(async move {
            let event: Value = serde_json::from_slice(&invocation.payload).unwrap();
            self.invocations.lock().unwrap().push((on.clone(), event.clone()));
            let handler = self.handlers.lock().unwrap().get(&invocation.function_arn).cloned();
            match handler.ok_or(InvokeRefused::NotFound)?(&on, &event) {
                Ok(answer) => Ok(Invoked { payload: answer.to_string().into(), function_error: None }),
                Err(Failure::Raises(message)) => Ok(Invoked {
                    payload: json!({"errorMessage": message, "errorType": "Exception"}).to_string().into(),
                    function_error: Some("Unhandled"),
                }),
                Err(Failure::NotPermitted) => Err(InvokeRefused::NotPermitted),
                Err(Failure::Hangs) => std::future::pending().await,
            }
        })
    }
}

#[derive(Default)]
pub(crate) struct Logs(pub(crate) Mutex<Vec<(String, String, String)>>);

impl PutLog for Logs {
    fn put_log<'a>(
        &'a self,
        _: &'a Region,
        group: &'a str,
        stream: &'a str,
        lines: Vec<LogLine>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let lines = lines.into_iter().map(|line| (group.to_owned(), stream.to_owned(), line.text));
            self.0.lock().unwrap().extend(lines);
            Ok(())
        })
    }
}

/// A web that answers what it was asked.
#[derive(Default)]
pub(crate) struct Web(pub(crate) Mutex<Vec<http::Request<Bytes>>>);

impl Fetch for Web {
    fn fetch<'a>(
        &'a self,
        request: http::Request<Bytes>,
        _: std::time::Duration,
    ) -> BoxFuture<'a, Result<http::Response<Body>, FetchRefused>> {
        Box::pin(async move {
            let host = request.uri().host().unwrap_or_default().to_owned();
            self.0.lock().unwrap().push(request);
            match host.as_str() {
                "169.254.169.254" => Err(FetchRefused::Forbidden("never".to_owned())),
                "slow.example" => Err(FetchRefused::TimedOut),
                _ => Ok(http::Response::builder()
                    .status(418)
                    .header("content-type", "text/plain")
                    .header("server", "teapot")
                    .header("x-own", "1")
                    .body(full("short and stout"))
                    .unwrap()),
            }
        })
    }

    fn connect<'a>(
        &'a self,
        _: &'a str,
        _: u16,
    ) -> BoxFuture<'a, Result<tokio::net::TcpStream, FetchRefused>> {
        Box::pin(async { Err(FetchRefused::Forbidden("never".to_owned())) })
    }
}

/// The house.
pub(crate) struct House {
    pub(crate) app: TestApp,
    pub(crate) functions: Arc<Functions>,
    pub(crate) logs: Arc<Logs>,
    pub(crate) web: Arc<Web>,
    pub(crate) tokens: Arc<FixedTokens>,
}

pub(crate) fn house() -> House {
    made_by(|make| TestApp::with_planes(make))
}

type Made = (Vec<Arc<dyn Hosted>>, Vec<Arc<dyn Plane>>);

fn made_by(app: impl FnOnce(&dyn Fn(&Parts) -> Made) -> TestApp) -> House {
    let (functions, logs, web) = (Arc::<Functions>::default(), Arc::<Logs>::default(), Arc::<Web>::default());
    let tokens = Arc::<FixedTokens>::default();
    let app = app(&|parts| {
        parts.needs.invoke.set(functions.clone()).ok();
        parts.needs.put_log.set(logs.clone()).ok();
        parts.needs.fetch.set(web.clone()).ok();
        parts.needs.verify_token.set(tokens.clone()).ok();
        let (service, hosted) = homeport_apigateway::host(parts);
        parts.needs.resource_policies.set(vec![("execute-api", service)]).ok();
        (vec![hosted], vec![homeport_apigateway::plane(parts)])
    });
    House { app, functions, logs, web, tokens }
}

/// An API in the making, by its administrator.
pub(crate) struct Api<'h> {
    house: &'h House,
    pub(crate) id: String,
    pub(crate) root: String,
}

impl House {
    /// A further node, with stand-ins of its own.
    pub(crate) fn beside(&self) -> Self {
        made_by(|make| self.app.beside(make))
    }

    pub(crate) async fn admin(&self, operation: &str, input: Value) -> Reply {
        self.app.admin().call("apigateway", operation, input).await
    }

    pub(crate) async fn api(&self) -> Api<'_> {
        let made = self.admin("CreateRestApi", json!({"name": "notes"})).await.ok().json();
        let text = |key: &str| made[key].as_str().unwrap().to_owned();
        Api { house: self, id: text("id"), root: text("rootResourceId") }
    }

    /// Calls a deployed API by the path form, without keys.
    pub(crate) async fn call(
        &self,
        api: &str,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let target = format!("/_aws/execute-api/{api}{target}");
        self.app.anonymous().send("execute-api", method, &target, headers, body).await
    }

    pub(crate) fn put_token(&self, token: &str, token_use: TokenUse, scopes: &[&str], expires_in: i64) {
        self.put_token_of("client-1", token, token_use, scopes, expires_in);
    }

    /// Makes a token of an app client known.
    pub(crate) fn put_token_of(
        &self,
        client: &str,
        token: &str,
        token_use: TokenUse,
        scopes: &[&str],
        expires_in: i64,
    ) {
        let now = homeport_core::Clock::now(&*self.app.clock).seconds();
        let claims = json!({"sub": "user-1", "cognito:username": "ann", "email_verified": true,
            "cognito:groups": ["readers", "writers"], "exp": now + expires_in});
        let verified = Verified {
            user_pool_id: "us-east-1_Abcdefghi".to_owned(),
            client_id: client.to_owned(),
            sub: "user-1".to_owned(),
            username: "ann".to_owned(),
            origin_jti: String::new(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            issuer: "http://127.0.0.1:4566/us-east-1_Abcdefghi".to_owned(),
            issued: now,
            expires: now + expires_in,
            claims: claims.as_object().unwrap().clone(),
        };
        self.tokens.put(token, token_use, verified);
    }
}

impl Api<'_> {
    pub(crate) async fn resource(&self, parent: &str, part: &str) -> String {
        let input = json!({"restApiId": self.id, "parentId": parent, "pathPart": part});
        self.house.admin("CreateResource", input).await.ok().json()["id"].as_str().unwrap().to_owned()
    }

    /// Adds a method; `more` has members of PutMethod's input.
    pub(crate) async fn method(&self, resource: &str, verb: &str, more: Value, integration: Value) {
        let mut input = json!({"restApiId": self.id, "resourceId": resource, "httpMethod": verb, "authorizationType": "NONE"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.house.admin("PutMethod", input).await.ok();
        let mut input = json!({"restApiId": self.id, "resourceId": resource, "httpMethod": verb});
        input.as_object_mut().unwrap().extend(integration.as_object().unwrap().clone());
        self.house.admin("PutIntegration", input).await.ok();
    }

    /// Adds a method that answers 200 with `body`.
    pub(crate) async fn mock(&self, resource: &str, verb: &str, more: Value, body: &str) {
        let integration =
            json!({"type": "MOCK", "requestTemplates": {"application/json": "{\"statusCode\": 200}"}});
        self.method(resource, verb, more, integration).await;
        let place =
            json!({"restApiId": self.id, "resourceId": resource, "httpMethod": verb, "statusCode": "200"});
        self.house.admin("PutMethodResponse", place.clone()).await.ok();
        let mut input = place;
        input["responseTemplates"] = json!({"application/json": body});
        self.house.admin("PutIntegrationResponse", input).await.ok();
    }

    pub(crate) async fn deploy(&self, stage: &str) -> String {
        let input = json!({"restApiId": self.id, "stageName": stage});
        self.house.admin("CreateDeployment", input).await.ok().json()["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn patch_stage(&self, stage: &str, patches: Value) -> Reply {
        let input = json!({"restApiId": self.id, "stageName": stage, "patchOperations": patches});
        self.house.admin("UpdateStage", input).await
    }

    pub(crate) async fn authorizer(&self, input: Value) -> String {
        let mut whole = json!({"restApiId": self.id});
        whole.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
        self.house.admin("CreateAuthorizer", whole).await.ok().json()["id"].as_str().unwrap().to_owned()
    }
}

/// The URI of a function's invocation.
pub(crate) fn function_uri(arn: &str) -> String {
    format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations")
}

/// The integration with a function.
pub(crate) fn function() -> Value {
    json!({"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": function_uri(FUNCTION)})
}

pub(crate) fn header<'r>(headers: &'r HeaderMap, name: &str) -> &'r str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}
