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
use crate::expression::{Condition, Update, UpdateError};
use crate::items::{Occasion, OpenTable};
use crate::legacy::{self, RawExpected, RawUpdate, any_suffices, check_expected};
use crate::request::{
    RawPlaceholders, ReturnValues, TableName, Violations, body, check_generations_of_write, check_not_empty,
};
use crate::value::{Checked, Item, MAX_ITEM_SIZE, item_size};

/// `UpdateItem` (API reference): changes attributes of an item, or creates it.
pub(crate) struct UpdateItem;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    table_name: Option<String>,
    key: Option<Checked<Item>>,
    attribute_updates: Option<BTreeMap<String, RawUpdate>>,
    expected: Option<BTreeMap<String, RawExpected>>,
    conditional_operator: Option<String>,
    update_expression: Option<String>,
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
    key: Arc<Item>,
    update: Update,
    condition: Option<Condition>,
    wanted: Wanted,
    /// Whether the update came as `AttributeUpdates`, of which errors speak otherwise.
    legacy: bool,
    decided: Decided,
}

/// What is asked to be told, if all members are of the right form. A call without a key is told all that is wrong with
/// them, any other call one thing.
fn members(body: &Body) -> Result<Wanted, DynamoError> {
    let raw = RawWanted {
        values: body.return_values.as_deref(),
        capacity: body.return_consumed_capacity.as_deref(),
        metrics: body.return_item_collection_metrics.as_deref(),
        on_failure: body.return_values_on_condition_check_failure.as_deref(),
    };
    let table = body.table_name.as_deref();
    let mut violations = Violations::default();
    let wanted = match &body.key {
        None => raw.check_without_key(table, body.conditional_operator.as_deref(), &mut violations),
        Some(_) => {
            check_not_empty(table)?;
            violations.updated_table_name(table);
            std::mem::take(&mut violations).finish()?;
            raw.check_one()?
        }
    };
    check_expected(body.expected.as_ref(), &mut violations);
    violations.finish()?;
    Ok(wanted)
}

fn decode(call: &Call) -> Result<Input, DynamoError> {
    let body: Body = body(call)?;
    let wanted = members(&body)?;
    check_generations_of_write(
        &[
            ("UpdateExpression", body.update_expression.is_some()),
            ("ConditionExpression", body.condition_expression.is_some()),
        ],
        &[
            ("AttributeUpdates", body.attribute_updates.is_some()),
            ("Expected", body.expected.is_some()),
            ("ConditionalOperator", body.conditional_operator.is_some()),
        ],
        body.expression_attribute_names.is_some(),
        body.expression_attribute_values.is_some(),
    )?;
    let conditions = body.expected.as_ref().map_or(0, BTreeMap::len);
    let any = any_suffices(body.conditional_operator.as_deref(), conditions)?;
    let key = Arc::new(body.key.map_or(Ok(Item::new()), |key| key.0)?);
    let legacy_update = body.attribute_updates.map(legacy::update).transpose()?;
    let placeholders =
        RawPlaceholders { names: body.expression_attribute_names, values: body.expression_attribute_values }
            .check()?;
    let guard = RawGuard { expression: body.condition_expression, expected: body.expected, any };
    let (update, condition) = placeholders.read(|placeholders| {
        guard.check_not_empty()?;
        let update = body.update_expression.map(|text| Update::parse(&text, placeholders)).transpose()?;
        Ok((update, guard.read(placeholders)?))
    })?;
    Ok(Input {
        table: TableName::of(&body.table_name.unwrap_or_default()),
        key,
        legacy: legacy_update.is_some(),
        update: update.or(legacy_update).unwrap_or_default(),
        condition,
        wanted,
        decided: Decided::default(),
    })
}

/// Refuses updates of keys, and of what lies in them.
pub(super) fn check_targets(open: &OpenTable, update: &Update) -> Result<(), Invalid> {
    for path in update.targets() {
        if open.table.schema.has(&path.head) {
            return Err(Invalid::UpdatesKey(path.head.clone()));
        }
    }
    open.table.check_paths(update.targets())
}

/// The item that the update makes of `before`, or of nothing but the key; none where there was none and the update
/// only takes away.
pub(super) fn updated(
    open: &OpenTable,
    key: &Item,
    before: Option<&Item>,
    update: &Update,
) -> Result<Option<Item>, DynamoError> {
    let after = update.apply(before.unwrap_or(key))?;
    open.table.check_updated_index_keys(&after)?;
    if item_size(&after) > MAX_ITEM_SIZE {
        return Err(Invalid::UpdatedItemSize.into());
    }
    Ok(Some(after).filter(|_| before.is_some() || !update.only_takes_away()))
}

/// As `AttributeUpdates` puts it.
fn in_legacy_words(error: DynamoError) -> DynamoError {
    match error {
        DynamoError::Validation(said) if said == UpdateError::WrongType.to_string() => {
            DynamoError::invalid("Type mismatch for attribute to update")
        }
        error => error,
    }
}

impl Operation for UpdateItem {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Vec<u8>;
    type Error = DynamoError;

    const NAME: &'static str = "UpdateItem";
    const EFFECT: Effect = Effect::WritesData;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        let need = Need::new("dynamodb:UpdateItem", &input.table)
            .leading([input.key.clone()])
            .touching(input.update.attributes())
            .touching(looked_at(input.condition.as_ref()));
        permissions(asked, vec![input.wanted.told(need)], &input.decided)
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Vec<u8>, DynamoError> {
        let (meter, cx, input) = (&DynamoDb::meter(&cx), &cx, &input);
        meter
            .write(|tx| async move {
                let open = DynamoDb::table(cx, &tx, &input.table, &input.decided).await?;
                let place = open.place(&input.key)?;
                if !input.legacy && input.update.charge() > MAX_ITEM_SIZE {
                    return Err(Invalid::UpdatedItemSize.into());
                }
                check_targets(&open, &input.update)?;
                open.table.check_paths(input.condition.iter().flat_map(Condition::paths))?;
                let before = open.item(&tx, &place, &input.key).await?;
                check_condition(input.condition.as_ref(), before.as_ref(), input.wanted.old_on_failure)
                    .inspect_err(|_| meter.looked_at(&open, before.as_ref()))?;
                let after = updated(&open, &input.key, before.as_ref(), &input.update)
                    .map_err(|error| if input.legacy { in_legacy_words(error) } else { error })?;
                let consumed = open
                    .keep(&tx, &place, before.as_ref(), after.as_ref(), Occasion::call(cx.clock().now()))
                    .await?;
                meter.writes(&open, &consumed)?;
                let mut answer = Answering::new();
                write_attributes(&mut answer, returned(input, before.as_ref(), after.as_ref()).as_ref());
                answer.consumed(input.wanted.capacity, &open.table, &consumed);
                if input.wanted.metrics {
                    write_metrics(&mut answer, &open, &input.key);
                }
                Ok(answer.finish())
            })
            .await
    }
}

/// What `ReturnValues` asks for.
fn returned(input: &Input, before: Option<&Item>, after: Option<&Item>) -> Option<Item> {
    match input.wanted.values {
        ReturnValues::None => None,
        ReturnValues::AllOld => before.cloned(),
        ReturnValues::AllNew => after.cloned(),
        ReturnValues::UpdatedOld => before.map(|before| input.update.touched(before)),
        ReturnValues::UpdatedNew => after.map(|after| input.update.touched(after)),
    }
}

impl ByHand for UpdateItem {
    fn decode(call: Call) -> Result<Input, Fault> {
        decode(&call).map_err(DynamoError::of_writing)
    }

    fn encode(output: Vec<u8>) -> Result<Answer, Fault> {
        Ok(Answer::Json(output.into()))
    }
}
