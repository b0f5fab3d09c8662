//! What operations on IAM's own things need: `iam:OPERATION` on the ARN, with its path and in the case
//! it was made with, which only the store knows.

use homeport_core::Account;
use homeport_service::{Asked, Permission, Permissions, Principal};

use crate::Iam;
use crate::entities::Tag;
use crate::records::{ENTITIES, Entity, Kind, arn_of};

/// Condition keys with their values.
pub(crate) type Keys = Vec<(&'static str, Option<String>)>;

/// On a user, group or role that is there (or would be, at the root path).
pub(crate) fn on_entity(
    asked: &Asked<'_, Iam>,
    operation: &'static str,
    kind: Kind,
    name: &str,
    keys: Keys,
) -> Permissions {
    let (account, name) = (asked.scope.account, name.to_owned());
    Permissions::lookup(move |tx| {
        let (name, keys) = (name.clone(), keys.clone());
        async move {
            let entity = ENTITIES.get(&tx, Entity::key_of(account, kind, &name)).await?;
            let arn = entity.as_ref().map_or_else(|| arn_of(account, kind, "/", &name), Entity::arn);
            let mut permission = with_keys(Permission::new(format!("iam:{operation}"), arn), keys);
            for (key, value) in entity.iter().flat_map(|entity| &entity.tags) {
                permission = permission.with(format!("aws:ResourceTag/{key}"), [value]);
                permission = permission.with(format!("iam:ResourceTag/{key}"), [value]);
            }
            Ok(vec![permission])
        }
    })
}

/// On one that is there, and on what it is to be called: renaming needs both (IAM API reference, `UpdateUser`).
pub(crate) fn to_rename(
    asked: &Asked<'_, Iam>,
    operation: &'static str,
    (kind, name): (Kind, &str),
    (new_path, new_name): (Option<&String>, Option<&String>),
) -> Permissions {
    let (account, name) = (asked.scope.account, name.to_owned());
    let (new_path, new_name) = (new_path.cloned(), new_name.cloned());
    Permissions::lookup(move |tx| {
        let (name, new_path, new_name) = (name.clone(), new_path.clone(), new_name.clone());
        async move {
            let entity = ENTITIES.get(&tx, Entity::key_of(account, kind, &name)).await?;
            let (path, known) = entity.map_or_else(|| ("/".to_owned(), name), |e| (e.path, e.name));
            let before = arn_of(account, kind, &path, &known);
            let after = arn_of(account, kind, &new_path.unwrap_or(path), &new_name.unwrap_or(known));
            let permission = |arn| Permission::new(format!("iam:{operation}"), arn);
            Ok(vec![permission(before), permission(after)])
        }
    })
}

/// On the user named, or else on the user that asks.
pub(crate) fn on_user_or_caller(
    asked: &Asked<'_, Iam>,
    operation: &'static str,
    name: Option<&str>,
) -> Permissions {
    match (name, &asked.caller.principal) {
        (None, Principal::User { name, .. }) => on_entity(asked, operation, Kind::User, name, Vec::new()),
        (name, _) => on_entity(asked, operation, Kind::User, name.unwrap_or("*"), Vec::new()),
    }
}

/// On a user, group or role that is to be made.
pub(crate) fn to_create(
    asked: &Asked<'_, Iam>,
    operation: &'static str,
    (kind, path, name): (Kind, Option<&str>, &str),
    tags: &[Tag],
    boundary: Option<&String>,
) -> Permissions {
    let arn = arn_of(asked.scope.account, kind, path.unwrap_or("/"), name);
    let keys = vec![("iam:PermissionsBoundary", boundary.cloned())];
    let permission = with_keys(Permission::new(format!("iam:{operation}"), arn), keys);
    Permissions::All(vec![with_request_tags(permission, tags)])
}

/// On all of a kind below a path: `arn:aws:iam::ACCOUNT:user/PREFIX`.
pub(crate) fn on_all(
    asked: &Asked<'_, Iam>,
    operation: &'static str,
    kind: &str,
    prefix: Option<&String>,
) -> Permissions {
    let path = prefix.map_or("/", String::as_str);
    let arn = homeport_core::Arn::new("iam", "", &asked.scope.account.to_string(), &format!("{kind}{path}"));
    Permissions::All(vec![Permission::new(format!("iam:{operation}"), arn)])
}

/// On a managed policy, as its ARN is written: policies are found by exactly it.
pub(crate) fn on_policy(operation: &'static str, arn: &str) -> Permissions {
    Permissions::All(vec![Permission::new(format!("iam:{operation}"), arn)])
}

/// On a managed policy that is to be made.
pub(crate) fn to_create_policy(
    operation: &'static str,
    account: Account,
    (path, name): (Option<&str>, &str),
    tags: &[Tag],
) -> Permissions {
    let arn = crate::records::policy_arn(account, path.unwrap_or("/"), name);
    let permission = Permission::new(format!("iam:{operation}"), arn);
    Permissions::All(vec![with_request_tags(permission, tags)])
}

/// `aws:RequestTag/…` and `aws:TagKeys`.
pub(crate) fn with_request_tags(mut permission: Permission, tags: &[Tag]) -> Permission {
    for tag in tags {
        permission = permission.with(format!("aws:RequestTag/{}", tag.key), [&tag.value]);
    }
    permission.with("aws:TagKeys", tags.iter().map(|tag| &tag.key))
}

fn with_keys(mut permission: Permission, keys: Keys) -> Permission {
    for (key, value) in keys {
        permission = permission.with(key, value);
    }
    permission
}
