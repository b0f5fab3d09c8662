// dynamoose's models: schemas, queries that find their index, batches, transactions and conditions.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import dynamoose from "dynamoose";
import { Homeport } from "./homeport.js";
import { FAILED, NO_TABLE, cancelled, connect, denied, refused, user } from "./tables.js";

const BOUGHT = { throughput: { read: 2, write: 1 }, tags: { app: "notes" } };
let server;
let client;
let Note;
let Tag;

before(async () => {
  server = await Homeport.start();
  client = connect(server);
  dynamoose.aws.ddb.set(client);
  dynamoose.Table.defaults.set({ initialize: false, waitForActive: { check: { frequency: 20 } }, throughput: "ON_DEMAND" });
  Note = dynamoose.model("Note", new dynamoose.Schema({
    owner: { type: String, hashKey: true },
    at: { type: Number, rangeKey: true },
    title: { type: String, index: { name: "by-title", type: "local", project: ["color"] } },
    color: { type: String, enum: ["red", "green", "blue"], index: { name: "by-color", type: "global", rangeKey: "at" } },
    hits: { type: Number, default: 0, validate: (hits) => hits < 1_000 },
    bytes: Buffer,
    made: Date,
    done: Boolean,
    words: { type: Set, schema: [String] },
    numbers: { type: Set, schema: [Number] },
    place: { type: Object, schema: { city: { type: String, required: true }, height: Number } },
    list: { type: Array, schema: [{ type: Object, schema: { n: Number } }] },
    free: dynamoose.type.ANY,
  }, { saveUnknown: ["extra.**", "free.**"], timestamps: { createdAt: "created", updatedAt: undefined } }));
  Tag = dynamoose.model("Tag", { name: String, uses: Number });
  await new dynamoose.Table("notes", [Note]).initialize();
  await new dynamoose.Table("tags", [Tag], BOUGHT).initialize();
});

after(async () => {
  client?.destroy();
  await server?.stop();
});

const stored = async (owner, at) =>
  (await client.getItem({ TableName: "notes", Key: { owner: { S: owner }, at: { N: `${at}` } } })).Item;
const ats = (found) => found.map((note) => note.at);
const upTo = (end, from = 0) => Array.from({ length: end - from }, (_, n) => n + from);
const sorted = (list) => [...list].sort((a, b) => a - b);
const invalid = (message) => ["ValidationException", message];
const where = (name) => new dynamoose.Condition(name);

/** Writes notes 0 to `count`. */
async function written(owner, count) {
  for (let from = 0; from < count; from += 25) {
    await Note.batchPut(upTo(Math.min(count, from + 25), from)
      .map((at) => ({ owner, at, color: ["red", "green", "blue"][at % 3], title: `title ${String(count - at).padStart(3, "0")}` })));
  }
}

describe("tables", () => {
  test("a table is made as its models say", async () => {
    const { Table } = await client.describeTable({ TableName: "notes" });
    assert.deepEqual(Table.KeySchema, [{ AttributeName: "owner", KeyType: "HASH" }, { AttributeName: "at", KeyType: "RANGE" }]);
    assert.equal(Table.BillingModeSummary.BillingMode, "PAY_PER_REQUEST");
    assert.deepEqual(Table.GlobalSecondaryIndexes.map(({ IndexName, IndexStatus, Projection }) => [IndexName, IndexStatus, Projection]),
      [["by-color", "ACTIVE", { ProjectionType: "ALL" }]]);
    assert.deepEqual(Table.LocalSecondaryIndexes.map(({ IndexName, Projection }) => [IndexName, Projection]),
      [["by-title", { ProjectionType: "INCLUDE", NonKeyAttributes: ["color"] }]]);
  });

  test("a table that is there is not made again but changed where it is asked to be", async () => {
    const again = (more) => new dynamoose.Table("tags", [dynamoose.model("Other tag", { name: String })], { ...BOUGHT, ...more });
    await again().initialize();
    await again({ throughput: { read: 5, write: 4 }, tags: { app: "changed", more: "yes" }, update: ["throughput", "tags"] }).initialize();
    const { Table: { TableArn, ProvisionedThroughput } } = await client.describeTable({ TableName: "tags" });
    assert.deepEqual([ProvisionedThroughput.ReadCapacityUnits, ProvisionedThroughput.WriteCapacityUnits], [5, 4]);
    const { Tags } = await client.listTagsOfResource({ ResourceArn: TableArn });
    assert.deepEqual(Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value])), { app: "changed", more: "yes" });
    await refused(again().create(), ["ResourceInUseException", "Table already exists: tags"]);
  });

  test("a model of a table that isn't there is refused", async () => {
    const Absent = dynamoose.model("Absent", { p: String });
    await new dynamoose.Table("absent", [Absent], { create: false, waitForActive: false }).initialize();
    await refused(Absent.get("a"), NO_TABLE);
  });
});

describe("one item", () => {
  test("every type comes back as it was", async () => {
    const item = {
      owner: "types", at: 1.5, title: "ä \u0001 \"quoted\" 😀", color: "red", hits: -3, bytes: Buffer.from([0, 255]),
      made: new Date("2031-02-03T04:05:06.789Z"), done: false, words: new Set(["a", "b"]), numbers: new Set([1, 2.5]),
      place: { city: "Bern", height: 540 }, list: [{ n: 1 }, {}], free: [1, "two", { three: null }], extra: { any: ["thing"] },
    };
    await Note.create(item);
    const { created, ...found } = await Note.get({ owner: "types", at: 1.5 }, { consistent: true });
    assert.deepEqual({ ...found, bytes: Buffer.from(found.bytes) }, item);
    assert.ok(created instanceof Date);
    const kept = await stored("types", 1.5);
    assert.deepEqual([kept.made, kept.words.SS.sort(), kept.extra], [
      { N: `${item.made.getTime()}` }, ["a", "b"], { M: { any: { L: [{ S: "thing" }] } } },
    ]);
  });

  test("an item is created once, and saved as often as one likes", async () => {
    const note = await Note.create({ owner: "once", at: 1, title: "first" });
    await refused(Note.create({ owner: "once", at: 1, title: "second" }), FAILED);
    assert.equal((await Note.get({ owner: "once", at: 1 })).title, "first");
    note.title = "third";
    await note.save();
    await Note.create({ owner: "once", at: 1, title: "fourth" }, { overwrite: true });
    assert.equal((await Note.get({ owner: "once", at: 1 })).title, "fourth");
  });

  test("what the schema refuses never arrives", async () => {
    const base = { owner: "schema", at: 1 };
    await assert.rejects(Note.create({ ...base, color: "black" }), /color must equal \["red","green","blue"\], but is set to black/);
    await assert.rejects(Note.create({ ...base, hits: 5_000 }), /hits with a value of 5000 had a validation error/);
    await assert.rejects(Note.create({ ...base, title: 1 }), /Expected title to be of type string, instead found type number/);
    await assert.rejects(Note.create({ ...base, place: { height: 1 } }), /place.city is a required property/);
    await Note.create({ ...base, unknown: 1 });
    const { created, ...kept } = await stored("schema", 1);
    assert.deepEqual(kept, { owner: { S: "schema" }, at: { N: "1" }, hits: { N: "0" } });
    assert.ok(created.N);
  });

  test("an item that isn't there is undefined", async () => {
    await Note.create({ owner: "there", at: 1, title: "t", place: { city: "Bern", height: 540 } });
    assert.equal(await Note.get({ owner: "there", at: 2 }), undefined);
    const found = await Note.get({ owner: "there", at: 1 }, { attributes: ["title", "place"] });
    assert.deepEqual({ ...found }, { title: "t", place: { city: "Bern", height: 540 } });
  });

  test("an update sets, adds, deletes and removes", async () => {
    await Note.create({
      owner: "update", at: 1, title: "first", hits: 1, list: [{ n: 1 }], words: new Set(["x", "y"]), numbers: new Set([1]), done: true,
    });
    const key = { owner: "update", at: 1 };
    const set = await Note.update(key, {
      $SET: { title: "second", place: { city: "Rome" } }, $ADD: { hits: 4, list: { n: 2 }, words: new Set(["z"]) }, $REMOVE: ["done"],
      $DELETE: { numbers: new Set([1]) },
    });
    const { created, ...now } = set;
    assert.deepEqual(now, {
      ...key, title: "second", hits: 5, list: [{ n: 1 }, { n: 2 }], words: new Set(["x", "y", "z"]), place: { city: "Rome" },
    });
    assert.ok(created instanceof Date);
    const old = await Note.update(key, { place: { city: "Oslo" }, $REMOVE: ["title"] }, { returnValues: "UPDATED_OLD" });
    assert.deepEqual({ ...old }, { place: { city: "Rome" }, title: "second" });
    const { place, title } = await Note.get(key);
    assert.deepEqual([place, title], [{ city: "Oslo" }, undefined]);
  });

  test("an update of what isn't there makes it, unless that is ruled out", async () => {
    const key = { owner: "update", at: 2 };
    await refused(Note.update(key, { title: "t" }, { condition: where("owner").exists() }), FAILED);
    assert.equal(await stored("update", 2), undefined);
    const made = await Note.update(key, { title: "t" });
    assert.deepEqual({ ...made }, { ...key, title: "t" });
  });

  test("an update that can't be done changes nothing", async () => {
    const key = { owner: "update", at: 3 };
    await Note.create({ ...key, title: "t" });
    // What the schema would not have let in.
    await client.updateItem({
      TableName: "notes", Key: { owner: { S: "update" }, at: { N: "3" } }, UpdateExpression: "SET hits = :x, words = :x",
      ExpressionAttributeValues: { ":x": { S: "text" } },
    });
    const kept = await stored("update", 3);
    const operand = invalid("An operand in the update expression has an incorrect data type");
    await refused(Note.update(key, { $SET: { title: "new" }, $ADD: { hits: 1 } }), operand);
    await refused(Note.update(key, { $SET: { title: "new" }, $DELETE: { words: new Set(["a"]) } }), operand);
    assert.deepEqual(await stored("update", 3), kept);
  });

  test("a condition lets a write through or not", async () => {
    const key = { owner: "condition", at: 1 };
    await Note.create({ ...key, title: "first", hits: 3, words: new Set(["a"]) });
    const holding = [
      where("hits").eq(3), where("hits").between(1, 3), where("hits").in([2, 3]), where("title").beginsWith("fi"),
      where("title").contains("irs"), where("words").contains("a"), where("color").not().exists(),
      where("hits").lt(0).or().where("title").eq("first"),
      where("hits").ge(3).and().parenthesis((inner) => inner.where("title").eq("no").or().where("hits").le(3)),
    ];
    const failing = [
      where("hits").not().eq(3), where("hits").between(4, 5), where("hits").in([2, 4]), where("title").beginsWith("se"),
      where("title").contains("z"), where("words").contains("b"), where("color").exists(),
      where("hits").lt(0).or().where("title").eq("second"),
      where("hits").gt(3).and().parenthesis((inner) => inner.where("title").eq("no").or().where("hits").le(3)),
    ];
    for (const [n, condition] of holding.entries()) {
      await Note.update(key, { done: n % 2 === 0 }, { condition });
      await refused(Note.update(key, { done: n % 2 !== 0 }, { condition: failing[n] }), FAILED);
      assert.equal((await Note.get(key)).done, n % 2 === 0);
    }
    await refused(Note.delete(key, { condition: where("hits").gt(3) }), FAILED);
    const note = await Note.get(key);
    await refused(note.save({ condition: where("hits").gt(3) }), FAILED);
    await note.save({ condition: where("hits").eq(3) });
    await Note.delete(key, { condition: where("hits").eq(3) });
    assert.equal(await Note.get(key), undefined);
    await note.delete();
  });
});

describe("queries and scans", () => {
  before(() => written("many", 50));

  test("a query finds a stretch of a partition", async () => {
    const at = () => Note.query("owner").eq("many").where("at");
    assert.deepEqual(ats(await at().eq(3).exec()), [3]);
    assert.deepEqual(ats(await at().lt(2).exec()), [0, 1]);
    assert.deepEqual(ats(await at().le(2).exec()), [0, 1, 2]);
    assert.deepEqual(ats(await at().gt(47).sort("descending").exec()), [49, 48]);
    assert.deepEqual(ats(await at().ge(48).exec()), [48, 49]);
    assert.deepEqual(ats(await at().between(7, 9).consistent().exec()), [7, 8, 9]);
    assert.deepEqual(ats(await Note.query("owner").eq("nobody").exec()), []);
  });

  test("a query finds its index by what it asks", async () => {
    const blue = await Note.query("color").eq("blue").where("at").lt(10).exec();
    assert.deepEqual(ats(blue), [2, 5, 8]);
    const titled = await Note.query("owner").eq("many").where("title").beginsWith("title 00").using("by-title").exec();
    assert.deepEqual(ats(titled), upTo(50, 41).reverse());
    assert.deepEqual({ ...titled[0] }, { owner: "many", at: 49, title: "title 001", color: "green" });
    await refused(Note.query("color").eq("blue").using("by-color").consistent().exec(),
      invalid("Consistent reads are not supported on global secondary indexes"));
    await refused(Note.query("owner").eq("many").using("absent").exec(), invalid("The table does not have the specified index: absent"));
  });

  test("a filter leaves out what was read", async () => {
    const found = await Note.query("owner").eq("many").using("by-title").filter("color").eq("red").limit(10).exec();
    assert.deepEqual([ats(found), found.count, found.lastKey.at], [[48, 45, 42], 3, 40]);
    const counted = await Note.query("owner").eq("many").using("by-title").filter("color").eq("red").count().exec();
    assert.equal(counted.count, 17);
    const scanned = await Note.scan("owner").eq("many").where("color").eq("red").count().exec();
    assert.ok(scanned.count === 17 && scanned.scannedCount >= 50);
    await refused(Note.query("owner").eq("many").using("by-title").filter("title").contains("05").exec(),
      invalid("Filter Expression can only contain non-primary key attributes: Primary key attribute: title"));
  });

  test("pages make the whole", async () => {
    const first = await Note.query("owner").eq("many").limit(20).exec();
    assert.deepEqual([ats(first), first.lastKey], [upTo(20), { owner: "many", at: 19 }]);
    const rest = await Note.query("owner").eq("many").limit(20).startAt(first.lastKey).all().exec();
    assert.deepEqual([ats(rest), rest.lastKey, rest.timesQueried], [upTo(50, 20), undefined, 2]);
    await refused(Note.query("owner").eq("many").startAt({ owner: "other", at: 1 }).exec(),
      invalid("The provided starting key is outside query boundaries based on provided conditions"));
  });

  test("segments of a scan make the whole", async () => {
    const whole = await Note.scan("owner").eq("many").all().exec();
    assert.deepEqual(sorted(ats(whole)), upTo(50));
    const parts = await Note.scan("owner").eq("many").parallel(4).limit(9).all().exec();
    assert.deepEqual(sorted(ats(parts)), upTo(50));
    assert.equal((await Note.scan("owner").eq("many").count().exec()).count, 50);
    const few = await Note.scan().filter("owner").eq("many").where("at").lt(3).attributes(["at", "title"]).exec();
    assert.deepEqual(few.map((note) => Object.keys(note).sort()), Array(3).fill(["at", "title"]));
  });
});

describe("batches", () => {
  const keys = (owner, count) => upTo(count).map((at) => ({ owner, at }));

  test("a batch puts, gets and deletes", async () => {
    await written("batch", 25);
    const found = await Note.batchGet(keys("batch", 30));
    assert.deepEqual([sorted(ats(found)), [...found.unprocessedKeys]], [upTo(25), []]);
    const deleted = await Note.batchDelete(keys("batch", 25).slice(5));
    assert.deepEqual(deleted.unprocessedItems, []);
    assert.deepEqual(ats(await Note.query("owner").eq("batch").exec()), upTo(5));
    const few = await Note.batchGet(keys("batch", 2), { attributes: ["owner", "at", "title"] });
    assert.deepEqual(few.map((note) => ({ ...note })).sort((a, b) => a.at - b.at), [
      { owner: "batch", at: 0, title: "title 025" }, { owner: "batch", at: 1, title: "title 024" },
    ]);
  });

  test("a batch of too many, or of the same twice, does nothing", async () => {
    const put = (ids) => Note.batchPut(ids.map((at) => ({ owner: "crowd", at })));
    const error = await put(upTo(26)).then(() => assert.fail("26 were put"), (thrown) => thrown);
    assert.equal(error.name, "ValidationException");
    assert.match(error.message, /Member must have length less than or equal to 25/);
    const duplicates = invalid("Provided list of item keys contains duplicates");
    await refused(put([1, 1]), duplicates);
    await refused(Note.batchGet([{ owner: "crowd", at: 1 }, { owner: "crowd", at: 1 }]), duplicates);
    assert.equal((await Note.query("owner").eq("crowd").count().exec()).count, 0);
    await put(upTo(25));
  });
});

describe("transactions", () => {
  const key = (at) => ({ owner: "transaction", at });

  test("a transaction writes to several models", async () => {
    await Note.create({ ...key(1), hits: 1 });
    await Note.create(key(2));
    await dynamoose.transaction([
      Note.transaction.update(key(1), { $ADD: { hits: 1 } }),
      Note.transaction.delete(key(2)),
      Note.transaction.create({ ...key(3), title: "new" }),
      Tag.transaction.create({ name: "transaction", uses: 1 }),
      Tag.transaction.condition("absent", where("name").not().exists()),
    ]);
    const found = await Note.query("owner").eq("transaction").exec();
    assert.deepEqual(found.map(({ at, hits, title }) => [at, hits, title]), [[1, 2, undefined], [3, 0, "new"]]);
    const [note, tag] = await dynamoose.transaction([Note.transaction.get(key(3)), Tag.transaction.get("transaction")]);
    assert.deepEqual([note.title, tag.uses], ["new", 1]);
  });

  test("a transaction of which one part fails writes nothing", async () => {
    await Note.create({ ...key(10), hits: 1 });
    const reasons = await cancelled(dynamoose.transaction([
      Tag.transaction.create({ name: "never" }),
      Note.transaction.create(key(10)),
    ]), "None", "ConditionalCheckFailed");
    assert.deepEqual(reasons.map((reason) => reason.Message), [undefined, FAILED[1]]);
    await cancelled(dynamoose.transaction([
      Tag.transaction.create({ name: "never" }),
      Tag.transaction.condition("absent", where("name").exists()),
    ]), "None", "ConditionalCheckFailed");
    assert.equal(await Tag.get("never"), undefined);
    await refused(dynamoose.transaction([Note.transaction.delete(key(10)), Note.transaction.update(key(10), { title: "t" })]),
      invalid("Transaction request cannot include multiple operations on one item"));
    assert.equal((await Note.get(key(10))).hits, 1);
  });
});

describe("rights", () => {
  test("a reader may read and may not write", async () => {
    await Note.create({ owner: "rights", at: 1 });
    const { Table: { TableArn: arn } } = await client.describeTable({ TableName: "notes" });
    const who = await user(server, "reader", ["dynamodb:GetItem", "dynamodb:Query"], [arn, `${arn}/index/by-title`]);
    const theirs = connect(server, who.keys);
    dynamoose.aws.ddb.set(theirs);
    try {
      const key = { owner: "rights", at: 1 };
      assert.equal((await Note.get(key)).at, 1);
      assert.deepEqual(ats(await Note.query("owner").eq("rights").exec()), [1]);
      assert.deepEqual(ats(await Note.query("owner").eq("rights").using("by-title").exec()), []);
      for (const [name, call, resource = arn] of [
        ["PutItem", () => Note.create({ owner: "rights", at: 2 })],
        ["UpdateItem", () => Note.update(key, { title: "t" })],
        ["DeleteItem", () => Note.delete(key)],
        ["Scan", () => Note.scan().exec()],
        ["BatchGetItem", () => Note.batchGet([key])],
        ["BatchWriteItem", () => Note.batchPut([{ owner: "rights", at: 2 }])],
        ["PutItem", () => dynamoose.transaction([Note.transaction.create({ owner: "rights", at: 2 })])],
        ["Query", () => Note.query("color").eq("red").exec(), `${arn}/index/by-color`],
      ]) {
        await refused(call(), denied(who, name, resource));
      }
    } finally {
      dynamoose.aws.ddb.set(client);
      theirs.destroy();
    }
    assert.deepEqual(ats(await Note.query("owner").eq("rights").exec()), [1]);
  });
});
