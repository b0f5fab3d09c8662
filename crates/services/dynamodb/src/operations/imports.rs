//! Imports that were asked for: one, and all of 90 days.

use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::Direction;
use serde::{Deserialize, Serialize};

use super::transfers::{Wanted, named, write_token};
use crate::DynamoDb;
use crate::error::DynamoError;
use crate::records::{IMPORTS, TransferRef};
use crate::transfer_description::{ImportSummary, ImportTableDescription};

/// `DescribeImport` (API reference)
pub(crate) struct DescribeImport;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DescribeInput {
    import_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DescribeOutput {
    import_table_description: ImportTableDescription,
}

impl Operation for DescribeImport {
    type Service = DynamoDb;
    type Input = DescribeInput;
    type Output = DescribeOutput;
    type Error = DynamoError;

    const NAME: &'static str = "DescribeImport";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, DynamoDb>, input: &DescribeInput) -> Permissions {
        Permissions::one("dynamodb:DescribeImport", &input.import_arn)
    }

    async fn run(cx: Cx<DynamoDb>, input: DescribeInput) -> Result<DescribeOutput, DynamoError> {
        let named = named(&input.import_arn, "import", cx.scope())?.ok_or(DynamoError::NoImport)?;
        let key = &named.key();
        let found = cx.read(|tx| async move { IMPORTS.get(&tx, key).await }).await?;
        let import = found.ok_or(DynamoError::NoImport)?;
        Ok(DescribeOutput { import_table_description: ImportTableDescription::of(&import) })
    }
}

/// `ListImports` (API reference): a table's newest first.
pub(crate) struct ListImports;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListInput {
    table_arn: Option<String>,
    page_size: Option<usize>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListOutput {
    import_summary_list: Vec<ImportSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Operation for ListImports {
    type Service = DynamoDb;
    type Input = ListInput;
    type Output = ListOutput;
    type Error = DynamoError;

    const NAME: &'static str = "ListImports";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, DynamoDb>, _: &ListInput) -> Permissions {
        Permissions::one("dynamodb:ListImports", "*")
    }

    async fn run(cx: Cx<DynamoDb>, input: ListInput) -> Result<ListOutput, DynamoError> {
        let (table, token) = (input.table_arn.as_deref(), input.next_token.as_deref());
        let wanted = &Wanted::of(Self::NAME, cx.scope(), table, token, input.page_size)?;
        let found = cx
            .read(|tx| async move {
                let after = wanted.after.as_ref().map(|after| after.as_bytes());
                IMPORTS.page_in(&tx, &wanted.prefix, after, Direction::Backward, wanted.most).await
            })
            .await?;
        let last = found.records.last().filter(|_| found.cursor.is_some()).map(TransferRef::from);
        Ok(ListOutput {
            import_summary_list: found.records.iter().map(ImportSummary::of).collect(),
            next_token: last.as_ref().map(write_token),
        })
    }
}
