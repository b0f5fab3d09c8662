use std::collections::BTreeMap;

use bytes::Bytes;
use homeport_core::Fault;
use homeport_service::{Answer, Asked, ByHand, Call, Cx, Effect, Operation, Permissions};
use homeport_store::{Direction, Key, Range};
use serde::Deserialize;

use super::reading::{Projecting, Select, Walk, Wish, check_limit, fits, index, start_key, start_key_names};
use super::writing::{RawValues, looked_at};
use crate::DynamoDb;
use crate::access::{Decided, Need, permissions};
use crate::error::{DynamoError, Invalid};
use crate::expression::{
    Comparator, Condition, ExpressionKind, KeyCondition, KeyPredicate, Operand, Path, Projection,
    key_conditions,
};
use crate::items::OpenTable;
use crate::legacy::{self, RawConditions, any_suffices, check_operators};
use crate::records::{sort_prefix, with_sort};
use crate::request::{RawPlaceholders, ReturnCapacity, TableName, Violations, body, check_generations};
use crate::table::{Index, Schema};
use crate::value::{AttributeValue, Item};

/// `Query` (API reference): the items of one partition, in the order of sort keys.
pub(crate) struct Query;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    table_name: Option<String>,
    index_name: Option<String>,
    select: Option<String>,
    attributes_to_get: Option<Vec<String>>,
    limit: Option<i64>,
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
    let mut violations = Violations::default();
    let select = Select::parse(body.select.as_deref(), &mut violations);
    if let Some(name) = &body.index_name {
        violations.name(name, "indexName", 3);
    }
    let capacity = ReturnCapacity::parse(body.return_consumed_capacity.as_deref(), &mut violations);
    check_operators(body.query_filter.as_ref(), "queryFilter", &mut violations);
    violations.table_name(body.table_name.as_deref(), "tableName");
    let any = any_suffices(body.conditional_operator.as_deref(), &mut violations);
    check_limit(body.limit, true, &mut violations);
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
        None => legacy::key_conditions(body.key_conditions.unwrap_or_default())?,
    };
    if !(1..=2).contains(&conditions.len()) {
        return Err(Invalid::KeyConditionCount.into());
    }
    let projecting = Projecting::of(projection, old_projection);
    let select = Select::settle(select, &projecting, body.index_name.is_some(), "Querying")?;
    let wish = Wish {
        select,
        projection: projecting.projection,
        filter: filter.or(old_filter),
        limit: body.limit.and_then(|limit| usize::try_from(limit).ok()),
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
            .leading([keys.collect()])
            .touching(input.conditions.iter().map(|condition| condition.attribute.as_str()))
            .touching(projected.map(|path| path.head.as_str()))
            .touching(looked_at(input.wish.filter.as_ref()))
            .with("dynamodb:Select", input.wish.select.name())
            .returning(input.wish.capacity);
        permissions(asked, vec![need], &input.decided)
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Vec<u8>, DynamoError> {
        let (cx, input) = (&cx, &input);
        cx.read(|tx| async move {
            let open = DynamoDb::table(cx, &tx, &input.table, &input.decided).await?;
            walk(&open, input)?.answer(&tx).await
        })
        .await
    }
}

/// The stretch that the query goes along, once it is found to be the schema's.
fn walk<'a>(open: &'a OpenTable, input: &'a Input) -> Result<Walk<'a>, DynamoError> {
    let index = index(open, input.index.as_deref(), &input.wish)?;
    let schema = index.map_or(&open.table.schema, |index| &index.schema);
    if let Some(start) = &input.start {
        check_start(open, index, start)?;
    }
    let partition = check_conditions(schema, &input.conditions)?;
    let sort =
        schema.sort.as_ref().and_then(|sort| input.conditions.iter().find(|it| it.attribute == sort.name));
    check_filter(open, schema, input)?;
    let root = match index {
        Some(index) => open.layout.entries(index),
        None => open.layout.items(),
    };
    let prefix = open.layout.partition(root, partition);
    let mut range = match sort {
        Some(condition) => range_of(&prefix, &condition.predicate),
        None => Range::prefix(&prefix),
    };
    if let Some(start) = &input.start {
        check_start_position(schema, start, partition, sort)?;
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
        partition: Some((&schema.partition, partition)),
        wish: &input.wish,
    })
}

fn check_start(open: &OpenTable, index: Option<&Index>, start: &Item) -> Result<(), Invalid> {
    let names = start_key_names(&open.table.schema, index);
    if start.len() != names.len() || names.iter().any(|name| !start.contains_key(*name)) {
        return Err(Invalid::StartKey);
    }
    if !index.is_none_or(|index| fits(&index.schema, start)) {
        return Err(Invalid::StartKey);
    }
    let key = start
        .iter()
        .filter(|(name, _)| open.table.schema.has(name))
        .map(|(name, value)| (name.clone(), value.clone()));
    open.table.schema.check_key(&key.collect()).map_err(|error| Invalid::StartKeyBecause(error.to_string()))
}

/// The partition that is asked for, if the conditions are such that the schema can answer.
fn check_conditions<'a>(
    schema: &Schema,
    conditions: &'a [KeyCondition],
) -> Result<&'a AttributeValue, Invalid> {
    if schema.sort.is_none() && conditions.len() > 1 {
        return Err(Invalid::KeyConditionNotSupported);
    }
    let mut partition = None;
    for (at, attribute) in schema.attributes().enumerate() {
        let Some(condition) = conditions.iter().find(|condition| condition.attribute == attribute.name)
        else {
            if at == 0 || conditions.len() > 1 {
                return Err(Invalid::MissedKey(attribute.name.clone()));
            }
            continue;
        };
        let kind = attribute.kind.value_type();
        if condition.predicate.values().iter().any(|value| value.value_type() != kind) {
            return Err(Invalid::KeyConditionType);
        }
        if at > 0 {
            continue;
        }
        match &condition.predicate {
            KeyPredicate::Compare(Comparator::Equal, value) => partition = Some(value),
            _ => return Err(Invalid::KeyConditionNotSupported),
        }
    }
    partition.ok_or(Invalid::KeyConditionNotSupported)
}

fn check_filter(open: &OpenTable, schema: &Schema, input: &Input) -> Result<(), Invalid> {
    let paths: Vec<&Path> = input.wish.filter.iter().flat_map(Condition::paths).collect();
    if let Some(path) = paths.iter().find(|path| schema.has(&path.head)) {
        return Err(Invalid::FilterOnKey(input.filtered_by, path.head.clone()));
    }
    open.table.check_paths(paths)?;
    open.table.check_paths(input.wish.projection.iter().flat_map(|projection| projection.paths()))
}

fn check_start_position(
    schema: &Schema,
    start: &Item,
    partition: &AttributeValue,
    sort: Option<&KeyCondition>,
) -> Result<(), Invalid> {
    let same_partition = start.get(&schema.partition.name) == Some(partition);
    let Some(sort) = sort else {
        return if same_partition { Ok(()) } else { Err(Invalid::StartKeyOutside) };
    };
    if !meant(sort).holds(start) {
        return Err(Invalid::StartKeyPredicate);
    }
    if same_partition { Ok(()) } else { Err(Invalid::StartKeyOutside) }
}

/// A key condition as a condition.
fn meant(condition: &KeyCondition) -> Condition {
    let subject = Operand::Path(Path { head: condition.attribute.clone(), rest: Vec::new() });
    match condition.predicate.clone() {
        KeyPredicate::Compare(comparator, value) => {
            Condition::Compare(comparator, subject, Operand::Value(value))
        }
        KeyPredicate::Between(lower, upper) => {
            Condition::Between(subject, Operand::Value(lower), Operand::Value(upper))
        }
        KeyPredicate::BeginsWith(prefix) => Condition::BeginsWith(subject, Operand::Value(prefix)),
    }
}

/// The stretch of a partition's keys that a predicate on the sort key leaves.
pub(super) fn range_of(partition: &Key, predicate: &KeyPredicate) -> Range {
    let all = Range::prefix(partition);
    let key = |value: &AttributeValue| with_sort(partition.clone(), value);
    match predicate {
        KeyPredicate::BeginsWith(prefix) => Range::prefix(&sort_prefix(partition.clone(), prefix)),
        KeyPredicate::Between(lower, upper) => all.after(&before(&key(lower))).before(&behind(&key(upper))),
        KeyPredicate::Compare(comparator, value) => {
            let key = key(value);
            match comparator {
                Comparator::Less => all.before(key.as_bytes()),
                Comparator::LessOrEqual => all.before(&behind(&key)),
                Comparator::Greater => all.after(&behind(&key)),
                Comparator::GreaterOrEqual => all.after(&before(&key)),
                Comparator::Equal | Comparator::NotEqual => Range::prefix(&key),
            }
        }
    }
}

/// Bytes behind all keys that begin with this one: no part of a key begins so.
fn behind(key: &Key) -> Bytes {
    [key.as_bytes(), &[u8::MAX]].concat().into()
}

/// Bytes just before this key: without the byte that ends its last part, which is the least there is.
fn before(key: &Key) -> Bytes {
    let bytes = key.as_bytes();
    Bytes::copy_from_slice(&bytes[..bytes.len().saturating_sub(1)])
}

impl ByHand for Query {
    fn decode(call: Call) -> Result<Input, Fault> {
        decode(&call).map_err(Fault::from)
    }

    fn encode(output: Vec<u8>) -> Result<Answer, Fault> {
        Ok(Answer::Json(output.into()))
    }
}
