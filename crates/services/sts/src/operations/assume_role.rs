use std::collections::BTreeMap;

use homeport_service::needs::met;
use homeport_service::{Asked, Cx, Effect, EndsWith, Operation, Permission, Permissions, Principal};
use serde::{Deserialize, Serialize};

use super::{AssumedRoleUser, no_mfa_device, session_seconds};
use crate::Sts;
use crate::error::StsError;
use crate::session::{AssumedRole, Session, SessionOf};
use crate::session_policies::{self, PolicyDescriptor};
use crate::token::{CredentialsView, packed_size};

/// Tags of one session.
const TAGS_MAX: usize = 50;
/// The longest session of a role that another role's session takes on, in seconds.
const CHAINED_SECONDS_MAX: i64 = 3_600;

/// `AssumeRole` (STS API reference): temporary credentials of a role, for a user or another role's session
/// that may ask for it and that the role trusts.
pub(crate) struct AssumeRole;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    role_arn: String,
    role_session_name: String,
    #[serde(default)]
    policy_arns: Vec<PolicyDescriptor>,
    policy: Option<String>,
    duration_seconds: Option<i64>,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    transitive_tag_keys: Vec<String>,
    external_id: Option<String>,
    serial_number: Option<String>,
    token_code: Option<String>,
    source_identity: Option<String>,
    #[serde(default)]
    provided_contexts: Vec<serde_json::Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    credentials: CredentialsView,
    assumed_role_user: AssumedRoleUser,
    #[serde(skip_serializing_if = "Option::is_none")]
    packed_policy_size: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_identity: Option<String>,
}

impl Input {
    /// The session's tags: what the caller's session passes on, and what is asked for.
    fn session_tags(&self, caller: &Principal) -> BTreeMap<String, String> {
        let mut tags = BTreeMap::new();
        if let Principal::Role(session) = caller {
            let passed_on = |key: &&String| session.transitive_tag_keys.contains(*key);
            tags.extend(
                session.tags.iter().filter(|(key, _)| passed_on(key)).map(|(k, v)| (k.clone(), v.clone())),
            );
        }
        tags.extend(self.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())));
        tags
    }

    /// Set once and for all by the first session of a chain.
    fn lasting_source_identity(&self, caller: &Principal) -> Option<String> {
        match caller {
            Principal::Role(session) => {
                session.source_identity.clone().or_else(|| self.source_identity.clone())
            }
            _ => self.source_identity.clone(),
        }
    }

    fn check(&self, caller: &Principal) -> Result<(), StsError> {
        if self.serial_number.is_some() || self.token_code.is_some() {
            return Err(no_mfa_device());
        }
        if !self.provided_contexts.is_empty() {
            return Err(StsError::ValidationError("Context providers are not available.".into()));
        }
        let Principal::Role(session) = caller else { return self.check_tags(&[]) };
        if self.duration_seconds.is_some_and(|seconds| seconds > CHAINED_SECONDS_MAX) {
            return Err(StsError::ValidationError(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.".into(),
            ));
        }
        if session.source_identity.is_some()
            && self.source_identity.is_some()
            && session.source_identity != self.source_identity
        {
            return Err(StsError::AccessDenied(
                "SourceIdentity can't be changed in a chain of roles.".into(),
            ));
        }
        self.check_tags(&session.transitive_tag_keys)
    }

    fn check_tags(&self, inherited: &[String]) -> Result<(), StsError> {
        let mut seen = std::collections::HashSet::new();
        for tag in &self.tags {
            let folded = tag.key.to_lowercase();
            if inherited.iter().any(|key| key.to_lowercase() == folded) {
                return Err(StsError::InvalidParameterValue(
                    "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
                ));
            }
            if !seen.insert(folded) {
                return Err(StsError::InvalidParameterValue(
                    "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
                ));
            }
        }
        if seen.len() + inherited.len() > TAGS_MAX {
            return Err(StsError::InvalidParameterValue("A session has at most 50 tags."));
        }
        if self.transitive_tag_keys.iter().any(|key| !seen.contains(&key.to_lowercase())) {
            return Err(StsError::InvalidParameterValue(
                "The specified transitive tag key must be included in the requested tags.",
            ));
        }
        Ok(())
    }
}

impl Operation for AssumeRole {
    type Service = Sts;
    type Input = Input;
    type Output = Output;
    type Error = StsError;

    const NAME: &'static str = "AssumeRole";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, Sts>, input: &Input) -> Permissions {
        let caller = &asked.caller.principal;
        let (tags, source_identity) = (input.session_tags(caller), input.lasting_source_identity(caller));
        let on_role = |action: &'static str| {
            let mut permission = Permission::new(action, &input.role_arn)
                .with("sts:RoleSessionName", [&input.role_session_name])
                .with("sts:ExternalId", &input.external_id)
                .with("sts:SourceIdentity", &source_identity)
                .with("aws:TagKeys", tags.keys())
                .with("sts:TransitiveTagKeys", &input.transitive_tag_keys);
            for (key, value) in &tags {
                permission = permission.with(format!("aws:RequestTag/{key}"), [value]);
            }
            permission
        };
        let mut permissions = vec![on_role("sts:AssumeRole")];
        if !tags.is_empty() {
            permissions.push(on_role("sts:TagSession"));
        }
        if source_identity.is_some() {
            permissions.push(on_role("sts:SetSourceIdentity"));
        }
        Permissions::All(permissions)
    }

    fn run(cx: Cx<Sts>, input: Input) -> impl Future<Output = Result<Output, StsError>> + Send {
        async move {
            let caller = cx.principal();
            input.check(caller)?;
            let (policies, managed) = session_policies::check(input.policy.as_ref(), &input.policy_arns)?;
            let (sts, role_arn, managed_arns) = (&cx.service, &input.role_arn, &managed);
            sts.require_trust_policies()?;
            // A transaction that writes nothing, and holds the decision to the very role that is read.
            let role = cx
                .write(|tx| async move {
                    sts.require_managed(&tx, managed_arns).await?;
                    Ok::<_, StsError>(met(&sts.needs.policies_of, "PoliciesOf")?.role(&tx, role_arn).await?)
                })
                .await?;
            let role = role.ok_or_else(|| not_authorized(&cx, role_arn))?;
            let seconds = session_seconds(input.duration_seconds, &role)?;
            let (session_tags, source_identity) =
                (input.session_tags(caller), input.lasting_source_identity(caller));
            let mut transitive = match caller {
                Principal::Role(session) => session.transitive_tag_keys.clone(),
                _ => Vec::new(),
            };
            transitive.extend(input.transitive_tag_keys);
            let mut tags: BTreeMap<_, _> = role.tags.into_iter().collect();
            tags.retain(|key, _| !session_tags.keys().any(|own| own.to_lowercase() == key.to_lowercase()));
            tags.extend(session_tags);
            let ends_with = match caller {
                Principal::Role(session) => session.ends_with.clone(),
                _ => EndsWith::default(),
            };
            let narrowed = !policies.is_empty() || !managed.is_empty() || !tags.is_empty();
            let assumed = AssumedRole {
                role_arn: role.arn,
                role_id: role.id,
                role_name: role.name,
                session_name: input.role_session_name,
                policies,
                managed_policies: managed,
                tags,
                transitive_tag_keys: transitive,
                source_identity: source_identity.clone(),
                context: BTreeMap::new(),
                cognito: None,
                sign_in: ends_with.sign_in,
                identity: ends_with.identity,
            };
            let assumed_role_user = AssumedRoleUser::of(cx.account(), &assumed);
            let now = cx.now();
            let session = Session {
                issued: now,
                expires: now.plus_seconds(seconds),
                mfa: false,
                of: SessionOf::Role(Box::new(assumed)),
            };
            Ok(Output {
                credentials: CredentialsView::of(&cx.service.issue(&session)?),
                assumed_role_user,
                packed_policy_size: narrowed.then(|| packed_size(&session)),
                source_identity,
            })
        }
    }
}

/// A role that is not there is refused like one that may not be assumed.
fn not_authorized(cx: &Cx<Sts>, role_arn: &str) -> StsError {
    let who = cx.principal().label(cx.account());
    StsError::AccessDenied(
        format!("User: {who} is not authorized to perform: sts:AssumeRole on resource: {role_arn}").into(),
    )
}
