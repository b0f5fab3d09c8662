use std::sync::Arc;

use homeport_service::{Asked, Cx, Effect, Operation, Permission, Permissions};
use serde::{Deserialize, Serialize};

use crate::Iam;
use crate::entities::{self, Tag, tags_of, with_tags};
use crate::error::IamError;
use crate::listing::{Paging, Truncation};
use crate::operations::Empty;
use crate::operations::holder::Bounded;
use crate::permissions::{on_entity, with_request_tags};

/// `TagUser`, `TagRole` (IAM API reference): adds tags, or gives those that are there other values.
pub(crate) struct TagEntity<H>(std::marker::PhantomData<fn() -> H>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TagInput {
    #[serde(alias = "UserName", alias = "RoleName")]
    name: String,
    tags: Vec<Tag>,
}

impl<H: Bounded> Operation for TagEntity<H> {
    type Service = Iam;
    type Input = TagInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = H::TAG;
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &TagInput) -> Permissions {
        let tags = input.tags.clone();
        tagged(on_entity(asked, H::TAG, H::KIND, &input.name, Vec::new()), move |p| {
            with_request_tags(p, &tags)
        })
    }

    fn run(cx: Cx<Iam>, input: TagInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move {
            let (account, input) = (cx.account(), &input);
            cx.write(|tx| async move {
                let mut entity = entities::find(&tx, account, H::KIND, &input.name).await?;
                entity.tags = with_tags(entity.tags, input.tags.clone())?;
                entities::save(&tx, &entity).await?;
                Ok::<_, IamError>(())
            })
            .await?;
            Ok(Empty {})
        }
    }
}

/// Adds to each permission, once they are known.
fn tagged(
    permissions: Permissions,
    add: impl Fn(Permission) -> Permission + Send + Sync + 'static,
) -> Permissions {
    match permissions {
        Permissions::Lookup(lookup) => {
            let add = Arc::new(add);
            Permissions::lookup(move |tx| {
                let (looked_up, add) = (lookup(tx), add.clone());
                async move { Ok(looked_up.await?.into_iter().map(|permission| add(permission)).collect()) }
            })
        }
        other => other,
    }
}

/// `UntagUser`, `UntagRole` (IAM API reference): removes tags; those that are not there don't matter.
pub(crate) struct UntagEntity<H>(std::marker::PhantomData<fn() -> H>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UntagInput {
    #[serde(alias = "UserName", alias = "RoleName")]
    name: String,
    tag_keys: Vec<String>,
}

impl<H: Bounded> Operation for UntagEntity<H> {
    type Service = Iam;
    type Input = UntagInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = H::UNTAG;
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &UntagInput) -> Permissions {
        let keys = input.tag_keys.clone();
        tagged(on_entity(asked, H::UNTAG, H::KIND, &input.name, Vec::new()), move |p| {
            p.with("aws:TagKeys", &keys)
        })
    }

    fn run(cx: Cx<Iam>, input: UntagInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move {
            let (account, input) = (cx.account(), &input);
            cx.write(|tx| async move {
                let mut entity = entities::find(&tx, account, H::KIND, &input.name).await?;
                let removed =
                    |key: &String| input.tag_keys.iter().any(|r| r.to_lowercase() == key.to_lowercase());
                entity.tags.retain(|key, _| !removed(key));
                entities::save(&tx, &entity).await?;
                Ok::<_, IamError>(())
            })
            .await?;
            Ok(Empty {})
        }
    }
}

/// `ListUserTags`, `ListRoleTags` (IAM API reference).
pub(crate) struct ListEntityTags<H>(std::marker::PhantomData<fn() -> H>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListInput {
    #[serde(alias = "UserName", alias = "RoleName")]
    name: String,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListOutput {
    tags: Vec<Tag>,
    #[serde(flatten)]
    truncation: Truncation,
}

impl<H: Bounded> Operation for ListEntityTags<H> {
    type Service = Iam;
    type Input = ListInput;
    type Output = ListOutput;
    type Error = IamError;

    const NAME: &'static str = H::LIST_TAGS;
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, Iam>, input: &ListInput) -> Permissions {
        on_entity(asked, H::LIST_TAGS, H::KIND, &input.name, Vec::new())
    }

    fn run(cx: Cx<Iam>, input: ListInput) -> impl Future<Output = Result<ListOutput, IamError>> + Send {
        async move {
            let (account, name) = (cx.account(), &input.name);
            let entity =
                cx.read(|tx| async move { entities::find(&tx, account, H::KIND, name).await }).await?;
            let (tags, truncation) = input.paging.of_few(tags_of(&entity.tags), |tag| tag.key.clone())?;
            Ok(ListOutput { tags, truncation })
        }
    }
}
