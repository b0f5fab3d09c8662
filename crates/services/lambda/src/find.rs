//! Finding functions and versions in a transaction.

use homeport_core::Scope;
use homeport_store::{StoreError, Tx};

use crate::LambdaError;
use crate::names::{LATEST, Named};
use crate::records::{Configuration, FUNCTIONS, Function, VERSIONS, function_key};

/// A function and the configuration that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) function: Function,
    pub(crate) configuration: Configuration,
}

/// The function of this name, without regard to a qualifier.
pub(crate) async fn function(tx: &Tx, scope: &Scope, named: &Named) -> Result<Function, LambdaError> {
    let found = FUNCTIONS.get(tx, function_key(scope, &named.name)).await?;
    found.ok_or_else(|| named.not_found(scope))
}

/// The function of this name and the version its qualifier means.
pub(crate) async fn version(tx: &Tx, scope: &Scope, named: &Named) -> Result<Found, LambdaError> {
    let function = function(tx, scope, named).await?;
    let configuration = match named.version() {
        LATEST => Some(function.latest.clone()),
        number => published(tx, scope, &function, number).await?,
    };
    let configuration = configuration.ok_or_else(|| named.not_found(scope))?;
    Ok(Found { function, configuration })
}

async fn published(
    tx: &Tx,
    scope: &Scope,
    function: &Function,
    number: &str,
) -> Result<Option<Configuration>, StoreError> {
    // In one spelling only: `07` would be another ARN to policies.
    let Some(number) = number.parse::<u64>().ok().filter(|parsed| parsed.to_string() == number) else {
        return Ok(None);
    };
    let found = VERSIONS.get(tx, function_key(scope, &function.name).u64(number)).await?;
    Ok(found.filter(|version| version.function_id == function.id).map(|version| version.configuration))
}
