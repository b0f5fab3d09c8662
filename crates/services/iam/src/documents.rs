//! Policy documents on their way in and out: sizes, validity, principals that exist, URL encoding.

use homeport_core::{Account, Arn};
use homeport_policy::{Policy, PolicyFault, PolicyKind};
use homeport_service::needs::{Pinned, Unpinned};
use homeport_store::{StoreError, Tx};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Iam;
use crate::error::IamError;
use crate::limits::{MANAGED_POLICY_CHARS_MAX, TRUST_POLICY_CHARS_MAX};
use crate::records::{ENTITIES, Entity, Kind, within};

/// RFC 3986's unreserved characters stay.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The document as IAM answers it: URL-encoded by RFC 3986.
pub(crate) fn encode(document: &str) -> String {
    utf8_percent_encode(document, ENCODED).to_string()
}

/// Characters that count towards a quota: white space does not.
pub(crate) fn size(document: &str) -> usize {
    document.chars().filter(|c| !c.is_whitespace()).count()
}

/// Checks a policy for users, groups and roles.
pub(crate) fn check_identity(document: &str) -> Result<(), IamError> {
    Policy::parse(document, PolicyKind::Identity)?;
    Ok(())
}

/// Checks a managed policy and its size.
pub(crate) fn check_managed(document: &str) -> Result<(), IamError> {
    if size(document) > MANAGED_POLICY_CHARS_MAX {
        let quota = format!("Cannot exceed quota for PolicySize: {MANAGED_POLICY_CHARS_MAX}");
        return Err(IamError::LimitExceeded(quota.into()));
    }
    check_identity(document)
}

/// Checks a trust policy and answers it with unique ids in place of the ARNs of this account's users
/// and roles, which have to exist.
pub(crate) async fn pin_trust(iam: &Iam, tx: &Tx, document: &str) -> Result<String, IamError> {
    if size(document) > TRUST_POLICY_CHARS_MAX {
        let quota = format!("Cannot exceed quota for ACLSizePerRole: {TRUST_POLICY_CHARS_MAX}");
        return Err(IamError::LimitExceeded(quota.into()));
    }
    let policy = Policy::parse(document, PolicyKind::Trust)?;
    let pinned = Pinned::of(iam, tx, &policy).await?;
    Ok(pinned.apply(document, PolicyKind::Trust).map_err(|_| PolicyFault::Syntax)?)
}

/// The unique id of a user or role of this account; none for principals that are no such (other
/// accounts', sessions').
pub(crate) async fn unique_id(tx: &Tx, account: Account, name: &str) -> Result<Option<String>, Unpinned> {
    let unknown = || Unpinned::UnknownPrincipal(name.to_owned());
    let Ok(arn) = Arn::parse(name) else {
        let known = ENTITIES.by(tx, "id", within(account, name)).await?;
        return known.map(|entity| Some(entity.id)).ok_or_else(unknown);
    };
    if arn.service() != "iam" || arn.account() != account.to_string() {
        return Ok(None);
    }
    let entity = find_by_arn(tx, account, &arn).await?;
    let admitted = entity.filter(|entity| entity.kind != Kind::Group);
    admitted.map(|entity| Some(entity.id)).ok_or_else(unknown)
}

/// The user, group or role of exactly this ARN, path and case included.
pub(crate) async fn find_by_arn(tx: &Tx, account: Account, arn: &Arn) -> Result<Option<Entity>, StoreError> {
    let kind = match arn.resource().split('/').next() {
        Some("user") => Kind::User,
        Some("group") => Kind::Group,
        Some("role") => Kind::Role,
        _ => return Ok(None),
    };
    let name = arn.resource().rsplit('/').next().unwrap_or_default();
    let found = ENTITIES.get(tx, Entity::key_of(account, kind, name)).await?;
    Ok(found.filter(|entity| entity.arn() == *arn))
}
