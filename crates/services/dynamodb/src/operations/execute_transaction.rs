use std::collections::BTreeMap;

use homeport_core::Fault;
use homeport_service::{Answer, Asked, ByHand, Call, Cx, Effect, Operation, Permissions};
use homeport_store::Tx;
use serde::Deserialize;

use super::changing::{Done, Surface, Target, Terms};
use super::client_token::ClientToken;
use super::statements::{RawParameters, check_members, needed, values};
use super::transact_write_items::{MAX_ACTIONS, add_size, cancel_for, in_transaction, reason_or};
use crate::DynamoDb;
use crate::access::Decided;
use crate::capacity::{Answering, Consumed, write_all};
use crate::error::{DynamoError, Invalid};
use crate::items::{Occasion, SharedTable};
use crate::metering::Meter;
use crate::partiql::{Plan, StatementError, prepare};
use crate::records::Place;
use crate::request::{Counted, ReturnCapacity, TableName, Violations, body, wants_old_on_failure};
use crate::value::{AttributeValue, write_item};

/// `ExecuteTransaction` (API reference): up to 100 PartiQL statements about one item each, all of them reads or all
/// of them writes and checks; all or none.
pub(crate) struct ExecuteTransaction;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    transact_statements: Option<Counted<RawStatement, MAX_ACTIONS>>,
    client_request_token: Option<String>,
    return_consumed_capacity: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawStatement {
    statement: Option<String>,
    parameters: RawParameters,
    return_values_on_condition_check_failure: Option<String>,
}

pub(crate) struct Input {
    statements: Vec<One>,
    capacity: ReturnCapacity,
    token: ClientToken,
    decided: Decided,
}

struct One {
    plan: Plan,
    terms: Terms,
}

fn decode(call: &Call) -> Result<Input, DynamoError> {
    let body: Body = body(call)?;
    let mut violations = Violations::default();
    let capacity = ReturnCapacity::parse(body.return_consumed_capacity.as_deref(), &mut violations);
    violations.require(body.transact_statements.as_ref(), "transactStatements");
    let listed = body.transact_statements.unwrap_or_default();
    let at_least = "Member must have length greater than or equal to 1";
    violations.check(listed.count() > 0, || "'[]'".to_owned(), "transactStatements", at_least);
    let (count, at_most) = (listed.count(), "Member must have length less than or equal to 100");
    violations.check(count <= MAX_ACTIONS, || format!("'[{count} items]'"), "transactStatements", at_most);
    let token = ClientToken::of(call, body.client_request_token, &mut violations);
    let (raw, mut told) = (listed.into_kept(), Vec::new());
    for (at, one) in raw.iter().enumerate() {
        let place = format!("transactStatements.{}.member.", at + 1);
        check_members(one.statement.as_deref(), &one.parameters, &place, &mut violations);
        let on_failure = one.return_values_on_condition_check_failure.as_deref();
        told.push(wants_old_on_failure(on_failure, &mut violations));
    }
    violations.finish()?;
    let mut statements = Vec::new();
    let mut given: Vec<(String, Vec<AttributeValue>)> = Vec::new();
    for one in raw {
        given.push((one.statement.unwrap_or_default(), values(one.parameters)?));
    }
    for (at, ((statement, parameters), tell_old)) in given.iter().zip(told).enumerate() {
        let plan = plan(statement, parameters).map_err(|error| in_statement(at, error))?;
        statements.push(One { plan, terms: Terms { consistent: true, tell_old } });
    }
    let reads = statements.iter().filter(|one| one.plan.reads()).count();
    if reads > 0 && reads < statements.len() {
        return Err(StatementError::MixedTransaction.into());
    }
    Ok(Input { statements, capacity, token, decided: Decided::default() })
}

/// The plan of a statement, if it may be part of a transaction.
fn plan(statement: &str, parameters: &[AttributeValue]) -> Result<Plan, DynamoError> {
    let plan = prepare(statement, parameters)?;
    if plan.returning().is_some() {
        return Err(StatementError::ReturningInTransaction.into());
    }
    match &plan {
        Plan::Select(selection) if selection.index.is_some() => {
            Err(StatementError::IndexInTransaction.into())
        }
        _ => Ok(plan),
    }
}

/// The error with the statement that it is about.
fn in_statement(at: usize, error: DynamoError) -> DynamoError {
    match error {
        error if error.is_invalid() => {
            DynamoError::Validation(format!("Validation failed in TransactStatements[{at}]: {error}"))
        }
        error => error,
    }
}

impl Operation for ExecuteTransaction {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Vec<u8>;
    type Error = DynamoError;

    const NAME: &'static str = "ExecuteTransaction";
    const EFFECT: Effect = Effect::WritesData;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        let plans = input.statements.iter().map(|one| (&one.plan, one.terms));
        needed(asked, plans, Some(Self::NAME), &input.decided)
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Vec<u8>, DynamoError> {
        let (meter, cx, input) = (&DynamoDb::meter(&cx), &cx, &input);
        if input.statements.iter().all(|one| one.plan.reads()) {
            meter
                .read(|tx| async move {
                    let opened = open(cx, &tx, input).await?;
                    let done = execute(&tx, input, &opened, Occasion::call(cx.clock().now())).await?;
                    answer(input, &opened, &done, meter)
                })
                .await
        } else {
            meter
                .write(|tx| async move {
                    let opened = open(cx, &tx, input).await?;
                    if input.token.was_used(cx, &tx).await? {
                        return answer(input, &opened, &[], meter);
                    }
                    let done = execute(&tx, input, &opened, Occasion::call(cx.clock().now())).await?;
                    answer(input, &opened, &done, meter)
                })
                .await
                .map_err(|error| error.of_transaction(input.statements.len()))
        }
    }
}

async fn open(cx: &Cx<DynamoDb>, tx: &Tx, input: &Input) -> Result<Vec<SharedTable>, DynamoError> {
    let mut opened = Vec::new();
    for one in &input.statements {
        opened.push(DynamoDb::table(cx, tx, one.plan.table(), &input.decided).await?);
    }
    Ok(opened)
}

/// Runs all statements, or says why each of them was given up.
async fn execute(
    tx: &Tx,
    input: &Input,
    opened: &[SharedTable],
    on: Occasion,
) -> Result<Vec<Done>, DynamoError> {
    let mut targets = Vec::new();
    for (at, (one, open)) in input.statements.iter().zip(opened).enumerate() {
        let target = Target::of(&one.plan, open, Surface::Transaction);
        targets.push(target.map_err(|error| in_statement(at, error))?);
    }
    let mut reasons = Vec::new();
    let mut places: Vec<Place> = Vec::new();
    for (target, open) in targets.iter().zip(opened) {
        places.extend(reason_or(target.place(open), &mut reasons)?);
    }
    cancel_for(reasons)?;
    if places.iter().enumerate().any(|(at, place)| places[..at].iter().any(|other| other.key == place.key)) {
        return Err(Invalid::TransactTwice.into());
    }
    let (mut reasons, mut done, mut size) = (Vec::new(), Vec::<Done>::new(), 0);
    for (((one, target), open), place) in input.statements.iter().zip(&targets).zip(opened).zip(&places) {
        let outcome = target.act(tx, open, place, one.terms, on).await;
        if let Some(one) = reason_or(outcome, &mut reasons)? {
            add_size(&mut size, one.size)?;
            done.push(one);
        }
    }
    cancel_for(reasons)?;
    Ok(done)
}

/// A response per read, none for writes; what was consumed is charged twice.
fn answer(
    input: &Input,
    opened: &[SharedTable],
    done: &[Done],
    meter: &Meter<'_>,
) -> Result<Vec<u8>, DynamoError> {
    let mut answer = Answering::new();
    let read = || input.statements.iter().zip(done).filter(|(one, _)| one.plan.reads());
    answer.member("Responses", |out| {
        write_all(b'[', read(), b']', out, |(_, done), out| {
            let mut response = Answering::new();
            if let Some(item) = &done.item {
                response.member("Item", |out| write_item(item, out));
            }
            out.extend_from_slice(&response.finish());
        });
    });
    let mut consumed: BTreeMap<&TableName, (&SharedTable, Consumed)> = BTreeMap::new();
    for ((one, open), done) in input.statements.iter().zip(opened).zip(done) {
        let nothing =
            if one.plan.reads() { Consumed::of_transacted_reads() } else { Consumed::of_transacted_writes() };
        let of_table = consumed.entry(one.plan.table()).or_insert((open, nothing));
        of_table.1.add(&done.consumed.clone().doubled());
    }
    for (table, (open, units)) in &consumed {
        let of_table = |one: &One| one.plan.table() == *table;
        let reads = input.statements.iter().any(|one| of_table(one) && one.plan.reads());
        let noted = if reads { meter.reads(open, units) } else { meter.writes(open, units) };
        noted.map_err(|error| in_transaction(error, input.statements.iter().map(of_table)))?;
    }
    answer.consumed_of_all(input.capacity, consumed.values().map(|(open, units)| (&open.table, units)));
    Ok(answer.finish())
}

impl ByHand for ExecuteTransaction {
    fn decode(call: Call) -> Result<Input, Fault> {
        decode(&call).map_err(Fault::from)
    }

    fn encode(output: Vec<u8>) -> Result<Answer, Fault> {
        Ok(Answer::Json(output.into()))
    }
}
