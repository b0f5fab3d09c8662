use std::collections::BTreeMap;

use homeport_core::Scope;
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::operations::pools::Nothing;
use crate::records::POOLS;
use crate::{CognitoIdentity, IdentityError, arns, find};

/// Tags of one pool (AWS's own bound).
const MAX_TAGS: usize = 50;

/// The pool of an ARN, which must be the pool's own: permission is asked on it.
fn pool_of(scope: &Scope, resource_arn: &str) -> Result<String, IdentityError> {
    let id = arns::pool_of(resource_arn).ok_or_else(|| {
        IdentityError::InvalidParameter("ResourceArn is not an identity pool's.".to_owned())
    })?;
    if arns::pool(scope, find::named(scope, &id)?).as_str() == resource_arn {
        Ok(id)
    } else {
        Err(IdentityError::NoSuchPool(id))
    }
}

/// `TagResource` (Amazon Cognito Identity API reference).
pub(crate) struct TagResource;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TagInput {
    resource_arn: String,
    tags: BTreeMap<String, String>,
}

impl Operation for TagResource {
    type Service = CognitoIdentity;
    type Input = TagInput;
    type Output = Nothing;
    type Error = IdentityError;

    const NAME: &'static str = "TagResource";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, CognitoIdentity>, input: &TagInput) -> Permissions {
        Permissions::one("cognito-identity:TagResource", &input.resource_arn)
    }

    fn run(
        cx: Cx<CognitoIdentity>,
        input: TagInput,
    ) -> impl Future<Output = Result<Nothing, IdentityError>> + Send {
        async move {
            let (id, tags) = (&pool_of(cx.scope(), &input.resource_arn)?, &input.tags);
            cx.write(|tx| async move {
                let mut pool = find::pool(&tx, id).await?;
                pool.tags.extend(tags.clone());
                if pool.tags.len() > MAX_TAGS {
                    return Err(IdentityError::LimitExceeded("A resource has at most 50 tags."));
                }
                Ok(POOLS.put(&tx, &pool).await?)
            })
            .await?;
            Ok(Nothing {})
        }
    }
}

/// `UntagResource` (Amazon Cognito Identity API reference).
pub(crate) struct UntagResource;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UntagInput {
    resource_arn: String,
    tag_keys: Vec<String>,
}

impl Operation for UntagResource {
    type Service = CognitoIdentity;
    type Input = UntagInput;
    type Output = Nothing;
    type Error = IdentityError;

    const NAME: &'static str = "UntagResource";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, CognitoIdentity>, input: &UntagInput) -> Permissions {
        Permissions::one("cognito-identity:UntagResource", &input.resource_arn)
    }

    fn run(
        cx: Cx<CognitoIdentity>,
        input: UntagInput,
    ) -> impl Future<Output = Result<Nothing, IdentityError>> + Send {
        async move {
            let (id, keys) = (&pool_of(cx.scope(), &input.resource_arn)?, &input.tag_keys);
            cx.write(|tx| async move {
                let mut pool = find::pool(&tx, id).await?;
                pool.tags.retain(|key, _| !keys.contains(key));
                Ok::<_, IdentityError>(POOLS.put(&tx, &pool).await?)
            })
            .await?;
            Ok(Nothing {})
        }
    }
}

/// `ListTagsForResource` (Amazon Cognito Identity API reference).
pub(crate) struct ListTagsForResource;

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

impl Operation for ListTagsForResource {
    type Service = CognitoIdentity;
    type Input = ListInput;
    type Output = ListOutput;
    type Error = IdentityError;

    const NAME: &'static str = "ListTagsForResource";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, CognitoIdentity>, input: &ListInput) -> Permissions {
        Permissions::one("cognito-identity:ListTagsForResource", &input.resource_arn)
    }

    fn run(
        cx: Cx<CognitoIdentity>,
        input: ListInput,
    ) -> impl Future<Output = Result<ListOutput, IdentityError>> + Send {
        async move {
            let id = &pool_of(cx.scope(), &input.resource_arn)?;
            let pool = cx.read(|tx| async move { find::pool(&tx, id).await }).await?;
            Ok(ListOutput { tags: pool.tags })
        }
    }
}
