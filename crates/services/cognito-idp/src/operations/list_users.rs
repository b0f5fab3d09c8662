use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::{StoreError, Tx};
use serde::{Deserialize, Serialize};

use crate::CognitoIdp;
use crate::error::IdpError;
use crate::filter::{Candidate, Filter};
use crate::pool_ref::PoolRef;
use crate::records::{USERS, User};
use crate::shapes::UserType;
use crate::{lookup, paging};

/// Users that one call looks at; a filter that finds few then answers a short page and where to go on.
const MAX_LOOKED_AT: usize = 5_000;

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
            let (users, cursor) = cx
                .read(|tx| {
                    let (reference, filter) = (&reference, filter.as_ref());
                    async move {
                        lookup::pool(&tx, reference).await?;
                        Ok::<_, IdpError>(search(&tx, reference, filter, after, limit).await?)
                    }
                })
                .await?;
            let kept = input.attributes_to_get.as_deref();
            Ok(Output {
                users: users.iter().map(|user| UserType::of(user).keeping(kept)).collect(),
                pagination_token: paging::token(vault, &list, cursor.as_deref())?,
            })
        }
    }
}

/// Users in the order of their names that the filter finds, and where to go on.
async fn search(
    tx: &Tx,
    pool: &PoolRef,
    filter: Option<&Filter>,
    mut after: Option<Vec<u8>>,
    limit: usize,
) -> Result<(Vec<User>, Option<Vec<u8>>), StoreError> {
    if let Some(name) = filter.and_then(Filter::exact_username) {
        let found = USERS.get(tx, pool.parts().str(name)).await?;
        return Ok((found.into_iter().collect(), None));
    }
    let (mut found, mut looked_at) = (Vec::new(), 0);
    loop {
        // No more than may still be found are read, so that the cursor never passes one that was not answered.
        let page = USERS.page(tx, pool.parts(), after.as_deref(), limit - found.len()).await?;
        looked_at += page.records.len();
        found.extend(
            page.records.into_iter().filter(|user| filter.is_none_or(|filter| matches(filter, user))),
        );
        after = page.cursor.map(|cursor| cursor.to_vec());
        if after.is_none() || found.len() >= limit || looked_at >= MAX_LOOKED_AT {
            return Ok((found, after));
        }
    }
}

fn matches(filter: &Filter, user: &User) -> bool {
    filter.matches(&Candidate {
        username: &user.username,
        sub: &user.sub,
        enabled: user.enabled,
        status: user.status.as_str(),
        attribute: &|name| user.attributes.get(name).map(String::as_str),
    })
}
