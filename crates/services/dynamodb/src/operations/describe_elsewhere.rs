//! What tables have on AWS by way of other services. None of it can be turned on here, and so this is how it stands.

use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::DynamoDb;
use crate::error::DynamoError;
use crate::items::SharedTable;
use crate::request::TableName;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    table_name: String,
    index_name: Option<String>,
}

async fn table(cx: &Cx<DynamoDb>, input: &Input) -> Result<SharedTable, DynamoError> {
    let named = &TableName::of(&input.table_name);
    let (service, scope) = (&cx.service, cx.scope());
    let found = cx.read(|tx| async move { service.find_table(&tx, scope, named).await }).await?;
    let open = found.ok_or_else(|| DynamoError::NoTableNamed(named.name().to_owned()))?;
    if let Some(index) = &input.index_name {
        open.table.index(index)?;
    }
    Ok(open)
}

/// `DescribeContributorInsights` (API reference): always disabled, as nothing counts keys.
pub(crate) struct DescribeContributorInsights;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Insights {
    table_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    index_name: Option<String>,
    contributor_insights_status: &'static str,
}

impl Operation for DescribeContributorInsights {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Insights;
    type Error = DynamoError;

    const NAME: &'static str = "DescribeContributorInsights";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        let table = TableName::of(&input.table_name).arn(asked.scope);
        let arn = input.index_name.as_ref().map(|index| format!("{table}/index/{index}")).unwrap_or(table);
        Permissions::one("dynamodb:DescribeContributorInsights", arn)
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Insights, DynamoError> {
        let open = table(&cx, &input).await?;
        Ok(Insights {
            table_name: open.table.name.clone(),
            index_name: input.index_name,
            contributor_insights_status: "DISABLED",
        })
    }
}

/// `DescribeKinesisStreamingDestination` (API reference): none, as there is no Kinesis.
pub(crate) struct DescribeKinesisStreamingDestination;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Destinations {
    table_name: String,
    kinesis_data_stream_destinations: [(); 0],
}

impl Operation for DescribeKinesisStreamingDestination {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Destinations;
    type Error = DynamoError;

    const NAME: &'static str = "DescribeKinesisStreamingDestination";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        let arn = TableName::of(&input.table_name).arn(asked.scope);
        Permissions::one("dynamodb:DescribeKinesisStreamingDestination", arn)
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Destinations, DynamoError> {
        let open = table(&cx, &input).await?;
        Ok(Destinations { table_name: open.table.name.clone(), kinesis_data_stream_destinations: [] })
    }
}

/// `DescribeTableReplicaAutoScaling` (API reference): a table has no replicas here.
pub(crate) struct DescribeTableReplicaAutoScaling;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AutoScaling {
    table_auto_scaling_description: AutoScalingDescription,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AutoScalingDescription {
    table_name: String,
    table_status: &'static str,
    replicas: [(); 0],
}

impl Operation for DescribeTableReplicaAutoScaling {
    type Service = DynamoDb;
    type Input = Input;
    type Output = AutoScaling;
    type Error = DynamoError;

    const NAME: &'static str = "DescribeTableReplicaAutoScaling";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        let arn = TableName::of(&input.table_name).arn(asked.scope);
        Permissions::one("dynamodb:DescribeTableReplicaAutoScaling", arn)
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<AutoScaling, DynamoError> {
        let open = table(&cx, &input).await?;
        let table_status = crate::description::status_of(&open.table);
        let table_name = open.table.name.clone();
        let description = AutoScalingDescription { table_name, table_status, replicas: [] };
        Ok(AutoScaling { table_auto_scaling_description: description })
    }
}
