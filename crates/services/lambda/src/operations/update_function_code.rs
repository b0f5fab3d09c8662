use homeport_core::uuid_v4;
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::Deserialize;

use super::create_function::CodeInput;
use super::publish_version::publish;
use super::settings::own_architecture;
use crate::configuration::FunctionConfiguration;
use crate::names::{Named, asked_arn};
use crate::records::{Code, Configuration, FUNCTIONS, Function};
use crate::{Lambda, LambdaError, find};

/// `UpdateFunctionCode` (Lambda API reference): another package for `$LATEST`.
pub(crate) struct UpdateFunctionCode;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    function_name: String,
    #[serde(flatten)]
    code: CodeInput,
    #[serde(default)]
    publish: bool,
    #[serde(default)]
    dry_run: bool,
    revision_id: Option<String>,
    architectures: Option<Vec<String>>,
}

/// What a change left behind.
struct Changed {
    function: Function,
    shown: Configuration,
    before: Code,
}

impl Operation for UpdateFunctionCode {
    type Service = Lambda;
    type Input = Input;
    type Output = FunctionConfiguration;
    type Error = LambdaError;

    const NAME: &'static str = "UpdateFunctionCode";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Lambda>, input: &Input) -> Permissions {
        Permissions::one("lambda:UpdateFunctionCode", asked_arn(asked.scope, &input.function_name, None))
    }

    fn run(
        cx: Cx<Lambda>,
        input: Input,
    ) -> impl Future<Output = Result<FunctionConfiguration, LambdaError>> + Send {
        async move {
            let named = Named::whole(cx.scope(), &input.function_name)?;
            let architecture = own_architecture();
            if input
                .architectures
                .as_ref()
                .is_some_and(|asked| asked.iter().any(|asked| asked != architecture))
            {
                return Err(LambdaError::invalid(format!(
                    "This machine runs functions for {architecture} only."
                )));
            }
            cx.service.find(cx.scope(), &named).await?;
            let code = cx.service.code.take(input.code.zip_file()?, &**cx.randomness(), Self::NAME).await?;
            let changed = match input.dry_run {
                true => {
                    cx.service.code.forget(&code).await;
                    dry_run(&cx, &named, &code).await?
                }
                false => {
                    let changed = change(&cx, &input, &named, &code).await;
                    match &changed {
                        Err(why) => cx.service.code.forget_unwritten(&code, why).await,
                        Ok(changed) if changed.function.last_version == 0 => {
                            cx.service.code.forget(&changed.before).await;
                        }
                        // A published version may still run from it; the sweep finds out.
                        Ok(_) => {}
                    }
                    changed?
                }
            };
            cx.service.pool.retire(&changed.function.id);
            let variables = &cx.service.variables;
            FunctionConfiguration::of(cx.scope(), &changed.function, &changed.shown, variables, input.publish)
        }
    }
}

async fn dry_run(cx: &Cx<Lambda>, named: &Named, code: &Code) -> Result<Changed, LambdaError> {
    let found = cx.service.find(cx.scope(), named).await?;
    let shown = Configuration { code: code.clone(), ..found.configuration };
    Ok(Changed { before: found.function.latest.code.clone(), function: found.function, shown })
}

async fn change(cx: &Cx<Lambda>, input: &Input, named: &Named, code: &Code) -> Result<Changed, LambdaError> {
    let revision = uuid_v4(&**cx.randomness());
    cx.write(|tx| {
        let (code, revision) = (code.clone(), revision.clone());
        async move {
            let mut function = find::function(&tx, cx.scope(), named).await?;
            if input.revision_id.as_ref().is_some_and(|id| *id != function.latest.revision_id) {
                return Err(LambdaError::PreconditionFailed);
            }
            let before = std::mem::replace(&mut function.latest.code, code);
            function.latest.revision_id = revision;
            function.latest.last_modified = cx.now();
            FUNCTIONS.put(&tx, &function).await?;
            let shown = match input.publish {
                true => publish(&tx, &mut function, None, cx.now()).await?,
                false => function.latest.clone(),
            };
            Ok(Changed { function, shown, before })
        }
    })
    .await
}
