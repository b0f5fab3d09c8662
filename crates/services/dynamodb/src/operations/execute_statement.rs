use homeport_core::Fault;
use homeport_service::{Answer, Asked, ByHand, Call, Cx, Effect, Operation, Permissions};
use homeport_store::Tx;
use serde::Deserialize;

use super::changing::{Surface, Target, Terms};
use super::next_token::Binding;
use super::reading::check_limit;
use super::selecting::{Paging, select};
use super::statements::{RawParameters, check_members, needed, plan, values};
use crate::DynamoDb;
use crate::access::Decided;
use crate::capacity::{Answering, write_all};
use crate::error::DynamoError;
use crate::items::{Occasion, SharedTable};
use crate::metering::Meter;
use crate::partiql::Plan;
use crate::request::{Integer, ReturnCapacity, Violations, body, wants_old_on_failure};
use crate::value::write_item;

/// The longest `NextToken`, in characters.
const MAX_TOKEN_LENGTH: usize = 32_768;

/// `ExecuteStatement` (API reference): reads items, or writes one, as a PartiQL statement says.
pub(crate) struct ExecuteStatement;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    statement: Option<String>,
    parameters: RawParameters,
    consistent_read: Option<bool>,
    next_token: Option<String>,
    return_consumed_capacity: Option<String>,
    limit: Option<Integer>,
    return_values_on_condition_check_failure: Option<String>,
}

pub(crate) struct Input {
    plan: Plan,
    paging: Paging,
    terms: Terms,
    decided: Decided,
}

fn decode(call: &Call) -> Result<Input, DynamoError> {
    let body: Body = body(call)?;
    let mut violations = Violations::default();
    let capacity = ReturnCapacity::parse(body.return_consumed_capacity.as_deref(), &mut violations);
    check_members(body.statement.as_deref(), &body.parameters, "", &mut violations);
    check_limit(body.limit, "limit", &mut violations);
    check_token(body.next_token.as_deref(), &mut violations);
    let on_failure = body.return_values_on_condition_check_failure;
    let tell_old = wants_old_on_failure(on_failure.as_deref(), &mut violations);
    violations.finish()?;
    let statement = body.statement.unwrap_or_default();
    let parameters = values(body.parameters)?;
    let plan = plan(&statement, &parameters)?;
    let terms = Terms { consistent: body.consistent_read.unwrap_or(false), tell_old };
    let paging = Paging {
        limit: body.limit.and_then(|limit| usize::try_from(limit.value).ok()),
        consistent: terms.consistent,
        capacity,
        next_token: body.next_token,
        binding: Binding::of(&statement, &parameters),
    };
    Ok(Input { plan, paging, terms, decided: Decided::default() })
}

fn check_token(token: Option<&str>, violations: &mut Violations) {
    let Some(token) = token else { return };
    let shown = || format!("'{token}'");
    let at_least = "Member must have length greater than or equal to 1";
    violations.check(!token.is_empty(), shown, "nextToken", at_least);
    let at_most = "Member must have length less than or equal to 32768";
    violations.check(token.chars().count() <= MAX_TOKEN_LENGTH, shown, "nextToken", at_most);
}

impl Operation for ExecuteStatement {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Vec<u8>;
    type Error = DynamoError;

    const NAME: &'static str = "ExecuteStatement";
    const EFFECT: Effect = Effect::WritesData;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        needed(asked, [(&input.plan, input.terms)], None, &input.decided)
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Vec<u8>, DynamoError> {
        let (meter, cx, input) = (&DynamoDb::meter(&cx), &cx, &input);
        match &input.plan {
            Plan::Select(selection) => {
                meter
                    .read(|tx| async move {
                        let open = DynamoDb::table(cx, &tx, &selection.table, &input.decided).await?;
                        select(&tx, &open, selection, &input.paging, meter).await
                    })
                    .await
            }
            plan => {
                meter
                    .write(|tx| async move {
                        let open = DynamoDb::table(cx, &tx, plan.table(), &input.decided).await?;
                        write(&tx, &open, input, Occasion::call(cx.clock().now()), meter).await
                    })
                    .await
            }
        }
    }
}

async fn write(
    tx: &Tx,
    open: &SharedTable,
    input: &Input,
    on: Occasion,
    meter: &Meter<'_>,
) -> Result<Vec<u8>, DynamoError> {
    let target = Target::of(&input.plan, open, Surface::Statement)?;
    let place = target.place(open)?;
    let done = target.act(tx, open, &place, input.terms, on).await?;
    meter.writes(open, &done.consumed)?;
    let mut answer = Answering::new();
    answer.member("Items", |out| write_all(b'[', &done.item, b']', out, write_item));
    answer.consumed(input.paging.capacity, &open.table, &done.consumed);
    Ok(answer.finish())
}

impl ByHand for ExecuteStatement {
    fn decode(call: Call) -> Result<Input, Fault> {
        decode(&call).map_err(Fault::from)
    }

    fn encode(output: Vec<u8>) -> Result<Answer, Fault> {
        Ok(Answer::Json(output.into()))
    }
}
