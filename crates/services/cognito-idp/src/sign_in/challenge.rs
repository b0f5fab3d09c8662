//! `NEW_PASSWORD_REQUIRED`: who signs in with an administrator's temporary password chooses their own.

use std::collections::BTreeMap;

use homeport_service::Cx;
use homeport_store::Tx;
use serde::{Deserialize, Serialize};

use super::attempt::use_once;
use super::block::Block;
use super::finish::Prepared;
use super::subject::{seal_password, srp_id};
use super::{Parameters, Progress, required};
use crate::CognitoIdp;
use crate::attributes::{Attribute, Attributes, Change, default_writable};
use crate::error::IdpError;
use crate::lookup::check_secret_hash;
use crate::records::{Client, Pool, USERS, User, UserStatus};
use crate::tokens::{Grant, issue};

/// The challenge's name, and what the block is for, in its seal.
const STEP: &str = "NEW_PASSWORD_REQUIRED";
/// What attributes are prefixed with, in question and answer.
const PREFIX: &str = "userAttributes.";

/// What is in `Session`.
#[derive(Serialize, Deserialize)]
struct Asked {
    username: String,
    sub: String,
    version: u64,
}

/// Asks for a new password.
pub(super) fn ask_new_password(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    client: &Client,
    user: &User,
) -> Result<Progress, IdpError> {
    let content =
        Asked { username: user.username.clone(), sub: user.sub.clone(), version: user.credential_version };
    let block = Block::new(content, &**cx.randomness(), cx.now(), client.challenge_seconds());
    let session = block.seal(&cx.service.parts.vault, client, STEP)?;
    let missing: Vec<String> = pool
        .schema
        .attributes()
        .iter()
        .filter(|known| known.required && known.name != "sub" && !user.attributes.contains_key(&known.name))
        .map(|known| format!("{PREFIX}{}", known.name))
        .collect();
    let json = |value: serde_json::Value| value.to_string();
    let challenge_parameters = BTreeMap::from([
        ("USER_ID_FOR_SRP".to_owned(), srp_id(pool, &user.username, &user.sub).to_owned()),
        ("requiredAttributes".to_owned(), json(serde_json::json!(missing))),
        ("userAttributes".to_owned(), json(serde_json::json!(user.attributes))),
    ]);
    Ok(Progress::Challenge { challenge_name: STEP, session: Some(session), challenge_parameters })
}

/// Takes the new password and signs in. A password that the policy refuses leaves the challenge open.
pub(crate) async fn answer_new_password(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    client: &Client,
    session: Option<&str>,
    responses: &Parameters,
) -> Result<Progress, IdpError> {
    let vault = &cx.service.parts.vault;
    let username = required(responses, "USERNAME")?;
    check_secret_hash(vault, client, &[username], responses.get("SECRET_HASH").map(String::as_str))?;
    let session = session.ok_or_else(|| IdpError::invalid("Missing required parameter Session"))?;
    let block: Option<Block<Asked>> = Block::open(vault, client, STEP, session, cx.now());
    let block = block.ok_or_else(ended)?;
    let asked = &block.content;
    if ![&asked.username, &asked.sub].contains(&&pool.fold(username))
        && !is_alias(cx, pool, asked, username).await?
    {
        return Err(ended());
    }
    let password = required(responses, "NEW_PASSWORD")?;
    pool.password_policy().check(password)?;
    let given = given_attributes(pool, client, responses)?;
    let sealed = seal_password(cx, pool, &asked.username, &asked.sub, password).await?;
    let prepared = Prepared::new(cx);
    let (user, groups, session) = cx
        .write(|tx| {
            let (prepared, block, given, sealed) = (&prepared, &block, &given, &sealed);
            async move {
                if !use_once(&tx, block.single()).await? {
                    return Err(ended());
                }
                let mut user = asking(&tx, pool, &block.content).await?;
                user.take_attributes(given);
                pool.schema.check_required(&user.attributes)?;
                user.refresh_aliases(pool);
                user.set_credential(sealed.clone());
                user.status = UserStatus::Confirmed;
                user.modified = cx.now();
                USERS.put(&tx, &user).await?;
                prepared.open(&tx, cx, client, user).await
            }
        })
        .await?;
    let grant = Grant { user, session, groups, refresh_token: Some(prepared.refresh_token) };
    Ok(Progress::done(issue(cx, pool, client, grant).await?))
}

/// The user who was asked, if nothing has changed about them since.
async fn asking(tx: &Tx, pool: &Pool, asked: &Asked) -> Result<User, IdpError> {
    let user = USERS.get(tx, pool.pool.parts().str(&asked.username)).await?;
    let unchanged = |user: &User| {
        user.sub == asked.sub
            && user.enabled
            && user.status == UserStatus::ForceChangePassword
            && user.credential_version == asked.version
    };
    user.filter(unchanged).ok_or_else(ended)
}

async fn is_alias(cx: &Cx<CognitoIdp>, pool: &Pool, asked: &Asked, name: &str) -> Result<bool, IdpError> {
    let found = cx.read(|tx| async move { crate::lookup::user(&tx, pool, name).await }).await?;
    Ok(found.is_some_and(|user| user.sub == asked.sub))
}

fn given_attributes(pool: &Pool, client: &Client, responses: &Parameters) -> Result<Attributes, IdpError> {
    let given: Vec<Attribute> = responses
        .iter()
        .filter_map(|(name, value)| {
            let name = name.strip_prefix(PREFIX)?.to_owned();
            Some(Attribute { name, value: value.clone() })
        })
        .collect();
    let writable = client.settings.write_attributes.clone().unwrap_or_else(|| default_writable(&pool.schema));
    Ok(Change { schema: &pool.schema, writable: Some(&writable), exists: true }.check(&given)?)
}

fn ended() -> IdpError {
    IdpError::not_authorized("Invalid session for the user, session is expired.")
}
