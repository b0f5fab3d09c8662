//! Identity pools through the whole pipeline. The roles' sessions are caught where STS would make them.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use homeport_cognito_identity::CognitoIdentity;
use homeport_core::{BoxFuture, Timestamp};
use homeport_service::needs::{
    Assume, AssumeForService, AssumeRefused, Credentials, GoneUser, TokenUse, Verified, VerifyWebIdentity,
};
use homeport_service::{Hosted, Parts, Plane};
use homeport_store::Key;
use homeport_testkit::{FixedTokens, Reply, Sample, TestApp, assert_strangers_are_refused};
use homeport_vault::Secret;
use serde_json::{Value, json};

const USER_POOL: &str = "us-east-1_AbCdEfGhI";
const PROVIDER: &str = "127.0.0.1:4566/us-east-1_AbCdEfGhI";
const AWS_NAME: &str = "cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEfGhI";

#[derive(Default)]
struct Caught(Mutex<Vec<Assume>>);

impl AssumeForService for Caught {
    fn assume<'a>(&'a self, assume: Assume) -> BoxFuture<'a, Result<Credentials, AssumeRefused>> {
        Box::pin(async move {
            if assume.role_arn.ends_with("/untrusting") {
                return Err(AssumeRefused::NotTrusted);
            }
            self.0.lock().unwrap().push(assume);
            Ok(Credentials {
                access_key_id: "ASIATEST".to_owned(),
                secret_access_key: Secret::new(b"secret".to_vec()),
                session_token: Secret::new(b"token".to_vec()),
                expiration: Timestamp::from_seconds(1_795_003_600),
            })
        })
    }
}

struct World {
    app: TestApp,
    tokens: Arc<FixedTokens>,
    assumed: Arc<Caught>,
    identities: Arc<CognitoIdentity>,
}

fn world() -> World {
    made_by(|make| TestApp::with_planes(make))
}

type Made = (Vec<Arc<dyn Hosted>>, Vec<Arc<dyn Plane>>);

fn made_by(app: impl FnOnce(&dyn Fn(&Parts) -> Made) -> TestApp) -> World {
    let (tokens, assumed) = (Arc::new(FixedTokens::default()), Arc::new(Caught::default()));
    let made = Mutex::new(None);
    let app = app(&|parts| {
        parts.needs.verify_token.set(tokens.clone()).ok();
        parts.needs.assume.set(assumed.clone()).ok();
        let (identities, hosted) = homeport_cognito_identity::host(parts);
        parts.needs.users_gone.set(vec![identities.clone()]).ok();
        parts.needs.identities.set(identities.clone()).ok();
        *made.lock().unwrap() = Some(identities);
        (vec![hosted], Vec::new())
    });
    let identities = made.into_inner().unwrap().unwrap();
    World { app, tokens, assumed, identities }
}

impl World {
    fn token(&self, token: &str, sub: &str, client: &str, token_use: TokenUse) {
        self.claims(token, sub, client, token_use, json!({}));
    }

    fn claims(&self, token: &str, sub: &str, client: &str, token_use: TokenUse, claims: Value) {
        let verified = Verified {
            user_pool_id: USER_POOL.to_owned(),
            client_id: client.to_owned(),
            sub: sub.to_owned(),
            username: sub.to_owned(),
            origin_jti: format!("jti-{sub}"),
            scopes: Vec::new(),
            issuer: format!("http://{PROVIDER}"),
            issued: 0,
            expires: i64::MAX,
            claims: claims.as_object().cloned().unwrap_or_default(),
        };
        self.tokens.put(token, token_use, verified);
    }

    async fn pool(&self, guests: bool) -> String {
        let made = self
            .admin(
                "CreateIdentityPool",
                json!({
                    "IdentityPoolName": "notes", "AllowUnauthenticatedIdentities": guests,
                    "CognitoIdentityProviders": [{"ProviderName": AWS_NAME, "ClientId": "app"}],
                }),
            )
            .await
            .ok();
        let id = made.json()["IdentityPoolId"].as_str().unwrap().to_owned();
        let roles = json!({"authenticated": "arn:aws:iam::123456789012:role/user",
            "unauthenticated": "arn:aws:iam::123456789012:role/guest"});
        self.admin("SetIdentityPoolRoles", json!({"IdentityPoolId": id, "Roles": roles})).await.ok();
        id
    }

    async fn admin(&self, operation: &str, input: Value) -> Reply {
        self.app.admin().call("cognito-identity", operation, input).await
    }

    async fn anyone(&self, operation: &str, input: Value) -> Reply {
        self.app.anonymous().call("cognito-identity", operation, input).await
    }

    async fn id(&self, pool: &str, logins: &[(&str, &str)]) -> Reply {
        let logins: BTreeMap<_, _> = logins.iter().copied().collect();
        self.anyone("GetId", json!({"IdentityPoolId": pool, "Logins": logins})).await
    }

    async fn credentials(&self, identity: &str, logins: &[(&str, &str)]) -> Reply {
        let logins: BTreeMap<_, _> = logins.iter().copied().collect();
        self.anyone("GetCredentialsForIdentity", json!({"IdentityId": identity, "Logins": logins})).await
    }
}

fn identity_of(reply: &Reply) -> String {
    reply.json()["IdentityId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_guest_gets_an_identity_and_a_narrowed_session_of_the_guests_role() {
    let world = world();
    let pool = world.pool(true).await;
    let identity = identity_of(&world.id(&pool, &[]).await.ok());
    assert!(identity.starts_with("us-east-1:") && identity.len() == 46, "{identity}");
    let given = world.credentials(&identity, &[]).await.ok().json();
    assert_eq!(given["Credentials"]["AccessKeyId"], "ASIATEST");
    let assumed = world.assumed.0.lock().unwrap();
    assert_eq!(assumed[0].role_arn, "arn:aws:iam::123456789012:role/guest");
    assert_eq!(assumed[0].session_policies.len(), 1);
    assert_eq!(assumed[0].context["cognito-identity.amazonaws.com:amr"], ["unauthenticated"]);
    assert_eq!(assumed[0].context["cognito-identity.amazonaws.com:aud"], [pool]);
    assert_eq!(assumed[0].context["cognito-identity.amazonaws.com:sub"], [identity]);
}

#[tokio::test]
async fn a_pool_without_guests_turns_them_away() {
    let world = world();
    let pool = world.pool(false).await;
    world.id(&pool, &[]).await.refused("NotAuthorizedException", 400);
}

#[tokio::test]
async fn a_user_has_the_same_identity_by_either_name_of_the_provider() {
    let world = world();
    let pool = world.pool(true).await;
    world.token("ada", "sub-ada", "app", TokenUse::Id);
    world.token("bob", "sub-bob", "app", TokenUse::Id);
    let own_name = identity_of(&world.id(&pool, &[(PROVIDER, "ada")]).await.ok());
    let aws_name = identity_of(&world.id(&pool, &[(AWS_NAME, "ada")]).await.ok());
    let bob = identity_of(&world.id(&pool, &[(AWS_NAME, "bob")]).await.ok());
    assert_eq!(own_name, aws_name);
    assert_ne!(own_name, bob);
}

#[tokio::test]
async fn a_user_gets_a_session_of_the_users_role_that_names_the_sign_in() {
    let world = world();
    let pool = world.pool(true).await;
    world.token("ada", "sub-ada", "app", TokenUse::Id);
    let identity = identity_of(&world.id(&pool, &[(AWS_NAME, "ada")]).await.ok());
    world.credentials(&identity, &[(AWS_NAME, "ada")]).await.ok();
    let assumed = world.assumed.0.lock().unwrap();
    assert_eq!(assumed[0].role_arn, "arn:aws:iam::123456789012:role/user");
    assert!(assumed[0].session_policies.is_empty());
    let session = assumed[0].cognito.clone().unwrap();
    assert_eq!(session.origin_jti.as_deref(), Some("jti-sub-ada"));
    assert_eq!(session.provider.unwrap(), format!("{AWS_NAME},{AWS_NAME}:CognitoSignIn:sub-ada"));
}

#[tokio::test]
async fn nobody_gets_credentials_of_another_users_identity() {
    let world = world();
    let pool = world.pool(true).await;
    world.token("ada", "sub-ada", "app", TokenUse::Id);
    world.token("bob", "sub-bob", "app", TokenUse::Id);
    let ada = identity_of(&world.id(&pool, &[(AWS_NAME, "ada")]).await.ok());
    world.id(&pool, &[(AWS_NAME, "bob")]).await.ok();
    world.credentials(&ada, &[]).await.refused("NotAuthorizedException", 400);
    world.credentials(&ada, &[(AWS_NAME, "bob")]).await.refused("NotAuthorizedException", 400);
    assert!(world.assumed.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_wrong_token_in_the_wrong_place_is_refused() {
    let world = world();
    let pool = world.pool(true).await;
    world.token("access", "sub-ada", "app", TokenUse::Access);
    world.token("other-client", "sub-ada", "another", TokenUse::Id);
    world.token("ada", "sub-ada", "app", TokenUse::Id);
    for (name, token) in [
        (AWS_NAME, "access"),
        (AWS_NAME, "other-client"),
        (AWS_NAME, "forged"),
        ("cognito-idp.us-east-1.amazonaws.com/us-east-1_OtherPool", "ada"),
        ("graph.facebook.com", "ada"),
    ] {
        world.id(&pool, &[(name, token)]).await.refused("NotAuthorizedException", 400);
    }
}

#[tokio::test]
async fn a_guest_who_signs_in_keeps_the_identity() {
    let world = world();
    let pool = world.pool(true).await;
    world.token("ada", "sub-ada", "app", TokenUse::Id);
    let guest = identity_of(&world.id(&pool, &[]).await.ok());
    world.credentials(&guest, &[(AWS_NAME, "ada")]).await.ok();
    assert_eq!(identity_of(&world.id(&pool, &[(AWS_NAME, "ada")]).await.ok()), guest);
    world.credentials(&guest, &[]).await.refused("NotAuthorizedException", 400);
}

#[tokio::test]
async fn a_guest_who_turns_out_to_be_known_gets_the_users_identity() {
    let world = world();
    let pool = world.pool(true).await;
    world.token("ada", "sub-ada", "app", TokenUse::Id);
    let ada = identity_of(&world.id(&pool, &[(AWS_NAME, "ada")]).await.ok());
    let guest = identity_of(&world.id(&pool, &[]).await.ok());
    let given = world.credentials(&guest, &[(AWS_NAME, "ada")]).await.ok();
    assert_eq!(identity_of(&given), ada);
    world.credentials(&guest, &[]).await.refused("ResourceNotFoundException", 400);
}

#[tokio::test]
async fn the_role_follows_the_mapping_and_a_custom_role_must_be_in_the_token() {
    let world = world();
    let pool = world.pool(true).await;
    let (editor, other) = ("arn:aws:iam::123456789012:role/editor", "arn:aws:iam::123456789012:role/other");
    let roles = json!({"authenticated": other});
    let mapping = json!({format!("{AWS_NAME}:app"): {"Type": "Token", "AmbiguousRoleResolution": "Deny"}});
    let set = json!({"IdentityPoolId": pool, "Roles": roles, "RoleMappings": mapping});
    world.admin("SetIdentityPoolRoles", set).await.ok();
    world.claims("ada", "sub-ada", "app", TokenUse::Id, json!({"cognito:roles": [editor]}));
    world.claims("bob", "sub-bob", "app", TokenUse::Id, json!({"cognito:roles": [editor, other]}));
    let ada = identity_of(&world.id(&pool, &[(AWS_NAME, "ada")]).await.ok());
    let bob = identity_of(&world.id(&pool, &[(AWS_NAME, "bob")]).await.ok());
    world.credentials(&ada, &[(AWS_NAME, "ada")]).await.ok();
    assert_eq!(world.assumed.0.lock().unwrap().last().unwrap().role_arn, editor);
    world.credentials(&bob, &[(AWS_NAME, "bob")]).await.refused("NotAuthorizedException", 400);
    let custom = json!({"IdentityId": ada, "Logins": {AWS_NAME: "ada"}, "CustomRoleArn": other});
    world.anyone("GetCredentialsForIdentity", custom).await.refused("NotAuthorizedException", 400);
}

#[tokio::test]
async fn a_role_that_does_not_trust_the_pool_gives_nothing() {
    let world = world();
    let pool = world.pool(true).await;
    let roles = json!({"unauthenticated": "arn:aws:iam::123456789012:role/untrusting"});
    world.admin("SetIdentityPoolRoles", json!({"IdentityPoolId": pool, "Roles": roles})).await.ok();
    let guest = identity_of(&world.id(&pool, &[]).await.ok());
    world.credentials(&guest, &[]).await.refused("InvalidIdentityPoolConfigurationException", 400);
}

/// However a role comes to be chosen, its trust decides each time it is assumed.
#[tokio::test]
async fn every_role_that_can_be_chosen_must_trust_the_pool() {
    let world = world();
    let pool = world.pool(true).await;
    let arn = |role: &str| format!("arn:aws:iam::123456789012:role/{role}");
    for (role, trusted) in [("trusting", true), ("untrusting", false)] {
        let rule = json!({"Claim": "email", "MatchType": "Equals", "Value": role, "RoleARN": arn(role)});
        let by_rules = json!({"Type": "Rules", "AmbiguousRoleResolution": "Deny", "RulesConfiguration": {"Rules": [rule]}});
        let by_token = json!({"Type": "Token", "AmbiguousRoleResolution": "Deny"});
        let other = arn("other");
        let preferred = json!({"cognito:preferred_role": arn(role), "cognito:roles": [arn(role), other]});
        let several = json!({"cognito:roles": [arn(role), other]});
        let ways = [
            ("the pool's own", None, json!({}), None),
            ("a rule's", Some(by_rules), json!({"email": role}), None),
            ("the group's that the token prefers", Some(by_token.clone()), preferred, None),
            ("the group's that is asked for", Some(by_token), several, Some(arn(role))),
        ];
        for (way, mapping, claims, custom) in ways {
            let mut set = json!({"IdentityPoolId": pool, "Roles": {"authenticated": arn(role)}});
            if let Some(mapping) = mapping {
                set["Roles"] = json!({"authenticated": other});
                set["RoleMappings"] = json!({format!("{AWS_NAME}:app"): mapping});
            }
            world.admin("SetIdentityPoolRoles", set).await.ok();
            world.claims("ada", "sub-ada", "app", TokenUse::Id, claims);
            let ada = identity_of(&world.id(&pool, &[(AWS_NAME, "ada")]).await.ok());
            let mut ask = json!({"IdentityId": ada, "Logins": {AWS_NAME: "ada"}});
            if let Some(custom) = custom {
                ask["CustomRoleArn"] = json!(custom);
            }
            let given = world.anyone("GetCredentialsForIdentity", ask).await;
            if trusted {
                given.ok();
                assert_eq!(world.assumed.0.lock().unwrap().last().unwrap().role_arn, arn(role), "{way}");
            } else {
                given.refused("InvalidIdentityPoolConfigurationException", 400);
            }
        }
    }
}

#[tokio::test]
async fn the_roles_of_a_pool_must_be_passed() {
    let world = world();
    let pool = world.pool(true).await;
    let document = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "cognito-identity:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::123456789012:role/user",
         "Condition": {"StringEquals": {"iam:PassedToService": "cognito-identity.amazonaws.com"}}}]});
    let user = world.app.user("poolsonly", &[&document.to_string()]);
    let set = async |roles: Value, rule: Option<&str>| {
        let mut input = json!({"IdentityPoolId": pool, "Roles": roles});
        if let Some(role) = rule {
            let rule = json!({"Claim": "email", "MatchType": "Equals", "Value": "x", "RoleARN": role});
            let rules = json!({"Type": "Rules", "AmbiguousRoleResolution": "Deny", "RulesConfiguration": {"Rules": [rule]}});
            input["RoleMappings"] = json!({format!("{AWS_NAME}:app"): rules});
        }
        user.call("cognito-identity", "SetIdentityPoolRoles", input).await
    };
    let (own, other) = ("arn:aws:iam::123456789012:role/user", "arn:aws:iam::123456789012:role/other");
    set(json!({"authenticated": own}), Some(own)).await.ok();
    set(json!({"authenticated": other}), None).await.refused("AccessDeniedException", 400);
    set(json!({"authenticated": own, "unauthenticated": other}), None)
        .await
        .refused("AccessDeniedException", 400);
    set(json!({"authenticated": own}), Some(other)).await.refused("AccessDeniedException", 400);
}

#[tokio::test]
async fn a_pool_is_changed_by_calls_of_its_own_region_alone() {
    let world = world();
    let pool = world.pool(true).await;
    let own = format!("arn:aws:cognito-identity:us-east-1:123456789012:identitypool/{pool}");
    let foreign = own.replacen("us-east-1", "eu-west-1", 1);
    let update =
        json!({"IdentityPoolId": pool, "IdentityPoolName": "taken", "AllowUnauthenticatedIdentities": true});
    let calls = [
        ("DescribeIdentityPool", json!({"IdentityPoolId": pool})),
        ("UpdateIdentityPool", update),
        ("SetIdentityPoolRoles", json!({"IdentityPoolId": pool, "Roles": {}})),
        ("GetIdentityPoolRoles", json!({"IdentityPoolId": pool})),
        ("ListIdentities", json!({"IdentityPoolId": pool, "MaxResults": 1})),
        ("TagResource", json!({"ResourceArn": own, "Tags": {"a": "b"}})),
        ("ListTagsForResource", json!({"ResourceArn": own})),
        ("DeleteIdentityPool", json!({"IdentityPoolId": pool})),
    ];
    for (operation, input) in &calls {
        let elsewhere = world.app.admin().in_region("eu-west-1");
        let refused = elsewhere.call("cognito-identity", operation, input.clone()).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (400, "ResourceNotFoundException"),
            "{operation}"
        );
    }
    for caller in [world.app.admin(), world.app.admin().in_region("eu-west-1")] {
        let tags = json!({"ResourceArn": foreign, "Tags": {"a": "b"}});
        caller.call("cognito-identity", "TagResource", tags).await.refused("ResourceNotFoundException", 400);
    }
    for (operation, input) in calls {
        world.admin(operation, input).await.ok();
    }
}

#[tokio::test]
async fn an_identity_is_seen_and_deleted_by_calls_of_its_own_region_alone() {
    let world = world();
    let pool = world.pool(true).await;
    let id = identity_of(&world.id(&pool, &[]).await.ok());
    let (here, elsewhere) = (world.app.admin(), world.app.admin().in_region("eu-west-1"));
    let describe = json!({"IdentityId": id});
    let delete = json!({"IdentityIdsToDelete": [id]});
    let refused = elsewhere.call("cognito-identity", "DescribeIdentity", describe.clone()).await;
    assert_eq!(
        refused.refused("ResourceNotFoundException", 400).message(),
        format!("Identity '{id}' not found.")
    );
    let left = elsewhere.call("cognito-identity", "DeleteIdentities", delete.clone()).await.ok().json();
    assert_eq!(left["UnprocessedIdentityIds"], json!([{"IdentityId": id, "ErrorCode": "AccessDenied"}]));
    let seen = here.call("cognito-identity", "DescribeIdentity", describe.clone()).await.ok().json();
    assert_eq!(seen["IdentityId"], json!(id));
    let left = here.call("cognito-identity", "DeleteIdentities", delete).await.ok().json();
    assert_eq!(left["UnprocessedIdentityIds"], json!([]));
    here.call("cognito-identity", "DescribeIdentity", describe)
        .await
        .refused("ResourceNotFoundException", 400);
}

#[tokio::test]
async fn a_deleted_pool_and_its_identities_are_gone() {
    let world = world();
    let pool = world.pool(true).await;
    let guest = identity_of(&world.id(&pool, &[]).await.ok());
    world.admin("DeleteIdentityPool", json!({"IdentityPoolId": pool})).await.ok();
    world.id(&pool, &[]).await.refused("ResourceNotFoundException", 400);
    world.credentials(&guest, &[]).await.refused("ResourceNotFoundException", 400);
}

#[tokio::test]
async fn an_identity_stands_until_it_or_its_pool_is_deleted() {
    let world = world();
    let stands = async |pool: &str, id: &str| {
        world.app.parts.needs.identities.get().unwrap().identity_stands(pool, id).await.unwrap()
    };
    let (pool, other) = (world.pool(true).await, world.pool(true).await);
    let first = identity_of(&world.id(&pool, &[]).await.ok());
    let second = identity_of(&world.id(&pool, &[]).await.ok());
    assert!(stands(&pool, &first).await && stands(&pool, &second).await && !stands(&other, &first).await);
    world.admin("DeleteIdentities", json!({"IdentityIdsToDelete": [first]})).await.ok();
    assert!(!stands(&pool, &first).await && stands(&pool, &second).await);
    world.admin("DeleteIdentityPool", json!({"IdentityPoolId": pool})).await.ok();
    assert!(!stands(&pool, &second).await);
}

#[tokio::test]
async fn a_users_identities_go_with_the_user_in_every_pool() {
    let world = world();
    let stands = async |pool: &str, id: &str| {
        world.app.parts.needs.identities.get().unwrap().identity_stands(pool, id).await.unwrap()
    };
    let (pool, other) = (world.pool(true).await, world.pool(true).await);
    world.token("ada", "sub-ada", "app", TokenUse::Id);
    world.token("bob", "sub-bob", "app", TokenUse::Id);
    let here = identity_of(&world.id(&pool, &[(PROVIDER, "ada")]).await.ok());
    let there = identity_of(&world.id(&other, &[(PROVIDER, "ada")]).await.ok());
    let bob = identity_of(&world.id(&pool, &[(PROVIDER, "bob")]).await.ok());
    let gone =
        &GoneUser { user_pool_id: USER_POOL.into(), sub: "sub-ada".into(), username: "sub-ada".into() };
    let others = world.app.parts.needs.users_gone.get().unwrap();
    let deleted = world.app.parts.store.write(|tx| async move { others[0].user_gone(&tx, gone).await });
    deleted.await.unwrap();
    assert!(!stands(&pool, &here).await && !stands(&other, &there).await && stands(&pool, &bob).await);
}

#[tokio::test]
async fn guests_are_bounded_per_address() {
    let world = world();
    let pool = world.pool(true).await;
    let mut refused = 0;
    for _ in 0..205 {
        refused += usize::from(world.id(&pool, &[]).await.code() == "TooManyRequestsException");
    }
    assert_eq!(refused, 5);
    let elsewhere = world.app.anonymous().from("192.0.2.9");
    elsewhere.call("cognito-identity", "GetId", json!({"IdentityPoolId": pool})).await.ok();
}

#[tokio::test]
async fn an_open_id_token_names_the_identity() {
    use base64::Engine;
    let world = world();
    let pool = world.pool(true).await;
    let guest = identity_of(&world.id(&pool, &[]).await.ok());
    let token = world.anyone("GetOpenIdToken", json!({"IdentityId": guest})).await.ok().json();
    let claims = token["Token"].as_str().unwrap().split('.').nth(1).unwrap().to_owned();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!((&claims["sub"], &claims["aud"]), (&json!(guest), &json!(pool)));
    assert_eq!(claims["iss"], "https://cognito-identity.amazonaws.com");
}

#[tokio::test]
async fn nodes_that_make_the_signing_key_at_once_agree_and_hear_of_another() {
    let one = world();
    let other = made_by(|make| one.app.beside(make));
    let pool = one.pool(true).await;
    let guest = &identity_of(&one.id(&pool, &[]).await.ok());
    let issue = async |world: &World| {
        let issued = world.anyone("GetOpenIdToken", json!({"IdentityId": guest})).await.ok().json();
        issued["Token"].as_str().unwrap().to_owned()
    };
    let verify = async |world: &World, token: &str| world.identities.verify_web_identity(token).await;
    let (first, second) = tokio::join!(issue(&one), issue(&other));
    for token in [&first, &second] {
        for node in [&one, &other] {
            assert_eq!(verify(node, token).await.unwrap().unwrap().subject, *guest);
        }
    }
    one.app.parts.store.sweep(&Key::of("identity-pool-keys")).await.unwrap();
    let (third, fourth) = (issue(&other).await, issue(&one).await);
    for node in [&one, &other] {
        assert!(verify(node, &third).await.unwrap().is_some());
        assert!(verify(node, &fourth).await.unwrap().is_some());
        assert!(verify(node, &first).await.is_err());
    }
}

#[tokio::test]
async fn strangers_are_refused() {
    let sample = |operation: &'static str, input: Value| Sample::new("cognito-identity", operation, input);
    // The walk's apps draw the same ids, so the first pool's is known before it is made.
    let pool = world().pool(true).await;
    let create = json!({"IdentityPoolName": "notes", "AllowUnauthenticatedIdentities": true});
    let arn = format!("arn:aws:cognito-identity:us-east-1:123456789012:identitypool/{pool}");
    let on_pool =
        |operation, input: Value| sample(operation, input).after("CreateIdentityPool", create.clone());
    let id = json!({"IdentityPoolId": pool});
    let mut update = create.clone();
    update["IdentityPoolId"] = json!(pool);
    let samples = [
        sample("CreateIdentityPool", create.clone()),
        sample("ListIdentityPools", json!({"MaxResults": 10})),
        sample(
            "DeleteIdentities",
            json!({"IdentityIdsToDelete": ["us-east-1:00000000-0000-4000-8000-000000000000"]}),
        ),
        on_pool("DescribeIdentityPool", id.clone()),
        on_pool("UpdateIdentityPool", update),
        on_pool("DeleteIdentityPool", id.clone()),
        on_pool("GetIdentityPoolRoles", id.clone()),
        on_pool("SetIdentityPoolRoles", json!({"IdentityPoolId": pool, "Roles": {}})),
        on_pool("ListIdentities", json!({"IdentityPoolId": pool, "MaxResults": 10})),
        on_pool("TagResource", json!({"ResourceArn": arn, "Tags": {"a": "b"}})),
        on_pool("UntagResource", json!({"ResourceArn": arn, "TagKeys": ["a"]})),
        on_pool("ListTagsForResource", json!({"ResourceArn": arn})),
        // A guest's identity has an id of chance, so this walk stands alone below.
        sample("DescribeIdentity", json!({})).public(),
        sample("GetId", json!({})).public(),
        sample("GetCredentialsForIdentity", json!({})).public(),
        sample("GetOpenIdToken", json!({})).public(),
    ];
    assert_strangers_are_refused(|| world().app, &samples).await;
    let world = world();
    let pool = world.pool(true).await;
    let described = json!({"IdentityId": identity_of(&world.id(&pool, &[]).await.ok())});
    world.admin("DescribeIdentity", described.clone()).await.ok();
    let stranger = world.app.stranger().call("cognito-identity", "DescribeIdentity", described.clone()).await;
    stranger.refused("AccessDeniedException", 400);
    world.anyone("DescribeIdentity", described).await.refused("MissingAuthenticationTokenException", 400);
}
