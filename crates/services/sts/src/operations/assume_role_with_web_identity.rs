use std::collections::BTreeMap;

use homeport_service::needs::{WebIdentity, met};
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use super::{AssumedRoleUser, session_seconds};
use crate::Sts;
use crate::error::StsError;
use crate::session::{AssumedRole, Session, SessionOf, sign_in_of};
use crate::session_policies::{self, PolicyDescriptor};
use crate::token::{CredentialsView, packed_size};
use crate::trust::{Bearer, Wanted};

/// `AssumeRoleWithWebIdentity` (STS API reference): temporary credentials of a role, for the bearer of a token
/// whose issuer the role trusts. It is unsigned: the token proves who asks.
pub(crate) struct AssumeRoleWithWebIdentity;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    role_arn: String,
    role_session_name: String,
    web_identity_token: String,
    provider_id: Option<String>,
    #[serde(default)]
    policy_arns: Vec<PolicyDescriptor>,
    policy: Option<String>,
    duration_seconds: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    credentials: CredentialsView,
    subject_from_web_identity_token: String,
    assumed_role_user: AssumedRoleUser,
    #[serde(skip_serializing_if = "Option::is_none")]
    packed_policy_size: Option<usize>,
    provider: String,
    audience: String,
}

/// One answer for a role that is not there and for one that does not trust the bearer.
const REFUSED: StsError = StsError::AccessDenied(std::borrow::Cow::Borrowed(
    "Not authorized to perform sts:AssumeRoleWithWebIdentity",
));

impl Sts {
    async fn web_identity(&self, token: &str) -> Result<WebIdentity, StsError> {
        for issuer in self.needs.web_identities.get().into_iter().flatten() {
            if let Some(identity) = issuer.verify_web_identity(token).await? {
                return Ok(identity);
            }
        }
        Err(StsError::InvalidIdentityToken(
            "No OpenIDConnect provider found in your account for the token's issuer.",
        ))
    }
}

impl Operation for AssumeRoleWithWebIdentity {
    type Service = Sts;
    type Input = Input;
    type Output = Output;
    type Error = StsError;

    const NAME: &'static str = "AssumeRoleWithWebIdentity";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, Sts>, _: &Input) -> Permissions {
        Permissions::Public
    }

    fn run(cx: Cx<Sts>, input: Input) -> impl Future<Output = Result<Output, StsError>> + Send {
        async move {
            if input.provider_id.is_some() {
                return Err(StsError::ValidationError(
                    "ProviderId is for OAuth 2.0 access tokens, which are not accepted.".into(),
                ));
            }
            let (policies, managed) = session_policies::check(input.policy.as_ref(), &input.policy_arns)?;
            let identity = cx.service.web_identity(&input.web_identity_token).await?;
            let (sts, role_arn, managed_arns) = (&cx.service, &input.role_arn, &managed);
            let role = cx
                .read(|tx| async move {
                    sts.require_managed(&tx, managed_arns).await?;
                    Ok::<_, StsError>(met(&sts.needs.policies_of, "PoliciesOf")?.role(&tx, role_arn).await?)
                })
                .await?
                .ok_or(REFUSED)?;
            let (now, untagged) = (cx.now(), BTreeMap::new());
            let wanted = Wanted {
                session_name: &input.role_session_name,
                tags: &untagged,
                context: &identity.context,
                now,
            };
            if !sts.is_trusted(&role, Bearer::WebIdentity(&identity.provider), &wanted) {
                return Err(REFUSED);
            }
            let seconds = session_seconds(input.duration_seconds, &role)?;
            let narrowed = !policies.is_empty() || !managed.is_empty();
            let assumed = AssumedRole {
                role_arn: role.arn,
                role_id: role.id,
                role_name: role.name,
                session_name: input.role_session_name,
                policies,
                managed_policies: managed,
                tags: role.tags.into_iter().collect(),
                transitive_tag_keys: Vec::new(),
                source_identity: None,
                context: identity.context,
                sign_in: identity.sign_in.or_else(|| sign_in_of(identity.cognito.as_ref())),
                identity: None,
                cognito: identity.cognito,
            };
            let assumed_role_user = AssumedRoleUser::of(cx.account(), &assumed);
            let session = Session {
                issued: now,
                expires: now.plus_seconds(seconds),
                mfa: false,
                of: SessionOf::Role(Box::new(assumed)),
            };
            Ok(Output {
                credentials: CredentialsView::of(&cx.service.issue(&session)?),
                subject_from_web_identity_token: identity.subject,
                assumed_role_user,
                packed_policy_size: narrowed.then(|| packed_size(&session)),
                provider: identity.provider,
                audience: identity.audience,
            })
        }
    }
}
