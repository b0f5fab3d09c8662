use homeport_core::Fault;
use homeport_service::{Answer, Asked, ByHand, Call, Cx, Effect, Operation, Permissions};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::DynamoDb;
use crate::access::{Decided, Need, permissions};
use crate::capacity::{Answering, Consumed, read_units};
use crate::error::DynamoError;
use crate::expression::Projection;
use crate::items::SharedTable;
use crate::legacy;
use crate::metering::Meter;
use crate::request::{
    RawPlaceholders, ReturnCapacity, TableName, Violations, body, check_generations, check_not_empty,
};
use crate::value::{Checked, Item, StoredItem, decode_stored, write_item};

/// `GetItem` (API reference): the item with this key, or nothing.
pub(crate) struct GetItem;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    table_name: Option<String>,
    key: Option<Checked<Item>>,
    consistent_read: Option<bool>,
    attributes_to_get: Option<Vec<String>>,
    projection_expression: Option<String>,
    expression_attribute_names: Option<BTreeMap<String, String>>,
    return_consumed_capacity: Option<String>,
}

pub(crate) struct Input {
    table: TableName,
    key: Arc<Item>,
    consistent: bool,
    projection: Option<Projection>,
    capacity: ReturnCapacity,
    decided: Decided,
}

fn decode(call: &Call) -> Result<Input, DynamoError> {
    let body: Body = body(call)?;
    check_not_empty(body.table_name.as_deref())?;
    let mut violations = Violations::default();
    violations.require(body.key.as_ref(), "key");
    violations.table_name(body.table_name.as_deref());
    let capacity = ReturnCapacity::parse(body.return_consumed_capacity.as_deref(), &mut violations);
    legacy::check_attributes(body.attributes_to_get.as_ref(), "attributesToGet", &mut violations);
    violations.finish()?;
    let has_names = body.expression_attribute_names.is_some();
    let expressions = [("ProjectionExpression", body.projection_expression.is_some())];
    check_generations(
        &expressions,
        &[("AttributesToGet", body.attributes_to_get.is_some())],
        has_names,
        false,
    )?;
    let key = Arc::new(body.key.map_or(Ok(Item::new()), |key| key.0)?);
    let legacy = body.attributes_to_get.map(legacy::projection).transpose()?;
    let placeholders = RawPlaceholders { names: body.expression_attribute_names, values: None }.check()?;
    let projection = placeholders.read(|placeholders| {
        Ok(body.projection_expression.map(|text| Projection::parse(&text, placeholders)).transpose()?)
    })?;
    Ok(Input {
        table: TableName::of(&body.table_name.unwrap_or_default()),
        key,
        consistent: body.consistent_read.unwrap_or(false),
        projection: projection.or(legacy),
        capacity,
        decided: Decided::default(),
    })
}

impl Operation for GetItem {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Vec<u8>;
    type Error = DynamoError;

    const NAME: &'static str = "GetItem";
    const EFFECT: Effect = Effect::ReadsData;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        let projected =
            input.projection.iter().flat_map(|projection| projection.paths()).map(|path| path.head.as_str());
        let select = if input.projection.is_some() { "SPECIFIC_ATTRIBUTES" } else { "ALL_ATTRIBUTES" };
        let need = Need::new("dynamodb:GetItem", &input.table)
            .leading([input.key.clone()])
            .touching(projected)
            .with("dynamodb:Select", select)
            .returning(input.capacity);
        permissions(asked, vec![need], &input.decided)
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Vec<u8>, DynamoError> {
        let (meter, cx, input) = (&DynamoDb::meter(&cx), &cx, &input);
        meter
            .read(|tx| async move {
                let open = DynamoDb::table(cx, &tx, &input.table, &input.decided).await?;
                let place = open.place(&input.key)?;
                if let Some(projection) = &input.projection {
                    open.table.check_paths(projection.paths())?;
                }
                let stored = open.stored(&tx, &place).await?;
                answer(meter, &open, input, stored.as_deref())
            })
            .await
    }
}

/// The answer, straight from the stored form unless parts of the item are asked for.
fn answer(
    meter: &Meter<'_>,
    open: &SharedTable,
    input: &Input,
    stored: Option<&[u8]>,
) -> Result<Vec<u8>, DynamoError> {
    let mut answer = Answering::new();
    let mut size = 0;
    if let Some(stored) = stored {
        let item = StoredItem::open(stored)?;
        let partition = &open.table.schema.partition.name;
        if item.holds(&input.key.get_key_value(partition).into_iter().collect()) {
            size = item.size();
            match &input.projection {
                None => answer.try_member("Item", |out| item.write_json(out))?,
                Some(projection) => {
                    let projected = projection.apply(&decode_stored(stored)?);
                    answer.member("Item", |out| write_item(&projected, out));
                }
            }
        }
    }
    let consumed = Consumed::table(read_units(size, input.consistent));
    meter.reads(open, &consumed)?;
    answer.consumed(input.capacity, &open.table, &consumed);
    Ok(answer.finish())
}

impl ByHand for GetItem {
    fn decode(call: Call) -> Result<Input, Fault> {
        decode(&call).map_err(DynamoError::of_reading)
    }

    fn encode(output: Vec<u8>) -> Result<Answer, Fault> {
        Ok(Answer::Json(output.into()))
    }
}
