use std::collections::BTreeMap;

use homeport_service::{Asked, Cx, Effect, Operation, Permissions, bump_authorization};
use homeport_store::Tx;
use serde::{Deserialize, Serialize};

use crate::Iam;
use crate::aws_managed;
use crate::documents;
use crate::entities::{self, Tag, is_below, with_tags};
use crate::error::IamError;
use crate::limits::POLICIES_MAX;
use crate::listing::{Paging, Truncation};
use crate::managed::{self, Managed};
use crate::operations::Empty;
use crate::permissions::{on_all, on_policy, to_create_policy};
use crate::records::{MANAGED_POLICIES, ManagedPolicy, PolicyVersion, count_key};
use crate::views::{self, Depth, PolicyView};

/// `CreatePolicy` (IAM API reference): a managed policy with its version `v1`.
pub(crate) struct CreatePolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateInput {
    policy_name: String,
    path: Option<String>,
    policy_document: String,
    description: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PolicyOutput {
    policy: PolicyView,
}

impl Operation for CreatePolicy {
    type Service = Iam;
    type Input = CreateInput;
    type Output = PolicyOutput;
    type Error = IamError;

    const NAME: &'static str = "CreatePolicy";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &CreateInput) -> Permissions {
        let named = (input.path.as_deref(), input.policy_name.as_str());
        to_create_policy(Self::NAME, asked.scope.account, named, &input.tags)
    }

    fn run(cx: Cx<Iam>, input: CreateInput) -> impl Future<Output = Result<PolicyOutput, IamError>> + Send {
        async move {
            documents::check_managed(&input.policy_document)?;
            let now = cx.now();
            let policy = &ManagedPolicy {
                account: cx.account(),
                id: entities::draw_id(&cx, "ANPA"),
                name: input.policy_name,
                path: input.path.unwrap_or_else(|| "/".to_owned()),
                description: input.description,
                created: now,
                updated: now,
                tags: with_tags(BTreeMap::new(), input.tags)?,
                default_version: 1,
                next_version: 2,
                versions: vec![PolicyVersion { number: 1, document: input.policy_document, created: now }],
            };
            let view = cx
                .write(|tx| async move {
                    if !MANAGED_POLICIES.insert(&tx, policy).await? {
                        return Err(IamError::PolicyAlreadyExists(policy.name.clone()));
                    }
                    entities::count(&tx, policy.account, "policy", "PoliciesPerAccount", POLICIES_MAX)
                        .await?;
                    bump_authorization(&tx)?;
                    Ok(views::own_policy(&tx, policy, Depth::Whole).await?)
                })
                .await?;
            Ok(PolicyOutput { policy: view })
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ArnInput {
    policy_arn: String,
}

/// `GetPolicy` (IAM API reference).
pub(crate) struct GetPolicy;

impl Operation for GetPolicy {
    type Service = Iam;
    type Input = ArnInput;
    type Output = PolicyOutput;
    type Error = IamError;

    const NAME: &'static str = "GetPolicy";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, Iam>, input: &ArnInput) -> Permissions {
        on_policy(Self::NAME, &input.policy_arn)
    }

    fn run(cx: Cx<Iam>, input: ArnInput) -> impl Future<Output = Result<PolicyOutput, IamError>> + Send {
        async move {
            let (account, arn) = (cx.account(), &input.policy_arn);
            cx.read(|tx| async move {
                let policy = match managed::find(&tx, account, arn).await? {
                    Some(Managed::Own(policy)) => views::own_policy(&tx, &policy, Depth::Whole).await?,
                    Some(Managed::Aws(policy)) => views::aws_policy(&tx, account, policy).await?,
                    None => return Err(IamError::NoSuchPolicy(arn.clone())),
                };
                Ok(PolicyOutput { policy })
            })
            .await
        }
    }
}

/// `DeletePolicy` (IAM API reference): removes a policy that is attached nowhere and has one version only.
pub(crate) struct DeletePolicy;

impl Operation for DeletePolicy {
    type Service = Iam;
    type Input = ArnInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = "DeletePolicy";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, Iam>, input: &ArnInput) -> Permissions {
        on_policy(Self::NAME, &input.policy_arn)
    }

    fn run(cx: Cx<Iam>, input: ArnInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move {
            let (account, arn) = (cx.account(), &input.policy_arn);
            cx.write(|tx| async move {
                let policy = managed::own(&tx, account, arn).await?;
                if managed::usage_of(&tx, account, arn).await? != (0, 0) {
                    return Err(IamError::DeleteConflict("Cannot delete a policy attached to entities."));
                }
                if policy.versions.len() > 1 {
                    return Err(IamError::DeleteConflict(
                        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
                    ));
                }
                MANAGED_POLICIES.delete(&tx, ManagedPolicy::key_of(account, &policy.name)).await?;
                tx.add(&count_key(account, "policy"), -1)?;
                bump_authorization(&tx)?;
                Ok(())
            })
            .await?;
            Ok(Empty {})
        }
    }
}

/// `ListPolicies` (IAM API reference): the account's own, AWS's, or both, AWS's first.
pub(crate) struct ListPolicies;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListInput {
    scope: Option<String>,
    #[serde(default)]
    only_attached: bool,
    path_prefix: Option<String>,
    policy_usage_filter: Option<String>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListOutput {
    policies: Vec<PolicyView>,
    #[serde(flatten)]
    truncation: Truncation,
}

impl ListInput {
    fn lists(&self, scope: &str) -> bool {
        self.scope.as_deref().is_none_or(|asked| asked == "All" || asked == scope)
    }

    async fn keeps(
        &self,
        tx: &Tx,
        account: homeport_core::Account,
        path: &str,
        arn: &str,
    ) -> Result<bool, IamError> {
        if !is_below(path, self.path_prefix.as_deref()) {
            return Ok(false);
        }
        if !self.only_attached && self.policy_usage_filter.is_none() {
            return Ok(true);
        }
        let (attached, boundary) = managed::usage_of(tx, account, arn).await?;
        let used = match self.policy_usage_filter.as_deref() {
            Some("PermissionsBoundary") => boundary,
            _ => attached,
        };
        Ok(used > 0)
    }
}

impl Operation for ListPolicies {
    type Service = Iam;
    type Input = ListInput;
    type Output = ListOutput;
    type Error = IamError;

    const NAME: &'static str = "ListPolicies";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, Iam>, input: &ListInput) -> Permissions {
        on_all(asked, Self::NAME, "policy", input.path_prefix.as_ref())
    }

    fn run(cx: Cx<Iam>, input: ListInput) -> impl Future<Output = Result<ListOutput, IamError>> + Send {
        async move {
            let (account, input) = (cx.account(), &input);
            cx.read(|tx| async move {
                let mut found = Vec::new();
                for policy in aws_managed::ALL.iter().filter(|_| input.lists("AWS")) {
                    if input.keeps(&tx, account, policy.path, policy.arn).await? {
                        found.push((format!("A{}", policy.name), Managed::Aws(policy)));
                    }
                }
                let mut after = None;
                while input.lists("Local") {
                    let prefix = within_account(account);
                    let page = MANAGED_POLICIES.page(&tx, prefix, after.as_deref(), 1_000).await?;
                    for mut policy in page.records {
                        if input.keeps(&tx, account, &policy.path, policy.arn().as_str()).await? {
                            policy.versions.clear();
                            found.push((format!("L{}", policy.name), Managed::Own(policy)));
                        }
                    }
                    after = page.cursor;
                    if after.is_none() {
                        break;
                    }
                }
                let (page, truncation) = input.paging.of_few(found, |(key, _)| key.clone())?;
                let mut policies = Vec::new();
                for (_, policy) in page {
                    policies.push(match policy {
                        Managed::Own(policy) => views::own_policy(&tx, &policy, Depth::Listed).await?,
                        Managed::Aws(policy) => views::aws_policy(&tx, account, policy).await?,
                    });
                }
                Ok(ListOutput { policies, truncation })
            })
            .await
        }
    }
}

fn within_account(account: homeport_core::Account) -> homeport_store::KeyParts {
    homeport_store::KeyParts::new().str(account.to_string())
}
