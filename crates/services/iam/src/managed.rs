//! Managed policies, the account's and AWS's, behind one look-up.

use homeport_core::Account;
use homeport_store::{Key, StoreError, Tx};

use crate::aws_managed::{self, AwsPolicy};
use crate::error::IamError;
use crate::records::{MANAGED_POLICIES, ManagedPolicy};

/// A managed policy.
pub(crate) enum Managed {
    /// One of AWS's own.
    Aws(&'static AwsPolicy),
    /// One of the account's.
    Own(ManagedPolicy),
}

impl Managed {
    /// The document of the default version.
    pub(crate) fn document(&self) -> &str {
        match self {
            Self::Aws(policy) => policy.document,
            Self::Own(policy) => policy.default_document(),
        }
    }
}

/// The managed policy of exactly this ARN.
pub(crate) async fn find(tx: &Tx, account: Account, arn: &str) -> Result<Option<Managed>, StoreError> {
    if let Some(policy) = aws_managed::find(arn) {
        return Ok(Some(Managed::Aws(policy)));
    }
    let name = arn.rsplit('/').next().unwrap_or_default();
    let found = MANAGED_POLICIES.get(tx, ManagedPolicy::key_of(account, name)).await?;
    Ok(found.filter(|policy| policy.arn().as_str() == arn).map(Managed::Own))
}

/// Refuses to attach what is not there.
pub(crate) async fn require(tx: &Tx, account: Account, arn: &str) -> Result<Managed, IamError> {
    find(tx, account, arn).await?.ok_or_else(|| IamError::NotAttachable(arn.to_owned()))
}

/// The account's own policy of this ARN, to be changed; AWS's are not the account's to change.
pub(crate) async fn own(tx: &Tx, account: Account, arn: &str) -> Result<ManagedPolicy, IamError> {
    match find(tx, account, arn).await? {
        Some(Managed::Own(policy)) => Ok(policy),
        Some(Managed::Aws(_)) => Err(IamError::NotYours),
        None => Err(IamError::NoSuchPolicy(arn.to_owned())),
    }
}

/// Notes one more (or less) attachment.
pub(crate) fn count_attachment(tx: &Tx, account: Account, arn: &str, delta: i64) -> Result<(), StoreError> {
    tx.add(&usage(account, arn, "attached"), delta)
}

/// Notes one more (or less) use as a boundary.
pub(crate) fn count_boundary(tx: &Tx, account: Account, arn: &str, delta: i64) -> Result<(), StoreError> {
    tx.add(&usage(account, arn, "boundary"), delta)
}

/// Attachments and uses as a boundary.
pub(crate) async fn usage_of(tx: &Tx, account: Account, arn: &str) -> Result<(i64, i64), StoreError> {
    let attached = tx.get_i64(&usage(account, arn, "attached")).await?;
    let boundary = tx.get_i64(&usage(account, arn, "boundary")).await?;
    Ok((attached.unwrap_or_default(), boundary.unwrap_or_default()))
}

fn usage(account: Account, arn: &str, what: &str) -> Key {
    Key::of("iam.policy_usage").str(account.to_string()).str(arn).str(what)
}
