use homeport_core::uuid_v4;
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::DynamoDb;
use crate::error::{DynamoError, Invalid};
use crate::records::{EXPIRING, Expiring, JOBS, Job, TABLES, TableRef, Work, tables_of};
use crate::request::TableName;
use crate::table::{Expiry, IndexState, Table};

/// `UpdateTimeToLive` (API reference): turns time to live on or off. The items' times are kept in order from then on;
/// those that are there already are put in order behind the answer, and expire as well.
pub(crate) struct UpdateTimeToLive;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    table_name: String,
    time_to_live_specification: Specification,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Specification {
    enabled: bool,
    attribute_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    time_to_live_specification: Specification,
}

/// Brings the table's record in step with what is asked; gives the work that follows from it.
fn apply(table: &mut Table, asked: &Specification) -> Result<Work, Invalid> {
    let wrong = |said: String| Err(Invalid::Table(said));
    match (&table.expiry, asked.enabled) {
        (Some(expiry), _) if expiry.attribute != asked.attribute_name => wrong(format!(
            "TimeToLive is active on a different AttributeName: current AttributeName is {}",
            expiry.attribute
        )),
        (Some(_), true) => wrong("TimeToLive is already enabled".to_owned()),
        (None, false) => wrong("TimeToLive is already disabled".to_owned()),
        (Some(expiry), false) => {
            let number = expiry.number;
            table.expiry = None;
            Ok(Work::Sweep { table_id: table.id.clone(), number })
        }
        (None, true) => {
            let number = table.draw_number();
            let attribute = asked.attribute_name.clone();
            table.expiry = Some(Expiry { attribute, number, state: IndexState::Building });
            Ok(Work::Build { table: TableRef::from(&*table), number, after: None })
        }
    }
}

impl Operation for UpdateTimeToLive {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Output;
    type Error = DynamoError;

    const NAME: &'static str = "UpdateTimeToLive";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        Permissions::one("dynamodb:UpdateTimeToLive", TableName::of(&input.table_name).arn(asked.scope))
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Output, DynamoError> {
        let (named, scope) = (&TableName::of(&input.table_name), cx.scope());
        let (asked, job) = (&input.time_to_live_specification, &uuid_v4(&**cx.randomness()));
        cx.write(|tx| async move {
            let none = || DynamoError::NoTableNamed(named.name().to_owned());
            if !named.is_in(scope) {
                return Err(none());
            }
            let key = tables_of(scope).str(named.name());
            let mut table = TABLES.get(&tx, key).await?.ok_or_else(none)?;
            if !table.is_ready() {
                return Err(DynamoError::InUse(format!("Table is being created: {}", table.name)));
            }
            let work = apply(&mut table, asked)?;
            TABLES.put(&tx, &table).await?;
            let expiring = Expiring { table: TableRef::from(&table) };
            if asked.enabled {
                EXPIRING.put(&tx, &expiring).await?;
            } else {
                EXPIRING.delete(&tx, expiring.table.key()).await?;
            }
            JOBS.put(&tx, &Job { id: job.clone(), work }).await?;
            Ok(())
        })
        .await?;
        Ok(Output { time_to_live_specification: input.time_to_live_specification })
    }
}

/// `DescribeTimeToLive` (API reference): whether items of a table expire, and by which attribute.
pub(crate) struct DescribeTimeToLive;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DescribeInput {
    table_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DescribeOutput {
    time_to_live_description: Description,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    time_to_live_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    attribute_name: Option<String>,
}

impl Operation for DescribeTimeToLive {
    type Service = DynamoDb;
    type Input = DescribeInput;
    type Output = DescribeOutput;
    type Error = DynamoError;

    const NAME: &'static str = "DescribeTimeToLive";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &DescribeInput) -> Permissions {
        Permissions::one("dynamodb:DescribeTimeToLive", TableName::of(&input.table_name).arn(asked.scope))
    }

    async fn run(cx: Cx<DynamoDb>, input: DescribeInput) -> Result<DescribeOutput, DynamoError> {
        let named = &TableName::of(&input.table_name);
        let (service, scope) = (&cx.service, cx.scope());
        let found = cx.read(|tx| async move { service.find_table(&tx, scope, named).await }).await?;
        let open = found.ok_or_else(|| DynamoError::NoTableNamed(named.name().to_owned()))?;
        let attribute_name = open.table.expiry.as_ref().map(|expiry| expiry.attribute.clone());
        let time_to_live_status = if attribute_name.is_some() { "ENABLED" } else { "DISABLED" };
        Ok(DescribeOutput { time_to_live_description: Description { time_to_live_status, attribute_name } })
    }
}
