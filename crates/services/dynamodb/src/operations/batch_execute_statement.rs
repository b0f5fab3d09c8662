use std::collections::BTreeMap;

use homeport_core::Fault;
use homeport_service::{Answer, Asked, ByHand, Call, Cx, Effect, Operation, Permission, Permissions};
use homeport_store::{Key, Tx};
use serde::Deserialize;

use super::changing::{Done, Surface, Target, Terms};
use super::statements::{RawParameters, check_members, needed, plan, values};
use crate::DynamoDb;
use crate::access::Decided;
use crate::capacity::{Answering, Consumed, write_all};
use crate::error::{DynamoError, Invalid};
use crate::items::{Occasion, SharedTable};
use crate::metering::{Consumes, Meter};
use crate::partiql::{Plan, StatementError};
use crate::request::{Counted, ReturnCapacity, TableName, Violations, body, wants_old_on_failure};
use crate::value::{write_item, write_string};

/// The most statements of one call.
const MAX_STATEMENTS: usize = 25;

/// `BatchExecuteStatement` (API reference): up to 25 PartiQL statements about one item each, all of them reads or all
/// of them writes. Each succeeds or fails for itself.
pub(crate) struct BatchExecuteStatement;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    statements: Option<Counted<RawStatement, MAX_STATEMENTS>>,
    return_consumed_capacity: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawStatement {
    statement: Option<String>,
    parameters: RawParameters,
    consistent_read: Option<bool>,
    return_values_on_condition_check_failure: Option<String>,
}

pub(crate) struct Input {
    statements: Vec<One>,
    capacity: ReturnCapacity,
    decided: Decided,
}

struct One {
    /// The plan, or what is wrong with the statement.
    plan: Result<Plan, DynamoError>,
    terms: Terms,
}

fn decode(call: &Call) -> Result<Input, DynamoError> {
    let body: Body = body(call)?;
    let mut violations = Violations::default();
    let capacity = ReturnCapacity::parse(body.return_consumed_capacity.as_deref(), &mut violations);
    violations.require(body.statements.as_ref(), "statements");
    let listed = body.statements.unwrap_or_default();
    let at_least = "Member must have length greater than or equal to 1";
    violations.check(listed.count() > 0, || "'[]'".to_owned(), "statements", at_least);
    let (count, at_most) = (listed.count(), "Member must have length less than or equal to 25");
    violations.check(count <= MAX_STATEMENTS, || format!("'[{count} items]'"), "statements", at_most);
    let (raw, mut told) = (listed.into_kept(), Vec::new());
    for (at, one) in raw.iter().enumerate() {
        let place = format!("statements.{}.member.", at + 1);
        check_members(one.statement.as_deref(), &one.parameters, &place, &mut violations);
        let on_failure = one.return_values_on_condition_check_failure.as_deref();
        told.push(wants_old_on_failure(on_failure, &mut violations));
    }
    violations.finish()?;
    let statements: Vec<One> = raw.into_iter().zip(told).map(|(raw, tell_old)| one(raw, tell_old)).collect();
    let mut reads = statements.iter().filter_map(|one| one.plan.as_ref().ok()).map(Plan::reads);
    if let Some(first) = reads.next()
        && reads.any(|other| other != first)
    {
        return Err(StatementError::MixedBatch.into());
    }
    Ok(Input { statements, capacity, decided: Decided::default() })
}

fn one(raw: RawStatement, tell_old: bool) -> One {
    let planned = || plan(&raw.statement.unwrap_or_default(), &values(raw.parameters)?);
    let consistent = raw.consistent_read.unwrap_or(false);
    One { plan: planned(), terms: Terms { consistent, tell_old } }
}

impl Input {
    fn plans(&self) -> impl Iterator<Item = &Plan> {
        self.statements.iter().filter_map(|one| one.plan.as_ref().ok())
    }

    /// All of them read, or all write.
    fn consumes(&self) -> Consumes {
        if self.plans().all(Plan::reads) { Consumes::Reads } else { Consumes::Writes }
    }
}

impl Operation for BatchExecuteStatement {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Vec<u8>;
    type Error = DynamoError;

    const NAME: &'static str = "BatchExecuteStatement";
    const EFFECT: Effect = Effect::WritesData;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        if input.plans().next().is_none() {
            // Nothing will be done: every caller who is known may hear what is wrong with the statements.
            return Permissions::Each(vec![Permission::new("dynamodb:PartiQLSelect", "*")]);
        }
        let plans = input.statements.iter().filter_map(|one| Some((one.plan.as_ref().ok()?, one.terms)));
        needed(asked, plans, Some(Self::NAME), &input.decided).each()
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Vec<u8>, DynamoError> {
        let (meter, cx, input) = (&DynamoDb::meter(&cx), &cx, &input);
        match input.consumes() {
            Consumes::Reads => meter.read(|tx| async move { answer(cx, &tx, input, meter).await }).await,
            Consumes::Writes => meter.write(|tx| async move { answer(cx, &tx, input, meter).await }).await,
        }
    }
}

/// What became of one statement, and the table it ran on.
struct Response {
    outcome: Result<Done, DynamoError>,
    open: Option<SharedTable>,
}

/// Runs the statements in one transaction. A statement that fails has written nothing.
async fn answer(
    cx: &Cx<DynamoDb>,
    tx: &Tx,
    input: &Input,
    meter: &Meter<'_>,
) -> Result<Vec<u8>, DynamoError> {
    let mut opened: Vec<Option<SharedTable>> = Vec::new();
    let permitted = permitted(cx, input);
    for plan in &permitted {
        opened.push(match plan {
            Ok(plan) => found(DynamoDb::table(cx, tx, plan.table(), &input.decided).await)?,
            Err(_) => None,
        });
    }
    check_items(&permitted, &opened)?;
    let mut responses = Vec::new();
    for ((one, plan), open) in input.statements.iter().zip(permitted).zip(opened) {
        let on = Occasion::call(cx.clock().now());
        let outcome = match plan {
            Ok(plan) => run(tx, one, plan, open.as_ref(), on, meter).await,
            Err(error) => Err(error),
        };
        // What is the store's fault is the whole call's.
        if let Err(error) = &outcome
            && code(error).is_none()
        {
            return Err(error.clone());
        }
        responses.push(Response { outcome, open });
    }
    Ok(written(input, &responses, meter))
}

/// The plans of the statements, or why one is none or may not be run.
fn permitted<'i>(cx: &Cx<DynamoDb>, input: &'i Input) -> Vec<Result<&'i Plan, DynamoError>> {
    // What was stated to be needed are the plans alone.
    let mut places = 0..;
    let permitted = |one: &'i One| {
        let plan = one.plan.as_ref().map_err(Clone::clone)?;
        let refusal = places.next().and_then(|place: usize| cx.refused().get(&place));
        refusal.map_or(Ok(plan), |refusal| Err(DynamoError::Denied(refusal.message.clone())))
    };
    input.statements.iter().map(permitted).collect()
}

fn found(table: Result<SharedTable, DynamoError>) -> Result<Option<SharedTable>, DynamoError> {
    match table {
        Ok(open) => Ok(Some(open)),
        Err(DynamoError::NoTable) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Refuses two statements about one item.
fn check_items(
    permitted: &[Result<&Plan, DynamoError>],
    opened: &[Option<SharedTable>],
) -> Result<(), Invalid> {
    let mut seen: Vec<Key> = Vec::new();
    for (plan, open) in permitted.iter().zip(opened) {
        let (Ok(plan), Some(open)) = (plan, open) else { continue };
        let target = Target::of(plan, open, Surface::Batch);
        let Ok(place) = target.and_then(|target| target.place(open)) else { continue };
        if seen.contains(&place.key) {
            return Err(Invalid::DuplicateKeys);
        }
        seen.push(place.key);
    }
    Ok(())
}

async fn run(
    tx: &Tx,
    one: &One,
    plan: &Plan,
    open: Option<&SharedTable>,
    on: Occasion,
    meter: &Meter<'_>,
) -> Result<Done, DynamoError> {
    let open = open.ok_or(DynamoError::NoTable)?;
    meter.admits(open, if plan.reads() { Consumes::Reads } else { Consumes::Writes })?;
    let target = Target::of(plan, open, Surface::Batch)?;
    let place = target.place(open)?;
    target.act(tx, open, &place, one.terms, on).await
}

/// The code of one statement's error (API reference, `BatchStatementError`); none for the whole call's.
fn code(error: &DynamoError) -> Option<&'static str> {
    match error {
        error if error.is_invalid() => Some("ValidationError"),
        DynamoError::NoTable => Some("ResourceNotFound"),
        DynamoError::ConditionFailed { .. } => Some("ConditionalCheckFailed"),
        DynamoError::DuplicateItem => Some("DuplicateItem"),
        DynamoError::Denied(_) => Some("AccessDenied"),
        DynamoError::Throttled(throttled) => Some(throttled.code()),
        _ => None,
    }
}

fn written(input: &Input, responses: &[Response], meter: &Meter<'_>) -> Vec<u8> {
    let mut answer = Answering::new();
    answer.member("Responses", |out| {
        let all = input.statements.iter().zip(responses);
        write_all(b'[', all, b']', out, |(one, response), out| {
            out.extend_from_slice(&response_json(one, response));
        });
    });
    let mut consumed: BTreeMap<&TableName, (&SharedTable, Consumed)> = BTreeMap::new();
    for (one, response) in input.statements.iter().zip(responses) {
        if let (Ok(plan), Ok(done), Some(open)) = (&one.plan, &response.outcome, &response.open) {
            consumed.entry(plan.table()).or_insert((open, Consumed::default())).1.add(&done.consumed);
        }
    }
    for (open, units) in consumed.values() {
        meter.admitted(open, input.consumes(), units);
    }
    answer.consumed_of_all(input.capacity, consumed.values().map(|(open, units)| (&open.table, units)));
    answer.finish()
}

fn response_json(one: &One, response: &Response) -> Vec<u8> {
    let mut answer = Answering::new();
    match &response.outcome {
        Ok(done) => {
            if let Some(item) = &done.item {
                answer.member("Item", |out| write_item(item, out));
            }
        }
        Err(error) => answer.member("Error", |out| out.extend_from_slice(&error_json(error))),
    }
    // A statement that was refused before it ran names no table.
    let ran = !response.outcome.as_ref().is_err_and(DynamoError::is_invalid);
    if let Some(plan) = one.plan.as_ref().ok().filter(|_| ran) {
        answer.member("TableName", |out| write_string(plan.table().name(), out));
    }
    answer.finish()
}

fn error_json(error: &DynamoError) -> Vec<u8> {
    let mut answer = Answering::new();
    answer.member("Code", |out| write_string(code(error).unwrap_or("InternalServerError"), out));
    answer.member("Message", |out| write_string(&error.to_string(), out));
    if let DynamoError::ConditionFailed { item: Some(item) } = error {
        answer.member("Item", |out| out.extend_from_slice(item.as_bytes()));
    }
    answer.finish()
}

impl ByHand for BatchExecuteStatement {
    fn decode(call: Call) -> Result<Input, Fault> {
        decode(&call).map_err(Fault::from)
    }

    fn encode(output: Vec<u8>) -> Result<Answer, Fault> {
        Ok(Answer::Json(output.into()))
    }
}
