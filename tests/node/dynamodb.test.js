// The document client of the SDK for JavaScript against a server of its own.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { CreateTableCommand, DynamoDBClient, waitUntilTableExists } from "@aws-sdk/client-dynamodb";
import {
  DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand, TransactWriteCommand, UpdateCommand, paginateScan,
} from "@aws-sdk/lib-dynamodb";
import { freePort } from "./homeport.js";

const program = process.env.HOMEPORT ?? path.resolve(import.meta.dirname, "../../target/release/homeport");
const folder = mkdtempSync(path.join(tmpdir(), "homeport-dynamodb-"));
const data = path.join(folder, "data");
let server;
let client;
let documents;

before(async () => {
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  const flags = ["serve", "--data", data, "--listen", endpoint.slice("http://".length), "--console", "off"];
  server = spawn(program, flags, { stdio: "ignore" });
  for (let tries = 0; ; tries += 1) {
    const answer = await fetch(`${endpoint}/_homeport/ready`).catch(() => undefined);
    if (answer?.ok) break;
    assert.ok(tries < 400, "the server was not ready in time");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const credentials = JSON.parse(execFileSync(program, ["credentials", "--data", data, "--format", "json"]));
  client = new DynamoDBClient({ endpoint, region: "us-east-1", credentials });
  documents = DynamoDBDocumentClient.from(client);
  await client.send(new CreateTableCommand({
    TableName: "notes",
    KeySchema: [{ AttributeName: "owner", KeyType: "HASH" }, { AttributeName: "at", KeyType: "RANGE" }],
    AttributeDefinitions: [{ AttributeName: "owner", AttributeType: "S" }, { AttributeName: "at", AttributeType: "N" }],
    BillingMode: "PAY_PER_REQUEST",
  }));
  await waitUntilTableExists({ client, maxWaitTime: 60 }, { TableName: "notes" });
});

after(async () => {
  documents?.destroy();
  server?.kill();
  await new Promise((resolve) => (server?.exitCode === null ? server.once("exit", resolve) : resolve()));
  rmSync(folder, { recursive: true, force: true });
});

test("a document comes back as it was", async () => {
  const note = { owner: "ada", at: 1, text: "ä😀", nested: { list: [1, "two", null, true], tags: new Set(["a", "b"]) } };
  await documents.send(new PutCommand({ TableName: "notes", Item: note }));
  const { Item } = await documents.send(new GetCommand({ TableName: "notes", Key: { owner: "ada", at: 1 } }));
  assert.deepEqual(Item, note);
});

test("updates, queries and pages work on documents", async () => {
  for (let at = 10; at < 20; at += 1) {
    await documents.send(new UpdateCommand({
      TableName: "notes",
      Key: { owner: "bob", at },
      UpdateExpression: "SET #t = :t, hits = if_not_exists(hits, :zero) + :one",
      ExpressionAttributeNames: { "#t": "text" },
      ExpressionAttributeValues: { ":t": `note ${at}`, ":zero": 0, ":one": 1 },
    }));
  }
  const { Items } = await documents.send(new QueryCommand({
    TableName: "notes",
    KeyConditionExpression: "#o = :o AND #a < :a",
    ExpressionAttributeNames: { "#o": "owner", "#a": "at" },
    ExpressionAttributeValues: { ":o": "bob", ":a": 13 },
    ScanIndexForward: false,
  }));
  assert.deepEqual(Items.map((item) => item.at), [12, 11, 10]);
  const seen = [];
  for await (const page of paginateScan({ client: documents, pageSize: 3 }, { TableName: "notes" })) {
    seen.push(...page.Items.filter((item) => item.owner === "bob"));
  }
  assert.equal(seen.length, 10);
});

test("a refused transaction says why and changes nothing", async () => {
  const put = (at, condition) => ({
    Put: { TableName: "notes", Item: { owner: "eve", at }, ConditionExpression: condition },
  });
  await assert.rejects(
    documents.send(new TransactWriteCommand({ TransactItems: [put(1), put(2, "attribute_exists(hits)")] })),
    (error) => {
      assert.equal(error.name, "TransactionCanceledException");
      assert.deepEqual(error.CancellationReasons.map((reason) => reason.Code), ["None", "ConditionalCheckFailed"]);
      return true;
    },
  );
  const { Item } = await documents.send(new GetCommand({ TableName: "notes", Key: { owner: "eve", at: 1 } }));
  assert.equal(Item, undefined);
});
