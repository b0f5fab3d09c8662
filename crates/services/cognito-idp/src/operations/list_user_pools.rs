use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::KeyParts;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::CognitoIdp;
use crate::error::IdpError;
use crate::paging;
use crate::records::{POOLS, Pool};

/// `ListUserPools` (Cognito user pools API reference).
pub(crate) struct ListUserPools;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    next_token: Option<String>,
    max_results: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    user_pools: Vec<Description>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `UserPoolDescriptionType`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    id: String,
    name: String,
    lambda_config: Map<String, Value>,
    last_modified_date: f64,
    creation_date: f64,
}

impl Description {
    fn of(pool: Pool) -> Self {
        Self {
            id: pool.pool.id,
            name: pool.name,
            lambda_config: Map::new(),
            last_modified_date: pool.modified.seconds_f64(),
            creation_date: pool.created.seconds_f64(),
        }
    }
}

/// What the keys of all pools of the call's region begin with.
pub(super) fn region(cx: &Cx<CognitoIdp>) -> KeyParts {
    KeyParts::new().str(cx.account().to_string()).str(cx.scope().region.as_str())
}

impl Operation for ListUserPools {
    type Service = CognitoIdp;
    type Input = Input;
    type Output = Output;
    type Error = IdpError;

    const NAME: &'static str = "ListUserPools";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, CognitoIdp>, _: &Input) -> Permissions {
        Permissions::one("cognito-idp:ListUserPools", asked.scope.arn("cognito-idp", "userpool/*"))
    }

    fn run(cx: Cx<CognitoIdp>, input: Input) -> impl Future<Output = Result<Output, IdpError>> + Send {
        async move {
            let vault = &cx.service.parts.vault;
            let list = format!("pools/{}", cx.scope().region);
            let after = &paging::cursor(vault, &list, input.next_token.as_deref())?;
            let (region, limit) = (&region(&cx), paging::limit(Some(input.max_results)));
            let page =
                cx.read(|tx| async move { POOLS.page(&tx, region, after.as_deref(), limit).await }).await?;
            Ok(Output {
                user_pools: page.records.into_iter().map(Description::of).collect(),
                next_token: paging::token(vault, &list, page.cursor.as_deref())?,
            })
        }
    }
}
