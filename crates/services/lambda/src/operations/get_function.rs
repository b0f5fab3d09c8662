use std::collections::BTreeMap;

use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::configuration::FunctionConfiguration;
use crate::names::{Named, asked_arn};
use crate::{Lambda, LambdaError};

/// `GetFunction` (Lambda API reference). The package's location is left out: packages are not handed out.
pub(crate) struct GetFunction;

/// `GetFunctionConfiguration` (Lambda API reference).
pub(crate) struct GetFunctionConfiguration;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    function_name: String,
    qualifier: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    configuration: FunctionConfiguration,
    code: CodeLocation,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CodeLocation {
    repository_type: &'static str,
}

async fn configuration(
    cx: &Cx<Lambda>,
    input: &Input,
) -> Result<(FunctionConfiguration, BTreeMap<String, String>), LambdaError> {
    let named = Named::read(cx.scope(), &input.function_name, input.qualifier.as_deref())?;
    let found = cx.service.find(cx.scope(), &named).await?;
    let qualified = named.qualifier.is_some();
    let variables = &cx.service.variables;
    let shown =
        FunctionConfiguration::of(cx.scope(), &found.function, &found.configuration, variables, qualified)?;
    Ok((shown, found.function.tags))
}

impl Operation for GetFunction {
    type Service = Lambda;
    type Input = Input;
    type Output = Output;
    type Error = LambdaError;

    const NAME: &'static str = "GetFunction";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, Lambda>, input: &Input) -> Permissions {
        let arn = asked_arn(asked.scope, &input.function_name, input.qualifier.as_deref());
        Permissions::one("lambda:GetFunction", arn)
    }

    fn run(cx: Cx<Lambda>, input: Input) -> impl Future<Output = Result<Output, LambdaError>> + Send {
        async move {
            let (configuration, tags) = configuration(&cx, &input).await?;
            Ok(Output { configuration, code: CodeLocation { repository_type: "S3" }, tags })
        }
    }
}

impl Operation for GetFunctionConfiguration {
    type Service = Lambda;
    type Input = Input;
    type Output = FunctionConfiguration;
    type Error = LambdaError;

    const NAME: &'static str = "GetFunctionConfiguration";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, Lambda>, input: &Input) -> Permissions {
        let arn = asked_arn(asked.scope, &input.function_name, input.qualifier.as_deref());
        Permissions::one("lambda:GetFunctionConfiguration", arn)
    }

    fn run(
        cx: Cx<Lambda>,
        input: Input,
    ) -> impl Future<Output = Result<FunctionConfiguration, LambdaError>> + Send {
        async move { Ok(configuration(&cx, &input).await?.0) }
    }
}
