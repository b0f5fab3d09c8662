use homeport_core::uuid_v4;
use homeport_service::{Asked, Cx, Effect, Operation, Permissions, bump_authorization};
use serde::{Deserialize, Serialize};

use crate::names::{Named, asked_arn};
use crate::records::FUNCTIONS;
use crate::{Lambda, LambdaError, find};

/// `RemovePermission` (Lambda API reference): takes back what `AddPermission` gave.
pub(crate) struct RemovePermission;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    function_name: String,
    qualifier: Option<String>,
    statement_id: String,
    revision_id: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Output {}

impl Operation for RemovePermission {
    type Service = Lambda;
    type Input = Input;
    type Output = Output;
    type Error = LambdaError;

    const NAME: &'static str = "RemovePermission";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Lambda>, input: &Input) -> Permissions {
        let arn = asked_arn(asked.scope, &input.function_name, input.qualifier.as_deref());
        Permissions::one("lambda:RemovePermission", arn)
    }

    fn run(cx: Cx<Lambda>, input: Input) -> impl Future<Output = Result<Output, LambdaError>> + Send {
        async move {
            let named = Named::read(cx.scope(), &input.function_name, input.qualifier.as_deref())?;
            let revision = uuid_v4(&**cx.randomness());
            cx.write(|tx| {
                let (cx, input, named, revision) = (&cx, &input, &named, &revision);
                async move {
                    let mut function = find::function(&tx, cx.scope(), named).await?;
                    if input.revision_id.as_ref().is_some_and(|id| *id != function.policy_revision) {
                        return Err(LambdaError::PreconditionFailed);
                    }
                    let qualifier = named.qualifier.clone().unwrap_or_default();
                    let statements = function.policies.get_mut(&qualifier);
                    let found = statements.and_then(|statements| {
                        let at = statements.iter().position(|known| known.id == input.statement_id)?;
                        Some(statements.remove(at))
                    });
                    if found.is_none() {
                        return Err(LambdaError::PolicyNotFound(
                            "No policy is associated with the given resource.",
                        ));
                    }
                    function.policy_revision.clone_from(revision);
                    FUNCTIONS.put(&tx, &function).await?;
                    Ok(bump_authorization(&tx)?)
                }
            })
            .await?;
            Ok(Output {})
        }
    }
}
