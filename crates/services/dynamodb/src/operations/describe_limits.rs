use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::DynamoDb;
use crate::error::DynamoError;

/// `DescribeLimits` (API reference): AWS's initial quotas. Nothing here is throttled by them.
pub(crate) struct DescribeLimits;

#[derive(Deserialize)]
pub(crate) struct Input {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    account_max_read_capacity_units: u64,
    account_max_write_capacity_units: u64,
    table_max_read_capacity_units: u64,
    table_max_write_capacity_units: u64,
}

impl Operation for DescribeLimits {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Output;
    type Error = DynamoError;

    const NAME: &'static str = "DescribeLimits";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, DynamoDb>, _: &Input) -> Permissions {
        Permissions::one("dynamodb:DescribeLimits", "*")
    }

    async fn run(_: Cx<DynamoDb>, _: Input) -> Result<Output, DynamoError> {
        Ok(Output {
            account_max_read_capacity_units: 80_000,
            account_max_write_capacity_units: 80_000,
            table_max_read_capacity_units: 40_000,
            table_max_write_capacity_units: 40_000,
        })
    }
}
