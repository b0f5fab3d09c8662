use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::Sts;
use crate::error::StsError;

/// `GetCallerIdentity` (AWS STS API reference): whose keys these are. It needs no permission: whoever can
/// sign may ask, even where a policy denies it.
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
            let account = cx.account();
            let identity = cx.principal().arn(account).zip(cx.principal().user_id());
            let (arn, user_id) = identity.ok_or(StsError::NoIdentity)?;
            Ok(Output { user_id, account: account.to_string(), arn: arn.to_string() })
        }
    }
}
