//! Shapes that several operations answer.

use serde::Serialize;

use crate::attributes::{Attribute, listed};
use crate::records::{Group, User};

/// `UserType`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UserType {
    username: String,
    attributes: Vec<Attribute>,
    user_create_date: f64,
    user_last_modified_date: f64,
    enabled: bool,
    user_status: &'static str,
}

impl UserType {
    /// A user with all attributes.
    pub(crate) fn of(user: &User) -> Self {
        Self {
            username: user.username.clone(),
            attributes: listed(&user.sub, &user.attributes),
            user_create_date: user.created.seconds_f64(),
            user_last_modified_date: user.modified.seconds_f64(),
            enabled: user.enabled,
            user_status: user.status.as_str(),
        }
    }

    /// The same with just these attributes.
    pub(crate) fn keeping(mut self, names: Option<&[String]>) -> Self {
        if let Some(names) = names {
            self.attributes.retain(|attribute| names.contains(&attribute.name));
        }
        self
    }
}

/// `GroupType`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GroupType {
    group_name: String,
    user_pool_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    precedence: Option<i32>,
    last_modified_date: f64,
    creation_date: f64,
}

impl GroupType {
    /// A group.
    pub(crate) fn of(group: &Group) -> Self {
        Self {
            group_name: group.name.clone(),
            user_pool_id: group.pool.id.clone(),
            description: group.description.clone(),
            role_arn: group.role_arn.clone(),
            precedence: group.precedence,
            last_modified_date: group.modified.seconds_f64(),
            creation_date: group.created.seconds_f64(),
        }
    }
}

/// The answer of operations that answer nothing.
#[derive(Serialize)]
pub(crate) struct Nothing {}
