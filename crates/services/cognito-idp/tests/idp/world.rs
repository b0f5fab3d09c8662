use std::sync::{Arc, Mutex};

use homeport_cognito_idp::CognitoIdp;
use homeport_service::needs::VerifyToken;
use homeport_service::{Hosted, Parts, Plane};
use homeport_testkit::{Reply, TestApp};
use serde_json::{Value, json};

/// A password that the default policy takes.
pub(crate) const PASSWORD: &str = "Correct-horse7";

/// An installation with one pool and one app client.
pub(crate) struct World {
    pub(crate) app: TestApp,
    pub(crate) service: Arc<CognitoIdp>,
    pub(crate) pool: String,
    pub(crate) client: String,
}

/// An app that hosts user pools alone.
pub(crate) fn app() -> (TestApp, Arc<CognitoIdp>) {
    made_by(|make| TestApp::with_planes(make))
}

type Made = (Vec<Arc<dyn Hosted>>, Vec<Arc<dyn Plane>>);

fn made_by(app: impl FnOnce(&dyn Fn(&Parts) -> Made) -> TestApp) -> (TestApp, Arc<CognitoIdp>) {
    let made = Mutex::new(None);
    let app = app(&|parts| {
        let (service, hosted) = homeport_cognito_idp::host(parts);
        assert!(parts.needs.verify_token.set(service.clone()).is_ok());
        *made.lock().unwrap() = Some(service.clone());
        (vec![hosted], vec![service])
    });
    let service = made.into_inner().unwrap().unwrap();
    (app, service)
}

impl World {
    /// A pool that verifies e-mail addresses, and a client that knows every flow.
    pub(crate) async fn new() -> Self {
        Self::with(json!({}), json!({})).await
    }

    /// With these members in the pool and in the client.
    pub(crate) async fn with(pool: Value, client: Value) -> Self {
        let (app, service) = app();
        let mut asked = json!({"PoolName": "notes", "AutoVerifiedAttributes": ["email"]});
        merge(&mut asked, pool);
        let made = app.admin().call("cognito-idp", "CreateUserPool", asked).await.ok().json();
        let pool = text(&made["UserPool"]["Id"]);
        let mut world = Self { app, service, pool, client: String::new() };
        world.client = text(&world.new_client(client).await["ClientId"]);
        world
    }

    /// The same pool and client on a further node.
    pub(crate) fn beside(&self) -> Self {
        let (app, service) = made_by(|make| self.app.beside(make));
        Self { app, service, pool: self.pool.clone(), client: self.client.clone() }
    }

    /// A further client of the pool.
    pub(crate) async fn new_client(&self, members: Value) -> Value {
        let mut asked = json!({
            "UserPoolId": self.pool, "ClientName": "app",
            "ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH",
                "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        });
        merge(&mut asked, members);
        self.admin("CreateUserPoolClient", asked).await.ok().json()["UserPoolClient"].take()
    }

    /// As administrator; the pool's id is added.
    pub(crate) async fn admin(&self, operation: &str, mut input: Value) -> Reply {
        input["UserPoolId"] = json!(self.pool);
        self.app.admin().call("cognito-idp", operation, input).await
    }

    /// As an app does: unsigned; the client's id is added.
    pub(crate) async fn public(&self, operation: &str, mut input: Value) -> Reply {
        input["ClientId"] = json!(self.client);
        self.app.anonymous().call("cognito-idp", operation, input).await
    }

    /// As a user with an access token.
    pub(crate) async fn own(&self, operation: &str, access_token: &str, mut input: Value) -> Reply {
        input["AccessToken"] = json!(access_token);
        self.app.anonymous().call("cognito-idp", operation, input).await
    }

    pub(crate) async fn sign_up(&self, name: &str) -> Reply {
        let email = format!("{name}@example.com");
        let input = json!({"Username": name, "Password": PASSWORD,
            "UserAttributes": [{"Name": "email", "Value": email}]});
        self.public("SignUp", input).await
    }

    /// The code that was last sent to a user's address.
    pub(crate) fn code(&self, name: &str) -> String {
        self.app.messages.last_code(&format!("{name}@example.com")).unwrap()
    }

    /// A user who signed up and confirmed; the `sub`.
    pub(crate) async fn user(&self, name: &str) -> String {
        let sub = text(&self.sign_up(name).await.ok().json()["UserSub"]);
        let code = self.code(name);
        self.public("ConfirmSignUp", json!({"Username": name, "ConfirmationCode": code})).await.ok();
        sub
    }

    pub(crate) async fn sign_in(&self, name: &str, password: &str) -> Reply {
        let parameters = json!({"USERNAME": name, "PASSWORD": password});
        self.public("InitiateAuth", json!({"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters}))
            .await
    }

    /// The tokens of a user who signs in.
    pub(crate) async fn tokens(&self, name: &str) -> Value {
        self.sign_in(name, PASSWORD).await.ok().json()["AuthenticationResult"].take()
    }

    pub(crate) async fn refresh(&self, token: &str) -> Reply {
        let parameters = json!({"REFRESH_TOKEN": token});
        self.public("InitiateAuth", json!({"AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": parameters}))
            .await
    }

    pub(crate) async fn get_user(&self, access_token: &str) -> Reply {
        self.own("GetUser", access_token, json!({})).await
    }

    /// A user's attributes by name, as an administrator sees them.
    pub(crate) async fn attributes(&self, name: &str) -> std::collections::BTreeMap<String, String> {
        let user = self.admin("AdminGetUser", json!({"Username": name})).await.ok().json();
        let listed = user["UserAttributes"].as_array().unwrap().clone();
        listed.iter().map(|attribute| (text(&attribute["Name"]), text(&attribute["Value"]))).collect()
    }

    pub(crate) async fn status(&self, name: &str) -> String {
        text(&self.admin("AdminGetUser", json!({"Username": name})).await.ok().json()["UserStatus"])
    }

    pub(crate) fn verifier(&self) -> &dyn VerifyToken {
        &*self.service
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// The claims of a token, unverified.
pub(crate) fn claims(token: &Value) -> Value {
    use base64::Engine;
    let payload = text(token).split('.').nth(1).unwrap().to_owned();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn merge(into: &mut Value, members: Value) {
    let Value::Object(members) = members else { return };
    for (name, value) in members {
        into[name] = value;
    }
}
