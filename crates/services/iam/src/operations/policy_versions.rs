use homeport_service::{Asked, Cx, Effect, Operation, Permissions, bump_authorization};
use homeport_store::Tx;
use serde::{Deserialize, Serialize};

use crate::Iam;
use crate::documents;
use crate::error::IamError;
use crate::limits::VERSIONS_MAX;
use crate::listing::{Paging, Truncation};
use crate::managed::{self, Managed};
use crate::operations::Empty;
use crate::permissions::on_policy;
use crate::records::{MANAGED_POLICIES, ManagedPolicy, PolicyVersion};
use crate::views::{self, Depth, VersionView};

/// `CreatePolicyVersion` (IAM API reference): a further version, of five at most.
pub(crate) struct CreatePolicyVersion;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateInput {
    policy_arn: String,
    policy_document: String,
    #[serde(default)]
    set_as_default: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct VersionOutput {
    policy_version: VersionView,
}

impl Operation for CreatePolicyVersion {
    type Service = Iam;
    type Input = CreateInput;
    type Output = VersionOutput;
    type Error = IamError;

    const NAME: &'static str = "CreatePolicyVersion";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, Iam>, input: &CreateInput) -> Permissions {
        on_policy(Self::NAME, &input.policy_arn)
    }

    fn run(cx: Cx<Iam>, input: CreateInput) -> impl Future<Output = Result<VersionOutput, IamError>> + Send {
        async move {
            documents::check_managed(&input.policy_document)?;
            let (account, now, input) = (cx.account(), cx.now(), &input);
            cx.write(|tx| async move {
                let mut policy = managed::own(&tx, account, &input.policy_arn).await?;
                if policy.versions.len() >= VERSIONS_MAX {
                    return Err(IamError::LimitExceeded(
                        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.".into(),
                    ));
                }
                let version =
                    PolicyVersion { number: policy.next_version, document: input.policy_document.clone(), created: now };
                policy.next_version += 1;
                policy.updated = now;
                if input.set_as_default {
                    policy.default_version = version.number;
                }
                let view = views::version(&policy, &version, Depth::Listed);
                policy.versions.push(version);
                save(&tx, &policy).await?;
                Ok(VersionOutput { policy_version: view })
            })
            .await
        }
    }
}

async fn save(tx: &Tx, policy: &ManagedPolicy) -> Result<(), IamError> {
    MANAGED_POLICIES.put(tx, policy).await?;
    bump_authorization(tx)?;
    Ok(())
}

/// `v2` → 2
fn number(version_id: &str) -> Option<u32> {
    version_id.strip_prefix('v')?.parse().ok()
}

fn no_such(input: &VersionInput) -> IamError {
    IamError::NoSuchVersion { arn: input.policy_arn.clone(), version: input.version_id.clone() }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct VersionInput {
    policy_arn: String,
    version_id: String,
}

/// `GetPolicyVersion` (IAM API reference): a version with its document.
pub(crate) struct GetPolicyVersion;

impl Operation for GetPolicyVersion {
    type Service = Iam;
    type Input = VersionInput;
    type Output = VersionOutput;
    type Error = IamError;

    const NAME: &'static str = "GetPolicyVersion";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, Iam>, input: &VersionInput) -> Permissions {
        on_policy(Self::NAME, &input.policy_arn)
    }

    fn run(cx: Cx<Iam>, input: VersionInput) -> impl Future<Output = Result<VersionOutput, IamError>> + Send {
        async move {
            let (account, input) = (cx.account(), &input);
            cx.read(|tx| async move {
                let wanted = number(&input.version_id).ok_or_else(|| no_such(input))?;
                let policy_version = match managed::find(&tx, account, &input.policy_arn).await? {
                    Some(Managed::Own(policy)) => {
                        let version = policy.version(wanted).ok_or_else(|| no_such(input))?;
                        views::version(&policy, version, Depth::Whole)
                    }
                    Some(Managed::Aws(policy)) if wanted == 1 => views::aws_version(policy, Depth::Whole),
                    Some(Managed::Aws(_)) => return Err(no_such(input)),
                    None => return Err(IamError::NoSuchPolicy(input.policy_arn.clone())),
                };
                Ok(VersionOutput { policy_version })
            })
            .await
        }
    }
}

/// `SetDefaultPolicyVersion` (IAM API reference): the version that counts from now on.
pub(crate) struct SetDefaultPolicyVersion;

impl Operation for SetDefaultPolicyVersion {
    type Service = Iam;
    type Input = VersionInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = "SetDefaultPolicyVersion";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, Iam>, input: &VersionInput) -> Permissions {
        on_policy(Self::NAME, &input.policy_arn)
    }

    fn run(cx: Cx<Iam>, input: VersionInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move {
            let (account, now, input) = (cx.account(), cx.now(), &input);
            cx.write(|tx| async move {
                let mut policy = managed::own(&tx, account, &input.policy_arn).await?;
                let wanted = number(&input.version_id).filter(|wanted| policy.version(*wanted).is_some());
                policy.default_version = wanted.ok_or_else(|| no_such(input))?;
                policy.updated = now;
                save(&tx, &policy).await
            })
            .await?;
            Ok(Empty {})
        }
    }
}

/// `DeletePolicyVersion` (IAM API reference): any but the default one.
pub(crate) struct DeletePolicyVersion;

impl Operation for DeletePolicyVersion {
    type Service = Iam;
    type Input = VersionInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = "DeletePolicyVersion";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, Iam>, input: &VersionInput) -> Permissions {
        on_policy(Self::NAME, &input.policy_arn)
    }

    fn run(cx: Cx<Iam>, input: VersionInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move {
            let (account, input) = (cx.account(), &input);
            cx.write(|tx| async move {
                let mut policy = managed::own(&tx, account, &input.policy_arn).await?;
                let wanted = number(&input.version_id).filter(|wanted| policy.version(*wanted).is_some());
                let wanted = wanted.ok_or_else(|| no_such(input))?;
                if wanted == policy.default_version {
                    return Err(IamError::DeleteConflict("Cannot delete the default version of a policy."));
                }
                policy.versions.retain(|version| version.number != wanted);
                save(&tx, &policy).await
            })
            .await?;
            Ok(Empty {})
        }
    }
}

/// `ListPolicyVersions` (IAM API reference): the newest first, without documents.
pub(crate) struct ListPolicyVersions;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListInput {
    policy_arn: String,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListOutput {
    versions: Vec<VersionView>,
    #[serde(flatten)]
    truncation: Truncation,
}

impl Operation for ListPolicyVersions {
    type Service = Iam;
    type Input = ListInput;
    type Output = ListOutput;
    type Error = IamError;

    const NAME: &'static str = "ListPolicyVersions";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, Iam>, input: &ListInput) -> Permissions {
        on_policy(Self::NAME, &input.policy_arn)
    }

    fn run(cx: Cx<Iam>, input: ListInput) -> impl Future<Output = Result<ListOutput, IamError>> + Send {
        async move {
            let (account, input) = (cx.account(), &input);
            cx.read(|tx| async move {
                let found = match managed::find(&tx, account, &input.policy_arn).await? {
                    Some(Managed::Own(policy)) => {
                        let listed = |version| {
                            (newest_first(version), views::version(&policy, version, Depth::Listed))
                        };
                        policy.versions.iter().map(listed).collect()
                    }
                    Some(Managed::Aws(policy)) => {
                        vec![(String::new(), views::aws_version(policy, Depth::Listed))]
                    }
                    None => return Err(IamError::NoSuchPolicy(input.policy_arn.clone())),
                };
                let (page, truncation) = input.paging.of_few(found, |(key, _)| key.clone())?;
                Ok(ListOutput {
                    versions: page.into_iter().map(|(_, version)| version).collect(),
                    truncation,
                })
            })
            .await
        }
    }
}

/// A key that orders the newest version first.
fn newest_first(version: &PolicyVersion) -> String {
    format!("{:010}", u32::MAX - version.number)
}
