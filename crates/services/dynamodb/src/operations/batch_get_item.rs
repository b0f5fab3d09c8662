use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use homeport_core::Fault;
use homeport_service::{Answer, Asked, ByHand, Call, Cx, Effect, Operation, Permissions};
use homeport_store::{Key, Tx};
use serde::Deserialize;

use super::java_text::shown;
use crate::DynamoDb;
use crate::access::{Decided, Need, permissions};
use crate::capacity::{Answering, Consumed, read_units, write_all};
use crate::error::{DynamoError, Invalid};
use crate::expression::Projection;
use crate::items::{OpenTable, SharedTable};
use crate::legacy;
use crate::metering::Consumes;
use crate::request::{
    Counted, RawPlaceholders, ReturnCapacity, TableName, Violations, body, check_generations,
};
use crate::value::{Checked, Item, StoredItem, decode_stored, encode_stored, write_item, write_string};

/// The most items of one call.
const MAX_ITEMS: usize = 100;
/// Items beyond this many bytes, as they are counted and as JSON, are left for another call.
const MAX_RESPONSE: usize = 16 << 20;

/// `BatchGetItem` (API reference): up to 100 items, of any tables.
pub(crate) struct BatchGetItem;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    request_items: Option<BTreeMap<String, Keys>>,
    return_consumed_capacity: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Keys {
    keys: Option<Counted<Checked<Item>, MAX_ITEMS>>,
    attributes_to_get: Option<Vec<String>>,
    consistent_read: Option<bool>,
    projection_expression: Option<String>,
    expression_attribute_names: Option<BTreeMap<String, String>>,
}

pub(crate) struct Input {
    tables: Vec<OfTable>,
    capacity: ReturnCapacity,
    decided: Decided,
}

struct OfTable {
    /// As the request named it: answers name it so too.
    named: String,
    table: TableName,
    keys: Vec<Arc<Item>>,
    consistent: bool,
    projection: Option<Projection>,
    /// What goes back unchanged with unprocessed keys, as JSON members.
    unchanged: Vec<(&'static str, String)>,
}

fn decode(call: &Call) -> Result<Input, DynamoError> {
    let body: Body = body(call)?;
    let mut violations = Violations::default();
    if body.request_items.as_ref().is_some_and(BTreeMap::is_empty) {
        violations.note("Value at 'RequestItems'", "Member must have length greater than or equal to 1");
        std::mem::take(&mut violations).finish()?;
    }
    let names = body.request_items.iter().flatten().map(|(name, _)| name);
    violations.batch_table_names(names, || as_given(call));
    let capacity = ReturnCapacity::parse(body.return_consumed_capacity.as_deref(), &mut violations);
    violations.require(body.request_items.as_ref(), "requestItems");
    for (name, keys) in body.request_items.iter().flatten() {
        violations.require(keys.keys.as_ref(), &format!("requestItems.{name}.member.keys"));
        let at = format!("requestItems.{name}.member.attributesToGet");
        legacy::check_attributes(keys.attributes_to_get.as_ref(), &at, &mut violations);
        if let Some(keys) = &keys.keys {
            let at = format!("RequestItems.{name}.member.Keys");
            check_count(keys.count(), &at)?;
        }
    }
    violations.finish()?;
    let requested = body.request_items.unwrap_or_default();
    check_mixed(&requested)?;
    let mut tables = Vec::new();
    for (named, keys) in requested {
        tables.push(decode_table(named, keys)?);
    }
    if tables.iter().map(|of| of.keys.len()).sum::<usize>() > MAX_ITEMS {
        return Err(Invalid::TooManyGets.into());
    }
    Ok(Input { tables, capacity, decided: Decided::default() })
}

/// `RequestItems` as the request has it.
fn as_given(call: &Call) -> String {
    let items = body::<serde_json::Value>(call).map(|mut body| body["RequestItems"].take());
    shown(|out| write!(out, "{}", items.unwrap_or_default()))
}

fn check_count(count: usize, at: &str) -> Result<(), Invalid> {
    let constraint = match count {
        0 => "Member must have length greater than or equal to 1",
        1..=MAX_ITEMS => return Ok(()),
        _ => "Member must have length less than or equal to 100",
    };
    Err(Invalid::Constraints(vec![format!("Value at '{at}' failed to satisfy constraint: {constraint}")]))
}

/// Refuses a call that mixes both generations of projections, be it over tables.
fn check_mixed(requested: &BTreeMap<String, Keys>) -> Result<(), Invalid> {
    let any = |has: fn(&Keys) -> bool| requested.values().any(has);
    let expressions = any(|keys| keys.projection_expression.is_some());
    let legacy = any(|keys| keys.attributes_to_get.is_some());
    check_generations(&[("ProjectionExpression", expressions)], &[("AttributesToGet", legacy)], false, false)
}

fn decode_table(named: String, keys: Keys) -> Result<OfTable, DynamoError> {
    let expressions = [("ProjectionExpression", keys.projection_expression.is_some())];
    let old = [("AttributesToGet", keys.attributes_to_get.is_some())];
    check_generations(&expressions, &old, keys.expression_attribute_names.is_some(), false)?;
    let mut unchanged = Vec::new();
    let mut keep = |name, json: Option<String>| unchanged.extend(json.map(|json| (name, json)));
    keep("AttributesToGet", keys.attributes_to_get.as_ref().and_then(|it| serde_json::to_string(it).ok()));
    keep("ConsistentRead", keys.consistent_read.map(|it| it.to_string()));
    keep(
        "ProjectionExpression",
        keys.projection_expression.as_ref().and_then(|it| serde_json::to_string(it).ok()),
    );
    let names = &keys.expression_attribute_names;
    keep("ExpressionAttributeNames", names.as_ref().and_then(|it| serde_json::to_string(it).ok()));
    let legacy = keys.attributes_to_get.map(legacy::projection).transpose()?;
    let placeholders = RawPlaceholders { names: keys.expression_attribute_names, values: None }.check()?;
    let projection = placeholders.read(|placeholders| {
        Ok(keys.projection_expression.map(|text| Projection::parse(&text, placeholders)).transpose()?)
    })?;
    let keys_given = keys.keys.unwrap_or_default().into_kept();
    let given = keys_given.into_iter().map(|key| key.0.map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
    let mut seen = HashSet::new();
    if !given.iter().all(|key| seen.insert(encode_stored(key))) {
        return Err(Invalid::DuplicateKeys.into());
    }
    Ok(OfTable {
        table: TableName::of(&named),
        named,
        keys: given,
        consistent: keys.consistent_read.unwrap_or(false),
        projection: projection.or(legacy),
        unchanged,
    })
}

impl Operation for BatchGetItem {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Vec<u8>;
    type Error = DynamoError;

    const NAME: &'static str = "BatchGetItem";
    const EFFECT: Effect = Effect::ReadsData;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        let needs = input.tables.iter().map(|of| {
            let projected = of.projection.iter().flat_map(|projection| projection.paths());
            let select = if of.projection.is_some() { "SPECIFIC_ATTRIBUTES" } else { "ALL_ATTRIBUTES" };
            Need::new("dynamodb:BatchGetItem", &of.table)
                .leading(of.keys.iter().cloned())
                .touching(projected.map(|path| path.head.as_str()))
                .with("dynamodb:Select", select)
                .returning(input.capacity)
        });
        permissions(asked, needs.collect(), &input.decided)
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Vec<u8>, DynamoError> {
        let (meter, cx, input) = (&DynamoDb::meter(&cx), &cx, &input);
        meter
            .read(|tx| async move {
                let mut opened = Vec::new();
                for of in &input.tables {
                    let open = DynamoDb::table(cx, &tx, &of.table, &input.decided).await?;
                    let keys = keys(&open, of)?;
                    if let Some(projection) = &of.projection {
                        open.table.check_paths(projection.paths())?;
                    }
                    opened.push((open, keys));
                }
                check_distinct(&opened)?;
                let (mut room, mut refused) = (MAX_RESPONSE, 0);
                let mut got = Vec::new();
                for (of, (open, keys)) in input.tables.iter().zip(opened) {
                    match meter.admits(&open, Consumes::Reads) {
                        Ok(()) => got.push(get(&tx, of, (open, &keys), &mut room).await?),
                        Err(throttled) if input.tables.len() == refused + 1 => return Err(throttled.into()),
                        Err(_) => {
                            refused += 1;
                            got.push(Got::nothing(of, open));
                        }
                    }
                }
                got.iter().for_each(|got| meter.admitted(&got.open, Consumes::Reads, &got.consumed));
                Ok(answer(input, &got))
            })
            .await
    }
}

/// Where the items lie, once each key is found to be the table's.
fn keys(open: &OpenTable, of: &OfTable) -> Result<Vec<Key>, DynamoError> {
    of.keys.iter().map(|key| Ok(open.place(key)?.key)).collect()
}

/// Refuses an item that is asked for twice, be it under two names of its table.
fn check_distinct(opened: &[(SharedTable, Vec<Key>)]) -> Result<(), Invalid> {
    let mut seen = HashSet::new();
    let distinct = opened.iter().flat_map(|(_, keys)| keys).all(|key| seen.insert(key));
    if distinct { Ok(()) } else { Err(Invalid::DuplicateKeys) }
}

/// What was got of one table.
struct Got {
    open: SharedTable,
    items: Vec<Vec<u8>>,
    left: Vec<Arc<Item>>,
    consumed: Consumed,
}

impl Got {
    /// All keys are left.
    fn nothing(of: &OfTable, open: SharedTable) -> Self {
        Self { open, items: Vec::new(), left: of.keys.clone(), consumed: Consumed::default() }
    }
}

async fn get(
    tx: &Tx,
    of: &OfTable,
    (open, keys): (SharedTable, &[Key]),
    room: &mut usize,
) -> Result<Got, DynamoError> {
    let mut got = Got { open, items: Vec::new(), left: Vec::new(), consumed: Consumed::default() };
    for (key, stored) in of.keys.iter().zip(tx.get_many(keys).await?) {
        let Some(stored) = stored else {
            got.consumed.add_table(read_units(0, of.consistent));
            continue;
        };
        let item = StoredItem::open(&stored)?;
        if item.size() > *room {
            got.left.push(key.clone());
            continue;
        }
        let partition = &got.open.table.schema.partition.name;
        let is_asked_for = item.holds(&key.get_key_value(partition).into_iter().collect());
        let json = if is_asked_for { Some(projected(of, &stored)?) } else { None };
        let taken = json.as_ref().map_or(0, Vec::len).max(item.size());
        // An item that no answer has room for is given alone, or it would be left for ever.
        if taken > *room && *room < MAX_RESPONSE {
            got.left.push(key.clone());
            continue;
        }
        *room = room.saturating_sub(taken);
        got.consumed.add_table(read_units(item.size(), of.consistent));
        got.items.extend(json);
    }
    Ok(got)
}

/// What is wanted of a stored item, as JSON.
fn projected(of: &OfTable, stored: &[u8]) -> Result<Vec<u8>, DynamoError> {
    let mut json = Vec::new();
    match &of.projection {
        None => StoredItem::open(stored)?.write_json(&mut json)?,
        Some(projection) => write_item(&projection.apply(&decode_stored(stored)?), &mut json),
    }
    Ok(json)
}

fn answer(input: &Input, got: &[Got]) -> Vec<u8> {
    let mut answer = Answering::new();
    let tables = || input.tables.iter().zip(got);
    answer.member("Responses", |out| {
        write_all(b'{', tables(), b'}', out, |(of, got), out| {
            write_string(&of.named, out);
            out.push(b':');
            write_all(b'[', &got.items, b']', out, |item, out| out.extend_from_slice(item));
        });
    });
    answer.member("UnprocessedKeys", |out| {
        let unfinished = tables().filter(|(_, got)| !got.left.is_empty());
        write_all(b'{', unfinished, b'}', out, |(of, got), out| {
            write_string(&of.named, out);
            out.push(b':');
            write_unprocessed(of, &got.left, out);
        });
    });
    answer.consumed_of_all(input.capacity, got.iter().map(|got| (&got.open.table, &got.consumed)));
    answer.finish()
}

fn write_unprocessed(of: &OfTable, left: &[Arc<Item>], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"Keys\":");
    write_all(b'[', left, b']', out, |key, out| write_item(key, out));
    for (name, json) in &of.unchanged {
        out.push(b',');
        write_string(name, out);
        out.push(b':');
        out.extend_from_slice(json.as_bytes());
    }
    out.push(b'}');
}

impl ByHand for BatchGetItem {
    fn decode(call: Call) -> Result<Input, Fault> {
        decode(&call).map_err(DynamoError::of_reading)
    }

    fn encode(output: Vec<u8>) -> Result<Answer, Fault> {
        Ok(Answer::Json(output.into()))
    }
}
