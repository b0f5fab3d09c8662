use serde_json::Value;

use crate::IdentityError;
use crate::logins::VerifiedLogin;
use crate::records::{IdentityPool, RoleMapping, Rule};

/// The role for these callers: a guest's, or a signed-in user's by mapping, by the token, or the pool's own.
pub(crate) fn choose(
    pool: &IdentityPool,
    logins: &[VerifiedLogin],
    asked_for: Option<&str>,
) -> Result<String, IdentityError> {
    let Some(login) = logins.first() else {
        return pool.roles.get("unauthenticated").cloned().ok_or(IdentityError::NoRole);
    };
    let mapping = mapping_of(pool, login);
    if let Some(asked) = asked_for {
        let by_token = mapping.is_some_and(|mapping| mapping.r#type == "Token");
        let granted = by_token && roles_of(login).iter().any(|role| role == asked);
        let refused = IdentityError::NotAuthorized("Custom role is not allowed for this identity.");
        return if granted { Ok(asked.to_owned()) } else { Err(refused) };
    }
    let chosen = match mapping {
        Some(mapping) if mapping.r#type == "Token" => by_token(login),
        Some(mapping) => by_rules(mapping, login),
        None => None,
    };
    match (chosen, mapping.and_then(|mapping| mapping.ambiguous_role_resolution.as_deref())) {
        (Some(role), _) => Ok(role),
        (None, Some("Deny")) => Err(IdentityError::NotAuthorized("Access to this identity pool is denied.")),
        (None, _) => pool.roles.get("authenticated").cloned().ok_or(IdentityError::NoRole),
    }
}

/// Mappings are keyed `PROVIDER:CLIENT-ID`; the provider may have been written under another of its names.
fn mapping_of<'p>(pool: &'p IdentityPool, login: &VerifiedLogin) -> Option<&'p RoleMapping> {
    let ends = format!("/{}:{}", login.linked.user_pool_id, login.token.client_id);
    pool.role_mappings.iter().find(|(key, _)| key.ends_with(&ends)).map(|(_, mapping)| mapping)
}

fn roles_of(login: &VerifiedLogin) -> Vec<String> {
    let listed = login.token.claims.get("cognito:roles").and_then(Value::as_array);
    listed.into_iter().flatten().filter_map(|role| role.as_str().map(str::to_owned)).collect()
}

/// The preferred role; or the only one. Several without preference are ambiguous.
fn by_token(login: &VerifiedLogin) -> Option<String> {
    if let Some(preferred) = login.token.claims.get("cognito:preferred_role").and_then(Value::as_str) {
        return Some(preferred.to_owned());
    }
    match <[String; 1]>::try_from(roles_of(login)) {
        Ok([only]) => Some(only),
        Err(_) => None,
    }
}

fn by_rules(mapping: &RoleMapping, login: &VerifiedLogin) -> Option<String> {
    let rules = mapping.rules_configuration.as_ref()?;
    rules.rules.iter().find(|rule| fits(rule, login)).map(|rule| rule.role_arn.clone())
}

fn fits(rule: &Rule, login: &VerifiedLogin) -> bool {
    let Some(claim) = login.token.claims.get(&rule.claim) else { return false };
    let claim = claim.as_str().map_or_else(|| claim.to_string(), str::to_owned);
    match rule.match_type.as_str() {
        "Equals" => claim == rule.value,
        "NotEqual" => claim != rule.value,
        "StartsWith" => claim.starts_with(&rule.value),
        "Contains" => claim.contains(&rule.value),
        _ => false,
    }
}
