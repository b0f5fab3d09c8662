//! `FunctionConfiguration`, as all operations show it.

use std::collections::BTreeMap;

use homeport_core::Scope;
use serde::Serialize;

use crate::LambdaError;
use crate::names::{LATEST, function_arn};
use crate::records::{Configuration, Function};
use crate::variables::Variables;

/// The model's `FunctionConfiguration`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct FunctionConfiguration {
    pub(crate) function_name: String,
    function_arn: String,
    runtime: String,
    role: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    handler: String,
    code_size: u64,
    code_sha256: String,
    description: String,
    timeout: u32,
    memory_size: u32,
    last_modified: String,
    version: String,
    revision_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<Environment>,
    tracing_config: TracingConfig,
    state: &'static str,
    last_update_status: &'static str,
    package_type: &'static str,
    architectures: [String; 1],
    ephemeral_storage: EphemeralStorage,
    logging_config: LoggingConfig,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Environment {
    variables: BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct TracingConfig {
    mode: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct EphemeralStorage {
    size: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LoggingConfig {
    log_format: &'static str,
    log_group: String,
}

impl FunctionConfiguration {
    /// `qualified`: whether the ARN names the version.
    pub(crate) fn of(
        scope: &Scope,
        function: &Function,
        configuration: &Configuration,
        variables: &Variables,
        qualified: bool,
    ) -> Result<Self, LambdaError> {
        let arn = match configuration.version.as_str() {
            LATEST if !qualified => function_arn(scope, &function.name),
            version => scope.arn("lambda", &format!("function:{}:{version}", function.name)),
        };
        let environment = variables.open(&function.id, configuration)?;
        Ok(Self {
            function_name: function.name.clone(),
            function_arn: arn.to_string(),
            runtime: configuration.runtime.clone(),
            role: configuration.role.clone(),
            handler: configuration.handler.clone(),
            code_size: configuration.code.size,
            code_sha256: configuration.code.sha256.clone(),
            description: configuration.description.clone(),
            timeout: configuration.timeout,
            memory_size: configuration.memory_size,
            last_modified: moment(configuration),
            version: configuration.version.clone(),
            revision_id: configuration.revision_id.clone(),
            environment: (!environment.is_empty()).then_some(Environment { variables: environment }),
            tracing_config: TracingConfig { mode: configuration.tracing.clone() },
            state: "Active",
            last_update_status: "Successful",
            package_type: "Zip",
            architectures: [configuration.architecture.clone()],
            ephemeral_storage: EphemeralStorage { size: configuration.tmp_size },
            logging_config: LoggingConfig { log_format: "Text", log_group: log_group(&function.name) },
        })
    }
}

/// `/aws/lambda/NAME`
pub(crate) fn log_group(name: &str) -> String {
    format!("/aws/lambda/{name}")
}

/// `2026-11-21T01:02:03.004+0000`, as Lambda alone writes times.
fn moment(configuration: &Configuration) -> String {
    let at = configuration.last_modified.date_time();
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}+0000",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.millisecond()
    )
}
