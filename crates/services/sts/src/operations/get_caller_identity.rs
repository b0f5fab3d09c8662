use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::Sts;
use crate::error::StsError;

/// `GetCallerIdentity` (STS API reference): who signed the call. It needs no permission, and no policy can
/// forbid it; the pipeline refuses unsigned calls.
pub(crate) struct GetCallerIdentity;

#[derive(Deserialize)]
pub(crate) struct Input {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    user_id: String,
    account: String,
    arn: String,
}

impl Operation for GetCallerIdentity {
    type Service = Sts;
    type Input = Input;
    type Output = Output;
    type Error = StsError;

    const NAME: &'static str = "GetCallerIdentity";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, Sts>, _: &Input) -> Permissions {
        Permissions::Public
    }

    fn run(cx: Cx<Sts>, _: Input) -> impl Future<Output = Result<Output, StsError>> + Send {
        async move {
            let (account, principal) = (cx.account(), cx.principal());
            match (principal.user_id(), principal.arn(account)) {
                (Some(user_id), Some(arn)) => {
                    Ok(Output { user_id, account: account.to_string(), arn: arn.to_string() })
                }
                _ => Err(StsError::AccessDenied("Request must be signed by an IAM principal.".into())),
            }
        }
    }
}
