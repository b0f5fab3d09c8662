use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::configuration::FunctionConfiguration;
use crate::records::{FUNCTIONS, all_functions};
use crate::{Lambda, LambdaError};

/// `ListFunctions` (Lambda API reference): the functions of a region by name, in pages of at most 50.
pub(crate) struct ListFunctions;

const PAGE: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    marker: Option<String>,
    max_items: Option<usize>,
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
            let invalid = || LambdaError::invalid("The marker is not valid.");
            let after = input.marker.map(hex::decode).transpose().map_err(|_| invalid())?;
            let most = input.max_items.unwrap_or(PAGE).clamp(1, PAGE);
            let scope = cx.scope().clone();
            let page = cx
                .read(|tx| {
                    let prefix = all_functions(&scope);
                    async move { FUNCTIONS.page(&tx, prefix, after.as_deref(), most).await }
                })
                .await
                .map_err(|error| match error {
                    homeport_store::StoreError::BadCursor => invalid(),
                    other => other.into(),
                })?;
            let show = |function: &crate::records::Function| {
                FunctionConfiguration::of(&scope, function, &function.latest, &cx.service.variables, false)
            };
            let functions = page.records.iter().map(show).collect::<Result<_, _>>()?;
            Ok(Output { functions, next_marker: page.cursor.map(hex::encode) })
        }
    }
}
