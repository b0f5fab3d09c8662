//! `TagResource`, `UntagResource` and `ListTags` (Lambda API reference), on functions.

use std::collections::BTreeMap;

use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::names::Named;
use crate::records::{FUNCTIONS, Function};
use crate::{Lambda, LambdaError, find};

/// Tags of one function.
const MOST: usize = 50;

pub(crate) struct TagResource;
pub(crate) struct UntagResource;
pub(crate) struct ListTags;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TagInput {
    resource: String,
    tags: BTreeMap<String, String>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UntagInput {
    resource: String,
    tag_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListInput {
    resource: String,
}

#[derive(Serialize)]
pub(crate) struct Done {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Tags {
    tags: BTreeMap<String, String>,
}

async fn change(
    cx: &Cx<Lambda>,
    resource: &str,
    change: impl Fn(&mut Function) + Send + Sync,
) -> Result<Done, LambdaError> {
    let named = Named::whole(cx.scope(), resource)?;
    cx.write(|tx| {
        let (named, change) = (&named, &change);
        async move {
            let mut function = find::function(&tx, cx.scope(), named).await?;
            change(&mut function);
            if function.tags.len() > MOST {
                return Err(LambdaError::invalid(format!("A function has at most {MOST} tags.")));
            }
            Ok(FUNCTIONS.put(&tx, &function).await?)
        }
    })
    .await?;
    Ok(Done {})
}

impl Operation for TagResource {
    type Service = Lambda;
    type Input = TagInput;
    type Output = Done;
    type Error = LambdaError;

    const NAME: &'static str = "TagResource";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, Lambda>, input: &TagInput) -> Permissions {
        Permissions::one("lambda:TagResource", &input.resource)
    }

    fn run(cx: Cx<Lambda>, input: TagInput) -> impl Future<Output = Result<Done, LambdaError>> + Send {
        async move { change(&cx, &input.resource, |function| function.tags.extend(input.tags.clone())).await }
    }
}

impl Operation for UntagResource {
    type Service = Lambda;
    type Input = UntagInput;
    type Output = Done;
    type Error = LambdaError;

    const NAME: &'static str = "UntagResource";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, Lambda>, input: &UntagInput) -> Permissions {
        Permissions::one("lambda:UntagResource", &input.resource)
    }

    fn run(cx: Cx<Lambda>, input: UntagInput) -> impl Future<Output = Result<Done, LambdaError>> + Send {
        async move {
            change(&cx, &input.resource, |function| {
                function.tags.retain(|key, _| !input.tag_keys.contains(key))
            })
            .await
        }
    }
}

impl Operation for ListTags {
    type Service = Lambda;
    type Input = ListInput;
    type Output = Tags;
    type Error = LambdaError;

    const NAME: &'static str = "ListTags";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, Lambda>, input: &ListInput) -> Permissions {
        Permissions::one("lambda:ListTags", &input.resource)
    }

    fn run(cx: Cx<Lambda>, input: ListInput) -> impl Future<Output = Result<Tags, LambdaError>> + Send {
        async move {
            let named = Named::whole(cx.scope(), &input.resource)?;
            Ok(Tags { tags: cx.service.find(cx.scope(), &named).await?.function.tags })
        }
    }
}
