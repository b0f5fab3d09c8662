use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::{Direction, KeyParts, Part, Range};
use serde::{Deserialize, Serialize};

use crate::DynamoDb;
use crate::error::DynamoError;
use crate::records::{TABLES, tables_of};

/// Names in one answer.
const MAX_NAMES: usize = 100;

/// `ListTables` (API reference): the names of all tables, in their order.
pub(crate) struct ListTables;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    exclusive_start_table_name: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    table_names: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_evaluated_table_name: Option<String>,
}

impl Operation for ListTables {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Output;
    type Error = DynamoError;

    const NAME: &'static str = "ListTables";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, DynamoDb>, _: &Input) -> Permissions {
        Permissions::one("dynamodb:ListTables", "*")
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Output, DynamoError> {
        let root = TABLES.key(tables_of(cx.scope()));
        let mut range = Range::prefix(&root);
        if let Some(start) = &input.exclusive_start_table_name {
            range = range.after(root.str(start).as_bytes());
        }
        let limit = input.limit.unwrap_or(MAX_NAMES).clamp(1, MAX_NAMES);
        let range = &range;
        let page = cx
            .read(|tx| async move {
                Ok::<_, DynamoError>(tx.scan(range.clone(), Direction::Forward, limit).await?)
            })
            .await?;
        let name = |key: &[u8]| match KeyParts::decode(key)?.pop()? {
            Part::Str(name) => Some(name),
            _ => None,
        };
        let table_names: Vec<String> = page.rows.iter().filter_map(|row| name(&row.key)).collect();
        let last_evaluated_table_name = table_names.last().filter(|_| page.more).cloned();
        Ok(Output { table_names, last_evaluated_table_name })
    }
}
