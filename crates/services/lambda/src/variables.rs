//! A function's own environment variables: what AWS allows, sealed at rest.

use std::collections::BTreeMap;

use homeport_vault::{Purpose, Sealed, Vault};

use crate::LambdaError;
use crate::records::{Configuration, environment_place};

/// Bytes of all names and values.
const LARGEST: usize = 4_096;

/// Names that only the environment itself sets (Lambda Developer Guide, "Defined runtime environment variables").
const RESERVED: [&str; 19] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
];

/// Seals and opens them.
pub(crate) struct Variables {
    vault: Vault,
}

impl Variables {
    pub(crate) fn new(vault: Vault) -> Self {
        Self { vault }
    }

    /// Checks and seals; none for no variables.
    pub(crate) fn seal(
        &self,
        function_id: &str,
        variables: &BTreeMap<String, String>,
    ) -> Result<Option<Sealed>, LambdaError> {
        if variables.is_empty() {
            return Ok(None);
        }
        check(variables)?;
        let json = serde_json::to_vec(variables).map_err(std::io::Error::from)?;
        Ok(Some(self.vault.seal(Purpose::Lambda, &environment_place(function_id), &json)?))
    }

    /// The variables of a configuration.
    pub(crate) fn open(
        &self,
        function_id: &str,
        configuration: &Configuration,
    ) -> Result<BTreeMap<String, String>, LambdaError> {
        let Some(sealed) = &configuration.environment else { return Ok(BTreeMap::new()) };
        let json = self.vault.open(&environment_place(function_id), sealed)?;
        Ok(serde_json::from_slice(json.expose()).map_err(std::io::Error::from)?)
    }
}

fn check(variables: &BTreeMap<String, String>) -> Result<(), LambdaError> {
    let reserved: Vec<&str> =
        variables.keys().map(String::as_str).filter(|name| RESERVED.contains(name)).collect();
    if !reserved.is_empty() {
        return Err(LambdaError::invalid(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have \
             provided contains reserved keys that are currently not supported for modification. Reserved keys used in \
             this request: {}",
            reserved.join(", ")
        )));
    }
    if variables.values().any(|value| value.contains('\0')) {
        return Err(LambdaError::invalid("Environment variables must not hold a NUL character."));
    }
    let bytes: usize = variables.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > LARGEST {
        return Err(LambdaError::invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have \
             provided exceeded the 4KB limit.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_checked_and_open_only_for_their_function() {
        let variables = Variables::new(Vault::for_tests());
        let mine = BTreeMap::from([("TABLE".to_owned(), "planted-secret".to_owned())]);
        let sealed = variables.seal("one", &mine).expect("seal").expect("some");
        assert!(!serde_json::to_string(&sealed).expect("json").contains("planted"));
        assert!(variables.vault.open(&environment_place("two"), &sealed).is_err());
        let reserved = BTreeMap::from([("AWS_REGION".to_owned(), "x".to_owned())]);
        assert!(variables.seal("one", &reserved).is_err());
        let long = BTreeMap::from([("A".to_owned(), "x".repeat(LARGEST))]);
        assert!(variables.seal("one", &long).is_err());
    }
}
