use std::collections::BTreeMap;
use std::marker::PhantomData;

use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::Iam;
use crate::entities;
use crate::error::IamError;
use crate::listing::{Paging, Truncation};
use crate::operations::holder::Holder;
use crate::permissions::on_all;
use crate::records::{ENTITIES, Entity};

/// `ListUsers`, `ListGroups`, `ListRoles` (IAM API reference): those below a path.
pub(crate) struct ListEntities<H>(PhantomData<fn() -> H>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    path_prefix: Option<String>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Serialize)]
pub(crate) struct Output<V> {
    /// By the member that they are listed under.
    #[serde(flatten)]
    listed: BTreeMap<&'static str, Vec<V>>,
    #[serde(flatten)]
    truncation: Truncation,
}

impl<H: Holder> Operation for ListEntities<H> {
    type Service = Iam;
    type Input = Input;
    type Output = Output<H::View>;
    type Error = IamError;

    const NAME: &'static str = H::LIST;
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, Iam>, input: &Input) -> Permissions {
        on_all(asked, Self::NAME, H::KIND.noun(), input.path_prefix.as_ref())
    }

    fn run(cx: Cx<Iam>, input: Input) -> impl Future<Output = Result<Self::Output, IamError>> + Send {
        async move {
            let (account, input) = (cx.account(), &input);
            let (entities, truncation) = cx
                .read(|tx| async move {
                    let below =
                        |entity: &Entity| entities::is_below(&entity.path, input.path_prefix.as_deref());
                    input.paging.of_records(&tx, ENTITIES, Entity::prefix(account, H::KIND), below).await
                })
                .await?;
            let listed = BTreeMap::from([(H::LIST_MEMBER, entities.iter().map(H::listed).collect())]);
            Ok(Output { listed, truncation })
        }
    }
}
