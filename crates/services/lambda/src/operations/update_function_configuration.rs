use homeport_core::{Fault, uuid_v4};
use homeport_service::{Asked, Cx, Effect, HandedRole, Operation, Permission, Permissions};
use serde::Deserialize;

use super::create_function::tell_of_interpreter;
use super::settings::{Settings, check_handler};
use crate::configuration::FunctionConfiguration;
use crate::names::{Named, asked_arn};
use crate::records::{FUNCTIONS, Function};
use crate::{Lambda, LambdaError, find};

/// `UpdateFunctionConfiguration` (Lambda API reference): other settings for `$LATEST`; what isn't named stays.
pub(crate) struct UpdateFunctionConfiguration;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    function_name: String,
    role: Option<String>,
    revision_id: Option<String>,
    #[serde(flatten)]
    settings: Settings,
}

impl Operation for UpdateFunctionConfiguration {
    type Service = Lambda;
    type Input = Input;
    type Output = FunctionConfiguration;
    type Error = LambdaError;

    const NAME: &'static str = "UpdateFunctionConfiguration";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Lambda>, input: &Input) -> Permissions {
        let arn = asked_arn(asked.scope, &input.function_name, None);
        let mut all = vec![Permission::new("lambda:UpdateFunctionConfiguration", arn)];
        all.extend(input.role.as_ref().map(|role| Permission::pass_role(role, "lambda.amazonaws.com")));
        Permissions::All(all)
    }

    fn run(
        cx: Cx<Lambda>,
        input: Input,
    ) -> impl Future<Output = Result<FunctionConfiguration, LambdaError>> + Send {
        async move {
            let named = Named::whole(cx.scope(), &input.function_name)?;
            input.settings.check(&named.name)?;
            if let Some(runtime) = &input.settings.runtime {
                tell_of_interpreter(&cx, &named.name, runtime).await?;
            }
            let revision = uuid_v4(&**cx.randomness());
            let changed = cx.write(|tx| {
                let (cx, input, named, revision) = (&cx, &input, &named, &revision);
                async move {
                    let mut function = find::function(&tx, cx.scope(), named).await?;
                    if input.revision_id.as_ref().is_some_and(|id| *id != function.latest.revision_id) {
                        return Err(LambdaError::PreconditionFailed);
                    }
                    apply(cx, input, &mut function)?;
                    function.latest.revision_id.clone_from(revision);
                    function.latest.last_modified = cx.now();
                    FUNCTIONS.put(&tx, &function).await?;
                    Ok(function)
                }
            });
            let function = changed.await?;
            cx.service.pool.retire(&function.id);
            FunctionConfiguration::of(cx.scope(), &function, &function.latest, &cx.service.variables, false)
        }
    }

    fn role_refused(_: &HandedRole) -> Fault {
        LambdaError::RoleNotAssumable.into()
    }
}

fn apply(cx: &Cx<Lambda>, input: &Input, function: &mut Function) -> Result<(), LambdaError> {
    let settings = input.settings.clone();
    let latest = &mut function.latest;
    if let Some(environment) = &settings.environment {
        latest.environment = cx.service.variables.seal(&function.id, &environment.variables)?;
    }
    let replace = |at: &mut String, with: Option<String>| {
        if let Some(with) = with {
            *at = with;
        }
    };
    replace(&mut latest.role, input.role.clone());
    replace(&mut latest.description, settings.description);
    replace(&mut latest.handler, settings.handler);
    replace(&mut latest.runtime, settings.runtime);
    replace(&mut latest.tracing, settings.tracing_config.and_then(|config| config.mode));
    latest.timeout = settings.timeout.unwrap_or(latest.timeout);
    latest.memory_size = settings.memory_size.unwrap_or(latest.memory_size);
    latest.tmp_size = settings.ephemeral_storage.map_or(latest.tmp_size, |storage| storage.size);
    check_handler(&latest.runtime, &latest.handler)
}
