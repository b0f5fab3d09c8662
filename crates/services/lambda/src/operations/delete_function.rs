use std::collections::BTreeSet;

use homeport_core::Scope;
use homeport_service::{Asked, Cx, Effect, Operation, Permissions, bump_authorization};
use homeport_store::{MAX_PAGE_ROWS, Tx};
use serde::{Deserialize, Serialize};

use crate::names::{LATEST, Named, asked_arn};
use crate::records::{Code, FUNCTIONS, Function, VERSIONS, function_key};
use crate::{Lambda, LambdaError, find};

/// `DeleteFunction` (Lambda API reference): a function with all its versions, or one version of it.
pub(crate) struct DeleteFunction;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    function_name: String,
    qualifier: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    status_code: u16,
}

impl Operation for DeleteFunction {
    type Service = Lambda;
    type Input = Input;
    type Output = Output;
    type Error = LambdaError;

    const NAME: &'static str = "DeleteFunction";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Lambda>, input: &Input) -> Permissions {
        let arn = asked_arn(asked.scope, &input.function_name, input.qualifier.as_deref());
        Permissions::one("lambda:DeleteFunction", arn)
    }

    fn run(cx: Cx<Lambda>, input: Input) -> impl Future<Output = Result<Output, LambdaError>> + Send {
        async move {
            let named = Named::read(cx.scope(), &input.function_name, input.qualifier.as_deref())?;
            let (function, packages) = cx
                .write(|tx| {
                    let (cx, named) = (&cx, &named);
                    async move {
                        let function = find::function(&tx, cx.scope(), named).await?;
                        let packages = match &named.qualifier {
                            None => delete_all(&tx, cx.scope(), &function).await?,
                            Some(qualifier) => delete_version(&tx, cx.scope(), &function, qualifier).await?,
                        };
                        Ok::<_, LambdaError>((function, packages))
                    }
                })
                .await?;
            cx.service.pool.retire(&function.id);
            for blob in packages {
                cx.service.code.forget(&Code { blob, sha256: String::new(), size: 0 }).await;
            }
            Ok(Output { status_code: 204 })
        }
    }
}

/// The packages that nothing names any more.
async fn delete_all(tx: &Tx, scope: &Scope, function: &Function) -> Result<BTreeSet<String>, LambdaError> {
    let key = function_key(scope, &function.name);
    FUNCTIONS.delete(tx, &key).await?;
    bump_authorization(tx)?;
    let mut packages = BTreeSet::from([function.latest.code.blob.clone()]);
    loop {
        let page = VERSIONS.page(tx, &key, None, MAX_PAGE_ROWS).await?;
        for version in &page.records {
            packages.insert(version.configuration.code.blob.clone());
            VERSIONS.delete(tx, key.clone().u64(version.number)).await?;
        }
        if page.cursor.is_none() {
            return Ok(packages);
        }
    }
}

async fn delete_version(
    tx: &Tx,
    scope: &Scope,
    function: &Function,
    qualifier: &str,
) -> Result<BTreeSet<String>, LambdaError> {
    if qualifier == LATEST {
        return Err(LambdaError::invalid("$LATEST version cannot be deleted without deleting the function."));
    }
    if let Ok(number) = qualifier.parse::<u64>() {
        VERSIONS.delete(tx, function_key(scope, &function.name).u64(number)).await?;
    }
    // Others may run from its package; the sweep finds out.
    Ok(BTreeSet::new())
}
