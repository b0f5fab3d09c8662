//! What users, groups and roles have in common: finding, making, changing and deleting one.

use std::collections::BTreeMap;

use homeport_core::{Account, UPPER_ALPHANUMERIC, draw};
use homeport_service::{Cx, bump_authorization};
use homeport_store::{StoreError, Tx};
use serde::{Deserialize, Serialize};

use crate::error::IamError;
use crate::limits::{GROUPS_MAX, ROLES_MAX, TAGS_MAX, USERS_MAX};
use crate::records::{Details, ENTITIES, Entity, INLINE_POLICIES, Kind, count_key, within};
use crate::{Iam, managed};

/// A tag as the API writes it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// What is needed to make a user, group or role.
pub(crate) struct Draft {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) path: Option<String>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) boundary: Option<String>,
    pub(crate) details: Details,
}

/// The letters and 17 further characters: a unique id, drawn anew for everything that is made.
pub(crate) fn draw_id(cx: &Cx<Iam>, prefix: &str) -> String {
    format!("{prefix}{}", draw(&**cx.randomness(), UPPER_ALPHANUMERIC, 17))
}

impl Draft {
    /// The entity, not yet stored.
    pub(crate) fn finish(self, cx: &Cx<Iam>) -> Result<Entity, IamError> {
        Ok(Entity {
            account: cx.account(),
            kind: self.kind,
            id: draw_id(cx, self.kind.id_prefix()),
            name: self.name,
            path: self.path.unwrap_or_else(|| "/".to_owned()),
            created: cx.now(),
            tags: with_tags(BTreeMap::new(), self.tags)?,
            boundary: self.boundary,
            attached: Vec::new(),
            details: self.details,
        })
    }
}

/// The tags with more of them, within the bounds.
pub(crate) fn with_tags(
    mut tags: BTreeMap<String, String>,
    added: Vec<Tag>,
) -> Result<BTreeMap<String, String>, IamError> {
    let mut seen = std::collections::HashSet::new();
    for Tag { key, value } in added {
        let folded = key.to_lowercase();
        if folded.starts_with("aws:") {
            return Err(IamError::InvalidInput(
                "Caller does not have permission to use tags with the aws: prefix".into(),
            ));
        }
        if !seen.insert(folded.clone()) {
            let message = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(IamError::InvalidInput(message.into()));
        }
        tags.retain(|known, _| known.to_lowercase() != folded);
        tags.insert(key, value);
    }
    if tags.len() > TAGS_MAX {
        return Err(IamError::LimitExceeded("The number of tags has reached the maximum limit.".into()));
    }
    Ok(tags)
}

/// The tags as the API writes them.
pub(crate) fn tags_of(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
}

/// The user, group or role of this name.
pub(crate) async fn find(tx: &Tx, account: Account, kind: Kind, name: &str) -> Result<Entity, IamError> {
    let found = ENTITIES.get(tx, Entity::key_of(account, kind, name)).await?;
    found.ok_or_else(|| IamError::NoSuchEntity { kind, name: name.to_owned() })
}

/// Stores a new one.
pub(crate) async fn create(tx: &Tx, entity: &Entity) -> Result<(), IamError> {
    if let Some(boundary) = &entity.boundary {
        managed::require(tx, entity.account, boundary).await?;
    }
    let (quota, most) = match entity.kind {
        Kind::User => ("UsersPerAccount", USERS_MAX),
        Kind::Group => ("GroupsPerAccount", GROUPS_MAX),
        Kind::Role => ("RolesPerAccount", ROLES_MAX),
    };
    if !ENTITIES.insert(tx, entity).await? {
        return Err(IamError::EntityAlreadyExists { kind: entity.kind, name: entity.name.clone() });
    }
    count(tx, entity.account, entity.kind.noun(), quota, most).await?;
    if let Some(boundary) = &entity.boundary {
        managed::count_boundary(tx, entity.account, boundary, 1)?;
    }
    bump_authorization(tx)?;
    Ok(())
}

/// Counts one more, within the account's quota.
pub(crate) async fn count(
    tx: &Tx,
    account: Account,
    what: &str,
    quota: &str,
    most: i64,
) -> Result<(), IamError> {
    let key = count_key(account, what);
    if tx.get_i64(&key).await?.unwrap_or_default() >= most {
        return Err(IamError::LimitExceeded(format!("Cannot exceed quota for {quota}: {most}").into()));
    }
    tx.add(&key, 1)?;
    Ok(())
}

/// Stores a changed one under its name.
pub(crate) async fn save(tx: &Tx, entity: &Entity) -> Result<(), StoreError> {
    ENTITIES.put(tx, entity).await?;
    bump_authorization(tx)
}

/// Deletes one on which no policy hangs any more.
pub(crate) async fn delete(tx: &Tx, entity: &Entity) -> Result<(), IamError> {
    if !entity.attached.is_empty() {
        return Err(IamError::DeleteConflict("Cannot delete entity, must detach all policies first."));
    }
    let inline = INLINE_POLICIES.page(tx, within(entity.account, &entity.id), None, 1).await?;
    if !inline.records.is_empty() {
        return Err(IamError::DeleteConflict("Cannot delete entity, must delete policies first."));
    }
    ENTITIES.delete(tx, Entity::key_of(entity.account, entity.kind, &entity.name)).await?;
    tx.add(&count_key(entity.account, entity.kind.noun()), -1)?;
    if let Some(boundary) = &entity.boundary {
        managed::count_boundary(tx, entity.account, boundary, -1)?;
    }
    bump_authorization(tx)?;
    Ok(())
}

/// Gives one another name or path, under which nothing else may stand.
pub(crate) async fn rename(
    tx: &Tx,
    mut entity: Entity,
    name: Option<&String>,
    path: Option<&String>,
) -> Result<(), IamError> {
    ENTITIES.delete(tx, Entity::key_of(entity.account, entity.kind, &entity.name)).await?;
    if let Some(name) = name {
        entity.name.clone_from(name);
    }
    if let Some(path) = path {
        entity.path.clone_from(path);
    }
    if !ENTITIES.insert(tx, &entity).await? {
        return Err(IamError::EntityAlreadyExists { kind: entity.kind, name: entity.name });
    }
    bump_authorization(tx)?;
    Ok(())
}

/// Whether a path lies below the prefix that a list asks for.
pub(crate) fn is_below(path: &str, prefix: Option<&str>) -> bool {
    prefix.is_none_or(|prefix| path.starts_with(prefix))
}
