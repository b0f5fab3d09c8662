// ElectroDB's entities and services: several kinds of items in one table, found by keys that are put together.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { Entity, Service } from "electrodb";
import { Homeport } from "./homeport.js";
import { FAILED, NO_TABLE, connect, createTable, denied, refused, user } from "./tables.js";

const table = "app";
const KEYS = ["pk:S", "sk:S"];
const INDEXES = { first: ["gsi1pk:S", "gsi1sk:S"], second: ["gsi2pk:S", "gsi2sk:S"] };
const index = (name, pk, sk, more = {}) => ({
  ...(name ? { index: ["first", "second"][name - 1] } : {}), ...more,
  pk: { field: name ? `gsi${name}pk` : "pk", composite: pk }, sk: { field: name ? `gsi${name}sk` : "sk", composite: sk },
});

const person = {
  model: { entity: "person", version: "1", service: "app" },
  attributes: {
    team: { type: "string", required: true },
    person: { type: "string", required: true },
    name: { type: "string", validate: /^.{0,20}$/ },
    rank: { type: ["junior", "senior"], default: "junior" },
    created: { type: "number", readOnly: true, default: () => 1 },
    secret: { type: "string", hidden: true },
  },
  indexes: {
    of: index(0, ["person"], []),
    team: index(1, ["team"], ["rank", "person"], { collection: "workplace" }),
  },
};

const task = {
  model: { entity: "task", version: "1", service: "app" },
  attributes: {
    project: { type: "string", required: true },
    task: { type: "string", required: true },
    team: { type: "string", required: true },
    person: { type: "string" },
    status: { type: ["open", "done"], default: "open" },
    title: { type: "string" },
    points: { type: "number", default: 0 },
    due: { type: "string", default: "later" },
    tags: { type: "set", items: "string" },
    notes: { type: "list", items: { type: "map", properties: { by: { type: "string" }, text: { type: "string" } } } },
    place: { type: "map", properties: { city: { type: "string" }, height: { type: "number" } } },
    bytes: { type: "any" },
  },
  indexes: {
    of: index(0, ["project"], ["task"]),
    team: index(1, ["team"], ["due", "task"], { collection: "workplace" }),
    person: index(2, ["person"], ["status", "due"]),
  },
};

let server;
let arn;
let own;
let app;
let people;
let tasks;

/** The service as somebody asks it. */
function serviceOf(client, where = table) {
  const options = { client, table: where };
  return new Service({ people: new Entity(person, options), tasks: new Entity(task, options) }, options);
}

const documents = (credentials) =>
  DynamoDBDocumentClient.from(connect(server, credentials), { marshallOptions: { removeUndefinedValues: true } });

before(async () => {
  server = await Homeport.start();
  own = documents();
  arn = await createTable(connect(server), table, KEYS, INDEXES);
  app = serviceOf(own);
  ({ people, tasks } = app.entities);
});

after(async () => {
  own?.destroy();
  await server?.stop();
});

const names = (found, name = "task") => found.data.map((item) => item[name]);
/** A task as it comes back, with what it was given by default. */
const whole = (item) => ({ status: "open", points: 0, due: "later", ...item });
const numbered = (count, more = () => ({})) =>
  Array.from({ length: count }, (_, n) => ({ task: `t${String(n).padStart(3, "0")}`, ...more(n) }));

/** What DynamoDB said where ElectroDB says that it said something. */
const said = (call) => call.catch((error) => {
  assert.equal(error.code, 4001, error);
  throw error.cause;
});
const invalid = (message) => ["ValidationException", message];
const stop = { rejected: true, code: "ConditionalCheckFailed", message: FAILED[1] };
const through = { rejected: false, code: "None", message: undefined, item: null };

describe("one item", () => {
  test("an item comes back as it was, and lies under keys put together", async () => {
    const item = {
      project: "types", task: "t1", team: "blue", person: "ada", status: "open", points: 1.5, due: "2031-01-01",
      tags: ["a", "b"], notes: [{ by: "ada", text: "ä 😀" }, { text: "" }], place: { city: "Bern", height: 540 },
      bytes: Uint8Array.of(0, 255),
    };
    assert.deepEqual((await tasks.create(item).go()).data, item);
    assert.deepEqual((await tasks.get({ project: "types", task: "t1" }).go({ consistent: true })).data, item);
    const { data: { Item: raw } } = await tasks.get({ project: "types", task: "t1" }).go({ data: "raw" });
    assert.deepEqual([raw.pk, raw.sk, raw.gsi1pk, raw.gsi1sk, raw.gsi2sk], [
      "$app#project_types", "$task_1#task_t1", "$app#team_blue", "$workplace#task_1#due_2031-01-01#task_t1",
      "$task_1#status_open#due_2031-01-01",
    ]);
    assert.ok(raw.tags instanceof Set);
    assert.equal((await tasks.get({ project: "types", task: "t2" }).go()).data, null);
  });

  test("what is hidden stays hidden, and what breaks the schema never arrives", async () => {
    const made = await people.create({ person: "hidden", team: "blue", name: "Ada", secret: "s" }).go();
    assert.deepEqual(made.data, { person: "hidden", team: "blue", name: "Ada", rank: "junior", created: 1 });
    const wrong = { person: "wrong", team: "blue" };
    await assert.rejects(people.create({ ...wrong, name: "x".repeat(21) }).go(), /Invalid value for attribute "name"/);
    await assert.rejects(people.create({ ...wrong, rank: "captain" }).go(), /Value not found in set of acceptable values: "junior", "senior"/);
    assert.equal((await people.get({ person: "wrong" }).go()).data, null);
  });

  test("an item is created once; a put replaces it and an upsert keeps what it doesn't name", async () => {
    const key = { person: "once" };
    await people.create({ ...key, team: "blue", name: "first", secret: "s" }).go();
    await refused(said(people.create({ ...key, team: "blue", name: "second" }).go()), FAILED);
    await people.upsert({ ...key, team: "blue", rank: "senior" }).go();
    const got = async () => (await people.get(key).go({ data: "attributes" })).data;
    assert.deepEqual(await got(), { ...key, team: "blue", name: "first", rank: "senior", created: 1 });
    await people.put({ ...key, team: "red" }).go();
    assert.deepEqual(await got(), { ...key, team: "red", rank: "junior", created: 1 });
    await people.upsert({ person: "upserted", team: "red" }).go();
    assert.equal((await people.get({ person: "upserted" }).go()).data.rank, "junior");
  });

  test("a patch and a removal want an item, an update and a delete don't", async () => {
    const key = { person: "patched" };
    await refused(said(people.patch(key).set({ name: "n" }).go()), FAILED);
    await refused(said(people.remove(key).go()), FAILED);
    assert.equal((await people.get(key).go()).data, null);
    await people.delete(key).go();
    await people.create({ ...key, team: "blue" }).go();
    const { data } = await people.patch(key).set({ name: "n" }).go({ response: "all_new" });
    assert.deepEqual(data, { ...key, team: "blue", name: "n", rank: "junior", created: 1 });
    await people.remove(key).go();
    await refused(said(people.remove(key).go()), FAILED);
    await tasks.update({ project: "patched", task: "t" }).set({ points: 2 }).go();
    assert.deepEqual((await tasks.get({ project: "patched", task: "t" }).go()).data, { project: "patched", task: "t", points: 2 });
  });

  test("an update adds, appends, deletes and removes", async () => {
    const key = { project: "update", task: "t1" };
    await tasks.create({
      ...key, team: "blue", points: 3, bytes: Uint8Array.of(1), tags: ["a", "b"], notes: [{ text: "1" }], place: { city: "Bern", height: 1 },
    }).go();
    const { data } = await tasks.update(key)
      .add({ tags: ["c"] })
      .append({ notes: [{ text: "2" }] })
      .remove(["bytes"])
      .data(({ place, points, title }, { set, remove, ifNotExists }) => {
        set(place.city, "Rome");
        remove(place.height);
        ifNotExists(title, "new");
        ifNotExists(points, 9);
      })
      .go({ response: "all_new" });
    assert.deepEqual(data, {
      ...whole(key), team: "blue", title: "new", points: 3, tags: ["a", "b", "c"],
      notes: [{ text: "1" }, { text: "2" }], place: { city: "Rome" },
    });
    await tasks.update(key).add({ points: 4 }).delete({ tags: ["a", "b"] }).go();
    const { data: { points, tags } } = await tasks.get(key).go();
    assert.deepEqual([points, tags], [7, ["c"]]);
    await tasks.update(key).subtract({ points: 2 }).go();
    const old = await tasks.update(key).set({ points: 1 }).go({ response: "updated_old" });
    assert.deepEqual(old.data, { ...key, points: 5 });
  });

  test("an update that can't be done changes nothing", async () => {
    const key = { project: "update", task: "t2" };
    await tasks.create({ ...key, team: "blue" }).go();
    const nested = tasks.update(key).data(({ place, points }, { set, add }) => {
      add(points, 1);
      set(place.city, "Bern");
    });
    await refused(said(nested.go()), invalid("The document path provided in the update expression is invalid for update"));
    assert.deepEqual((await tasks.get(key).go()).data, whole({ ...key, team: "blue" }));
  });

  test("a condition lets a write through or not", async () => {
    const key = { project: "condition", task: "t1" };
    await tasks.create({ ...key, team: "blue", points: 3, tags: ["a"], place: { city: "Bern" } }).go();
    const holding = [
      ({ points }, { eq }) => eq(points, 3),
      ({ points }, { between }) => between(points, 1, 3),
      ({ place }, { begins }) => begins(place.city, "Be"),
      ({ tags }, { contains }) => contains(tags, "a"),
      ({ person: who, points }, { notExists, exists }) => `${notExists(who)} AND ${exists(points)}`,
    ];
    const failing = [
      ({ points }, { eq }) => eq(points, 4),
      ({ points }, { between }) => between(points, 4, 9),
      ({ place }, { begins }) => begins(place.city, "Ro"),
      ({ tags }, { contains }) => contains(tags, "b"),
      ({ person: who, points }, { notExists, exists }) => `${exists(who)} OR ${notExists(points)}`,
    ];
    for (const [n, condition] of holding.entries()) {
      await tasks.patch(key).set({ bytes: Uint8Array.of(n) }).where(condition).go();
      await refused(said(tasks.patch(key).set({ bytes: Uint8Array.of(99) }).where(failing[n]).go()), FAILED);
      assert.deepEqual((await tasks.get(key).go()).data.bytes, Uint8Array.of(n));
    }
    await refused(said(tasks.delete(key).where(failing[0]).go()), FAILED);
    await refused(said(tasks.put({ ...key, team: "red" }).where(failing[0]).go()), FAILED);
    assert.equal((await tasks.get(key).go()).data.team, "blue");
    await tasks.delete(key).where(holding[0]).go();
    assert.equal((await tasks.get(key).go()).data, null);
  });

  test("an item moves in its indexes, and leaves those that aren't its any more", async () => {
    const key = { project: "moving", task: "t1" };
    await tasks.create({ ...key, team: "movers", person: "mo", due: "2031-01-01" }).go();
    const openOf = async (who) => names(await tasks.query.person({ person: who, status: "open" }).go());
    assert.deepEqual(await openOf("mo"), ["t1"]);
    await tasks.patch(key).set({ person: "lo", status: "open", due: "2031-01-02" }).go();
    assert.deepEqual([await openOf("mo"), await openOf("lo")], [[], ["t1"]]);
    await tasks.patch(key).set({ status: "done", person: "lo", due: "2031-01-02" }).go();
    assert.deepEqual([await openOf("lo"), names(await tasks.query.person({ person: "lo" }).go())], [[], ["t1"]]);
  });
});

describe("queries", () => {
  before(async () => {
    const items = numbered(30, (n) => ({
      project: "many", team: "green", person: n % 2 ? "odd" : "even", points: n, due: `2031-01-${String(n + 1).padStart(2, "0")}`,
    }));
    assert.deepEqual((await tasks.put(items).go()).unprocessed, []);
  });

  const many = () => tasks.query.of({ project: "many" });

  test("a query finds what begins, lies between, before and after", async () => {
    assert.deepEqual(names(await many().begins({ task: "t00" }).go()), numbered(10).map((item) => item.task));
    assert.deepEqual(names(await many().between({ task: "t003" }, { task: "t005" }).go()), ["t003", "t004", "t005"]);
    assert.deepEqual(names(await many().gt({ task: "t027" }).go()), ["t028", "t029"]);
    assert.deepEqual(names(await many().gte({ task: "t027" }).go()), ["t027", "t028", "t029"]);
    assert.deepEqual(names(await many().lt({ task: "t002" }).go()), ["t000", "t001"]);
    assert.deepEqual(names(await many().lte({ task: "t002" }).go({ order: "desc" })), ["t002", "t001", "t000"]);
    assert.deepEqual(names(await tasks.query.of({ project: "man" }).go()), []);
    assert.deepEqual(names(await tasks.query.of({ project: "many", task: "t007" }).go()), ["t007"]);
  });

  test("an index is asked by its own keys", async () => {
    const due = tasks.query.person({ person: "odd", status: "open" }).between({ due: "2031-01-03" }, { due: "2031-01-07" });
    assert.deepEqual(names(await due.go()), ["t003", "t005"]);
    await refused(said(tasks.query.person({ person: "odd" }).go({ consistent: true })),
      invalid("Consistent reads are not supported on global secondary indexes"));
    const few = await tasks.match({ team: "green", points: 4 }).go();
    assert.deepEqual(names(few), ["t004"]);
  });

  test("a filter leaves out what was read", async () => {
    const found = await many().where(({ points, person: who }, { gt, eq }) => `${gt(points, 20)} AND ${eq(who, "even")}`).go();
    assert.deepEqual(found.data.map((item) => item.points), [22, 24, 26, 28]);
    const projected = await many().lt({ task: "t002" }).go({ attributes: ["task", "points"] });
    assert.deepEqual(projected.data, [{ task: "t000", points: 0 }, { task: "t001", points: 1 }]);
  });

  test("cursors lead through all pages", async () => {
    for (const [query, all] of [
      [() => many(), 30],
      [() => tasks.query.person({ person: "odd" }), 15],
      [() => many().where(({ points }, { lt }) => lt(points, 12)), 12],
      [() => tasks.scan.where(({ project }, { eq }) => eq(project, "many")), 30],
    ]) {
      const seen = [];
      let pages = 0;
      let cursor = null;
      do {
        const page = await query().go({ cursor, limit: 7 });
        assert.ok(page.data.length <= 7);
        seen.push(...names(page));
        cursor = page.cursor;
        pages += 1;
      } while (cursor !== null);
      assert.equal(new Set(seen).size, all);
      assert.ok(seen.length === all && pages >= all / 7, `${pages} pages`);
    }
    const counted = await many().where(({ person: who }, { eq }) => eq(who, "odd")).go({ count: 4, limit: 3 });
    assert.deepEqual(names(counted), ["t001", "t003", "t005", "t007"]);
    const rest = await many().go({ cursor: counted.cursor, pages: "all" });
    assert.deepEqual(names(rest), numbered(30).slice(8).map((item) => item.task));
  });

  test("a cursor of another partition is refused", async () => {
    await tasks.put(numbered(3, () => ({ project: "other", team: "green" }))).go();
    const { cursor } = await tasks.query.of({ project: "other" }).go({ limit: 2 });
    assert.deepEqual(names(await tasks.query.of({ project: "other" }).go({ cursor })), ["t002"]);
    await refused(said(many().go({ cursor })),
      invalid("The query can return at most one row and cannot be restarted"));
  });

  test("a scan finds an entity and leaves others out", async () => {
    const { data } = await tasks.scan.go({ pages: "all" });
    assert.ok(data.length >= 33 && data.every((item) => item.project && item.task));
    assert.ok((await people.scan.go({ pages: "all" })).data.every((item) => item.person));
  });
});

describe("collections", () => {
  before(async () => {
    await tasks.put(numbered(5, (n) => ({ project: "yard", team: "white", due: `2031-01-0${n + 1}` }))).go();
    await people.put(["ada", "bob"].map((who) => ({ person: who, team: "white", rank: who === "ada" ? "senior" : "junior" }))).go();
  });

  test("a collection answers each kind of what lies together", async () => {
    const { data } = await app.collections.workplace({ team: "white" }).go();
    assert.deepEqual(data.people.map((one) => one.person).sort(), ["ada", "bob"]);
    assert.deepEqual(names({ data: data.tasks }), numbered(5).map((item) => item.task));
    const none = await app.collections.workplace({ team: "nobody" }).go();
    assert.deepEqual(none.data, { people: [], tasks: [] });
  });

  test("a collection is filtered and read in pages", async () => {
    const senior = await app.collections.workplace({ team: "white" })
      .where(({ rank, due }, { eq, gt }) => `${eq(rank, "senior")} OR ${gt(due, "2031-01-04")}`).go();
    assert.deepEqual([names({ data: senior.data.people }, "person"), names({ data: senior.data.tasks })], [["ada"], ["t004"]]);
    const seen = [];
    for (let cursor = null, first = true; first || cursor; first = false) {
      const page = await app.collections.workplace({ team: "white" }).go({ cursor, limit: 3 });
      seen.push(...names({ data: page.data.people }, "person"), ...names({ data: page.data.tasks }));
      cursor = page.cursor;
    }
    assert.deepEqual(seen.sort(), ["ada", "bob", ...numbered(5).map((item) => item.task)]);
  });
});

describe("batches", () => {
  test("batches larger than a call are cut by the client", async () => {
    const items = numbered(120, () => ({ project: "batch", team: "t" }));
    assert.deepEqual((await tasks.put(items).go()).unprocessed, []);
    const keys = items.map(({ project, task: name }) => ({ project, task: name }));
    const { data, unprocessed } = await tasks.get([...keys, { project: "batch", task: "absent" }]).go();
    assert.deepEqual([data.length, unprocessed], [120, []]);
    const ordered = await tasks.get([keys[7], { project: "batch", task: "absent" }, keys[3]]).go({ preserveBatchOrder: true });
    assert.deepEqual(ordered.data.map((item) => item?.task ?? null), ["t007", null, "t003"]);
    assert.deepEqual((await tasks.delete(keys.slice(5)).go()).unprocessed, []);
    assert.deepEqual(names(await tasks.query.of({ project: "batch" }).go()), numbered(5).map((item) => item.task));
  });

  test("a batch of the same key twice does nothing", async () => {
    const twice = [{ project: "twice", task: "t", team: "a" }, { project: "twice", task: "t", team: "b" }];
    await refused(said(tasks.put(twice).go()), invalid("Provided list of item keys contains duplicates"));
    assert.deepEqual((await tasks.query.of({ project: "twice" }).go()).data, []);
  });
});

describe("transactions", () => {
  test("a transaction writes to several entities", async () => {
    await tasks.create({ project: "together", task: "t1", team: "a", points: 1 }).go();
    await tasks.create({ project: "together", task: "t2", team: "a" }).go();
    const { canceled, data } = await app.transaction.write(({ people: who, tasks: what }) => [
      who.create({ person: "together", team: "a" }).commit(),
      what.patch({ project: "together", task: "t1" }).add({ points: 1 }).commit(),
      what.remove({ project: "together", task: "t2" }).commit(),
      what.upsert({ project: "together", task: "t3", team: "a" }).commit(),
      what.check({ project: "together", task: "t4" }).where(({ task: name }, { notExists }) => notExists(name)).commit(),
    ]).go();
    assert.equal(canceled, false);
    assert.deepEqual(data.map((one) => one.rejected), Array(5).fill(false));
    const found = await tasks.query.of({ project: "together" }).go();
    assert.deepEqual(found.data.map((item) => [item.task, item.points]), [["t1", 2], ["t3", 0]]);
    const got = await app.transaction.get(({ people: who, tasks: what }) => [
      what.get({ project: "together", task: "t3" }).commit(), what.get({ project: "together", task: "t2" }).commit(),
      who.get({ person: "together" }).commit(),
    ]).go();
    assert.deepEqual(got.data.map((one) => one.item?.task ?? one.item?.person ?? null), ["t3", null, "together"]);
  });

  test("a transaction of which one part fails writes nothing and says which", async () => {
    const kept = whole({ project: "apart", task: "t1", team: "a" });
    await tasks.create(kept).go();
    const { canceled, data } = await app.transaction.write(({ people: who, tasks: what }) => [
      who.create({ person: "apart", team: "a" }).commit(),
      what.create(kept).commit({ response: "all_old" }),
      what.patch({ project: "apart", task: "t2" }).set({ points: 1 }).commit(),
    ]).go();
    assert.equal(canceled, true);
    assert.deepEqual(data, [through, { ...stop, item: kept }, { ...stop, item: null }]);
    assert.equal((await people.get({ person: "apart" }).go()).data, null);
    assert.deepEqual((await tasks.query.of({ project: "apart" }).go()).data, [kept]);
  });

  test("a transaction may not touch an item twice, and one with the same token is done once", async () => {
    const key = { project: "token", task: "t1" };
    const twice = app.transaction.write(({ tasks: what }) => [
      what.update(key).add({ points: 1 }).commit(), what.delete(key).commit(),
    ]);
    await refused(said(twice.go()), invalid("Transaction request cannot include multiple operations on one item"));
    const adding = (points) => app.transaction
      .write(({ tasks: what }) => [what.update(key).add({ points }).commit()]).go({ token: "the same" });
    await adding(1);
    await adding(1);
    assert.equal((await tasks.get(key).go()).data.points, 1);
    await refused(said(adding(2)), [
      "IdempotentParameterMismatchException",
      "The provided client token was used with a different request; please use a new client token for this request.",
    ]);
    assert.equal((await tasks.get(key).go()).data.points, 1);
  });
});

describe("rights", () => {
  test("a reader may read and may not write, and nobody asks a table that isn't there", async () => {
    await tasks.create({ project: "rights", task: "t1", team: "a", person: "eve" }).go();
    const who = await user(server, "reader", ["dynamodb:GetItem", "dynamodb:Query"], [arn, `${arn}/index/second`]);
    const client = documents(who.keys);
    const { tasks: theirs } = serviceOf(client).entities;
    const key = { project: "rights", task: "t1" };
    assert.equal((await theirs.get(key).go()).data.task, "t1");
    assert.deepEqual(names(await theirs.query.person({ person: "eve" }).go()), ["t1"]);
    for (const [name, call, where = arn] of [
      ["PutItem", theirs.create({ ...key, task: "t2", team: "a" })],
      ["UpdateItem", theirs.patch(key).set({ points: 9 })],
      ["DeleteItem", theirs.delete(key)],
      ["Scan", theirs.scan],
      ["BatchGetItem", theirs.get([key])],
      ["BatchWriteItem", theirs.put([{ ...key, task: "t2", team: "a" }])],
      ["Query", theirs.query.team({ team: "a" }), `${arn}/index/first`],
    ]) {
      await refused(said(call.go()), denied(who, name, where));
    }
    client.destroy();
    assert.deepEqual((await tasks.query.of({ project: "rights" }).go()).data.map((item) => item.points), [0]);
    await refused(said(serviceOf(own, "absent").entities.tasks.get(key).go()), NO_TABLE);
  });
});
