use std::collections::BTreeMap;

use homeport_core::Fault;
use homeport_service::{Answer, Asked, ByHand, Call, Cx, Effect, Operation, Permissions};
use homeport_store::{Direction, Range};
use serde::Deserialize;

use super::reading::{
    Projecting, Select, Walk, Wish, check_held, check_limit, check_start, index, start_key,
};
use super::writing::{RawValues, looked_at};
use crate::DynamoDb;
use crate::access::{Decided, Need, permissions};
use crate::error::{DynamoError, Invalid};
use crate::expression::{Condition, ExpressionKind, Projection};
use crate::items::SharedTable;
use crate::legacy::{self, RawConditions, any_suffices, check_attributes, check_operators};
use crate::request::{
    Integer, RawPlaceholders, ReturnCapacity, TableName, Violations, body, check_generations, check_not_empty,
};
use crate::value::{Item, StoredAttributes};

/// The most segments of a parallel scan.
const MAX_SEGMENTS: i32 = 1_000_000;

/// `Scan` (API reference): all items of a table or an index, in no order, whole or in segments.
pub(crate) struct Scan;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    table_name: Option<String>,
    index_name: Option<String>,
    attributes_to_get: Option<Vec<String>>,
    limit: Option<Integer>,
    select: Option<String>,
    scan_filter: Option<RawConditions>,
    conditional_operator: Option<String>,
    exclusive_start_key: Option<RawValues>,
    return_consumed_capacity: Option<String>,
    total_segments: Option<Integer>,
    segment: Option<Integer>,
    projection_expression: Option<String>,
    filter_expression: Option<String>,
    expression_attribute_names: Option<BTreeMap<String, String>>,
    expression_attribute_values: Option<RawValues>,
    consistent_read: Option<bool>,
}

pub(crate) struct Input {
    table: TableName,
    index: Option<String>,
    segment: Segment,
    start: Option<Item>,
    wish: Wish,
    decided: Decided,
}

/// One of `total` stretches of hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segment {
    number: u32,
    total: u32,
}

impl Segment {
    fn of(number: Option<Integer>, total: Option<Integer>) -> Result<Self, Invalid> {
        let narrow = |n: Integer| u32::try_from(n.value).unwrap_or(u32::MAX);
        match (number.map(narrow), total.map(narrow)) {
            (None, None) => Ok(Self { number: 0, total: 1 }),
            (Some(_), None) => Err(Invalid::NoTotalSegments),
            (None, Some(_)) => Err(Invalid::NoSegment),
            (Some(number), Some(total)) if number >= total => Err(Invalid::SegmentRange),
            (Some(number), Some(total)) => Ok(Self { number, total }),
        }
    }

    /// The first hash of this segment, and the first behind it; none at the end.
    fn bounds(self) -> (u64, Option<u64>) {
        let bound = |number: u32| {
            let bound = (u128::from(number) << 64).div_ceil(u128::from(self.total));
            u64::try_from(bound).ok()
        };
        (bound(self.number).unwrap_or(u64::MAX), bound(self.number + 1))
    }

    fn has(self, slot: u64) -> bool {
        let (from, to) = self.bounds();
        slot >= from && to.is_none_or(|to| slot < to)
    }
}

fn decode(call: &Call) -> Result<Input, DynamoError> {
    let body: Body = body(call)?;
    check_not_empty(body.table_name.as_deref())?;
    let mut violations = Violations::default();
    let select = Select::parse(body.select.as_deref(), &mut violations);
    if let Some(name) = &body.index_name {
        violations.name(name, "indexName");
    }
    if let Some(name) = body.table_name.as_deref() {
        violations.table_name(Some(name));
    }
    check_total(body.total_segments, &mut violations);
    let capacity = ReturnCapacity::parse(body.return_consumed_capacity.as_deref(), &mut violations);
    check_attributes(body.attributes_to_get.as_ref(), "attributesToGet", &mut violations);
    violations.require(body.table_name.as_ref(), "tableName");
    let operators = [("OR", ()), ("AND", ())];
    violations.one_of(body.conditional_operator.as_deref(), "conditionalOperator", &operators);
    check_operators(body.scan_filter.as_ref(), "scanFilter", &mut violations);
    check_segment(body.segment, &mut violations);
    check_limit(body.limit, "Limit", &mut violations);
    violations.finish()?;
    let expressions = [
        ("ProjectionExpression", body.projection_expression.is_some()),
        ("FilterExpression", body.filter_expression.is_some()),
    ];
    let old = [
        ("AttributesToGet", body.attributes_to_get.is_some()),
        ("ScanFilter", body.scan_filter.is_some()),
        ("ConditionalOperator", body.conditional_operator.is_some()),
    ];
    let (has_names, has_values) =
        (body.expression_attribute_names.is_some(), body.expression_attribute_values.is_some());
    check_generations(&expressions, &old, has_names, has_values)?;
    let conditions = body.scan_filter.as_ref().map_or(0, BTreeMap::len);
    let any = any_suffices(body.conditional_operator.as_deref(), conditions)?;
    let old_projection = body.attributes_to_get.map(legacy::projection).transpose()?;
    let old_filter = body.scan_filter.map(|filter| legacy::filter(filter, any)).transpose()?.flatten();
    let start = start_key(body.exclusive_start_key)?;
    let segment = Segment::of(body.segment, body.total_segments)?;
    let placeholders =
        RawPlaceholders { names: body.expression_attribute_names, values: body.expression_attribute_values }
            .check()?;
    let (filter, projection) = placeholders.read(|placeholders| {
        let filter =
            body.filter_expression.map(|text| Condition::parse(ExpressionKind::Filter, &text, placeholders));
        let filter = filter.transpose()?;
        let projection =
            body.projection_expression.map(|text| Projection::parse(&text, placeholders)).transpose()?;
        Ok((filter, projection))
    })?;
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
    let table = TableName::of(&body.table_name.unwrap_or_default());
    Ok(Input { table, index: body.index_name, segment, start, wish, decided: Decided::default() })
}

fn check_total(total: Option<Integer>, violations: &mut Violations) {
    if let Some(Integer { value: total, .. }) = total {
        let at_least = "Member must have value greater than or equal to 1";
        violations.check(total >= 1, || format!("'{total}'"), "totalSegments", at_least);
        let at_most = "Member must have value less than or equal to 1000000";
        violations.check(total <= MAX_SEGMENTS, || format!("'{total}'"), "totalSegments", at_most);
    }
}

fn check_segment(segment: Option<Integer>, violations: &mut Violations) {
    if let Some(Integer { value: segment, .. }) = segment {
        if segment < 0 {
            violations.note("Value at 'Segment'", "Member must have value greater than or equal to 0");
        }
        let at_most = "Member must have value less than or equal to 999999";
        violations.check(segment < MAX_SEGMENTS, || format!("'{segment}'"), "segment", at_most);
    }
}

impl Operation for Scan {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Vec<u8>;
    type Error = DynamoError;

    const NAME: &'static str = "Scan";
    const EFFECT: Effect = Effect::ReadsData;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        let projected = input.wish.projection.iter().flat_map(|projection| projection.paths());
        let need = Need::new("dynamodb:Scan", &input.table)
            .on_index(input.index.as_deref())
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

/// The stretch of hashes that the scan goes along.
fn walk<'a>(open: &'a SharedTable, input: &'a Input) -> Result<Walk<'a>, DynamoError> {
    let index = index(open, input.index.as_deref(), &input.wish)?;
    let root = match index {
        Some(index) => open.layout.entries(index),
        None => open.layout.items(),
    };
    let (from, to) = input.segment.bounds();
    let mut range = Range::prefix(&root);
    if input.segment.number > 0 {
        range = range.after(root.clone().u64(from).as_bytes());
    }
    if let Some(to) = to {
        range = range.before(root.u64(to).as_bytes());
    }
    if let Some(start) = &input.start {
        check_start(&open.table, index, start)?;
        let place = match index {
            Some(index) => open.layout.entry(index, &open.table.schema, start),
            None => open.layout.item(&open.table.schema, start),
        };
        let place = place.ok_or(Invalid::StartKey)?;
        if !input.segment.has(place.slot) {
            let Segment { number: segment, total } = input.segment;
            return Err(Invalid::StartKeySegment { total, segment }.into());
        }
        range = range.after(place.key.as_bytes());
    }
    check_held(open, index, &input.wish)?;
    open.table.check_paths(input.wish.projection.iter().flat_map(|projection| projection.paths()))?;
    open.table.check_paths(input.wish.filter.iter().flat_map(Condition::paths))?;
    let partition = StoredAttributes::default();
    Ok(Walk { open, index, range, direction: Direction::Forward, partition, wish: &input.wish })
}

impl ByHand for Scan {
    fn decode(call: Call) -> Result<Input, Fault> {
        decode(&call).map_err(DynamoError::of_reading)
    }

    fn encode(output: Vec<u8>) -> Result<Answer, Fault> {
        Ok(Answer::Json(output.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_have_every_hash_once() {
        for total in [1_u32, 2, 3, 7, 1_000_000] {
            let segments: Vec<_> = (0..total.min(10)).chain(total.saturating_sub(3)..total).collect();
            assert_eq!(Segment { number: 0, total }.bounds().0, 0);
            assert_eq!(Segment { number: total - 1, total }.bounds().1, None);
            for number in segments.into_iter().filter(|number| *number + 1 < total) {
                let (this, next) = (Segment { number, total }, Segment { number: number + 1, total });
                assert_eq!(this.bounds().1, Some(next.bounds().0));
                assert!(this.has(this.bounds().0) && !this.has(next.bounds().0) && next.has(next.bounds().0));
            }
        }
    }
}
