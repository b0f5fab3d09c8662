use std::borrow::Cow;
use std::sync::Arc;

use homeport_core::{BoxFuture, Scope, Timestamp};
use homeport_store::{StoreError, Tx};

use crate::Caller;

/// What an operation needs before it may run. There is no way to declare an operation without saying this.
pub enum Permissions {
    /// Each must be allowed by IAM: identity, resource, session policies and boundary. An empty list is refused.
    All(Vec<Permission>),
    /// As `All`, once state has been read to know the resources' names (an IAM path, a table's key). What was looked
    /// up is looked up again in the operation's transaction when the authorization epoch has moved meanwhile, so
    /// state that is read here either moves the epoch when it changes, or the operation checks it for itself.
    Lookup(Lookup),
    /// Each is decided for itself: one that is refused does not refuse the call, but the operation must leave out what
    /// [`crate::Cx::refused`] says and answer an error in its place, as S3's `DeleteObjects` does per key. An empty
    /// list is refused.
    Each(Vec<Permission>),
    /// As `Each`, of what is looked up as for `Lookup`.
    LookupEach(Lookup),
    /// Anybody may call: the operation is unsigned on AWS, and what it asks for proves itself
    /// (a password, a code, a session). A signature that comes along must still be right.
    Public,
    /// The holder of a user pool's access token with this scope; the pipeline verifies it,
    /// revocation included, and the operation finds the user in [`crate::Cx::token_user`].
    AccessToken {
        /// The token, as the input carries it.
        token: String,
        /// The scope it must have, such as `aws.cognito.signin.user.admin`.
        scope: &'static str,
    },
}

/// Reads through a transaction what an operation needs; run before the decision, and perhaps again in the write.
pub type Lookup = Arc<dyn Fn(Tx) -> BoxFuture<'static, Result<Vec<Permission>, StoreError>> + Send + Sync>;

/// One thing that must be allowed: an action on a resource in a context.
#[derive(Clone, Debug)]
pub struct Permission {
    /// The IAM action, such as `dynamodb:PutItem`.
    pub action: Cow<'static, str>,
    /// The resource's ARN, or `*` where the action knows no resources.
    pub resource: String,
    /// Condition keys of this call, such as `dynamodb:LeadingKeys`, with their values.
    pub context: Vec<(Cow<'static, str>, Vec<String>)>,
    /// Set for `iam:PassRole`: the role's trust policy must admit this service too.
    pub hands_role: Option<HandedRole>,
}

/// A role that is handed to a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandedRole {
    /// The role's ARN, as the client wrote it.
    pub role_arn: String,
    /// The service that will use it, such as `lambda.amazonaws.com`.
    pub service: &'static str,
}

impl Permission {
    /// An action on a resource.
    pub fn new(action: impl Into<Cow<'static, str>>, resource: impl ToString) -> Self {
        Self { action: action.into(), resource: resource.to_string(), context: Vec::new(), hands_role: None }
    }

    /// The same with a condition key; keys with no values are left out, as on AWS.
    #[must_use]
    pub fn with<V: Into<String>>(
        mut self,
        key: impl Into<Cow<'static, str>>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let values: Vec<String> = values.into_iter().map(Into::into).collect();
        if !values.is_empty() {
            self.context.push((key.into(), values));
        }
        self
    }

    /// `iam:PassRole` on a role that `service` will use (security decision 2).
    pub fn pass_role(role_arn: &str, service: &'static str) -> Self {
        let mut permission = Self::new("iam:PassRole", role_arn).with("iam:PassedToService", [service]);
        permission.hands_role = Some(HandedRole { role_arn: role_arn.to_owned(), service });
        permission
    }
}

impl Permissions {
    /// One action on one resource.
    pub fn one(action: &'static str, resource: impl ToString) -> Self {
        Self::All(vec![Permission::new(action, resource)])
    }

    /// Permissions whose resources are known only after reading state.
    pub fn lookup<F, Fut>(look: F) -> Self
    where
        F: Fn(Tx) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Vec<Permission>, StoreError>> + Send + 'static,
    {
        Self::Lookup(Arc::new(move |tx| Box::pin(look(tx))))
    }

    /// The same, each decided for itself.
    #[must_use]
    pub fn each(self) -> Self {
        match self {
            Self::All(list) => Self::Each(list),
            Self::Lookup(lookup) => Self::LookupEach(lookup),
            other => other,
        }
    }
}

/// Who asks, where: what an operation may look at to say what it needs.
pub struct Asked<'a, S> {
    /// The service itself.
    pub service: &'a Arc<S>,
    /// The caller.
    pub caller: &'a Caller,
    /// The account and region of the call.
    pub scope: &'a Scope,
    /// Now.
    pub now: Timestamp,
}
