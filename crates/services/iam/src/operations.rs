//! The table of operations.

mod access_keys;
mod attachments;
mod boundaries;
mod entity_lists;
mod groups;
mod holder;
mod inline_policies;
mod managed_policies;
mod oidc_providers;
mod policy_versions;
mod roles;
mod tags;
mod users;

use homeport_service::{Entry, modelled};
use serde::Serialize;

use crate::Iam;
use attachments::{AttachPolicy, DetachPolicy, ListAttachedPolicies};
use boundaries::{DeleteBoundary, PutBoundary};
use entity_lists::ListEntities;
use holder::{OfGroup, OfRole, OfUser};
use inline_policies::{DeleteInlinePolicy, GetInlinePolicy, ListInlinePolicies, PutInlinePolicy};
use tags::{ListEntityTags, TagEntity, UntagEntity};

/// The answer of operations that answer nothing.
#[derive(Serialize)]
pub(crate) struct Empty {}

/// What IAM does here.
pub(crate) static OPERATIONS: &[Entry<Iam>] = &[
    modelled::<users::CreateUser>(),
    modelled::<users::GetUser>(),
    modelled::<users::UpdateUser>(),
    modelled::<users::DeleteUser>(),
    modelled::<ListEntities<OfUser>>(),
    modelled::<TagEntity<OfUser>>(),
    modelled::<UntagEntity<OfUser>>(),
    modelled::<ListEntityTags<OfUser>>(),
    modelled::<PutBoundary<OfUser>>(),
    modelled::<DeleteBoundary<OfUser>>(),
    modelled::<access_keys::CreateAccessKey>(),
    modelled::<access_keys::UpdateAccessKey>(),
    modelled::<access_keys::DeleteAccessKey>(),
    modelled::<access_keys::ListAccessKeys>(),
    modelled::<groups::CreateGroup>(),
    modelled::<groups::GetGroup>(),
    modelled::<groups::UpdateGroup>(),
    modelled::<groups::DeleteGroup>(),
    modelled::<ListEntities<OfGroup>>(),
    modelled::<groups::AddUserToGroup>(),
    modelled::<groups::RemoveUserFromGroup>(),
    modelled::<groups::ListGroupsForUser>(),
    modelled::<roles::CreateRole>(),
    modelled::<roles::GetRole>(),
    modelled::<roles::UpdateRole>(),
    modelled::<roles::UpdateRoleDescription>(),
    modelled::<roles::UpdateAssumeRolePolicy>(),
    modelled::<roles::DeleteRole>(),
    modelled::<ListEntities<OfRole>>(),
    modelled::<TagEntity<OfRole>>(),
    modelled::<UntagEntity<OfRole>>(),
    modelled::<ListEntityTags<OfRole>>(),
    modelled::<PutBoundary<OfRole>>(),
    modelled::<DeleteBoundary<OfRole>>(),
    modelled::<PutInlinePolicy<OfUser>>(),
    modelled::<GetInlinePolicy<OfUser>>(),
    modelled::<DeleteInlinePolicy<OfUser>>(),
    modelled::<ListInlinePolicies<OfUser>>(),
    modelled::<PutInlinePolicy<OfGroup>>(),
    modelled::<GetInlinePolicy<OfGroup>>(),
    modelled::<DeleteInlinePolicy<OfGroup>>(),
    modelled::<ListInlinePolicies<OfGroup>>(),
    modelled::<PutInlinePolicy<OfRole>>(),
    modelled::<GetInlinePolicy<OfRole>>(),
    modelled::<DeleteInlinePolicy<OfRole>>(),
    modelled::<ListInlinePolicies<OfRole>>(),
    modelled::<managed_policies::CreatePolicy>(),
    modelled::<managed_policies::GetPolicy>(),
    modelled::<managed_policies::DeletePolicy>(),
    modelled::<managed_policies::ListPolicies>(),
    modelled::<policy_versions::CreatePolicyVersion>(),
    modelled::<policy_versions::GetPolicyVersion>(),
    modelled::<policy_versions::SetDefaultPolicyVersion>(),
    modelled::<policy_versions::DeletePolicyVersion>(),
    modelled::<policy_versions::ListPolicyVersions>(),
    modelled::<AttachPolicy<OfUser>>(),
    modelled::<DetachPolicy<OfUser>>(),
    modelled::<ListAttachedPolicies<OfUser>>(),
    modelled::<AttachPolicy<OfGroup>>(),
    modelled::<DetachPolicy<OfGroup>>(),
    modelled::<ListAttachedPolicies<OfGroup>>(),
    modelled::<AttachPolicy<OfRole>>(),
    modelled::<DetachPolicy<OfRole>>(),
    modelled::<ListAttachedPolicies<OfRole>>(),
    modelled::<attachments::ListEntitiesForPolicy>(),
    modelled::<oidc_providers::CreateOpenIDConnectProvider>(),
    modelled::<oidc_providers::GetOpenIDConnectProvider>(),
    modelled::<oidc_providers::ListOpenIDConnectProviders>(),
    modelled::<oidc_providers::DeleteOpenIDConnectProvider>(),
    modelled::<oidc_providers::AddClientIDToOpenIDConnectProvider>(),
    modelled::<oidc_providers::RemoveClientIDFromOpenIDConnectProvider>(),
    modelled::<oidc_providers::UpdateOpenIDConnectProviderThumbprint>(),
];
