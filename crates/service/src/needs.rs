//! What one service asks of another. Each trait is named for the need and met by the service that owns the
//! matter; the binary fills one [`Needs`] after all services exist. Every need that acts carries who acts
//! ([`On`]), and the service that meets it evaluates its own resource policy: there is no trusted way round.

use std::sync::{Arc, OnceLock};

mod cors;
mod gate;
mod identity;
mod logs;
mod messages;
mod objects;
mod pinned;
mod roles;
mod run;
mod tokens;
mod user_gone;
mod web_identity;

use homeport_core::{Account, Arn};

pub use cors::{BucketCors, CorsAnswer, CorsQuestion};
pub use gate::{CheckSignature, Fetch, FetchRefused, SignedCall};
pub use identity::{Identified, Identify, Policies, PoliciesOf, ResourcePolicy, RoleView, Unidentified};
pub use logs::{LogLine, PutLog};
pub use messages::{Channel, Message, NotSent, SendMessage};
pub use objects::{InBucket, Objects, ObjectsRefused, OpenedObject, PutObject};
pub use pinned::{Pinned, Unpinned};
pub use roles::{Assume, AssumeForService, AssumeRefused, AssumedBy, Credentials};
pub use run::{Invocation, Invoke, InvokeKind, InvokeRefused, Invoked};
pub use tokens::{TokenRefused, TokenUse, Verified, VerifyToken};
pub use user_gone::{GoneUser, UserGone};
pub use web_identity::{IdentityStands, SignIn, VerifyWebIdentity, WebIdentity};

/// The longest chain of invocations that call each other.
pub const MAX_INVOCATION_DEPTH: u8 = 16;

/// The header by which a function's own calls carry how many invocations led to them: set on the way to the
/// functions' listener, and read from calls that came by it alone.
pub const DEPTH_HEADER: &str = "x-homeport-depth";

/// On whose behalf a need is asked: what the resource policy is evaluated against.
#[derive(Clone, Debug)]
pub struct On {
    /// The service that acts, such as `apigateway.amazonaws.com`.
    pub service: &'static str,
    /// What it acts for, such as the method's ARN: `aws:SourceArn`.
    pub source_arn: Arn,
    /// `aws:SourceAccount`
    pub source_account: Account,
    /// How many invocations led here, at most [`MAX_INVOCATION_DEPTH`].
    pub depth: u8,
}

/// Nobody meets this need: the service that would isn't part of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no service meets the need `{0}`")]
pub struct Unmet(pub &'static str);

/// All needs, filled once after all services exist.
#[derive(Default)]
pub struct Needs {
    /// Long-term access keys: met by iam.
    pub identify_users: OnceLock<Arc<dyn Identify>>,
    /// Temporary access keys: met by sts.
    pub identify_sessions: OnceLock<Arc<dyn Identify>>,
    /// Met by iam.
    pub policies_of: OnceLock<Arc<dyn PoliciesOf>>,
    /// By the ARN's service, such as `s3` or `lambda`: met by the service that owns the ARN.
    pub resource_policies: OnceLock<Vec<(&'static str, Arc<dyn ResourcePolicy>)>>,
    /// Met by s3.
    pub bucket_cors: OnceLock<Arc<dyn BucketCors>>,
    /// Met by sts.
    pub assume: OnceLock<Arc<dyn AssumeForService>>,
    /// Met by lambda.
    pub invoke: OnceLock<Arc<dyn Invoke>>,
    /// Met by the program: SMTP, or the outbox.
    pub send_message: OnceLock<Arc<dyn SendMessage>>,
    /// Met by cognito-idp.
    pub verify_token: OnceLock<Arc<dyn VerifyToken>>,
    /// Met by the edge.
    pub check_signature: OnceLock<Arc<dyn CheckSignature>>,
    /// Met by the edge.
    pub fetch: OnceLock<Arc<dyn Fetch>>,
    /// Asked in order: met by cognito-identity, and by iam for user pools that are OIDC providers.
    pub web_identities: OnceLock<Vec<Arc<dyn VerifyWebIdentity>>>,
    /// Met by cognito-identity.
    pub identities: OnceLock<Arc<dyn IdentityStands>>,
    /// All are asked: met by cognito-identity, and by the program for its messages.
    pub users_gone: OnceLock<Vec<Arc<dyn UserGone>>>,
    /// Met by s3.
    pub objects: OnceLock<Arc<dyn Objects>>,
    /// Met by logs.
    pub put_log: OnceLock<Arc<dyn PutLog>>,
}

/// The need's owner, or which need nobody meets.
pub fn met<'a, T: ?Sized>(need: &'a OnceLock<Arc<T>>, name: &'static str) -> Result<&'a Arc<T>, Unmet> {
    need.get().ok_or(Unmet(name))
}
