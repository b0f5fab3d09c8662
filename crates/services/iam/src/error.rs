use std::borrow::Cow;

use homeport_core::Fault;
use homeport_policy::PolicyFault;
use homeport_service::needs::Unpinned;
use homeport_store::StoreError;
use homeport_vault::VaultError;

use crate::records::Kind;

/// Every way in which IAM refuses.
#[derive(Debug, thiserror::Error)]
pub enum IamError {
    /// No such user, group or role.
    #[error("The {} with name {name} cannot be found.", kind.noun())]
    NoSuchEntity {
        /// User, group or role.
        kind: Kind,
        /// The name asked for.
        name: String,
    },
    /// No such inline policy.
    #[error("The {} policy with name {name} cannot be found.", kind.noun())]
    NoSuchInlinePolicy {
        /// Whose policy it would be.
        kind: Kind,
        /// The policy's name.
        name: String,
    },
    /// No such managed policy.
    #[error("Policy {0} was not found.")]
    NoSuchPolicy(String),
    /// No such managed policy to attach.
    #[error("Policy {0} does not exist or is not attachable.")]
    NotAttachable(String),
    /// No such version of a managed policy.
    #[error("Policy {arn} version {version} does not exist or is not attachable.")]
    NoSuchVersion {
        /// The policy.
        arn: String,
        /// The version asked for.
        version: String,
    },
    /// The managed policy is not attached.
    #[error("Policy {0} was not found.")]
    NotAttached(String),
    /// No such access key of this user.
    #[error("The Access Key with id {0} cannot be found.")]
    NoSuchAccessKey(String),
    /// The user is not in the group.
    #[error("The user with name {0} is not in the group.")]
    NotInGroup(String),
    /// The entity has no boundary to remove.
    #[error("{} {name} does not have a permission boundary.", kind.title())]
    NoBoundary {
        /// User or role.
        kind: Kind,
        /// Its name.
        name: String,
    },
    /// The name is taken (names that differ in case only are the same).
    #[error("{} with name {name} already exists.", kind.title())]
    EntityAlreadyExists {
        /// User, group or role.
        kind: Kind,
        /// The name.
        name: String,
    },
    /// A managed policy of this name is there.
    #[error("A policy called {0} already exists. Duplicate names are not allowed.")]
    PolicyAlreadyExists(String),
    /// No such OIDC provider.
    #[error("OpenIDConnect Provider not found for arn {0}")]
    NoSuchProvider(String),
    /// An OIDC provider of this URL is there.
    #[error("Provider with url {0} already exists.")]
    ProviderAlreadyExists(String),
    /// Something hangs on what is to be deleted.
    #[error("{0}")]
    DeleteConflict(&'static str),
    /// A quota would be passed.
    #[error("{0}")]
    LimitExceeded(Cow<'static, str>),
    /// The document is no policy.
    #[error("{0}")]
    MalformedPolicyDocument(#[from] PolicyFault),
    /// A value that AWS checks after the model.
    #[error("{0}")]
    InvalidInput(Cow<'static, str>),
    /// A member that only makes sense for others.
    #[error("{0}")]
    ValidationError(&'static str),
    /// AWS's own policies are not the account's to change.
    #[error("Policy is outside your own account.")]
    NotYours,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Sealing or opening failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl From<Unpinned> for IamError {
    fn from(unpinned: Unpinned) -> Self {
        match unpinned {
            Unpinned::UnknownPrincipal(name) => PolicyFault::Principal(format!("\"AWS\":\"{name}\"")).into(),
            Unpinned::Store(error) => error.into(),
        }
    }
}

impl From<IamError> for Fault {
    fn from(error: IamError) -> Self {
        let message = error.to_string();
        match error {
            IamError::NoSuchEntity { .. }
            | IamError::NoSuchInlinePolicy { .. }
            | IamError::NoSuchPolicy(_)
            | IamError::NotAttachable(_)
            | IamError::NoSuchVersion { .. }
            | IamError::NotAttached(_)
            | IamError::NoSuchAccessKey(_)
            | IamError::NotInGroup(_)
            | IamError::NoSuchProvider(_)
            | IamError::NoBoundary { .. } => Self::with_status("NoSuchEntity", 404, message),
            IamError::EntityAlreadyExists { .. }
            | IamError::PolicyAlreadyExists(_)
            | IamError::ProviderAlreadyExists(_) => Self::with_status("EntityAlreadyExists", 409, message),
            IamError::DeleteConflict(_) => Self::with_status("DeleteConflict", 409, message),
            IamError::LimitExceeded(_) => Self::with_status("LimitExceeded", 409, message),
            IamError::MalformedPolicyDocument(_) => Self::sender("MalformedPolicyDocument", message),
            IamError::InvalidInput(_) => Self::sender("InvalidInput", message),
            IamError::ValidationError(_) => Self::sender("ValidationError", message),
            IamError::NotYours => Self::with_status("AccessDenied", 403, message),
            IamError::Store(StoreError::Conflict) => Self::with_status(
                "ConcurrentModification",
                409,
                "The request was rejected because multiple requests to change this object were submitted simultaneously.",
            ),
            IamError::Store(_) | IamError::Vault(_) => Self::internal(message),
        }
    }
}
