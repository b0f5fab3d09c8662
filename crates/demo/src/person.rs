use serde_json::{Value, json};

use crate::Deployed;
use crate::client::{Answer, Aws, CallFailed, Keys, text};

/// Somebody with a phone: nothing but what an app has.
pub(crate) struct Person<'a> {
    pub(crate) app: &'a Aws,
    pub(crate) backend: &'a Deployed,
    pub(crate) email: &'a str,
    pub(crate) password: &'a str,
}

impl Person<'_> {
    async fn cognito(&self, operation: &str, input: Value) -> Result<Value, CallFailed> {
        self.app.json("cognito-idp", &format!("AWSCognitoIdentityProviderService.{operation}"), input).await
    }

    pub(crate) async fn sign_up(&self) -> Result<(), CallFailed> {
        let input = json!({
            "ClientId": self.backend.client_id, "Username": self.email, "Password": self.password,
            "UserAttributes": [{"Name": "email", "Value": self.email}],
        });
        self.cognito("SignUp", input).await.map(|_| ())
    }

    pub(crate) async fn confirm(&self, code: &str) -> Result<(), CallFailed> {
        let input =
            json!({"ClientId": self.backend.client_id, "Username": self.email, "ConfirmationCode": code});
        self.cognito("ConfirmSignUp", input).await.map(|_| ())
    }

    /// Signs in; answers the ID token.
    pub(crate) async fn sign_in(&self, password: &str) -> Result<String, CallFailed> {
        let input = json!({
            "AuthFlow": "USER_PASSWORD_AUTH", "ClientId": self.backend.client_id,
            "AuthParameters": {"USERNAME": self.email, "PASSWORD": password},
        });
        text(&self.cognito("InitiateAuth", input).await?, "/AuthenticationResult/IdToken")
    }

    /// Calls the API, with a token or without.
    pub(crate) async fn api(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Result<Answer, CallFailed> {
        let target = format!("{}{path}", self.backend.api_path);
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(token.map(|token| ("authorization", token)));
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        self.app.send("execute-api", method, &target, &headers, body).await
    }
}

/// A Cognito ID and temporary credentials: a user's with an ID token, else a guest's.
pub(crate) async fn identity(
    app: &Aws,
    backend: &Deployed,
    id_token: Option<&str>,
) -> Result<(String, Keys), CallFailed> {
    let provider = format!("cognito-idp.{}.amazonaws.com/{}", crate::client::REGION, backend.user_pool_id);
    let logins = id_token.map_or_else(|| json!({}), |token| json!({provider: token}));
    let call = |operation: &str| format!("AWSCognitoIdentityService.{operation}");
    let input = json!({"IdentityPoolId": backend.identity_pool_id, "Logins": logins});
    let id = text(&app.json("cognito-identity", &call("GetId"), input).await?, "/IdentityId")?;
    let input = json!({"IdentityId": id, "Logins": logins});
    let given = app.json("cognito-identity", &call("GetCredentialsForIdentity"), input).await?;
    let keys = Keys {
        access_key_id: text(&given, "/Credentials/AccessKeyId")?,
        secret_access_key: text(&given, "/Credentials/SecretKey")?,
        session_token: Some(text(&given, "/Credentials/SessionToken")?),
    };
    Ok((id, keys))
}
