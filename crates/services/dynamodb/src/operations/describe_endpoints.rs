use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::DynamoDb;
use crate::error::DynamoError;

/// `DescribeEndpoints` (API reference): where this service is reached, for clients that discover it.
pub(crate) struct DescribeEndpoints;

#[derive(Deserialize)]
pub(crate) struct Input {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    endpoints: Vec<Endpoint>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Endpoint {
    address: String,
    cache_period_in_minutes: u64,
}

impl Operation for DescribeEndpoints {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Output;
    type Error = DynamoError;

    const NAME: &'static str = "DescribeEndpoints";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, DynamoDb>, _: &Input) -> Permissions {
        Permissions::one("dynamodb:DescribeEndpoints", "*")
    }

    async fn run(cx: Cx<DynamoDb>, _: Input) -> Result<Output, DynamoError> {
        let address = cx.service.address().to_owned();
        Ok(Output { endpoints: vec![Endpoint { address, cache_period_in_minutes: 1440 }] })
    }
}
