//! Users, groups, roles and policies as the API shows them. Lists leave out tags and boundaries, as on AWS.

use homeport_store::{StoreError, Tx};
use serde::Serialize;

use crate::aws_managed::AwsPolicy;
use crate::entities::{Tag, tags_of};
use crate::records::{Details, Entity, ManagedPolicy, PolicyVersion};
use crate::{documents, managed};

/// How much of an entity is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// With tags and boundary.
    Whole,
    /// As lists show it.
    Listed,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BoundaryView {
    permissions_boundary_type: &'static str,
    permissions_boundary_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UserView {
    path: String,
    user_name: String,
    user_id: String,
    arn: String,
    create_date: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary: Option<BoundaryView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GroupView {
    path: String,
    group_name: String,
    group_id: String,
    arn: String,
    create_date: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RoleView {
    path: String,
    role_name: String,
    role_id: String,
    arn: String,
    create_date: f64,
    assume_role_policy_document: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    max_session_duration: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary: Option<BoundaryView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PolicyView {
    policy_name: String,
    policy_id: String,
    arn: String,
    path: String,
    default_version_id: String,
    attachment_count: i64,
    permissions_boundary_usage_count: i64,
    is_attachable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    create_date: f64,
    update_date: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct VersionView {
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<String>,
    version_id: String,
    is_default_version: bool,
    create_date: f64,
}

/// When AWS's own policies are said to have been made.
const AWS_POLICIES_MADE: f64 = 1_423_180_800.0;

fn boundary(entity: &Entity, depth: Depth) -> Option<BoundaryView> {
    let arn = entity.boundary.clone().filter(|_| depth == Depth::Whole)?;
    Some(BoundaryView {
        permissions_boundary_type: "PermissionsBoundaryPolicy",
        permissions_boundary_arn: arn,
    })
}

fn tags(entity: &Entity, depth: Depth) -> Vec<Tag> {
    if depth == Depth::Whole { tags_of(&entity.tags) } else { Vec::new() }
}

pub(crate) fn user(entity: &Entity, depth: Depth) -> UserView {
    UserView {
        path: entity.path.clone(),
        user_name: entity.name.clone(),
        user_id: entity.id.clone(),
        arn: entity.arn().to_string(),
        create_date: whole_seconds(entity.created),
        permissions_boundary: boundary(entity, depth),
        tags: tags(entity, depth),
    }
}

pub(crate) fn group(entity: &Entity) -> GroupView {
    GroupView {
        path: entity.path.clone(),
        group_name: entity.name.clone(),
        group_id: entity.id.clone(),
        arn: entity.arn().to_string(),
        create_date: whole_seconds(entity.created),
    }
}

pub(crate) fn role(entity: &Entity, depth: Depth) -> RoleView {
    let (trust, description, max_session_duration) = match &entity.details {
        Details::Role(role) => (role.trust.as_str(), role.description.clone(), role.max_session_seconds),
        Details::User { .. } | Details::Group => ("", None, 0),
    };
    RoleView {
        path: entity.path.clone(),
        role_name: entity.name.clone(),
        role_id: entity.id.clone(),
        arn: entity.arn().to_string(),
        create_date: whole_seconds(entity.created),
        assume_role_policy_document: documents::encode(trust),
        description,
        max_session_duration,
        permissions_boundary: boundary(entity, depth),
        tags: tags(entity, depth),
    }
}

/// A managed policy of the account.
pub(crate) async fn own_policy(
    tx: &Tx,
    policy: &ManagedPolicy,
    depth: Depth,
) -> Result<PolicyView, StoreError> {
    let arn = policy.arn().to_string();
    let (attached, boundary) = managed::usage_of(tx, policy.account, &arn).await?;
    Ok(PolicyView {
        policy_name: policy.name.clone(),
        policy_id: policy.id.clone(),
        arn,
        path: policy.path.clone(),
        default_version_id: version_id(policy.default_version),
        attachment_count: attached,
        permissions_boundary_usage_count: boundary,
        is_attachable: true,
        description: policy.description.clone().filter(|_| depth == Depth::Whole),
        create_date: whole_seconds(policy.created),
        update_date: whole_seconds(policy.updated),
        tags: if depth == Depth::Whole { tags_of(&policy.tags) } else { Vec::new() },
    })
}

/// A managed policy of AWS's.
pub(crate) async fn aws_policy(
    tx: &Tx,
    account: homeport_core::Account,
    policy: &AwsPolicy,
) -> Result<PolicyView, StoreError> {
    let (attached, boundary) = managed::usage_of(tx, account, policy.arn).await?;
    Ok(PolicyView {
        policy_name: policy.name.to_owned(),
        policy_id: policy.id.to_owned(),
        arn: policy.arn.to_owned(),
        path: policy.path.to_owned(),
        default_version_id: version_id(1),
        attachment_count: attached,
        permissions_boundary_usage_count: boundary,
        is_attachable: true,
        description: None,
        create_date: AWS_POLICIES_MADE,
        update_date: AWS_POLICIES_MADE,
        tags: Vec::new(),
    })
}

/// A version, with its document where one is asked for.
pub(crate) fn version(policy: &ManagedPolicy, version: &PolicyVersion, depth: Depth) -> VersionView {
    VersionView {
        document: (depth == Depth::Whole).then(|| documents::encode(&version.document)),
        version_id: version_id(version.number),
        is_default_version: version.number == policy.default_version,
        create_date: whole_seconds(version.created),
    }
}

/// The only version that AWS's own policies have here.
pub(crate) fn aws_version(policy: &AwsPolicy, depth: Depth) -> VersionView {
    VersionView {
        document: (depth == Depth::Whole).then(|| documents::encode(policy.document)),
        version_id: version_id(1),
        is_default_version: true,
        create_date: AWS_POLICIES_MADE,
    }
}

pub(crate) fn version_id(number: u32) -> String {
    format!("v{number}")
}

/// IAM writes whole seconds.
pub(crate) fn whole_seconds(at: homeport_core::Timestamp) -> f64 {
    homeport_core::Timestamp::from_seconds(at.seconds()).seconds_f64()
}
