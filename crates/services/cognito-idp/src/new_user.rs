//! What signing up and being invited have in common: which name a new user gets, and that nobody has it yet.

use homeport_core::uuid_v4;
use homeport_service::Cx;
use homeport_store::Tx;

use crate::CognitoIdp;
use crate::attributes::{Attribute, check_email, check_phone_number};
use crate::error::IdpError;
use crate::records::{Pool, USERS, User, UserStatus, alias, gone, user_count};

/// A new user's name and id.
pub(crate) struct Identity {
    pub(crate) username: String,
    pub(crate) sub: String,
}

/// The identity of who comes under this name. Where users sign up with an address, the name becomes that attribute and
/// the user's own name is the `sub`.
pub(crate) fn identity(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    name: &str,
    attributes: &mut Vec<Attribute>,
) -> Result<Identity, IdpError> {
    let sub = uuid_v4(&**cx.randomness());
    if pool.username_attributes.is_empty() {
        check_no_alias_form(pool, name)?;
        return Ok(Identity { username: pool.fold(name), sub });
    }
    let attribute = address_form(pool, name)?;
    match attributes.iter().find(|given| given.name == attribute) {
        Some(given) if given.value != name => {
            return Err(IdpError::invalid(format!(
                "The username and the {attribute} attribute must be the same."
            )));
        }
        Some(_) => {}
        None => attributes.push(Attribute { name: attribute.to_owned(), value: name.to_owned() }),
    }
    Ok(Identity { username: sub.clone(), sub })
}

fn address_form(pool: &Pool, name: &str) -> Result<&'static str, IdpError> {
    let uses = |attribute: &str| pool.username_attributes.iter().any(|used| used == attribute);
    if uses("email") && check_email(name).is_ok() {
        return Ok("email");
    }
    if uses("phone_number") && check_phone_number(name).is_ok() {
        return Ok("phone_number");
    }
    Err(IdpError::invalid(match (uses("email"), uses("phone_number")) {
        (true, true) => "Username should be either an email or a phone number.",
        (true, false) => "Username should be an email.",
        _ => "Username should be a phone number.",
    }))
}

fn check_no_alias_form(pool: &Pool, name: &str) -> Result<(), IdpError> {
    let is_alias = |attribute: &str| pool.alias_attributes.iter().any(|used| used == attribute);
    if is_alias("email") && check_email(name).is_ok() {
        let message = "Username cannot be of email format, since user pool is configured for email alias.";
        return Err(IdpError::invalid(message));
    }
    if is_alias("phone_number") && check_phone_number(name).is_ok() {
        let message = "Username cannot be of phone number format, since user pool is configured for phone number alias.";
        return Err(IdpError::invalid(message));
    }
    Ok(())
}

/// A user with nothing set.
pub(crate) fn blank(cx: &Cx<CognitoIdp>, pool: &Pool, identity: Identity, status: UserStatus) -> User {
    User {
        pool: pool.pool.clone(),
        username: identity.username,
        sub: identity.sub,
        status,
        enabled: true,
        created: cx.now(),
        modified: cx.now(),
        attributes: Default::default(),
        pending: Default::default(),
        aliases: Vec::new(),
        credential: None,
        credential_version: 0,
        temporary_until: None,
        signed_out: None,
    }
}

/// Checks that nobody has the name and counts the user; storing is left to [`crate::aliases::claim`].
pub(crate) async fn register(tx: &Tx, pool: &Pool, user: &User) -> Result<(), IdpError> {
    if USERS.get(tx, pool.pool.parts().str(&user.username)).await?.is_some() {
        return Err(IdpError::UsernameExists("User already exists"));
    }
    for attribute in &pool.username_attributes {
        let Some(value) = user.attributes.get(attribute) else {
            continue;
        };
        let entry = pool.pool.parts().str(alias(pool, attribute, value));
        if USERS.by(tx, "alias", entry).await?.is_some() {
            return Err(IdpError::UsernameExists(if attribute == "email" {
                "An account with the given email already exists."
            } else {
                "An account with the given phone_number already exists."
            }));
        }
    }
    if tx.get(&gone(&pool.pool, &user.sub)).await?.is_some() {
        return Err(IdpError::Internal("a sub was drawn twice".into()));
    }
    Ok(tx.add(&user_count(&pool.pool), 1)?)
}
