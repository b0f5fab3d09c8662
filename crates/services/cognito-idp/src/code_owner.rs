//! Codes that anybody may ask for by a user's name: for users and for names that nobody has, with the same work.

use homeport_service::Cx;

use crate::CognitoIdp;
use crate::codes::{Purpose, draw_code};
use crate::confirmation::{NewCode, issue};
use crate::error::IdpError;
use crate::lookup;
use crate::messages::{CodeDeliveryDetails, Destination, pretend_to_send, send_code, simulated};
use crate::records::{CodeOwner, Pool, User};

/// Who a name means.
pub(crate) async fn find(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    name: &str,
) -> Result<(CodeOwner, Option<User>), IdpError> {
    let user = cx.read(|tx| async move { lookup::user(&tx, pool, name).await }).await?;
    let slot = lookup::stranger_slot(&cx.service.parts.vault, pool, name);
    let owner = user.as_ref().map_or(CodeOwner::Stranger(slot), |user| CodeOwner::User(user.sub.clone()));
    Ok((owner, user))
}

/// Issues a code and sends it; where there is nobody to send it to, issues one that nobody learns.
pub(crate) async fn issue_by_name(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    name: &str,
    purpose: &Purpose,
    owner: &CodeOwner,
    recipient: Option<(&User, &Destination)>,
) -> Result<CodeDeliveryDetails, IdpError> {
    let code = draw_code(&**cx.randomness());
    let (attribute, destination) = match recipient {
        Some((_, destination)) => (destination.attribute, destination.address.as_str()),
        None => ("", ""),
    };
    let new = NewCode { pool, owner, purpose, code: &code, attribute, destination };
    cx.write(|tx| {
        let new = &new;
        async move { issue(cx, &tx, *new).await }
    })
    .await?;
    match recipient {
        Some((user, destination)) => {
            send_code(cx, pool, user, purpose, destination, &code).await?;
            Ok(destination.details())
        }
        None => {
            pretend_to_send(cx).await?;
            Ok(simulated(&cx.service.parts.vault, pool, name))
        }
    }
}
