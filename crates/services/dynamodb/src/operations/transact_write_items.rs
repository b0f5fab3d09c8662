use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use homeport_core::Fault;
use homeport_service::{Answer, Asked, ByHand, Call, Cx, Effect, Operation, Permissions};
use homeport_store::Tx;
use serde::Deserialize;

use super::client_token::ClientToken;
use super::update_item::{check_targets, updated};
use super::writing::{RawGuard, RawValues, check_condition, collection_key, looked_at, write_collection};
use crate::DynamoDb;
use crate::access::{Decided, Need, permissions};
use crate::capacity::{Answering, Consumed, read_units, write_all, write_units};
use crate::error::{CancellationReason, DynamoError, Invalid};
use crate::expression::{Condition, PlaceholderError, Update};
use crate::items::{Occasion, OpenTable, SharedTable};
use crate::records::Place;
use crate::request::{
    Counted, RawPlaceholders, ReturnCapacity, TableName, Violations, body, check_generations, wants_metrics,
    wants_old_on_failure,
};
use crate::value::{Checked, Item, MAX_ITEM_SIZE, ValueError, item_size, write_string};

/// The most actions of one transaction.
pub(super) const MAX_ACTIONS: usize = 100;
/// The most bytes of a transaction's items.
const MAX_TRANSACTION: usize = 4 << 20;

/// `TransactWriteItems` (API reference): up to 100 writes and checks, all or none.
pub(crate) struct TransactWriteItems;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    transact_items: Option<Counted<RawAction, MAX_ACTIONS>>,
    return_consumed_capacity: Option<String>,
    return_item_collection_metrics: Option<String>,
    client_request_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawAction {
    condition_check: Option<RawWrite>,
    put: Option<RawWrite>,
    delete: Option<RawWrite>,
    update: Option<RawWrite>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawWrite {
    table_name: Option<String>,
    key: Option<Checked<Item>>,
    item: Option<Checked<Item>>,
    update_expression: Option<String>,
    condition_expression: Option<String>,
    expression_attribute_names: Option<BTreeMap<String, String>>,
    expression_attribute_values: Option<RawValues>,
    return_values_on_condition_check_failure: Option<String>,
}

pub(crate) struct Input {
    actions: Vec<Action>,
    capacity: ReturnCapacity,
    metrics: bool,
    token: ClientToken,
    decided: Decided,
}

struct Action {
    table: TableName,
    kind: Kind,
    /// The key, or the item that is put.
    key: Arc<Item>,
    condition: Option<Condition>,
    tell_old: bool,
}

enum Kind {
    Check,
    Put,
    Delete,
    Update(Update),
}

impl Kind {
    fn action(&self) -> &'static str {
        match self {
            Self::Check => "dynamodb:ConditionCheckItem",
            Self::Put => "dynamodb:PutItem",
            Self::Delete => "dynamodb:DeleteItem",
            Self::Update(_) => "dynamodb:UpdateItem",
        }
    }
}

/// Adds what an item counts to what those of its transaction count, unless that is too much.
pub(super) fn add_size(all: &mut usize, one: usize) -> Result<(), Invalid> {
    *all += one;
    if *all > MAX_TRANSACTION { Err(Invalid::TransactSize) } else { Ok(()) }
}

/// Notes too few or too many actions.
pub(super) fn check_count(count: Option<usize>, violations: &mut Violations) {
    let Some(count) = count else { return violations.require::<()>(None, "transactItems") };
    let at_least = "Member must have length greater than or equal to 1";
    violations.check(count >= 1, || "'[]'".to_owned(), "transactItems", at_least);
    let at_most = "Member must have length less than or equal to 100";
    violations.check(count <= MAX_ACTIONS, || format!("'[{count} items]'"), "transactItems", at_most);
}

fn decode(call: &Call) -> Result<Input, DynamoError> {
    let body: Body = body(call)?;
    let mut violations = Violations::default();
    check_count(body.transact_items.as_ref().map(Counted::count), &mut violations);
    let token = ClientToken::of(call, body.client_request_token, &mut violations);
    let capacity = ReturnCapacity::parse(body.return_consumed_capacity.as_deref(), &mut violations);
    let metrics = wants_metrics(body.return_item_collection_metrics.as_deref(), &mut violations);
    // What is wrong with the whole request is told before any action is looked at.
    std::mem::take(&mut violations).finish()?;
    let raw = body.transact_items.unwrap_or_default().into_kept();
    let mut chosen = Vec::new();
    for (at, action) in raw.into_iter().enumerate() {
        chosen.push(choose(action, at, &mut violations)?);
    }
    violations.finish()?;
    let actions =
        chosen.into_iter().map(|(name, write)| decode_action(name, write)).collect::<Result<Vec<_>, _>>()?;
    let mut size = 0;
    for action in &actions {
        add_size(&mut size, item_size(&action.key))?;
    }
    Ok(Input { actions, capacity, metrics, token, decided: Decided::default() })
}

fn choose(
    action: RawAction,
    at: usize,
    violations: &mut Violations,
) -> Result<(&'static str, RawWrite), Invalid> {
    let given = [
        ("conditionCheck", action.condition_check),
        ("put", action.put),
        ("delete", action.delete),
        ("update", action.update),
    ];
    let mut given = given.into_iter().filter_map(|(name, write)| Some((name, write?)));
    let (name, write) = match (given.next(), given.next()) {
        (Some(one), None) => one,
        (None, _) => return Err(Invalid::TransactNothing),
        (Some(_), Some(_)) => return Err(Invalid::TransactItem),
    };
    let member = format!("transactItems.{}.member.{name}", at + 1);
    violations.inner_table_name(write.table_name.as_deref(), &format!("{member}.tableName"));
    match name {
        "put" => violations.require(write.item.as_ref(), &format!("{member}.item")),
        _ => violations.require(write.key.as_ref(), &format!("{member}.key")),
    }
    if name == "update" {
        violations.require(write.update_expression.as_ref(), &format!("{member}.updateExpression"));
    }
    if name == "conditionCheck" {
        violations.require(write.condition_expression.as_ref(), &format!("{member}.conditionExpression"));
    }
    Ok((name, write))
}

fn decode_action(name: &str, write: RawWrite) -> Result<Action, DynamoError> {
    let mut violations = Violations::default();
    let tell_old =
        wants_old_on_failure(write.return_values_on_condition_check_failure.as_deref(), &mut violations);
    violations.finish()?;
    let expressions = [
        ("UpdateExpression", write.update_expression.is_some()),
        ("ConditionExpression", write.condition_expression.is_some()),
    ];
    let taken = if name == "update" { &expressions[..] } else { &expressions[1..] };
    let (has_names, has_values) =
        (write.expression_attribute_names.is_some(), write.expression_attribute_values.is_some());
    // A put's values are taken without a condition that uses them.
    let idle_values = name == "put" && write.condition_expression.is_none();
    check_generations(taken, &[], has_names, has_values && !idle_values)?;
    let given = if name == "put" { write.item } else { write.key };
    let key = Arc::new(given.map_or(Ok(Item::new()), |key| key.0)?);
    if name == "put" && item_size(&key) > MAX_ITEM_SIZE {
        return Err(Invalid::ItemSize.into());
    }
    let placeholders = RawPlaceholders {
        names: write.expression_attribute_names,
        values: write.expression_attribute_values.filter(|_| !idle_values),
    }
    .check()
    .map_err(in_transaction_words)?;
    let guard = RawGuard { expression: write.condition_expression, ..RawGuard::default() };
    let (update, condition) = placeholders.read(|placeholders| {
        let update = write.update_expression.filter(|_| name == "update");
        let update = update.map(|text| Update::parse(&text, placeholders)).transpose()?;
        Ok((update, guard.read(placeholders)?))
    })?;
    let kind = match (name, update) {
        ("put", _) => Kind::Put,
        ("delete", _) => Kind::Delete,
        ("update", Some(update)) => Kind::Update(update),
        _ => Kind::Check,
    };
    Ok(Action { table: TableName::of(&write.table_name.unwrap_or_default()), kind, key, condition, tell_old })
}

/// Of a value that lies too deep, a transaction doesn't say which it is.
fn in_transaction_words(error: PlaceholderError) -> DynamoError {
    match error {
        PlaceholderError::Value { error: error @ ValueError::TooDeep, .. } => error.into(),
        error => error.into(),
    }
}

impl Operation for TransactWriteItems {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Vec<u8>;
    type Error = DynamoError;

    const NAME: &'static str = "TransactWriteItems";
    const EFFECT: Effect = Effect::WritesData;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        let needs = input.actions.iter().map(|action| {
            let need = Need::new(action.kind.action(), &action.table)
                .leading([action.key.clone()])
                .touching(looked_at(action.condition.as_ref()))
                .with("dynamodb:EnclosingOperation", "TransactWriteItems")
                .with("dynamodb:ReturnValues", if action.tell_old { "ALL_OLD" } else { "NONE" })
                .returning(input.capacity);
            match &action.kind {
                Kind::Update(update) => need.touching(update.attributes()),
                _ => need,
            }
        });
        permissions(asked, needs.collect(), &input.decided)
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Vec<u8>, DynamoError> {
        let (meter, cx, input) = (&DynamoDb::meter(&cx), &cx, &input);
        meter
            .write(|tx| async move {
                let mut done = Vec::new();
                for action in &input.actions {
                    done.push(DynamoDb::table(cx, &tx, &action.table, &input.decided).await?);
                }
                if input.token.was_used(cx, &tx).await? {
                    let consumed = read_again(&tx, input, &done).await?;
                    note(input, &done, &consumed, |open, units| meter.reads(open, units))?;
                    return Ok::<_, DynamoError>(answer(input, &done, &consumed));
                }
                let consumed = write(&tx, input, &done, Occasion::call(cx.clock().now())).await?;
                note(input, &done, &consumed, |open, units| meter.writes(open, units))?;
                Ok(answer(input, &done, &consumed))
            })
            .await
            .map_err(|error| error.of_transaction(input.actions.len()))
    }
}

type ConsumedByTable<'a> = BTreeMap<&'a TableName, Consumed>;

/// What it consumes to be told that the transaction was done already: its items are read.
async fn read_again<'a>(
    tx: &Tx,
    input: &'a Input,
    opened: &[SharedTable],
) -> Result<ConsumedByTable<'a>, DynamoError> {
    let mut consumed = ConsumedByTable::new();
    for (action, open) in input.actions.iter().zip(opened) {
        let key = open.table.schema.key_of(&action.key).ok_or(Invalid::KeySchema)?;
        let item = open.item(tx, &open.place(&key)?, &key).await?;
        let units = 2.0 * read_units(item.as_ref().map_or(0, item_size), true);
        let of_table = consumed.entry(&action.table).or_insert_with(Consumed::of_transacted_reads);
        of_table.add_table(units);
    }
    Ok(consumed)
}

/// Notes what was consumed of each table; that one of them doesn't serve so much gives up the transaction.
fn note(
    input: &Input,
    opened: &[SharedTable],
    consumed: &ConsumedByTable<'_>,
    meter: impl Fn(&SharedTable, &Consumed) -> Result<(), DynamoError>,
) -> Result<(), DynamoError> {
    for (table, units) in consumed {
        let of_table = |action: &Action| action.table == **table;
        let Some(at) = input.actions.iter().position(of_table) else { continue };
        meter(&opened[at], units)
            .map_err(|error| in_transaction(error, input.actions.iter().map(of_table)))?;
    }
    Ok(())
}

/// What a table doesn't serve, as the reason of the actions on it.
pub(super) fn in_transaction(error: DynamoError, of_table: impl IntoIterator<Item = bool>) -> DynamoError {
    let DynamoError::Throttled(throttled) = &error else { return error };
    let none = CancellationReason { code: "None", ..CancellationReason::default() };
    let reason =
        CancellationReason { code: throttled.code(), message: Some(throttled.to_string()), item: None };
    let reasons = of_table.into_iter().map(|is| if is { reason.clone() } else { none.clone() });
    DynamoError::TransactionCanceled(reasons.collect())
}

/// Does all actions, or says why each of them was given up.
async fn write<'a>(
    tx: &Tx,
    input: &'a Input,
    opened: &[SharedTable],
    on: Occasion,
) -> Result<ConsumedByTable<'a>, DynamoError> {
    let places = places(input, opened)?;
    let (mut reasons, mut consumed, mut size) = (Vec::new(), ConsumedByTable::new(), 0);
    for ((action, open), place) in input.actions.iter().zip(opened).zip(&places) {
        if let Some((units, made)) = reason_or(act(tx, action, open, place, on).await, &mut reasons)? {
            add_size(&mut size, made)?;
            let of_table = consumed.entry(&action.table).or_insert_with(Consumed::of_transacted_writes);
            of_table.add(&units.doubled());
        }
    }
    cancel_for(reasons)?;
    Ok(consumed)
}

/// Where the actions' items lie. Of those that are wrong the first alone is told, before any that is there twice.
fn places(input: &Input, opened: &[SharedTable]) -> Result<Vec<Place>, DynamoError> {
    let (mut places, mut reasons) = (Vec::new(), Vec::new());
    for (action, open) in input.actions.iter().zip(opened) {
        match reason_or(place(action, open), &mut reasons)? {
            Some(place) => places.push(place),
            None => break,
        }
    }
    reasons.resize(input.actions.len(), None);
    cancel_for(reasons)?;
    let mut seen = BTreeSet::new();
    if places.iter().all(|place| seen.insert(place.key.as_bytes())) {
        Ok(places)
    } else {
        Err(Invalid::TransactTwice.into())
    }
}

/// Gives up the transaction if there is a reason to.
pub(super) fn cancel_for(reasons: Vec<Option<CancellationReason>>) -> Result<(), DynamoError> {
    if reasons.iter().all(Option::is_none) {
        return Ok(());
    }
    let none = || CancellationReason { code: "None", ..CancellationReason::default() };
    Err(DynamoError::TransactionCanceled(
        reasons.into_iter().map(|reason| reason.unwrap_or_else(none)).collect(),
    ))
}

/// Where the action's item lies, once key and paths are found to be the table's.
fn place(action: &Action, open: &OpenTable) -> Result<Place, DynamoError> {
    open.table.check_paths(action.condition.iter().flat_map(Condition::paths))?;
    match &action.kind {
        Kind::Put => {
            open.table.check_item(&action.key)?;
            open.layout.item(&open.table.schema, &action.key).ok_or_else(|| Invalid::KeySchema.into())
        }
        Kind::Update(update) => {
            let place = open.place(&action.key)?;
            check_targets(open, update)?;
            Ok(place)
        }
        Kind::Check | Kind::Delete => open.place(&action.key),
    }
}

/// Does one action; gives what that consumes, and the size that counts towards the transaction's.
async fn act(
    tx: &Tx,
    action: &Action,
    open: &OpenTable,
    place: &Place,
    on: Occasion,
) -> Result<(Consumed, usize), DynamoError> {
    let before = open.item(tx, place, &action.key).await?;
    check_condition(action.condition.as_ref(), before.as_ref(), action.tell_old)?;
    let given = item_size(&action.key);
    Ok(match &action.kind {
        Kind::Check => (Consumed::table(write_units(before.as_ref().map_or(0, item_size))), given),
        Kind::Put => (open.put(tx, place, before.as_ref(), &action.key, on).await?, given),
        Kind::Delete => (open.delete(tx, place, before.as_ref(), on).await?, given),
        Kind::Update(update) => {
            let after = updated(open, &action.key, before.as_ref(), update)?;
            let consumed = open.keep(tx, place, before.as_ref(), after.as_ref(), on).await?;
            (consumed, after.as_ref().map_or(given, item_size))
        }
    })
}

/// Notes a failure of one action as its reason. What is wrong with the request whatever the store holds, ends it
/// at once.
pub(super) fn reason_or<T>(
    outcome: Result<T, DynamoError>,
    reasons: &mut Vec<Option<CancellationReason>>,
) -> Result<Option<T>, DynamoError> {
    let error = match outcome {
        Ok(value) => {
            reasons.push(None);
            return Ok(Some(value));
        }
        Err(error) => error,
    };
    let message = error.to_string();
    let reason = match error {
        DynamoError::ConditionFailed { item } => {
            let item = item.filter(|_| has_room(reasons));
            CancellationReason { code: "ConditionalCheckFailed", message: Some(message), item }
        }
        DynamoError::DuplicateItem => {
            CancellationReason { code: "DuplicateItem", message: Some(message), item: None }
        }
        error
            if error.is_invalid() && !message.starts_with("One or more parameter values are not valid.") =>
        {
            CancellationReason { code: "ValidationError", message: Some(message), item: None }
        }
        error => return Err(error),
    };
    reasons.push(Some(reason));
    Ok(None)
}

/// Whether the reasons may show one more item: not behind as many bytes as a transaction's items may have.
fn has_room(reasons: &[Option<CancellationReason>]) -> bool {
    let items = reasons.iter().flatten().filter_map(|reason| reason.item.as_ref());
    items.map(String::len).sum::<usize>() < MAX_TRANSACTION
}

fn answer(input: &Input, opened: &[SharedTable], consumed: &ConsumedByTable<'_>) -> Vec<u8> {
    let mut answer = Answering::new();
    let of = |name: &TableName| {
        let at = input.actions.iter().position(|action| action.table == *name);
        at.and_then(|at| opened.get(at))
    };
    let units = consumed.iter().filter_map(|(name, units)| Some((&of(name)?.table, units)));
    answer.consumed_of_all(input.capacity, units);
    if input.metrics {
        let mut collections: BTreeMap<&str, Vec<Item>> = BTreeMap::new();
        for (action, open) in input.actions.iter().zip(opened) {
            if let Some(key) = collection_key(open, &action.key) {
                let keys = collections.entry(action.table.name()).or_default();
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        answer.member("ItemCollectionMetrics", |out| {
            write_all(b'{', collections, b'}', out, |(name, keys), out| {
                write_string(name, out);
                out.push(b':');
                write_all(b'[', &keys, b']', out, write_collection);
            });
        });
    }
    answer.finish()
}

impl ByHand for TransactWriteItems {
    fn decode(call: Call) -> Result<Input, Fault> {
        decode(&call).map_err(Fault::from)
    }

    fn encode(output: Vec<u8>) -> Result<Answer, Fault> {
        Ok(Answer::Json(output.into()))
    }
}
