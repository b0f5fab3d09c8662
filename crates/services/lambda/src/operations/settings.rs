//! What CreateFunction and UpdateFunctionConfiguration share.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::LambdaError;
use crate::interpreters::{Asked, asked};

/// The settings of a function as both operations take them; what isn't given stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Settings {
    pub(crate) description: Option<String>,
    pub(crate) handler: Option<String>,
    pub(crate) runtime: Option<String>,
    pub(crate) timeout: Option<u32>,
    pub(crate) memory_size: Option<u32>,
    pub(crate) environment: Option<Environment>,
    pub(crate) ephemeral_storage: Option<EphemeralStorage>,
    pub(crate) tracing_config: Option<TracingConfig>,
    layers: Option<Vec<String>>,
    file_system_configs: Option<Vec<serde_json::Value>>,
    vpc_config: Option<VpcConfig>,
    dead_letter_config: Option<DeadLetterConfig>,
    image_config: Option<serde_json::Value>,
    snap_start: Option<SnapStart>,
    logging_config: Option<LoggingConfig>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Environment {
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct EphemeralStorage {
    pub(crate) size: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TracingConfig {
    pub(crate) mode: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct VpcConfig {
    #[serde(default)]
    subnet_ids: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeadLetterConfig {
    target_arn: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SnapStart {
    apply_on: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LoggingConfig {
    log_format: Option<String>,
    log_group: Option<String>,
    /// Levels are for JSON alone.
    application_log_level: Option<String>,
    system_log_level: Option<String>,
}

impl LoggingConfig {
    fn is_default(&self, function: &str) -> bool {
        let group = self.log_group.as_deref().and_then(|group| group.strip_prefix("/aws/lambda/"));
        self.log_format.as_deref().is_none_or(|format| format == "Text")
            && (self.log_group.is_none() || group == Some(function))
            && self.application_log_level.is_none()
            && self.system_log_level.is_none()
    }
}

impl Settings {
    /// Refuses what would be promised and not kept.
    pub(crate) fn check(&self, function: &str) -> Result<(), LambdaError> {
        let unbuilt = [
            ("Layers", self.layers.as_ref().is_some_and(|layers| !layers.is_empty())),
            (
                "FileSystemConfigs",
                self.file_system_configs.as_ref().is_some_and(|configs| !configs.is_empty()),
            ),
            ("VpcConfig", self.vpc_config.as_ref().is_some_and(|vpc| !vpc.subnet_ids.is_empty())),
            (
                "DeadLetterConfig",
                self.dead_letter_config
                    .as_ref()
                    .and_then(|config| config.target_arn.as_ref())
                    .is_some_and(|arn| !arn.is_empty()),
            ),
            ("ImageConfig", self.image_config.is_some()),
            (
                "SnapStart",
                self.snap_start
                    .as_ref()
                    .and_then(|snap| snap.apply_on.as_deref())
                    .is_some_and(|on| on != "None"),
            ),
            (
                "LoggingConfig",
                self.logging_config.as_ref().is_some_and(|logging| !logging.is_default(function)),
            ),
        ];
        if let Some((name, _)) = unbuilt.iter().find(|(_, asked)| *asked) {
            return Err(LambdaError::invalid(format!("{name} is not supported here.")));
        }
        if let Some(runtime) = &self.runtime {
            asked(runtime)?;
        }
        Ok(())
    }
}

/// A handler must be named, except where the package's own bootstrap reads it.
pub(crate) fn check_handler(runtime: &str, handler: &str) -> Result<(), LambdaError> {
    if handler.is_empty() && asked(runtime)? != Asked::Provided {
        return Err(mandatory());
    }
    Ok(())
}

pub(crate) fn mandatory() -> LambdaError {
    LambdaError::invalid(
        "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
    )
}

/// The one processor this program was built for, by Lambda's name.
pub(crate) fn own_architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }
}
