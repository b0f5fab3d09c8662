use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::DynamoDb;
use crate::description::{Counts, TableDescription};
use crate::error::DynamoError;
use crate::request::{TableName, check_table};

/// `DescribeTable` (API reference): what a table is, and how many items it has.
pub(crate) struct DescribeTable;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    table_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    table: TableDescription,
}

impl Operation for DescribeTable {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Output;
    type Error = DynamoError;

    const NAME: &'static str = "DescribeTable";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        Permissions::one("dynamodb:DescribeTable", TableName::of(&input.table_name).arn(asked.scope))
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Output, DynamoError> {
        check_table(&input.table_name)?;
        let named = &TableName::of(&input.table_name);
        let (service, scope) = (&cx.service, cx.scope());
        let found = cx.read(|tx| async move { service.find_table(&tx, scope, named).await }).await?;
        let open = found.ok_or_else(|| DynamoError::NoTableNamed(named.name().to_owned()))?;
        let counts = Counts::of(&cx, &open.table).await?;
        Ok(Output { table: TableDescription::now(&open.table, &counts) })
    }
}
