use std::collections::BTreeMap;
use std::sync::Arc;

use homeport_core::Fault;
use homeport_service::{Answer, Asked, ByHand, Call, Cx, Effect, Operation, Permissions};
use homeport_store::Direction;
use serde::Deserialize;

use super::reading::{
    Projecting, Select, Walk, Wish, check_held, check_limit, check_start, index, start_key,
};
use super::stretch::stretch;
use super::writing::{RawValues, looked_at};
use crate::DynamoDb;
use crate::access::{Decided, Need, permissions};
use crate::error::{DynamoError, Invalid};
use crate::expression::{
    Comparator, Condition, ExpressionKind, KeyCondition, KeyPredicate, Path, Projection, key_conditions,
};
use crate::items::{OpenTable, SharedTable};
use crate::legacy::{self, RawConditions, any_suffices, check_attributes, check_operators};
use crate::request::{
    Integer, RawPlaceholders, ReturnCapacity, TableName, Violations, body, check_generations, check_not_empty,
};
use crate::table::Schema;
use crate::value::Item;

/// `Query` (API reference): the items of one partition, in the order of sort keys.
pub(crate) struct Query;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    table_name: Option<String>,
    index_name: Option<String>,
    select: Option<String>,
    attributes_to_get: Option<Vec<String>>,
    limit: Option<Integer>,
    consistent_read: Option<bool>,
    key_conditions: Option<RawConditions>,
    query_filter: Option<RawConditions>,
    conditional_operator: Option<String>,
    scan_index_forward: Option<bool>,
    exclusive_start_key: Option<RawValues>,
    return_consumed_capacity: Option<String>,
    projection_expression: Option<String>,
    filter_expression: Option<String>,
    key_condition_expression: Option<String>,
    expression_attribute_names: Option<BTreeMap<String, String>>,
    expression_attribute_values: Option<RawValues>,
}

pub(crate) struct Input {
    table: TableName,
    index: Option<String>,
    conditions: Vec<KeyCondition>,
    /// The member that the filter came by, as messages call it.
    filtered_by: &'static str,
    start: Option<Item>,
    forward: bool,
    wish: Wish,
    decided: Decided,
}

fn decode(call: &Call) -> Result<Input, DynamoError> {
    let body: Body = body(call)?;
    check_not_empty(body.table_name.as_deref())?;
    let has_table = body.table_name.is_some();
    // Without its table, or with a limit that had to be cut, a call is judged by older rules: all at once.
    let at_once = !has_table || body.limit.is_some_and(|limit| limit.coerced);
    let mut violations = Violations::default();
    if at_once {
        Select::parse(body.select.as_deref(), &mut violations);
    }
    if let Some(name) = &body.index_name {
        violations.name(name, "indexName");
    }
    if has_table {
        violations.table_name(body.table_name.as_deref());
    }
    let capacity = ReturnCapacity::parse(body.return_consumed_capacity.as_deref(), &mut violations);
    check_attributes(body.attributes_to_get.as_ref(), "attributesToGet", &mut violations);
    check_operators(body.query_filter.as_ref(), "queryFilter", &mut violations);
    if !has_table {
        violations.table_name(None);
    }
    check_limit(body.limit, if at_once { "limit" } else { "Limit" }, &mut violations);
    check_operators(body.key_conditions.as_ref(), "keyConditions", &mut violations);
    violations.finish()?;
    let expressions = [
        ("ProjectionExpression", body.projection_expression.is_some()),
        ("FilterExpression", body.filter_expression.is_some()),
        ("KeyConditionExpression", body.key_condition_expression.is_some()),
    ];
    let old = [
        ("AttributesToGet", body.attributes_to_get.is_some()),
        ("QueryFilter", body.query_filter.is_some()),
        ("ConditionalOperator", body.conditional_operator.is_some()),
        // `KeyConditions` goes with new filters and projections.
        ("KeyConditions", body.key_conditions.is_some() && body.key_condition_expression.is_some()),
    ];
    let (has_names, has_values) =
        (body.expression_attribute_names.is_some(), body.expression_attribute_values.is_some());
    check_generations(&expressions, &old, has_names, has_values)?;
    let conditions = body.query_filter.as_ref().map_or(0, BTreeMap::len);
    let any = any_suffices(body.conditional_operator.as_deref(), conditions)?;
    let mut violations = Violations::default();
    let select = Select::parse(body.select.as_deref(), &mut violations);
    violations.finish()?;
    let filtered_by = if body.query_filter.is_some() { "QueryFilter" } else { "Filter Expression" };
    let old_filter = body.query_filter.map(|filter| legacy::filter(filter, any)).transpose()?.flatten();
    let old_projection = body.attributes_to_get.map(legacy::projection).transpose()?;
    let start = start_key(body.exclusive_start_key)?;
    if body.key_conditions.is_none() && body.key_condition_expression.is_none() {
        return Err(Invalid::NoKeyCondition.into());
    }
    let placeholders =
        RawPlaceholders { names: body.expression_attribute_names, values: body.expression_attribute_values }
            .check()?;
    let (key, filter, projection) = placeholders.read(|placeholders| {
        let condition = |kind, text: Option<String>, placeholders: &mut _| {
            text.map(|text| Condition::parse(kind, &text, placeholders)).transpose()
        };
        let key = condition(ExpressionKind::KeyCondition, body.key_condition_expression, placeholders)?;
        let filter = condition(ExpressionKind::Filter, body.filter_expression, placeholders)?;
        let projection =
            body.projection_expression.map(|text| Projection::parse(&text, placeholders)).transpose()?;
        Ok((key, filter, projection))
    })?;
    let conditions = match key {
        Some(key) => key_conditions(key)?,
        None => {
            let conditions = legacy::key_conditions(body.key_conditions.unwrap_or_default())?;
            if !(1..=2).contains(&conditions.len()) {
                return Err(Invalid::KeyConditionCount.into());
            }
            conditions
        }
    };
    let projecting = Projecting::of(projection, old_projection);
    let select = Select::settle(select, &projecting, body.index_name.is_some())?;
    let wish = Wish {
        select,
        projection: projecting.projection,
        filter: filter.or(old_filter),
        limit: body.limit.and_then(|limit| usize::try_from(limit.value).ok()),
        consistent: body.consistent_read.unwrap_or(false),
        capacity,
    };
    Ok(Input {
        table: TableName::of(&body.table_name.unwrap_or_default()),
        index: body.index_name,
        conditions,
        filtered_by,
        start,
        forward: body.scan_index_forward.unwrap_or(true),
        wish,
        decided: Decided::default(),
    })
}

impl Operation for Query {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Vec<u8>;
    type Error = DynamoError;

    const NAME: &'static str = "Query";
    const EFFECT: Effect = Effect::ReadsData;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        // The keys that are asked for by `=`: the partition key is always one of them.
        let keys = input.conditions.iter().filter_map(|condition| match &condition.predicate {
            KeyPredicate::Compare(Comparator::Equal, value) => {
                Some((condition.attribute.clone(), value.clone()))
            }
            _ => None,
        });
        let projected = input.wish.projection.iter().flat_map(|projection| projection.paths());
        let need = Need::new("dynamodb:Query", &input.table)
            .on_index(input.index.as_deref())
            .leading([Arc::new(keys.collect())])
            .touching(input.conditions.iter().map(|condition| condition.attribute.as_str()))
            .touching(projected.map(|path| path.head.as_str()))
            .touching(looked_at(input.wish.filter.as_ref()))
            .with("dynamodb:Select", input.wish.select.name())
            .returning(input.wish.capacity);
        permissions(asked, vec![need], &input.decided)
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Vec<u8>, DynamoError> {
        let (meter, cx, input) = (&DynamoDb::meter(&cx), &cx, &input);
        meter
            .read(|tx| async move {
                let open = DynamoDb::table(cx, &tx, &input.table, &input.decided).await?;
                walk(&open, input)?.answer(&tx, meter).await
            })
            .await
    }
}

/// The stretch that the query goes along, once it is found to be the schema's.
fn walk<'a>(open: &'a SharedTable, input: &'a Input) -> Result<Walk<'a>, DynamoError> {
    let index = index(open, input.index.as_deref(), &input.wish)?;
    let schema = index.map_or(&open.table.schema, |index| &index.schema);
    if let Some(start) = &input.start {
        check_start(&open.table, index, start)?;
    }
    check_held(open, index, &input.wish)?;
    let stretch = stretch(schema, index, &input.conditions)?;
    check_filter(open, schema, input)?;
    let root = match index {
        Some(index) => open.layout.entries(index),
        None => open.layout.items(),
    };
    let mut range = stretch.range(&open.layout, root, schema)?;
    if let Some(start) = &input.start {
        stretch.check_start(schema, index, start)?;
        let place = match index {
            Some(index) => open.layout.entry(index, &open.table.schema, start),
            None => open.layout.item(&open.table.schema, start),
        };
        let key = place.ok_or(Invalid::StartKey)?.key;
        range = if input.forward { range.after(key.as_bytes()) } else { range.before(key.as_bytes()) };
    }
    let direction = if input.forward { Direction::Forward } else { Direction::Backward };
    Ok(Walk {
        open,
        index,
        range,
        direction,
        partition: stretch.partition.iter().collect(),
        wish: &input.wish,
    })
}

fn check_filter(open: &OpenTable, schema: &Schema, input: &Input) -> Result<(), Invalid> {
    let paths: Vec<&Path> = input.wish.filter.iter().flat_map(Condition::paths).collect();
    if let Some(path) = paths.iter().find(|path| schema.has(&path.head)) {
        return Err(Invalid::FilterOnKey(input.filtered_by, path.head.clone()));
    }
    open.table.check_paths(paths)?;
    open.table.check_paths(input.wish.projection.iter().flat_map(|projection| projection.paths()))
}

impl ByHand for Query {
    fn decode(call: Call) -> Result<Input, Fault> {
        decode(&call).map_err(DynamoError::of_reading)
    }

    fn encode(output: Vec<u8>) -> Result<Answer, Fault> {
        Ok(Answer::Json(output.into()))
    }
}
