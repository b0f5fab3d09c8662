use homeport_core::Scope;
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::{StoreError, Tx};
use serde::{Deserialize, Serialize};

use crate::configuration::FunctionConfiguration;
use crate::listing::{Listed, PAGE, Place, behind, page_of, published};
use crate::records::{FUNCTIONS, all_functions, function_key};
use crate::{Lambda, LambdaError};

/// `ListFunctions` (Lambda API reference): the functions of a region by name, in pages of at most 50; with
/// `FunctionVersion=ALL` each with its published versions behind its `$LATEST`, one entry for each.
pub(crate) struct ListFunctions;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    function_version: Option<FunctionVersion>,
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Clone, Copy, Deserialize)]
enum FunctionVersion {
    #[serde(rename = "ALL")]
    All,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    functions: Vec<FunctionConfiguration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

impl Operation for ListFunctions {
    type Service = Lambda;
    type Input = Input;
    type Output = Output;
    type Error = LambdaError;

    const NAME: &'static str = "ListFunctions";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, Lambda>, _: &Input) -> Permissions {
        Permissions::one("lambda:ListFunctions", "*")
    }

    fn run(cx: Cx<Lambda>, input: Input) -> impl Future<Output = Result<Output, LambdaError>> + Send {
        async move {
            let after = input.marker.as_deref().map(Place::read).transpose()?;
            let most = input.max_items.unwrap_or(PAGE).clamp(1, PAGE);
            let all = input.function_version.is_some();
            let scope = cx.scope();
            // One more than the page has, to know whether another follows.
            let listed = cx
                .read(|tx| {
                    let after = after.clone();
                    async move {
                        match all {
                            false => functions(&tx, scope, after, most + 1).await,
                            true => versions(&tx, scope, after, most + 1).await,
                        }
                    }
                })
                .await?;
            let (listed, next_marker) = page_of(listed, most);
            let show = |Listed { function, configuration, .. }: &Listed| {
                FunctionConfiguration::of(scope, function, configuration, &cx.service.variables, all)
            };
            Ok(Output { functions: listed.iter().map(show).collect::<Result<_, _>>()?, next_marker })
        }
    }
}

/// The functions behind a place, with their `$LATEST`.
async fn functions(
    tx: &Tx,
    scope: &Scope,
    after: Option<Place>,
    most: usize,
) -> Result<Vec<Listed>, StoreError> {
    let after = after.map(|place| function_key(scope, &place.name));
    let found = behind(tx, &FUNCTIONS, all_functions(scope), after, most, |_| true).await?;
    Ok(found.into_iter().map(Listed::latest).collect())
}

/// The versions behind a place, `$LATEST` among them.
async fn versions(
    tx: &Tx,
    scope: &Scope,
    after: Option<Place>,
    most: usize,
) -> Result<Vec<Listed>, StoreError> {
    let mut listed = Vec::new();
    if let Some(place) = &after
        && let Some(function) = FUNCTIONS.get(tx, function_key(scope, &place.name)).await?
    {
        listed.extend(published(tx, scope, &function, place.version, most).await?);
    }
    for latest in functions(tx, scope, after, most).await? {
        if listed.len() >= most {
            break;
        }
        let function = latest.function.clone();
        listed.push(latest);
        listed.extend(published(tx, scope, &function, 0, most - listed.len()).await?);
    }
    Ok(listed)
}
