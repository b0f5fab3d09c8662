use homeport_core::Timestamp;
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::Tx;
use serde::{Deserialize, Serialize};

use crate::configuration::FunctionConfiguration;
use crate::listing::{Listed, PAGE, Place, page_of, published};
use crate::names::{Named, asked_arn};
use crate::records::{Configuration, FUNCTIONS, Function, VERSIONS, Version};
use crate::{Lambda, LambdaError, find};

/// `PublishVersion` (Lambda API reference): keeps `$LATEST` as a number. Nothing changed since the last: that one again.
pub(crate) struct PublishVersion;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    function_name: String,
    code_sha256: Option<String>,
    revision_id: Option<String>,
    description: Option<String>,
}

impl Operation for PublishVersion {
    type Service = Lambda;
    type Input = Input;
    type Output = FunctionConfiguration;
    type Error = LambdaError;

    const NAME: &'static str = "PublishVersion";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Lambda>, input: &Input) -> Permissions {
        Permissions::one("lambda:PublishVersion", asked_arn(asked.scope, &input.function_name, None))
    }

    fn run(
        cx: Cx<Lambda>,
        input: Input,
    ) -> impl Future<Output = Result<FunctionConfiguration, LambdaError>> + Send {
        async move {
            let named = Named::whole(cx.scope(), &input.function_name)?;
            let published = cx.write(|tx| {
                let (cx, input, named) = (&cx, &input, &named);
                async move {
                    let mut function = find::function(&tx, cx.scope(), named).await?;
                    let latest = &function.latest;
                    if input.revision_id.as_ref().is_some_and(|id| *id != latest.revision_id) {
                        return Err(LambdaError::PreconditionFailed);
                    }
                    if input.code_sha256.as_ref().is_some_and(|sha| *sha != latest.code.sha256) {
                        return Err(LambdaError::invalid(format!(
                            "CodeSHA256 ({}) is different from current CodeSHA256 in $LATEST ({}). Please try again with the CodeSHA256 in $LATEST.",
                            input.code_sha256.as_deref().unwrap_or_default(),
                            latest.code.sha256
                        )));
                    }
                    let configuration = publish(&tx, &mut function, input.description.clone(), cx.now()).await?;
                    Ok((function, configuration))
                }
            });
            let (function, configuration) = published.await?;
            FunctionConfiguration::of(cx.scope(), &function, &configuration, &cx.service.variables, true)
        }
    }
}

/// Puts the next version, unless the last one is the same.
pub(super) async fn publish(
    tx: &Tx,
    function: &mut Function,
    description: Option<String>,
    now: Timestamp,
) -> Result<Configuration, LambdaError> {
    let key = |number: u64| {
        homeport_store::KeyParts::new()
            .str(&function.account)
            .str(&function.region)
            .str(&function.name)
            .u64(number)
    };
    if let Some(last) = VERSIONS.get(tx, key(function.last_version)).await?
        && last.function_id == function.id
        && same(&last.configuration, &function.latest)
    {
        return Ok(last.configuration);
    }
    function.last_version += 1;
    let mut configuration = function.latest.clone();
    configuration.version = function.last_version.to_string();
    configuration.last_modified = now;
    configuration.description = description.unwrap_or(configuration.description);
    let version = Version {
        account: function.account.clone(),
        region: function.region.clone(),
        name: function.name.clone(),
        number: function.last_version,
        function_id: function.id.clone(),
        configuration: configuration.clone(),
    };
    VERSIONS.put(tx, &version).await?;
    FUNCTIONS.put(tx, function).await?;
    Ok(configuration)
}

/// Whether they run the same: the revision moves with every change of `$LATEST`.
fn same(published: &Configuration, latest: &Configuration) -> bool {
    published.revision_id == latest.revision_id
}

/// `ListVersionsByFunction` (Lambda API reference): `$LATEST`, and the published ones in their order.
pub(crate) struct ListVersionsByFunction;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListInput {
    function_name: String,
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListOutput {
    versions: Vec<FunctionConfiguration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

impl Operation for ListVersionsByFunction {
    type Service = Lambda;
    type Input = ListInput;
    type Output = ListOutput;
    type Error = LambdaError;

    const NAME: &'static str = "ListVersionsByFunction";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, Lambda>, input: &ListInput) -> Permissions {
        Permissions::one("lambda:ListVersionsByFunction", asked_arn(asked.scope, &input.function_name, None))
    }

    fn run(cx: Cx<Lambda>, input: ListInput) -> impl Future<Output = Result<ListOutput, LambdaError>> + Send {
        async move {
            let scope = cx.scope().clone();
            let named = Named::read(&scope, &input.function_name, None)?;
            let after = input.marker.as_deref().map(Place::read).transpose()?;
            let most = input.max_items.unwrap_or(PAGE).clamp(1, PAGE);
            // One more than the page has, to know whether another follows.
            let found = cx.read(|tx| {
                let (scope, named, after) = (&scope, &named, &after);
                async move {
                    let function = find::function(&tx, scope, named).await?;
                    let behind = after.as_ref().map_or(0, |after| after.version);
                    let published = published(&tx, scope, &function, behind, most + 1).await?;
                    let latest = after.is_none().then(|| Listed::latest(function));
                    Ok::<_, LambdaError>(latest.into_iter().chain(published).take(most + 1).collect())
                }
            });
            let (listed, next_marker) = page_of(found.await?, most);
            let variables = &cx.service.variables;
            let show = |Listed { function, configuration, .. }: &Listed| {
                FunctionConfiguration::of(&scope, function, configuration, variables, true)
            };
            let versions = listed.iter().map(show).collect::<Result<_, _>>()?;
            Ok(ListOutput { versions, next_marker })
        }
    }
}
