//! The claims of ID and access tokens, as Cognito writes them (developer guide, "Understanding user pool JSON
//! web tokens").

use homeport_core::Timestamp;
use serde_json::{Map, Value, json};

use crate::attributes::{Attributes, is_readable};

/// The scope of access tokens that users get from the API, and that self-service asks for.
pub(crate) const SELF_SERVICE_SCOPE: &str = "aws.cognito.signin.user.admin";

/// What both tokens of a sign-in say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Session<'a> {
    /// `iss`
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) sub: &'a str,
    pub(crate) username: &'a str,
    /// The sign-in that all its tokens stem from.
    pub(crate) origin_jti: &'a str,
    /// The call that issued them.
    pub(crate) event_id: &'a str,
    /// When the password was given.
    pub(crate) signed_in: Timestamp,
    pub(crate) now: Timestamp,
    /// The user's groups, the most important first.
    pub(crate) groups: &'a [Membership],
}

/// A group as tokens show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Membership {
    pub(crate) name: String,
    pub(crate) role_arn: Option<String>,
    /// Lower is more important; none is least.
    pub(crate) precedence: Option<i32>,
}

impl Session<'_> {
    /// The claims of an access token.
    pub(crate) fn access_claims(&self, jti: &str, seconds: i64) -> Map<String, Value> {
        let mut claims = self.common("access", jti, seconds);
        claims.insert("client_id".into(), self.client_id.into());
        claims.insert("scope".into(), SELF_SERVICE_SCOPE.into());
        claims.insert("username".into(), self.username.into());
        claims
    }

    /// The claims of an ID token, with the attributes that the client may read.
    pub(crate) fn id_claims(
        &self,
        jti: &str,
        seconds: i64,
        attributes: &Attributes,
        readable: Option<&[String]>,
    ) -> Map<String, Value> {
        let mut claims = Map::new();
        for (name, value) in attributes.iter().filter(|(name, _)| is_readable(readable, name)) {
            claims.insert(name.clone(), attribute_claim(name, value));
        }
        claims.append(&mut self.common("id", jti, seconds));
        claims.insert("aud".into(), self.client_id.into());
        claims.insert("cognito:username".into(), self.username.into());
        let roles = roles(self.groups);
        if !roles.is_empty() {
            claims.insert("cognito:roles".into(), json!(roles));
        }
        if let Some(role) = preferred_role(self.groups) {
            claims.insert("cognito:preferred_role".into(), role.into());
        }
        claims
    }

    fn common(&self, token_use: &str, jti: &str, seconds: i64) -> Map<String, Value> {
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| claims.insert(name.into(), value);
        put("sub", self.sub.into());
        if !self.groups.is_empty() {
            put("cognito:groups", self.groups.iter().map(|group| group.name.as_str()).collect());
        }
        put("iss", self.issuer.into());
        put("origin_jti", self.origin_jti.into());
        put("event_id", self.event_id.into());
        put("token_use", token_use.into());
        put("auth_time", self.signed_in.seconds().into());
        put("exp", self.now.plus_seconds(seconds).seconds().into());
        put("iat", self.now.seconds().into());
        put("jti", jti.into());
        claims
    }
}

/// An attribute as a claim: verdicts are booleans, `address` is OpenID Connect's object, the rest is text.
fn attribute_claim(name: &str, value: &str) -> Value {
    match name {
        "email_verified" | "phone_number_verified" => Value::Bool(value == "true"),
        "address" => json!({ "formatted": value }),
        _ => value.into(),
    }
}

/// The groups' roles, each once.
fn roles(groups: &[Membership]) -> Vec<&str> {
    let mut roles: Vec<&str> = Vec::new();
    for role in groups.iter().filter_map(|group| group.role_arn.as_deref()) {
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    roles
}

/// The role of the most important group that has one; none where two equally important ones differ.
fn preferred_role(groups: &[Membership]) -> Option<&str> {
    let importance = |group: &Membership| group.precedence.unwrap_or(i32::MAX);
    let with_roles = || groups.iter().filter(|group| group.role_arn.is_some());
    let best = with_roles().map(importance).min()?;
    let mut candidates = with_roles().filter(|group| importance(group) == best);
    let role = candidates.next()?.role_arn.as_deref();
    candidates.all(|group| group.role_arn.as_deref() == role).then_some(role).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str, role: Option<&str>, precedence: Option<i32>) -> Membership {
        Membership { name: name.into(), role_arn: role.map(str::to_owned), precedence }
    }

    fn session(groups: &[Membership]) -> Session<'_> {
        Session {
            issuer: "http://127.0.0.1:4566/us-east-1_AbCdEfGhI",
            client_id: "client",
            sub: "s-1",
            username: "ann",
            origin_jti: "o-1",
            event_id: "e-1",
            signed_in: Timestamp::from_seconds(1_000),
            now: Timestamp::from_seconds(2_000),
            groups,
        }
    }

    #[test]
    fn an_access_token_says_who_and_what_for() {
        let groups = [group("admins", None, None)];
        let claims = session(&groups).access_claims("j-1", 3_600);
        assert_eq!(
            Value::Object(claims),
            json!({"sub": "s-1", "cognito:groups": ["admins"], "iss": "http://127.0.0.1:4566/us-east-1_AbCdEfGhI",
                "client_id": "client", "origin_jti": "o-1", "event_id": "e-1", "token_use": "access",
                "scope": "aws.cognito.signin.user.admin", "auth_time": 1000, "exp": 5600, "iat": 2000,
                "jti": "j-1", "username": "ann"})
        );
    }

    #[test]
    fn an_id_token_shows_the_attributes_that_the_client_may_read() {
        let attributes: Attributes = [
            ("email", "ann@example.com"),
            ("email_verified", "true"),
            ("phone_number_verified", "false"),
            ("address", "Elm Street"),
            ("custom:plan", "free"),
            ("dev:custom:rank", "1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let all = Value::Object(session(&[]).id_claims("j-1", 60, &attributes, None));
        assert_eq!(
            all,
            json!({"sub": "s-1", "iss": "http://127.0.0.1:4566/us-east-1_AbCdEfGhI", "aud": "client",
                "origin_jti": "o-1", "event_id": "e-1", "token_use": "id", "auth_time": 1000, "exp": 2060,
                "iat": 2000, "jti": "j-1", "cognito:username": "ann", "email": "ann@example.com",
                "email_verified": true, "phone_number_verified": false,
                "address": {"formatted": "Elm Street"}, "custom:plan": "free"})
        );
        let some = session(&[]).id_claims("j-1", 60, &attributes, Some(&["email".to_owned()]));
        assert!(some.contains_key("email") && !some.contains_key("custom:plan"));
    }

    #[test]
    fn no_attribute_overrides_a_claim_of_ours() {
        let attributes: Attributes =
            [("sub".to_owned(), "s-2".to_owned()), ("iss".to_owned(), "me".to_owned())].into();
        let claims = session(&[]).id_claims("j-1", 60, &attributes, None);
        assert_eq!((claims["sub"].as_str(), claims["token_use"].as_str()), (Some("s-1"), Some("id")));
        assert_ne!(claims["iss"], "me");
    }

    #[test]
    fn the_preferred_role_is_the_most_important_groups() {
        let groups =
            [group("a", Some("r-a"), Some(5)), group("b", Some("r-b"), Some(1)), group("c", None, Some(0))];
        let claims = session(&groups).id_claims("j-1", 60, &Attributes::new(), None);
        assert_eq!(claims["cognito:roles"], json!(["r-a", "r-b"]));
        assert_eq!(claims["cognito:preferred_role"], "r-b");
    }

    #[test]
    fn equally_important_roles_that_differ_leave_none_preferred() {
        assert_eq!(preferred_role(&[group("a", Some("r"), None), group("b", Some("q"), None)]), None);
        assert_eq!(preferred_role(&[group("a", Some("r"), None), group("b", Some("r"), None)]), Some("r"));
        assert_eq!(preferred_role(&[group("a", Some("r"), None), group("b", Some("q"), Some(0))]), Some("q"));
        assert_eq!(preferred_role(&[]), None);
    }
}
