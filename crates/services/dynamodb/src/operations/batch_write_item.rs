use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use homeport_core::Fault;
use homeport_service::{Answer, Asked, ByHand, Call, Cx, Effect, Operation, Permissions};
use homeport_store::Key;
use serde::Deserialize;

use super::java_text::{shown, write_item};
use super::writing::{collection_key, write_collection};
use crate::DynamoDb;
use crate::access::{Decided, Need, permissions};
use crate::capacity::{Answering, Consumed, write_all};
use crate::error::{DynamoError, Invalid};
use crate::items::{Occasion, OpenTable, SharedTable};
use crate::metering::Consumes;
use crate::records::Place;
use crate::request::{Counted, ReturnCapacity, TableName, Violations, body, wants_metrics};
use crate::value::{Checked, Item, MAX_ITEM_SIZE, item_size, write_string};

/// The most writes of one call.
const MAX_WRITES: usize = 25;
/// Writes of a table that are kept for a message to show: it ends before it has shown so many, be they empty.
const SHOWN_WRITES: usize = 1_300;

/// The writes of a table, as they came.
type Writes = Counted<WriteRequest, SHOWN_WRITES>;

/// `BatchWriteItem` (API reference): up to 25 puts and deletes, of any tables. All of them are done.
pub(crate) struct BatchWriteItem;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    request_items: Option<BTreeMap<String, Writes>>,
    return_consumed_capacity: Option<String>,
    return_item_collection_metrics: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WriteRequest {
    // Boxed, for `{}` must not take the room of both.
    put_request: Option<Box<PutRequest>>,
    delete_request: Option<Box<DeleteRequest>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutRequest {
    item: Option<Checked<Item>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteRequest {
    key: Option<Checked<Item>>,
}

pub(crate) struct Input {
    tables: Vec<OfTable>,
    capacity: ReturnCapacity,
    metrics: bool,
    decided: Decided,
}

struct OfTable {
    named: String,
    table: TableName,
    writes: Vec<Write>,
}

enum Write {
    Put(Arc<Item>),
    Delete(Arc<Item>),
}

impl Write {
    fn key(&self) -> &Arc<Item> {
        match self {
            Self::Put(item) => item,
            Self::Delete(key) => key,
        }
    }
}

fn decode(call: &Call) -> Result<Input, DynamoError> {
    let body: Body = body(call)?;
    let mut violations = Violations::default();
    let capacity = ReturnCapacity::parse(body.return_consumed_capacity.as_deref(), &mut violations);
    let metrics = wants_metrics(body.return_item_collection_metrics.as_deref(), &mut violations);
    violations.require(body.request_items.as_ref(), "requestItems");
    for (name, writes) in body.request_items.iter().flatten() {
        check_count(name, writes, &mut violations);
        check_members(name, writes.kept(), &mut violations);
    }
    std::mem::take(&mut violations).finish()?;
    let requested = body.request_items.unwrap_or_default();
    violations.batch_table_names(requested.keys(), || in_java(&requested));
    violations.finish()?;
    if requested.is_empty() {
        return Err(Invalid::NoRequestItems("BatchWriteItem").into());
    }
    if requested.values().map(Writes::count).sum::<usize>() > MAX_WRITES {
        return Err(Invalid::TooManyWrites.into());
    }
    let mut tables = Vec::new();
    for (named, requests) in requested {
        let writes = requests.into_kept().into_iter().map(decode_write).collect::<Result<Vec<_>, _>>()?;
        tables.push(OfTable { table: TableName::of(&named), named, writes });
    }
    Ok(Input { tables, capacity, metrics, decided: Decided::default() })
}

/// Requests by table as messages show them.
fn in_java<'a>(requests: impl IntoIterator<Item = (&'a String, &'a Writes)>) -> String {
    shown(|out| {
        out.write_char('{')?;
        for (at, (name, writes)) in requests.into_iter().enumerate() {
            write!(out, "{}{name}=[", if at > 0 { ", " } else { "" })?;
            for (at, write) in writes.kept().iter().enumerate() {
                out.write_str(if at > 0 {
                    ", WriteRequest(putRequest="
                } else {
                    "WriteRequest(putRequest="
                })?;
                write_request(
                    out,
                    "PutRequest(item=",
                    write.put_request.as_ref().map(|put| put.item.as_ref()),
                )?;
                out.write_str(", deleteRequest=")?;
                let key = write.delete_request.as_ref().map(|delete| delete.key.as_ref());
                write_request(out, "DeleteRequest(key=", key)?;
                out.write_char(')')?;
            }
            out.write_char(']')?;
        }
        out.write_char('}')
    })
}

fn write_request(
    out: &mut dyn fmt::Write,
    opening: &str,
    request: Option<Option<&Checked<Item>>>,
) -> fmt::Result {
    let Some(item) = request else { return out.write_str("null") };
    out.write_str(opening)?;
    match item {
        Some(Checked(Ok(item))) => write_item(out, item)?,
        _ => out.write_str("null")?,
    }
    out.write_str(", workloadProfileName=null)")
}

/// Notes puts without an item, and deletes without a key, among as many writes as one call may have.
fn check_members(name: &str, writes: &[WriteRequest], violations: &mut Violations) {
    for (at, write) in writes.iter().enumerate().take(MAX_WRITES) {
        // A name may be as long as the request, and is shown only where something is missing.
        let mut require = |given: bool, member: &str| {
            if !given {
                let at = at + 1;
                let at = shown(|out| write!(out, "requestItems.{name}.member.{at}.member.{member}"));
                violations.require::<()>(None, &at);
            }
        };
        if let Some(put) = &write.put_request {
            require(put.item.is_some(), "putRequest.item");
        }
        if let Some(delete) = &write.delete_request {
            require(delete.key.is_some(), "deleteRequest.key");
        }
    }
}

fn check_count(name: &String, writes: &Writes, violations: &mut Violations) {
    let shown = || format!("'{}'", in_java([(name, writes)]));
    let constraint = "Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must have length greater than or equal to 1]";
    violations.check((1..=MAX_WRITES).contains(&writes.count()), shown, "requestItems", constraint);
}

fn decode_write(request: WriteRequest) -> Result<Write, DynamoError> {
    match (request.put_request, request.delete_request) {
        (Some(put), None) => {
            let item = put.item.ok_or(Invalid::WriteRequest)?.0?;
            if item_size(&item) > MAX_ITEM_SIZE {
                return Err(Invalid::ItemSize.into());
            }
            Ok(Write::Put(item.into()))
        }
        (None, Some(delete)) => Ok(Write::Delete(delete.key.ok_or(Invalid::WriteRequest)?.0?.into())),
        _ => Err(Invalid::WriteRequest.into()),
    }
}

impl Operation for BatchWriteItem {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Vec<u8>;
    type Error = DynamoError;

    const NAME: &'static str = "BatchWriteItem";
    const EFFECT: Effect = Effect::WritesData;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        let needs = input.tables.iter().map(|of| {
            let keys = of.writes.iter().map(|write| write.key().clone());
            Need::new("dynamodb:BatchWriteItem", &of.table).leading(keys).returning(input.capacity)
        });
        permissions(asked, needs.collect(), &input.decided)
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Vec<u8>, DynamoError> {
        let (meter, cx, input) = (&DynamoDb::meter(&cx), &cx, &input);
        meter
            .write(|tx| async move {
                let (mut tables, mut seen) = (Vec::new(), Vec::new());
                for of in &input.tables {
                    let open = DynamoDb::table(cx, &tx, &of.table, &input.decided).await?;
                    let places = places(&open, of, &mut seen)?;
                    tables.push((of, open, places));
                }
                let on = Occasion::call(cx.clock().now());
                let (mut done, mut refused) = (Vec::new(), Vec::new());
                for (of, open, places) in tables {
                    let mut consumed = Consumed::default();
                    if let Err(throttled) = meter.admits(&open, Consumes::Writes) {
                        refused.push(of);
                        if refused.len() == input.tables.len() {
                            return Err(throttled.into());
                        }
                        continue;
                    }
                    for (write, place) in of.writes.iter().zip(&places) {
                        let before = open.item(&tx, place, write.key()).await?;
                        consumed.add(&match write {
                            Write::Put(item) => open.put(&tx, place, before.as_ref(), item, on).await?,
                            Write::Delete(_) => open.delete(&tx, place, before.as_ref(), on).await?,
                        });
                    }
                    meter.admitted(&open, Consumes::Writes, &consumed);
                    done.push((of, open, consumed));
                }
                Ok(answer(input, &done, &refused))
            })
            .await
    }
}

/// Where the writes go, once each is found to fit the table and none to meet another, or one that was seen before under
/// another name of the table.
fn places(open: &OpenTable, of: &OfTable, seen: &mut Vec<Key>) -> Result<Vec<Place>, DynamoError> {
    let mut places = Vec::new();
    for write in &of.writes {
        let place = match write {
            Write::Put(item) => {
                open.table.check_item(item).map_err(in_batch_words)?;
                open.layout.item(&open.table.schema, item).ok_or(Invalid::KeySchema)?
            }
            Write::Delete(key) => open.place(key)?,
        };
        if seen.contains(&place.key) {
            return Err(Invalid::DuplicateKeys.into());
        }
        seen.push(place.key.clone());
        places.push(place);
    }
    Ok(places)
}

/// Of an item without the table's key a batch says less than a put.
fn in_batch_words(error: Invalid) -> Invalid {
    match error {
        Invalid::MissingKey(_) | Invalid::KeyType { .. } => Invalid::KeySchema,
        error => error,
    }
}

fn answer(input: &Input, done: &[(&OfTable, SharedTable, Consumed)], refused: &[&OfTable]) -> Vec<u8> {
    let mut answer = Answering::new();
    answer.member("UnprocessedItems", |out| {
        write_all(b'{', refused, b'}', out, |of, out| {
            write_string(&of.named, out);
            out.push(b':');
            write_all(b'[', &of.writes, b']', out, write_unprocessed);
        });
    });
    if input.metrics {
        answer.member("ItemCollectionMetrics", |out| {
            let counted = done.iter().filter(|(_, open, _)| open.table.has_local_indexes());
            write_all(b'{', counted, b'}', out, |(of, open, _), out| {
                write_string(&of.named, out);
                out.push(b':');
                let mut keys: Vec<Item> = Vec::new();
                for key in of.writes.iter().filter_map(|write| collection_key(open, write.key())) {
                    if !keys.contains(&key) {
                        keys.push(key);
                    }
                }
                write_all(b'[', &keys, b']', out, write_collection);
            });
        });
    }
    answer.consumed_of_all(input.capacity, done.iter().map(|(_, open, consumed)| (&open.table, consumed)));
    answer.finish()
}

/// The write as it was asked for.
fn write_unprocessed(write: &Write, out: &mut Vec<u8>) {
    let (opening, item) = match write {
        Write::Put(item) => (&b"{\"PutRequest\":{\"Item\":"[..], item),
        Write::Delete(key) => (&b"{\"DeleteRequest\":{\"Key\":"[..], key),
    };
    out.extend_from_slice(opening);
    crate::value::write_item(item, out);
    out.extend_from_slice(b"}}");
}

impl ByHand for BatchWriteItem {
    fn decode(call: Call) -> Result<Input, Fault> {
        decode(&call).map_err(Fault::from)
    }

    fn encode(output: Vec<u8>) -> Result<Answer, Fault> {
        Ok(Answer::Json(output.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_shows_no_write_that_is_not_kept() {
        let writes = |count: usize| {
            serde_json::from_str::<Writes>(&format!("[{}{{}}]", "{},".repeat(count - 1))).unwrap()
        };
        let shown = |count: usize| in_java([(&String::new(), &writes(count))]);
        assert!(shown(SHOWN_WRITES - 10).ends_with('…'));
        assert_eq!(shown(SHOWN_WRITES), shown(SHOWN_WRITES + 10_000));
        assert_eq!(writes(SHOWN_WRITES + 10_000).kept().len(), SHOWN_WRITES);
        assert_eq!(size_of::<WriteRequest>(), 2 * size_of::<usize>());
    }
}
