use std::collections::BTreeMap;
use std::sync::Arc;

use homeport_core::Fault;
use homeport_service::{Answer, Asked, ByHand, Call, Cx, Effect, Operation, Permissions};
use serde::Deserialize;

use super::transact_write_items::{MAX_ACTIONS, add_size, check_count, in_transaction};
use crate::DynamoDb;
use crate::access::{Decided, Need, permissions};
use crate::capacity::{Answering, Consumed, read_units, write_all};
use crate::error::{CancellationReason, DynamoError, Invalid};
use crate::expression::Projection;
use crate::items::SharedTable;
use crate::request::{Counted, RawPlaceholders, ReturnCapacity, TableName, Violations, body};
use crate::value::{Checked, Item, item_size, write_item};

/// `TransactGetItems` (API reference): up to 100 items as of one moment.
pub(crate) struct TransactGetItems;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    transact_items: Option<Counted<Action, MAX_ACTIONS>>,
    return_consumed_capacity: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Action {
    get: Option<RawGet>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawGet {
    table_name: Option<String>,
    key: Option<Checked<Item>>,
    projection_expression: Option<String>,
    expression_attribute_names: Option<BTreeMap<String, String>>,
}

pub(crate) struct Input {
    gets: Vec<Get>,
    capacity: ReturnCapacity,
    decided: Decided,
}

struct Get {
    table: TableName,
    key: Arc<Item>,
    projection: Option<Projection>,
}

fn decode(call: &Call) -> Result<Input, DynamoError> {
    let body: Body = body(call)?;
    let mut violations = Violations::default();
    check_count(body.transact_items.as_ref().map(Counted::count), &mut violations);
    let capacity = ReturnCapacity::parse(body.return_consumed_capacity.as_deref(), &mut violations);
    std::mem::take(&mut violations).finish()?;
    let actions = body.transact_items.unwrap_or_default().into_kept();
    for (at, action) in actions.iter().enumerate() {
        let member = format!("transactItems.{}.member.get", at + 1);
        violations.require(action.get.as_ref(), &member);
        if let Some(get) = &action.get {
            violations.inner_table_name(get.table_name.as_deref(), &format!("{member}.tableName"));
            violations.require(get.key.as_ref(), &format!("{member}.key"));
        }
    }
    violations.finish()?;
    let gets =
        actions.into_iter().filter_map(|action| action.get).map(decode_get).collect::<Result<_, _>>()?;
    Ok(Input { gets, capacity, decided: Decided::default() })
}

fn decode_get(get: RawGet) -> Result<Get, DynamoError> {
    if get.expression_attribute_names.is_some() && get.projection_expression.is_none() {
        return Err(Invalid::NamesAlone.into());
    }
    let key = Arc::new(get.key.map_or(Ok(Item::new()), |key| key.0)?);
    let placeholders = RawPlaceholders { names: get.expression_attribute_names, values: None }.check()?;
    let projection = placeholders.read(|placeholders| {
        Ok(get.projection_expression.map(|text| Projection::parse(&text, placeholders)).transpose()?)
    })?;
    Ok(Get { table: TableName::of(&get.table_name.unwrap_or_default()), key, projection })
}

impl Operation for TransactGetItems {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Vec<u8>;
    type Error = DynamoError;

    const NAME: &'static str = "TransactGetItems";
    const EFFECT: Effect = Effect::ReadsData;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        let needs = input.gets.iter().map(|get| {
            let projected = get.projection.iter().flat_map(|projection| projection.paths());
            let select = if get.projection.is_some() { "SPECIFIC_ATTRIBUTES" } else { "ALL_ATTRIBUTES" };
            Need::new("dynamodb:GetItem", &get.table)
                .leading([get.key.clone()])
                .touching(projected.map(|path| path.head.as_str()))
                .with("dynamodb:Select", select)
                .with("dynamodb:EnclosingOperation", "TransactGetItems")
                .returning(input.capacity)
        });
        permissions(asked, needs.collect(), &input.decided)
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Vec<u8>, DynamoError> {
        let (meter, cx, input) = (&DynamoDb::meter(&cx), &cx, &input);
        meter
            .read(|tx| async move {
                let mut opened = Vec::new();
                for get in &input.gets {
                    opened.push(DynamoDb::table(cx, &tx, &get.table, &input.decided).await?);
                }
                check_keys(input, &opened)?;
                let (mut items, mut size) = (Vec::new(), 0);
                let mut consumed: BTreeMap<&TableName, (SharedTable, Consumed)> = BTreeMap::new();
                for (get, open) in input.gets.iter().zip(opened) {
                    let place = open.place(&get.key)?;
                    let item = open.item(&tx, &place, &get.key).await?;
                    let read = item.as_ref().map_or(0, item_size);
                    add_size(&mut size, read)?;
                    let units = 2.0 * read_units(read, true);
                    let of_table = consumed
                        .entry(&get.table)
                        .or_insert_with(|| (open.clone(), Consumed::of_transacted_reads()));
                    of_table.1.add_table(units);
                    items.push(item.and_then(|item| projected(get, item)));
                }
                for (table, (open, units)) in &consumed {
                    let of_table = input.gets.iter().map(|get| get.table == **table);
                    meter.reads(open, units).map_err(|error| in_transaction(error, of_table))?;
                }
                let mut answer = Answering::new();
                answer.member("Responses", |out| {
                    write_all(b'[', &items, b']', out, |item, out| match item {
                        Some(item) => {
                            out.extend_from_slice(b"{\"Item\":");
                            write_item(item, out);
                            out.push(b'}');
                        }
                        None => out.extend_from_slice(b"{}"),
                    });
                });
                answer.consumed_of_all(
                    input.capacity,
                    consumed.values().map(|(open, units)| (&open.table, units)),
                );
                Ok(answer.finish())
            })
            .await
    }
}

/// What is wanted of an item; none if it has nothing of that.
fn projected(get: &Get, item: Item) -> Option<Item> {
    match &get.projection {
        None => Some(item),
        Some(projection) => Some(projection.apply(&item)).filter(|parts| !parts.is_empty()),
    }
}

/// Refuses keys that are none, as reasons of the transaction's end.
fn check_keys(input: &Input, opened: &[SharedTable]) -> Result<(), DynamoError> {
    let mut reasons =
        vec![CancellationReason { code: "None", ..CancellationReason::default() }; input.gets.len()];
    let mut seen: Vec<_> = Vec::new();
    for ((get, open), reason) in input.gets.iter().zip(opened).zip(&mut reasons) {
        match open.table.schema.check_key(&get.key) {
            Ok(()) => {
                let place = open.place(&get.key)?;
                if seen.contains(&place.key) {
                    return Err(Invalid::TransactTwice.into());
                }
                seen.push(place.key);
            }
            Err(error) => {
                *reason = CancellationReason {
                    code: "ValidationError",
                    message: Some(error.to_string()),
                    item: None,
                };
            }
        }
    }
    if reasons.iter().all(|reason| reason.code == "None") {
        return Ok(());
    }
    Err(DynamoError::TransactionCanceled(reasons))
}

impl ByHand for TransactGetItems {
    fn decode(call: Call) -> Result<Input, Fault> {
        decode(&call).map_err(Fault::from)
    }

    fn encode(output: Vec<u8>) -> Result<Answer, Fault> {
        Ok(Answer::Json(output.into()))
    }
}
