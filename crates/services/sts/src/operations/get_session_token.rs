use homeport_service::{Asked, Cx, Effect, Operation, Permissions, Principal};
use serde::{Deserialize, Serialize};

use crate::Sts;
use crate::error::StsError;
use crate::session::{Session, SessionOf};
use crate::token::CredentialsView;

/// How long the credentials live where no time is asked for, in seconds.
const DEFAULT_SECONDS: i64 = 43_200;

/// `GetSessionToken` (STS API reference): temporary credentials of the IAM user that asks with its own keys. It
/// needs no permission.
pub(crate) struct GetSessionToken;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    duration_seconds: Option<i64>,
    serial_number: Option<String>,
    token_code: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    credentials: CredentialsView,
}

impl Operation for GetSessionToken {
    type Service = Sts;
    type Input = Input;
    type Output = Output;
    type Error = StsError;

    const NAME: &'static str = "GetSessionToken";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, Sts>, _: &Input) -> Permissions {
        Permissions::Public
    }

    fn run(cx: Cx<Sts>, input: Input) -> impl Future<Output = Result<Output, StsError>> + Send {
        async move {
            let Principal::User { id, session: None, .. } = cx.principal() else {
                return Err(StsError::AccessDenied(
                    "Cannot call GetSessionToken with session credentials".into(),
                ));
            };
            if input.serial_number.is_some() || input.token_code.is_some() {
                return Err(super::no_mfa_device());
            }
            let now = cx.now();
            let session = Session {
                issued: now,
                expires: now.plus_seconds(input.duration_seconds.unwrap_or(DEFAULT_SECONDS)),
                mfa: false,
                of: SessionOf::User { id: id.clone() },
            };
            Ok(Output { credentials: CredentialsView::of(&cx.service.issue(&session)?) })
        }
    }
}
