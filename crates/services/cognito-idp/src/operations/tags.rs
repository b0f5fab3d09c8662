//! Tags of pools: `TagResource`, `UntagResource`, `ListTagsForResource`.

use std::collections::BTreeMap;

use homeport_core::Arn;
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::CognitoIdp;
use crate::error::IdpError;
use crate::lookup;
use crate::pool_ref::PoolRef;
use crate::records::{POOLS, Pool};
use crate::shapes::Nothing;

/// `TagResource` (Cognito user pools API reference).
pub(crate) struct TagResource;
/// `UntagResource` (Cognito user pools API reference).
pub(crate) struct UntagResource;
/// `ListTagsForResource` (Cognito user pools API reference).
pub(crate) struct ListTagsForResource;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TagInput {
    resource_arn: String,
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UntagInput {
    resource_arn: String,
    tag_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListInput {
    resource_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListOutput {
    tags: BTreeMap<String, String>,
}

/// The pool that an ARN names.
fn pool_of(cx: &Cx<CognitoIdp>, arn: &str) -> Result<PoolRef, IdpError> {
    let invalid = || IdpError::invalid("The ARN is not that of a user pool.");
    let parsed = Arn::parse(arn).map_err(|_| invalid())?;
    let id = parsed.resource().strip_prefix("userpool/").ok_or_else(invalid)?;
    let pool = lookup::named(cx, id)?;
    if pool.arn() == arn { Ok(pool) } else { Err(IdpError::no_pool(id)) }
}

async fn change(
    cx: &Cx<CognitoIdp>,
    arn: &str,
    change: impl Fn(&mut BTreeMap<String, String>) + Send + Sync,
) -> Result<Nothing, IdpError> {
    let reference = &pool_of(cx, arn)?;
    cx.write(|tx| {
        let (reference, change) = (&reference, &change);
        async move {
            let mut pool: Pool = lookup::pool(&tx, reference).await?;
            change(&mut pool.settings.user_pool_tags);
            pool.settings.check_tags()?;
            POOLS.put(&tx, &pool).await?;
            Ok::<_, IdpError>(())
        }
    })
    .await?;
    Ok(Nothing {})
}

impl Operation for TagResource {
    type Service = CognitoIdp;
    type Input = TagInput;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "TagResource";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, CognitoIdp>, input: &TagInput) -> Permissions {
        Permissions::one("cognito-idp:TagResource", &input.resource_arn)
    }

    fn run(cx: Cx<CognitoIdp>, input: TagInput) -> impl Future<Output = Result<Nothing, IdpError>> + Send {
        async move {
            change(&cx, &input.resource_arn, |tags| {
                tags.extend(input.tags.iter().map(|(key, value)| (key.clone(), value.clone())));
            })
            .await
        }
    }
}

impl Operation for UntagResource {
    type Service = CognitoIdp;
    type Input = UntagInput;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "UntagResource";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, CognitoIdp>, input: &UntagInput) -> Permissions {
        Permissions::one("cognito-idp:UntagResource", &input.resource_arn)
    }

    fn run(cx: Cx<CognitoIdp>, input: UntagInput) -> impl Future<Output = Result<Nothing, IdpError>> + Send {
        async move {
            change(&cx, &input.resource_arn, |tags| tags.retain(|key, _| !input.tag_keys.contains(key))).await
        }
    }
}

impl Operation for ListTagsForResource {
    type Service = CognitoIdp;
    type Input = ListInput;
    type Output = ListOutput;
    type Error = IdpError;

    const NAME: &'static str = "ListTagsForResource";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, CognitoIdp>, input: &ListInput) -> Permissions {
        Permissions::one("cognito-idp:ListTagsForResource", &input.resource_arn)
    }

    fn run(
        cx: Cx<CognitoIdp>,
        input: ListInput,
    ) -> impl Future<Output = Result<ListOutput, IdpError>> + Send {
        async move {
            let reference = &pool_of(&cx, &input.resource_arn)?;
            let pool = cx.read(|tx| async move { lookup::pool(&tx, reference).await }).await?;
            Ok(ListOutput { tags: pool.settings.user_pool_tags })
        }
    }
}
