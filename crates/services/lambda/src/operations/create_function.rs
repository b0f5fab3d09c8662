use std::collections::BTreeMap;

use homeport_core::{Fault, uuid_v4};
use homeport_service::{
    Asked, Cx, Effect, HandedRole, Operation, Permission, Permissions, bump_authorization,
};
use serde::Deserialize;

use super::publish_version::publish;
use super::settings::{Settings, check_handler, mandatory, own_architecture};
use crate::configuration::FunctionConfiguration;
use crate::names::{LATEST, Named, asked_arn};
use crate::records::{Code, Configuration, FUNCTIONS, Function};
use crate::{Lambda, LambdaError};

/// `CreateFunction` (Lambda API reference): a function from a zip package.
pub(crate) struct CreateFunction;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    function_name: String,
    role: String,
    code: CodeInput,
    package_type: Option<String>,
    #[serde(default)]
    publish: bool,
    architectures: Option<Vec<String>>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    code_signing_config_arn: Option<String>,
    #[serde(flatten)]
    settings: Settings,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CodeInput {
    zip_file: Option<String>,
    s3_bucket: Option<String>,
    image_uri: Option<String>,
}

impl CodeInput {
    /// The package itself; other places it could be are not read here.
    pub(super) fn zip_file(&self) -> Result<&str, LambdaError> {
        match self {
            Self { zip_file: Some(zip), s3_bucket: None, image_uri: None } => Ok(zip),
            Self { s3_bucket: Some(_), .. } => {
                Err(LambdaError::invalid("Packages are taken as ZipFile; S3Bucket is not supported here."))
            }
            Self { image_uri: Some(_), .. } => {
                Err(LambdaError::invalid("Container images are not supported here."))
            }
            _ => Err(LambdaError::invalid("Please provide a source for function code.")),
        }
    }
}

impl Operation for CreateFunction {
    type Service = Lambda;
    type Input = Input;
    type Output = FunctionConfiguration;
    type Error = LambdaError;

    const NAME: &'static str = "CreateFunction";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Lambda>, input: &Input) -> Permissions {
        Permissions::All(vec![
            Permission::new("lambda:CreateFunction", asked_arn(asked.scope, &input.function_name, None)),
            Permission::pass_role(&input.role, "lambda.amazonaws.com"),
        ])
    }

    fn run(
        cx: Cx<Lambda>,
        input: Input,
    ) -> impl Future<Output = Result<FunctionConfiguration, LambdaError>> + Send {
        async move {
            let named = Named::whole(cx.scope(), &input.function_name)?;
            if named.qualifier.is_some() {
                return Err(LambdaError::invalid("A new function's name has no qualifier."));
            }
            let runtime = check(&input, &named.name)?;
            tell_of_interpreter(&cx, &named.name, &runtime).await?;
            let code = cx.service.code.take(input.code.zip_file()?, &**cx.randomness(), Self::NAME).await?;
            let function = function(&cx, &input, &named.name, runtime, code.clone())?;
            let written = write(&cx, &function, input.publish).await;
            if let Err(why) = &written {
                cx.service.code.forget_unwritten(&code, why).await;
            }
            let (function, configuration) = written?;
            let variables = &cx.service.variables;
            FunctionConfiguration::of(cx.scope(), &function, &configuration, variables, input.publish)
        }
    }

    fn role_refused(_: &HandedRole) -> Fault {
        LambdaError::RoleNotAssumable.into()
    }
}

/// The runtime, when everything that needs no state is right.
fn check(input: &Input, function: &str) -> Result<String, LambdaError> {
    if input.package_type.as_deref().is_some_and(|kind| kind != "Zip")
        || input.code_signing_config_arn.is_some()
    {
        return Err(LambdaError::invalid("Only zip packages without code signing are supported here."));
    }
    input.settings.check(function)?;
    let runtime = input.settings.runtime.clone().ok_or_else(mandatory)?;
    check_handler(&runtime, input.settings.handler.as_deref().unwrap_or_default())?;
    let architecture = own_architecture();
    if input.architectures.as_ref().is_some_and(|asked| asked.iter().any(|asked| asked != architecture)) {
        return Err(LambdaError::invalid(format!("This machine runs functions for {architecture} only.")));
    }
    Ok(runtime)
}

/// No interpreter: refused now rather than at the first event. Another version than asked for: named in the log.
pub(super) async fn tell_of_interpreter(
    cx: &Cx<Lambda>,
    name: &str,
    runtime: &str,
) -> Result<(), LambdaError> {
    if let Some(interpreter) = cx.service.interpreter_for(runtime).await? {
        tracing::info!(
            function = name,
            runtime,
            interpreter = interpreter.name(),
            "the interpreter of a function"
        );
    }
    Ok(())
}

fn function(
    cx: &Cx<Lambda>,
    input: &Input,
    name: &str,
    runtime: String,
    code: Code,
) -> Result<Function, LambdaError> {
    let id = uuid_v4(&**cx.randomness());
    let settings = &input.settings;
    let variables =
        settings.environment.as_ref().map(|environment| environment.variables.clone()).unwrap_or_default();
    let latest = Configuration {
        version: LATEST.to_owned(),
        description: settings.description.clone().unwrap_or_default(),
        role: input.role.clone(),
        runtime,
        handler: settings.handler.clone().unwrap_or_default(),
        timeout: settings.timeout.unwrap_or(3),
        memory_size: settings.memory_size.unwrap_or(128),
        tmp_size: settings.ephemeral_storage.as_ref().map_or(512, |storage| storage.size),
        architecture: own_architecture().to_owned(),
        tracing: settings
            .tracing_config
            .as_ref()
            .and_then(|config| config.mode.clone())
            .unwrap_or_else(|| "PassThrough".to_owned()),
        environment: cx.service.variables.seal(&id, &variables)?,
        code,
        revision_id: uuid_v4(&**cx.randomness()),
        last_modified: cx.now(),
    };
    Ok(Function {
        account: cx.account().to_string(),
        region: cx.scope().region.as_str().to_owned(),
        name: name.to_owned(),
        id,
        latest,
        last_version: 0,
        tags: input.tags.clone(),
        policies: BTreeMap::new(),
        policy_revision: uuid_v4(&**cx.randomness()),
    })
}

async fn write(
    cx: &Cx<Lambda>,
    function: &Function,
    publish_it: bool,
) -> Result<(Function, Configuration), LambdaError> {
    cx.write(|tx| {
        let mut function = function.clone();
        async move {
            if !FUNCTIONS.insert(&tx, &function).await? {
                return Err(LambdaError::FunctionExists(function.name));
            }
            bump_authorization(&tx)?;
            let configuration = match publish_it {
                true => publish(&tx, &mut function, None, cx.now()).await?,
                false => function.latest.clone(),
            };
            Ok((function, configuration))
        }
    })
    .await
}
