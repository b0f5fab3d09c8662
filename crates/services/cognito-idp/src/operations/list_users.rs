use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::CognitoIdp;
use crate::error::IdpError;
use crate::filter::Filter;
use crate::search::search;
use crate::shapes::UserType;
use crate::{lookup, paging};

/// `ListUsers` (Cognito user pools API reference).
pub(crate) struct ListUsers;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    user_pool_id: String,
    attributes_to_get: Option<Vec<String>>,
    limit: Option<usize>,
    pagination_token: Option<String>,
    filter: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    users: Vec<UserType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pagination_token: Option<String>,
}

impl Operation for ListUsers {
    type Service = CognitoIdp;
    type Input = Input;
    type Output = Output;
    type Error = IdpError;

    const NAME: &'static str = "ListUsers";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &Input) -> Permissions {
        super::on_pool(asked, "cognito-idp:ListUsers", &input.user_pool_id)
    }

    fn run(cx: Cx<CognitoIdp>, input: Input) -> impl Future<Output = Result<Output, IdpError>> + Send {
        async move {
            let reference = lookup::named(&cx, &input.user_pool_id)?;
            let filter = input.filter.as_deref().filter(|filter| !filter.trim().is_empty());
            let filter = filter.map(Filter::parse).transpose()?;
            let vault = &cx.service.parts.vault;
            let list = format!("users/{}/{}", reference.id, input.filter.as_deref().unwrap_or_default());
            let after = paging::cursor(vault, &list, input.pagination_token.as_deref())?;
            let limit = paging::limit(input.limit);
            let pool = cx
                .read(|tx| {
                    let reference = &reference;
                    async move { lookup::pool(&tx, reference).await }
                })
                .await?;
            let found = search(cx.store(), &pool, filter.as_ref(), after, limit).await?;
            let kept = input.attributes_to_get.as_deref();
            Ok(Output {
                users: found.users.iter().map(|user| UserType::of(user).keeping(kept)).collect(),
                pagination_token: paging::token(vault, &list, found.cursor.as_deref())?,
            })
        }
    }
}
