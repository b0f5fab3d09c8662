use std::collections::BTreeMap;
use std::sync::Arc;

use homeport_core::Fault;
use homeport_service::{Answer, Asked, ByHand, Call, Cx, Effect, Operation, Permissions};
use serde::Deserialize;

use super::writing::{
    RawGuard, RawValues, RawWanted, Wanted, check_condition, looked_at, write_attributes, write_metrics,
};
use crate::DynamoDb;
use crate::access::{Decided, Need, permissions};
use crate::capacity::Answering;
use crate::error::{DynamoError, Invalid};
use crate::expression::Condition;
use crate::items::Occasion;
use crate::legacy::{RawExpected, any_suffices, check_expected};
use crate::request::{
    RawPlaceholders, ReturnValues, TableName, Violations, body, check_generations_of_write, check_not_empty,
};
use crate::value::{Checked, Item, MAX_ITEM_SIZE, item_size};

/// `PutItem` (API reference): creates an item, or replaces the one with its key.
pub(crate) struct PutItem;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    table_name: Option<String>,
    item: Option<Checked<Item>>,
    expected: Option<BTreeMap<String, RawExpected>>,
    conditional_operator: Option<String>,
    condition_expression: Option<String>,
    expression_attribute_names: Option<BTreeMap<String, String>>,
    expression_attribute_values: Option<RawValues>,
    return_values: Option<String>,
    return_consumed_capacity: Option<String>,
    return_item_collection_metrics: Option<String>,
    return_values_on_condition_check_failure: Option<String>,
}

pub(crate) struct Input {
    table: TableName,
    item: Arc<Item>,
    condition: Option<Condition>,
    wanted: Wanted,
    decided: Decided,
}

fn decode(call: &Call) -> Result<Input, DynamoError> {
    let body: Body = body(call)?;
    check_not_empty(body.table_name.as_deref())?;
    let mut violations = Violations::default();
    violations.table_name(body.table_name.as_deref());
    violations.require(body.item.as_ref(), "item");
    let wanted = RawWanted {
        values: body.return_values.as_deref(),
        capacity: body.return_consumed_capacity.as_deref(),
        metrics: body.return_item_collection_metrics.as_deref(),
        on_failure: body.return_values_on_condition_check_failure.as_deref(),
    }
    .check(&mut violations);
    check_expected(body.expected.as_ref(), &mut violations);
    violations.finish()?;
    wanted.check_values()?;
    check_generations_of_write(
        &[("ConditionExpression", body.condition_expression.is_some())],
        &[
            ("Expected", body.expected.is_some()),
            ("ConditionalOperator", body.conditional_operator.is_some()),
        ],
        body.expression_attribute_names.is_some(),
        body.expression_attribute_values.is_some(),
    )?;
    let conditions = body.expected.as_ref().map_or(0, BTreeMap::len);
    let any = any_suffices(body.conditional_operator.as_deref(), conditions)?;
    let item = Arc::new(body.item.map_or(Ok(Item::new()), |item| item.0)?);
    if item_size(&item) > MAX_ITEM_SIZE {
        return Err(Invalid::ItemSize.into());
    }
    let placeholders =
        RawPlaceholders { names: body.expression_attribute_names, values: body.expression_attribute_values }
            .check()?;
    let guard = RawGuard { expression: body.condition_expression, expected: body.expected, any };
    let condition = placeholders.read(|placeholders| guard.read(placeholders))?;
    let table = TableName::of(&body.table_name.unwrap_or_default());
    Ok(Input { table, item, condition, wanted, decided: Decided::default() })
}

impl Operation for PutItem {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Vec<u8>;
    type Error = DynamoError;

    const NAME: &'static str = "PutItem";
    const EFFECT: Effect = Effect::WritesData;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        let need = Need::new("dynamodb:PutItem", &input.table)
            .leading([input.item.clone()])
            .touching(looked_at(input.condition.as_ref()));
        permissions(asked, vec![input.wanted.told(need)], &input.decided)
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Vec<u8>, DynamoError> {
        let (meter, cx, input) = (&DynamoDb::meter(&cx), &cx, &input);
        meter
            .write(|tx| async move {
                let open = DynamoDb::table(cx, &tx, &input.table, &input.decided).await?;
                open.table.check_item(&input.item)?;
                open.table.check_paths(input.condition.iter().flat_map(Condition::paths))?;
                let place = open.layout.item(&open.table.schema, &input.item).ok_or(Invalid::KeySchema)?;
                let before = open.item(&tx, &place, &input.item).await?;
                check_condition(input.condition.as_ref(), before.as_ref(), input.wanted.old_on_failure)
                    .inspect_err(|_| meter.looked_at(&open, before.as_ref()))?;
                let consumed = open
                    .put(&tx, &place, before.as_ref(), &input.item, Occasion::call(cx.clock().now()))
                    .await?;
                meter.writes(&open, &consumed)?;
                let mut answer = Answering::new();
                if input.wanted.values == ReturnValues::AllOld {
                    write_attributes(&mut answer, before.as_ref());
                }
                answer.consumed(input.wanted.capacity, &open.table, &consumed);
                if input.wanted.metrics {
                    write_metrics(&mut answer, &open, &input.item);
                }
                Ok(answer.finish())
            })
            .await
    }
}

impl ByHand for PutItem {
    fn decode(call: Call) -> Result<Input, Fault> {
        decode(&call).map_err(DynamoError::of_writing)
    }

    fn encode(output: Vec<u8>) -> Result<Answer, Fault> {
        Ok(Answer::Json(output.into()))
    }
}
