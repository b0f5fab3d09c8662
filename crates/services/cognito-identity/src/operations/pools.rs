use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use homeport_core::uuid_v4;
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::KeyParts;
use serde::{Deserialize, Serialize};

use crate::operations::identities::cursor;
use crate::records::{IDENTITIES, IdentityPool, POOLS, UserPoolProvider};
use crate::{CognitoIdentity, IdentityError, arns, find};

/// Identities that go with their pool in one transaction; the rest goes in further ones, before the pool itself.
const DELETED_AT_ONCE: usize = 500;

/// A pool as AWS's API has it, in and out.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Pool {
    #[serde(default)]
    identity_pool_id: String,
    identity_pool_name: String,
    allow_unauthenticated_identities: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    allow_classic_flow: Option<bool>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    supported_login_providers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    developer_provider_name: Option<String>,
    #[serde(default, rename = "OpenIdConnectProviderARNs", skip_serializing_if = "Vec::is_empty")]
    open_id_connect_provider_arns: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    cognito_identity_providers: Vec<UserPoolProvider>,
    #[serde(default, rename = "SamlProviderARNs", skip_serializing_if = "Vec::is_empty")]
    saml_provider_arns: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    identity_pool_tags: BTreeMap<String, String>,
}

impl Pool {
    /// The record of this form, with what only the record before knows.
    fn record(self, id: String, before: Option<IdentityPool>) -> IdentityPool {
        let (roles, role_mappings) = before.map(|pool| (pool.roles, pool.role_mappings)).unwrap_or_default();
        IdentityPool {
            id,
            name: self.identity_pool_name,
            guests: self.allow_unauthenticated_identities,
            classic_flow: self.allow_classic_flow,
            user_pools: self.cognito_identity_providers,
            social: self.supported_login_providers,
            developer_provider: self.developer_provider_name,
            open_id_arns: self.open_id_connect_provider_arns,
            saml_arns: self.saml_provider_arns,
            tags: self.identity_pool_tags,
            roles,
            role_mappings,
        }
    }
}

impl From<IdentityPool> for Pool {
    fn from(pool: IdentityPool) -> Self {
        Self {
            identity_pool_id: pool.id,
            identity_pool_name: pool.name,
            allow_unauthenticated_identities: pool.guests,
            allow_classic_flow: pool.classic_flow,
            supported_login_providers: pool.social,
            developer_provider_name: pool.developer_provider,
            open_id_connect_provider_arns: pool.open_id_arns,
            cognito_identity_providers: pool.user_pools,
            saml_provider_arns: pool.saml_arns,
            identity_pool_tags: pool.tags,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct IdInput {
    identity_pool_id: String,
}

/// `CreateIdentityPool` (Amazon Cognito Identity API reference).
pub(crate) struct CreateIdentityPool;

impl Operation for CreateIdentityPool {
    type Service = CognitoIdentity;
    type Input = Pool;
    type Output = Pool;
    type Error = IdentityError;

    const NAME: &'static str = "CreateIdentityPool";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, CognitoIdentity>, _: &Pool) -> Permissions {
        Permissions::one("cognito-identity:CreateIdentityPool", "*")
    }

    fn run(cx: Cx<CognitoIdentity>, input: Pool) -> impl Future<Output = Result<Pool, IdentityError>> + Send {
        async move {
            let id = format!("{}:{}", cx.scope().region, uuid_v4(&**cx.randomness()));
            let pool = input.record(id, None);
            cx.write(|tx| {
                let pool = pool.clone();
                async move { POOLS.put(&tx, &pool).await }
            })
            .await?;
            Ok(pool.into())
        }
    }
}

/// `DescribeIdentityPool` (Amazon Cognito Identity API reference).
pub(crate) struct DescribeIdentityPool;

impl Operation for DescribeIdentityPool {
    type Service = CognitoIdentity;
    type Input = IdInput;
    type Output = Pool;
    type Error = IdentityError;

    const NAME: &'static str = "DescribeIdentityPool";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, CognitoIdentity>, input: &IdInput) -> Permissions {
        Permissions::one(
            "cognito-identity:DescribeIdentityPool",
            arns::pool(asked.scope, &input.identity_pool_id),
        )
    }

    fn run(
        cx: Cx<CognitoIdentity>,
        input: IdInput,
    ) -> impl Future<Output = Result<Pool, IdentityError>> + Send {
        async move {
            let id = find::named(cx.scope(), &input.identity_pool_id)?;
            cx.read(|tx| async move { find::pool(&tx, id).await }).await.map(Pool::from)
        }
    }
}

/// `UpdateIdentityPool` (Amazon Cognito Identity API reference): replaces all but the roles.
pub(crate) struct UpdateIdentityPool;

impl Operation for UpdateIdentityPool {
    type Service = CognitoIdentity;
    type Input = Pool;
    type Output = Pool;
    type Error = IdentityError;

    const NAME: &'static str = "UpdateIdentityPool";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdentity>, input: &Pool) -> Permissions {
        Permissions::one(
            "cognito-identity:UpdateIdentityPool",
            arns::pool(asked.scope, &input.identity_pool_id),
        )
    }

    fn run(cx: Cx<CognitoIdentity>, input: Pool) -> impl Future<Output = Result<Pool, IdentityError>> + Send {
        async move {
            let input = &input;
            let id = find::named(cx.scope(), &input.identity_pool_id)?;
            let pool = cx
                .write(|tx| async move {
                    let before = find::pool(&tx, id).await?;
                    let pool = input.clone().record(id.to_owned(), Some(before));
                    POOLS.put(&tx, &pool).await?;
                    Ok::<_, IdentityError>(pool)
                })
                .await?;
            Ok(pool.into())
        }
    }
}

/// `ListIdentityPools` (Amazon Cognito Identity API reference): at most 60 a page.
pub(crate) struct ListIdentityPools;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListInput {
    max_results: usize,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListOutput {
    identity_pools: Vec<Short>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Short {
    identity_pool_id: String,
    identity_pool_name: String,
}

impl Operation for ListIdentityPools {
    type Service = CognitoIdentity;
    type Input = ListInput;
    type Output = ListOutput;
    type Error = IdentityError;

    const NAME: &'static str = "ListIdentityPools";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, CognitoIdentity>, _: &ListInput) -> Permissions {
        Permissions::one("cognito-identity:ListIdentityPools", "*")
    }

    fn run(
        cx: Cx<CognitoIdentity>,
        input: ListInput,
    ) -> impl Future<Output = Result<ListOutput, IdentityError>> + Send {
        async move {
            let after = &cursor(input.next_token.as_deref())?;
            // A pool's id begins with its region: the calls of one region list that region's pools.
            let (region, limit) = (cx.scope().region.to_string(), input.max_results);
            let page = cx
                .read(|tx| async move { POOLS.page(&tx, KeyParts::new(), after.as_deref(), limit).await })
                .await?;
            let here = page.records.into_iter().filter(|pool| pool.id.split(':').next() == Some(&region));
            Ok(ListOutput {
                next_token: page.cursor.map(|cursor| URL_SAFE_NO_PAD.encode(cursor)),
                identity_pools: here
                    .map(|pool| Short { identity_pool_id: pool.id, identity_pool_name: pool.name })
                    .collect(),
            })
        }
    }
}

/// `DeleteIdentityPool` (Amazon Cognito Identity API reference): with all its identities.
pub(crate) struct DeleteIdentityPool;

#[derive(Serialize)]
pub(crate) struct Nothing {}

impl Operation for DeleteIdentityPool {
    type Service = CognitoIdentity;
    type Input = IdInput;
    type Output = Nothing;
    type Error = IdentityError;

    const NAME: &'static str = "DeleteIdentityPool";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdentity>, input: &IdInput) -> Permissions {
        Permissions::one(
            "cognito-identity:DeleteIdentityPool",
            arns::pool(asked.scope, &input.identity_pool_id),
        )
    }

    fn run(
        cx: Cx<CognitoIdentity>,
        input: IdInput,
    ) -> impl Future<Output = Result<Nothing, IdentityError>> + Send {
        async move {
            let id = find::named(cx.scope(), &input.identity_pool_id)?;
            // The pool goes first, so that no identity is added while the others go.
            cx.write(|tx| async move {
                POOLS.delete(&tx, id).await?.ok_or_else(|| IdentityError::NoSuchPool(id.to_owned()))
            })
            .await?;
            while delete_some(&cx, id).await? {}
            Ok(Nothing {})
        }
    }
}

/// Deletes some identities of a pool; whether more are left.
async fn delete_some(cx: &Cx<CognitoIdentity>, pool_id: &str) -> Result<bool, IdentityError> {
    cx.write(|tx| async move {
        let page = IDENTITIES.page_by(&tx, "pool", KeyParts::from(pool_id), None, DELETED_AT_ONCE).await?;
        for identity in &page.records {
            IDENTITIES.delete(&tx, &identity.id).await?;
        }
        Ok(page.cursor.is_some())
    })
    .await
}
