// The document client of the SDK for JavaScript: each of its commands, and how values go there and back.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  BatchGetCommand, BatchWriteCommand, DeleteCommand, DynamoDBDocumentClient, GetCommand, NumberValue, PutCommand, QueryCommand,
  ScanCommand, TransactGetCommand, TransactWriteCommand, UpdateCommand, paginateQuery, paginateScan,
} from "@aws-sdk/lib-dynamodb";
import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { Homeport } from "./homeport.js";
import { FAILED, NO_TABLE, cancelled, connect, createTable, denied, refused, user } from "./tables.js";

const TableName = "notes";
let server;
let client;
let documents;
let arn;

before(async () => {
  server = await Homeport.start();
  client = connect(server);
  documents = DynamoDBDocumentClient.from(client);
  arn = await createTable(client, TableName, ["owner:S", "at:N"], { "by-color": ["color:S", "at:N"] });
});

after(async () => {
  documents?.destroy();
  await server?.stop();
});

/** A document client that turns values into DynamoDB's in another way: of a client of its own, whose middleware it changes. */
const turning = (marshallOptions, unmarshallOptions) =>
  DynamoDBDocumentClient.from(connect(server), { marshallOptions, unmarshallOptions });

const put = (item, more = {}, by = documents) => by.send(new PutCommand({ TableName, Item: item, ...more }));
const got = async (owner, at, by = documents) =>
  (await by.send(new GetCommand({ TableName, Key: { owner, at }, ConsistentRead: true }))).Item;
const stored = async (owner, at) =>
  (await client.send(new GetItemCommand({ TableName, Key: { owner: { S: owner }, at: { N: `${at}` } } }))).Item;
const update = (owner, at, UpdateExpression, ExpressionAttributeValues, more = {}) =>
  documents.send(new UpdateCommand({ TableName, Key: { owner, at }, UpdateExpression, ExpressionAttributeValues, ...more }));
const query = (owner, more = {}) => ({
  TableName, KeyConditionExpression: "#o = :o", ExpressionAttributeNames: { "#o": "owner" },
  ExpressionAttributeValues: { ":o": owner }, ...more,
});
const ats = (items) => items.map((item) => item.at);
const invalid = (message) => ["ValidationException", message];

/** Writes notes 0 to `count`. */
async function written(owner, count, more = () => ({})) {
  for (let from = 0; from < count; from += 25) {
    const PutRequests = Array.from({ length: Math.min(25, count - from) }, (_, n) => n + from)
      .map((at) => ({ PutRequest: { Item: { owner, at, ...more(at) } } }));
    await documents.send(new BatchWriteCommand({ RequestItems: { [TableName]: PutRequests } }));
  }
}

describe("one item", () => {
  test("a put answers what it replaced", async () => {
    assert.equal((await put({ owner: "put", at: 1, text: "first" }, { ReturnValues: "ALL_OLD" })).Attributes, undefined);
    const { Attributes } = await put({ owner: "put", at: 1, text: "second" }, { ReturnValues: "ALL_OLD" });
    assert.deepEqual(Attributes, { owner: "put", at: 1, text: "first" });
    assert.deepEqual(await got("put", 1), { owner: "put", at: 1, text: "second" });
    const wrong = put({ owner: "put", at: 1 }, { ReturnValues: "ALL_NEW" });
    await refused(wrong, invalid("1 validation error detected: ReturnValues can only be ALL_OLD or NONE"));
  });

  test("a projection answers what it names, and an absent item nothing", async () => {
    await put({ owner: "get", at: 1, list: ["a", "b", { c: 1 }], map: { x: 1, y: 2 }, text: "t" });
    const get = new GetCommand({
      TableName, Key: { owner: "get", at: 1 }, ProjectionExpression: "#l[2].c, #m.y, absent",
      ExpressionAttributeNames: { "#l": "list", "#m": "map" },
    });
    assert.deepEqual((await documents.send(get)).Item, { list: [{ c: 1 }], map: { y: 2 } });
    assert.equal(await got("get", 2), undefined);
  });

  test("an update answers what was asked of it", async () => {
    const Key = { owner: "update", at: 1 };
    const asked = async (ReturnValues, text) =>
      (await update("update", 1, "SET #t = :t", { ":t": text }, { ReturnValues, ExpressionAttributeNames: { "#t": "text" } })).Attributes;
    assert.deepEqual(await asked("ALL_NEW", "a"), { ...Key, text: "a" });
    assert.deepEqual(await asked("ALL_OLD", "b"), { ...Key, text: "a" });
    assert.deepEqual(await asked("UPDATED_OLD", "c"), { text: "b" });
    assert.deepEqual(await asked("UPDATED_NEW", "d"), { text: "d" });
    assert.equal(await asked("NONE", "e"), undefined);
  });

  test("an update sets, adds, removes and deletes", async () => {
    await put({ owner: "update", at: 2, n: 1, list: ["b"], tags: new Set(["x", "y"]), gone: true, map: { deep: { a: 1 } } });
    const { Attributes } = await update(
      "update", 2,
      "SET #l = list_append(list_append(:a, #l), :c), #m.deep.b = :n, fresh = if_not_exists(fresh, :n)"
        + " REMOVE gone ADD n :n, more :tags DELETE tags :tags",
      { ":a": ["a"], ":c": ["c"], ":n": 2, ":tags": new Set(["x", "z"]) },
      { ReturnValues: "ALL_NEW", ExpressionAttributeNames: { "#l": "list", "#m": "map" } },
    );
    assert.deepEqual(Attributes, {
      owner: "update", at: 2, n: 3, list: ["a", "b", "c"], tags: new Set(["y"]), more: new Set(["x", "z"]),
      map: { deep: { a: 1, b: 2 } }, fresh: 2,
    });
  });

  test("an update that can't be done changes nothing and says why", async () => {
    const item = { owner: "update", at: 3, text: "t", list: [1] };
    await put(item);
    const fails = async (expression, values, message) => {
      await refused(update("update", 3, expression, values, { ExpressionAttributeNames: { "#t": "text" } }), invalid(message));
      assert.deepEqual(await got("update", 3), item);
    };
    await fails("SET n = :one, m = #t + :one", { ":one": 1 }, "An operand in the update expression has an incorrect data type");
    await fails("SET n = :one, #t.x = :one", { ":one": 1 }, "The document path provided in the update expression is invalid for update");
    await fails("SET #t = absent", undefined, "The provided expression refers to an attribute that does not exist in the item");
    await fails("SET #t = :x", { ":y": 1 },
      "1 validation error detected: Invalid UpdateExpression: An expression attribute value used in expression is not defined; attribute value: :x");
    await fails("SET #t = :x", { ":x": 1, ":y": 1 }, "1 validation error detected: Value provided in ExpressionAttributeValues unused in expressions: keys: {:y}");
    await fails("SET #t = 1", undefined, '1 validation error detected: Invalid UpdateExpression: Syntax error; token: "1", near: "= 1"');
  });

  test("a delete answers what was there, and of nothing nothing", async () => {
    await put({ owner: "delete", at: 1, text: "t" });
    const remove = () => documents.send(new DeleteCommand({ TableName, Key: { owner: "delete", at: 1 }, ReturnValues: "ALL_OLD" }));
    assert.deepEqual((await remove()).Attributes, { owner: "delete", at: 1, text: "t" });
    assert.equal(await got("delete", 1), undefined);
    assert.equal((await remove()).Attributes, undefined);
  });

  test("a condition that fails tells the item where it is asked to", async () => {
    const item = { owner: "condition", at: 1, n: 5, tags: new Set([1, 2]) };
    await put(item);
    const condition = { ConditionExpression: "n > :n", ExpressionAttributeValues: { ":n": 5 } };
    const shown = { ...condition, ReturnValuesOnConditionCheckFailure: "ALL_OLD" };
    const Key = { owner: "condition", at: 1 };
    const calls = [
      (more) => put({ ...Key }, more),
      (more) => documents.send(new DeleteCommand({ TableName, Key, ...more })),
      (more) => documents.send(new UpdateCommand({ TableName, Key, UpdateExpression: "SET m = :n", ...more })),
    ];
    // The client turns answers into documents, but not errors.
    const raw = { owner: { S: "condition" }, at: { N: "1" }, n: { N: "5" }, tags: { NS: ["1", "2"] } };
    for (const call of calls) {
      assert.deepEqual((await refused(call(shown), FAILED)).Item, raw);
      assert.equal((await refused(call(condition), FAILED)).Item, undefined);
    }
    assert.deepEqual(await got("condition", 1), item);
    await put({ ...Key }, { ...condition, ExpressionAttributeValues: { ":n": 4 } });
    assert.deepEqual(await got("condition", 1), Key);
    const absent = { ...shown, ConditionExpression: "attribute_exists(n) AND n = :n" };
    assert.equal((await refused(put({ owner: "condition", at: 2 }, absent), FAILED)).Item, undefined);
  });

  test("a key that is none, and a table that isn't there, are refused", async () => {
    const get = (table, Key) => documents.send(new GetCommand({ TableName: table, Key }));
    const schema = invalid("The provided key element does not match the schema");
    for (const Key of [{ owner: "ada" }, { owner: "ada", at: "1" }, { owner: "ada", at: 1, more: 1 }]) {
      await refused(get(TableName, Key), schema);
    }
    await refused(get("absent", { owner: "ada", at: 1 }), NO_TABLE);
    await refused(put({ owner: "ada" }), invalid("One or more parameter values were invalid: Missing the key at in the item"));
    await refused(put({ owner: "ada", at: "1" }),
      invalid("One or more parameter values were invalid: Type mismatch for key at expected: N actual: S"));
  });
});

describe("values", () => {
  const BIG = "12345678901234567890123456789012345678";

  test("numbers of 38 digits come back to the last one", async () => {
    const exact = ["0.00000000000000000000000000000000000001", `-${BIG}`, "9.9999999999999999999999999999999999999E+125", "1E-130"];
    await put({ owner: "numbers", at: 1, big: NumberValue.from(BIG), int: BigInt(BIG), exact: exact.map((n) => NumberValue.from(n)) });
    const item = await got("numbers", 1, turning({}, { wrapNumbers: true }));
    assert.deepEqual([item.big.toString(), item.int.toBigInt(), item.at.value], [BIG, BigInt(BIG), "1"]);
    // DynamoDB writes every number out, without an exponent.
    assert.deepEqual(item.exact.map(String), [
      "0.00000000000000000000000000000000000001", `-${BIG}`, `${"9".repeat(38)}${"0".repeat(88)}`, `0.${"0".repeat(129)}1`,
    ]);
    const { big } = (await documents.send(new GetCommand({ TableName, Key: { owner: "numbers", at: 1 }, ProjectionExpression: "big" }))).Item;
    assert.equal(big, BigInt(BIG));
  });

  test("a number that can't be kept is refused and not rounded", async () => {
    const number = (n) => put({ owner: "numbers", at: 2, n: NumberValue.from(n) });
    await number("9".repeat(38));
    await refused(number("9".repeat(39)), invalid("1 validation error detected: Attempting to store more than 38 significant digits in a Number"));
    await refused(number("1e126"), invalid("1 validation error detected: Number overflow. Attempting to store a number with magnitude larger than supported range"));
    await refused(number("1e-131"), invalid("1 validation error detected: Number underflow. Attempting to store a number with magnitude smaller than supported range"));
    await assert.rejects(put({ owner: "numbers", at: 2, n: NaN }), /Special numeric value NaN is not allowed/);
    await assert.rejects(put({ owner: "numbers", at: 2, n: 2 ** 53 }), /is greater than Number.MAX_SAFE_INTEGER/);
    assert.equal((await stored("numbers", 2)).n.N, "9".repeat(38));
  });

  test("counting goes on where JavaScript's numbers end", async () => {
    await put({ owner: "numbers", at: 3, n: BigInt(Number.MAX_SAFE_INTEGER) });
    const { Attributes } = await update("numbers", 3, "ADD n :one", { ":one": 1 }, { ReturnValues: "UPDATED_NEW" });
    assert.equal(Attributes.n, BigInt(Number.MAX_SAFE_INTEGER) + 1n);
    await update("numbers", 3, "SET n = :n", { ":n": NumberValue.from("9".repeat(38)) });
    await update("numbers", 3, "ADD n :one", { ":one": 1 });
    assert.equal((await stored("numbers", 3)).n.N, `1${"0".repeat(38)}`);
  });

  test("sets and bytes keep their kind", async () => {
    const item = {
      owner: "values", at: 1, words: new Set(["a", "ä"]), numbers: new Set([1, -2.5]), bytes: Uint8Array.of(0, 255),
      blobs: new Set([Uint8Array.of(1), Uint8Array.of(2, 3)]), nothing: null, yes: true, list: [], map: {}, text: "", none: new Uint8Array(),
    };
    await put(item);
    const found = await got("values", 1);
    const bytes = ({ blobs, ...rest }) => ({ ...rest, blobs: [...blobs].map((one) => [...one]).sort() });
    assert.deepEqual(bytes(found), bytes(item));
    assert.ok(found.bytes instanceof Uint8Array && found.words instanceof Set);
    assert.deepEqual(Object.keys((await stored("values", 1)).blobs), ["BS"]);
    // A Buffer is one too.
    await put({ owner: "values", at: 2, bytes: Buffer.from("ä") });
    assert.deepEqual([...(await got("values", 2)).bytes], [0xc3, 0xa4]);
  });

  test("what is undefined is left away only where it is asked to be", async () => {
    const item = { owner: "values", at: 3, absent: undefined, map: { absent: undefined, kept: 1 }, list: [1, undefined, 2] };
    await assert.rejects(put(item), /Pass options.removeUndefinedValues=true/);
    assert.equal(await got("values", 3), undefined);
    await put(item, {}, turning({ removeUndefinedValues: true }));
    assert.deepEqual(await got("values", 3), { owner: "values", at: 3, map: { kept: 1 }, list: [1, 2] });
  });

  test("what is empty is kept, or becomes null where it is asked to be", async () => {
    const item = { owner: "values", at: 4, text: "", bytes: new Uint8Array(), list: [], map: {} };
    await put(item);
    assert.deepEqual(await got("values", 4), item);
    await assert.rejects(put({ ...item, tags: new Set() }), /Pass a non-empty set, or options.convertEmptyValues=true/);
    await put({ ...item, tags: new Set() }, {}, turning({ convertEmptyValues: true }));
    assert.deepEqual(await got("values", 4), { ...item, text: null, bytes: null, tags: null });
  });

  test("an empty key is refused", async () => {
    const empty = "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value.";
    await refused(put({ owner: "", at: 1 }), invalid(`${empty} Key: owner`));
    await refused(put({ owner: "values", at: 5, color: "" }), invalid(
      "One or more parameter values are not valid. A value specified for a secondary index key is not supported."
      + " The AttributeValue for a key attribute cannot contain an empty string value. IndexName: by-color, IndexKey: color",
    ));
    await put({ owner: "values", at: 5, color: "-" });
  });

  test("an instance of a class goes as a map where it is asked to", async () => {
    class Place {
      constructor() {
        this.city = "Bern";
      }
    }
    const item = { owner: "values", at: 6, place: new Place() };
    await assert.rejects(put(item), /Pass options.convertClassInstanceToMap=true/);
    await put(item, {}, turning({ convertClassInstanceToMap: true }));
    assert.deepEqual(await got("values", 6), { owner: "values", at: 6, place: { city: "Bern" } });
  });

  test("a duplicate in a set is refused", async () => {
    const duplicates = (tags) => update("values", 7, "SET tags = :t", { ":t": tags });
    await duplicates(new Set([Uint8Array.of(1), Uint8Array.of(2)]));
    await refused(duplicates(new Set([Uint8Array.of(1), Uint8Array.of(1)])), invalid(
      '1 validation error detected: One or more parameter values were invalid: Input collection ["AQ==","AQ=="]of type BS contains duplicates.',
    ));
  });
});

describe("queries and scans", () => {
  before(() => written("many", 60, (at) => ({ color: ["red", "green", "blue"][at % 3], text: "x".repeat(100) })));

  test("a query answers a stretch in either order", async () => {
    const stretch = {
      KeyConditionExpression: "#o = :o AND #a BETWEEN :from AND :to",
      ExpressionAttributeNames: { "#o": "owner", "#a": "at" },
      ExpressionAttributeValues: { ":o": "many", ":from": 7, ":to": 10 },
    };
    const { Items, Count, ScannedCount } = await documents.send(new QueryCommand(query("many", stretch)));
    assert.deepEqual([ats(Items), Count, ScannedCount], [[7, 8, 9, 10], 4, 4]);
    const back = await documents.send(new QueryCommand(query("many", { ScanIndexForward: false, Limit: 2 })));
    assert.deepEqual([ats(back.Items), back.LastEvaluatedKey], [[59, 58], { owner: "many", at: 58 }]);
    const none = await documents.send(new QueryCommand(query("nobody")));
    assert.deepEqual([none.Items, none.Count, none.LastEvaluatedKey], [[], 0, undefined]);
  });

  test("a filter leaves out after it was counted", async () => {
    const filter = {
      FilterExpression: "color = :c AND size(#t) >= :s", ExpressionAttributeNames: { "#o": "owner", "#t": "text" },
      ExpressionAttributeValues: { ":o": "many", ":c": "red", ":s": 100 },
    };
    const { Items, Count, ScannedCount } = await documents.send(new QueryCommand(query("many", { ...filter, Limit: 10 })));
    assert.deepEqual([ats(Items), Count, ScannedCount], [[0, 3, 6, 9], 4, 10]);
    const counted = await documents.send(new QueryCommand(query("many", { ...filter, Select: "COUNT" })));
    assert.deepEqual([counted.Items, counted.Count, counted.ScannedCount], [undefined, 20, 60]);
    await refused(documents.send(new QueryCommand(query("many", { FilterExpression: "#o <> :o" }))),
      invalid("Filter Expression can only contain non-primary key attributes: Primary key attribute: owner"));
  });

  test("pages of a query make the whole", async () => {
    const seen = [];
    for await (const page of paginateQuery({ client: documents, pageSize: 7 }, query("many"))) {
      assert.ok(page.Items.length <= 7);
      seen.push(...ats(page.Items));
    }
    assert.deepEqual(seen, Array.from({ length: 60 }, (_, n) => n));
    const indexed = [];
    const blue = {
      TableName, IndexName: "by-color", KeyConditionExpression: "color = :c AND #a > :a",
      ExpressionAttributeNames: { "#a": "at" }, ExpressionAttributeValues: { ":c": "blue", ":a": 10 },
    };
    for await (const page of paginateQuery({ client: documents, pageSize: 3 }, blue)) indexed.push(...ats(page.Items));
    assert.deepEqual(indexed, Array.from({ length: 17 }, (_, n) => 11 + 3 * n));
    await refused(documents.send(new QueryCommand({ ...blue, ConsistentRead: true })),
      invalid("Consistent reads are not supported on global secondary indexes"));
  });

  test("a pager goes on from a key it was given", async () => {
    const first = await documents.send(new QueryCommand(query("many", { Limit: 50 })));
    const rest = [];
    const from = { client: documents, startingToken: first.LastEvaluatedKey };
    for await (const page of paginateQuery(from, query("many"))) rest.push(...ats(page.Items));
    assert.deepEqual(rest, Array.from({ length: 10 }, (_, n) => 50 + n));
    const foreign = query("many", { ExclusiveStartKey: { owner: "other", at: 1 } });
    await refused(documents.send(new QueryCommand(foreign)),
      invalid("The provided starting key is outside query boundaries based on provided conditions"));
  });

  test("pages and segments of a scan make the whole", async () => {
    const filter = {
      TableName, FilterExpression: "#o = :o", ExpressionAttributeNames: { "#o": "owner" }, ExpressionAttributeValues: { ":o": "many" },
    };
    const whole = async (more) => {
      const seen = [];
      for await (const page of paginateScan({ client: documents, pageSize: 11 }, { ...filter, ...more })) seen.push(...ats(page.Items));
      return seen;
    };
    const sorted = (list) => [...list].sort((a, b) => a - b);
    const all = Array.from({ length: 60 }, (_, n) => n);
    assert.deepEqual(sorted(await whole()), all);
    const segments = await Promise.all([0, 1, 2].map((Segment) => whole({ Segment, TotalSegments: 3 })));
    assert.deepEqual(sorted(segments.flat()), all);
    assert.deepEqual(sorted(await whole({ IndexName: "by-color" })), all);
    await refused(documents.send(new ScanCommand({ TableName, Segment: 3, TotalSegments: 3 })), invalid(
      "The Segment parameter is zero-based and must be less than parameter TotalSegments",
    ));
  });
});

describe("batches", () => {
  test("a batch writes and gets from several tables", async () => {
    await createTable(client, "others", ["p:S"]);
    const Put = (Item) => ({ PutRequest: { Item } });
    await put({ owner: "batch", at: 0 });
    const { UnprocessedItems } = await documents.send(new BatchWriteCommand({
      RequestItems: {
        notes: [Put({ owner: "batch", at: 1, tags: new Set(["a"]) }), { DeleteRequest: { Key: { owner: "batch", at: 0 } } }],
        others: [Put({ p: "x", n: 1, m: 2 })],
      },
    }));
    assert.deepEqual(UnprocessedItems, {});
    const { Responses, UnprocessedKeys } = await documents.send(new BatchGetCommand({
      RequestItems: {
        notes: { Keys: [0, 1].map((at) => ({ owner: "batch", at })), ConsistentRead: true },
        others: { Keys: [{ p: "x" }], ProjectionExpression: "m" },
      },
    }));
    assert.deepEqual(Responses, { notes: [{ owner: "batch", at: 1, tags: new Set(["a"]) }], others: [{ m: 2 }] });
    assert.deepEqual(UnprocessedKeys, {});
  });

  test("a batch that breaks a rule does nothing", async () => {
    const write = (...items) => documents.send(new BatchWriteCommand({ RequestItems: { notes: items } }));
    const Put = (at, more = {}) => ({ PutRequest: { Item: { owner: "broken", at, ...more } } });
    const duplicates = invalid("Provided list of item keys contains duplicates");
    await refused(write(Put(1), Put(1)), duplicates);
    await refused(write(Put(1), { DeleteRequest: { Key: { owner: "broken", at: 1 } } }), duplicates);
    await refused(write(Put(1), { PutRequest: { Item: { owner: "broken" } } }), invalid("The provided key element does not match the schema"));
    await refused(write(Put(1), Put(2, { big: "x".repeat(400 * 1024) })), invalid("Item size has exceeded the maximum allowed size"));
    await refused(documents.send(new BatchWriteCommand({ RequestItems: { notes: [Put(1)], absent: [Put(1)] } })), NO_TABLE);
    assert.equal((await documents.send(new QueryCommand(query("broken")))).Count, 0);
    const get = new BatchGetCommand({ RequestItems: { notes: { Keys: [{ owner: "a", at: 1 }, { owner: "a", at: 1 }] } } });
    await refused(documents.send(get), duplicates);
  });
});

describe("transactions", () => {
  const Item = (at, more = {}) => ({ owner: "transaction", at, ...more });
  const write = (...TransactItems) => documents.send(new TransactWriteCommand({
    TransactItems: TransactItems.map((one) => Object.fromEntries(Object.entries(one).map(([name, more]) => [name, { TableName, ...more }]))),
  }));

  test("all four actions are done together", async () => {
    await put(Item(1, { n: 1 }));
    await put(Item(2));
    await write(
      { Put: { Item: Item(3, { tags: new Set(["a"]) }), ConditionExpression: "attribute_not_exists(n)" } },
      { Update: { Key: Item(1), UpdateExpression: "ADD n :n", ExpressionAttributeValues: { ":n": 2 } } },
      { Delete: { Key: Item(2) } },
      { ConditionCheck: { Key: Item(4), ConditionExpression: "attribute_not_exists(n)" } },
    );
    const { Items } = await documents.send(new QueryCommand(query("transaction")));
    assert.deepEqual(Items, [Item(1, { n: 3 }), Item(3, { tags: new Set(["a"]) })]);
  });

  test("what is given up is given up as a whole, with a reason for each", async () => {
    await put(Item(10, { n: 1 }));
    const check = { ConditionExpression: "n = :n", ExpressionAttributeValues: { ":n": 2 } };
    const reasons = await cancelled(write(
      { Put: { Item: Item(11) } },
      { Update: { Key: Item(10), UpdateExpression: "SET n = :n", ...check, ReturnValuesOnConditionCheckFailure: "ALL_OLD" } },
      { Delete: { Key: Item(12), ...check, ReturnValuesOnConditionCheckFailure: "ALL_OLD" } },
      { ConditionCheck: { Key: Item(13), ...check } },
    ), "None", "ConditionalCheckFailed", "ConditionalCheckFailed", "ConditionalCheckFailed");
    assert.deepEqual(reasons.map((reason) => reason.Message), [undefined, FAILED[1], FAILED[1], FAILED[1]]);
    const raw = { owner: { S: "transaction" }, at: { N: "10" }, n: { N: "1" } };
    assert.deepEqual(reasons.map((reason) => reason.Item), [undefined, raw, undefined, undefined]);
    assert.deepEqual([await got("transaction", 10), await got("transaction", 11)], [Item(10, { n: 1 }), undefined]);
  });

  test("an update that can't be done is a reason too", async () => {
    await put(Item(20, { text: "t" }));
    const set = (expression) => ({ Update: { Key: Item(20), UpdateExpression: expression, ExpressionAttributeValues: { ":n": 1 } } });
    const [, reason] = await cancelled(write({ Put: { Item: Item(21) } }, set("SET m = absent + :n")), "None", "ValidationError");
    assert.equal(reason.Message, "The provided expression refers to an attribute that does not exist in the item");
    assert.equal(await got("transaction", 21), undefined);
    await write({ Put: { Item: Item(21) } }, set("SET m = :n"));
  });

  test("a transaction that breaks a rule is not begun", async () => {
    const twice = write({ Put: { Item: Item(30) } }, { Delete: { Key: Item(30) } });
    await refused(twice, invalid("Transaction request cannot include multiple operations on one item"));
    const both = write({ Put: { Item: Item(30) }, Delete: { Key: Item(31) } });
    await refused(both, invalid("TransactItems can only contain one of Check, Put, Update or Delete"));
    await refused(documents.send(new TransactWriteCommand({ TransactItems: [{ Put: { TableName: "absent", Item: Item(1) } }] })), NO_TABLE);
    assert.equal(await got("transaction", 30), undefined);
  });

  test("a transaction gets in the order it was asked", async () => {
    await put(Item(40, { bytes: Uint8Array.of(1), text: "t" }));
    await put(Item(41, { n: 1 }));
    const get = (at, more = {}) => ({ Get: { TableName, Key: Item(at), ...more } });
    const { Responses } = await documents.send(new TransactGetCommand({
      TransactItems: [get(41), get(42), get(40, { ProjectionExpression: "bytes" })],
    }));
    assert.deepEqual(Responses.map((one) => one.Item), [Item(41, { n: 1 }), undefined, { bytes: Uint8Array.of(1) }]);
    await refused(documents.send(new TransactGetCommand({ TransactItems: [get(40), get(40)] })),
      invalid("Transaction request cannot include multiple operations on one item"));
  });
});

describe("rights", () => {
  test("a user may read what its policy says, and nothing else", async () => {
    await put({ owner: "rights", at: 1 });
    const who = await user(server, "reader", ["dynamodb:GetItem", "dynamodb:Query"], arn);
    const theirs = DynamoDBDocumentClient.from(connect(server, who.keys));
    assert.deepEqual(await got("rights", 1, theirs), { owner: "rights", at: 1 });
    assert.deepEqual(ats((await theirs.send(new QueryCommand(query("rights")))).Items), [1]);
    const Key = { owner: "rights", at: 1 };
    const Put = { TableName, Item: { ...Key, at: 2 } };
    for (const [name, command, where = arn] of [
      ["PutItem", new PutCommand(Put)],
      ["UpdateItem", new UpdateCommand({ TableName, Key, UpdateExpression: "REMOVE x" })],
      ["DeleteItem", new DeleteCommand({ TableName, Key })],
      ["Scan", new ScanCommand({ TableName })],
      ["BatchGetItem", new BatchGetCommand({ RequestItems: { notes: { Keys: [Key] } } })],
      ["BatchWriteItem", new BatchWriteCommand({ RequestItems: { notes: [{ PutRequest: { Item: Put.Item } }] } })],
      ["PutItem", new TransactWriteCommand({ TransactItems: [{ Put }] })],
      ["Query", new QueryCommand(query("rights", { IndexName: "by-color" })), `${arn}/index/by-color`],
    ]) {
      await refused(theirs.send(command), denied(who, name, where));
    }
    // What a transaction gets is got.
    const { Responses } = await theirs.send(new TransactGetCommand({ TransactItems: [{ Get: { TableName, Key } }] }));
    assert.deepEqual(Responses, [{ Item: Key }]);
    theirs.destroy();
    assert.equal(await got("rights", 2), undefined);
  });
});
