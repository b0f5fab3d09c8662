use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::names::{Named, asked_arn};
use crate::policy::{resource, shown, statements};
use crate::{Lambda, LambdaError, find};

/// `GetPolicy` (Lambda API reference): the resource policy of a function or version.
pub(crate) struct GetPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    function_name: String,
    qualifier: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    policy: String,
    revision_id: String,
}

impl Operation for GetPolicy {
    type Service = Lambda;
    type Input = Input;
    type Output = Output;
    type Error = LambdaError;

    const NAME: &'static str = "GetPolicy";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, Lambda>, input: &Input) -> Permissions {
        let arn = asked_arn(asked.scope, &input.function_name, input.qualifier.as_deref());
        Permissions::one("lambda:GetPolicy", arn)
    }

    fn run(cx: Cx<Lambda>, input: Input) -> impl Future<Output = Result<Output, LambdaError>> + Send {
        async move {
            let named = Named::read(cx.scope(), &input.function_name, input.qualifier.as_deref())?;
            let (cx, named) = (&cx, &named);
            cx.read(|tx| async move {
                let function = find::version(&tx, cx.scope(), named).await?.function;
                let qualifier = named.qualifier.as_deref().unwrap_or_default();
                let resource = resource(cx.scope(), &function.name, qualifier);
                let policies_of = cx.service.policies_of()?;
                let policy = shown(policies_of, &tx, &resource, statements(&function, qualifier)).await?;
                let policy = policy
                    .ok_or(LambdaError::PolicyNotFound("The resource you requested does not exist."))?;
                Ok(Output { policy, revision_id: function.policy_revision })
            })
            .await
        }
    }
}
