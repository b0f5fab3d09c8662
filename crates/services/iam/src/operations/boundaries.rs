use std::marker::PhantomData;

use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::Deserialize;

use super::holder::Bounded;
use crate::Iam;
use crate::entities;
use crate::error::IamError;
use crate::managed;
use crate::operations::Empty;
use crate::permissions::on_entity;

/// `PutUserPermissionsBoundary`, `PutRolePermissionsBoundary` (IAM API reference): a managed policy that limits
/// what the identity's own policies can grant.
pub(crate) struct PutBoundary<H>(PhantomData<fn() -> H>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PutInput {
    #[serde(alias = "UserName", alias = "RoleName")]
    name: String,
    permissions_boundary: String,
}

impl<H: Bounded> Operation for PutBoundary<H> {
    type Service = Iam;
    type Input = PutInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = H::PUT_BOUNDARY;
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &PutInput) -> Permissions {
        let keys = vec![("iam:PermissionsBoundary", Some(input.permissions_boundary.clone()))];
        on_entity(asked, H::PUT_BOUNDARY, H::KIND, &input.name, keys)
    }

    fn run(cx: Cx<Iam>, input: PutInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move {
            let (account, input) = (cx.account(), &input);
            cx.write(|tx| async move {
                let mut entity = entities::find(&tx, account, H::KIND, &input.name).await?;
                managed::require(&tx, account, &input.permissions_boundary).await?;
                if let Some(before) = entity.boundary.replace(input.permissions_boundary.clone()) {
                    managed::count_boundary(&tx, account, &before, -1)?;
                }
                managed::count_boundary(&tx, account, &input.permissions_boundary, 1)?;
                entities::save(&tx, &entity).await?;
                Ok::<_, IamError>(())
            })
            .await?;
            Ok(Empty {})
        }
    }
}

/// `DeleteUserPermissionsBoundary`, `DeleteRolePermissionsBoundary` (IAM API reference).
pub(crate) struct DeleteBoundary<H>(PhantomData<fn() -> H>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DeleteInput {
    #[serde(alias = "UserName", alias = "RoleName")]
    name: String,
}

impl<H: Bounded> Operation for DeleteBoundary<H> {
    type Service = Iam;
    type Input = DeleteInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = H::DELETE_BOUNDARY;
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &DeleteInput) -> Permissions {
        on_entity(asked, H::DELETE_BOUNDARY, H::KIND, &input.name, Vec::new())
    }

    fn run(cx: Cx<Iam>, input: DeleteInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move {
            let (account, name) = (cx.account(), &input.name);
            cx.write(|tx| async move {
                let mut entity = entities::find(&tx, account, H::KIND, name).await?;
                let Some(before) = entity.boundary.take() else {
                    return Err(IamError::NoBoundary { kind: H::KIND, name: name.clone() });
                };
                managed::count_boundary(&tx, account, &before, -1)?;
                entities::save(&tx, &entity).await?;
                Ok(())
            })
            .await?;
            Ok(Empty {})
        }
    }
}
