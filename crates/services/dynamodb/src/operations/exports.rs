//! Exports that were asked for: one, and all of 90 days.

use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::Direction;
use serde::{Deserialize, Serialize};

use super::transfers::{Wanted, named, write_token};
use crate::DynamoDb;
use crate::error::DynamoError;
use crate::records::{EXPORTS, TransferRef};
use crate::transfer_description::{ExportDescription, ExportSummary};

/// `DescribeExport` (API reference)
pub(crate) struct DescribeExport;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DescribeInput {
    export_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DescribeOutput {
    export_description: ExportDescription,
}

impl Operation for DescribeExport {
    type Service = DynamoDb;
    type Input = DescribeInput;
    type Output = DescribeOutput;
    type Error = DynamoError;

    const NAME: &'static str = "DescribeExport";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, DynamoDb>, input: &DescribeInput) -> Permissions {
        Permissions::one("dynamodb:DescribeExport", &input.export_arn)
    }

    async fn run(cx: Cx<DynamoDb>, input: DescribeInput) -> Result<DescribeOutput, DynamoError> {
        let named = named(&input.export_arn, "export", cx.scope())?.ok_or(DynamoError::NoExport)?;
        let key = &named.key();
        let found = cx.read(|tx| async move { EXPORTS.get(&tx, key).await }).await?;
        let export = found.ok_or(DynamoError::NoExport)?;
        Ok(DescribeOutput { export_description: ExportDescription::of(&export) })
    }
}

/// `ListExports` (API reference): a table's newest first.
pub(crate) struct ListExports;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListInput {
    table_arn: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListOutput {
    export_summaries: Vec<ExportSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Operation for ListExports {
    type Service = DynamoDb;
    type Input = ListInput;
    type Output = ListOutput;
    type Error = DynamoError;

    const NAME: &'static str = "ListExports";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, DynamoDb>, _: &ListInput) -> Permissions {
        Permissions::one("dynamodb:ListExports", "*")
    }

    async fn run(cx: Cx<DynamoDb>, input: ListInput) -> Result<ListOutput, DynamoError> {
        let (table, token) = (input.table_arn.as_deref(), input.next_token.as_deref());
        let wanted = &Wanted::of(Self::NAME, cx.scope(), table, token, input.max_results)?;
        let found = cx
            .read(|tx| async move {
                let after = wanted.after.as_ref().map(|after| after.as_bytes());
                EXPORTS.page_in(&tx, &wanted.prefix, after, Direction::Backward, wanted.most).await
            })
            .await?;
        let last = found.records.last().filter(|_| found.cursor.is_some()).map(TransferRef::from);
        Ok(ListOutput {
            export_summaries: found.records.iter().map(ExportSummary::of).collect(),
            next_token: last.as_ref().map(write_token),
        })
    }
}
