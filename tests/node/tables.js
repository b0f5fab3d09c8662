// What the tests of DynamoDB's clients share: clients by any key, tables, users who may do little, errors by their words.
import assert from "node:assert/strict";
import { CreateTableCommand, DynamoDB, waitUntilTableExists } from "@aws-sdk/client-dynamodb";
import { REGION } from "./homeport.js";

export const FAILED = ["ConditionalCheckFailedException", "The conditional request failed"];
export const NO_TABLE = ["ResourceNotFoundException", "Requested resource not found"];

export const connect = (server, credentials = server.keys) =>
  new DynamoDB({ endpoint: server.url, region: REGION, credentials, maxAttempts: 1 });

const schema = ([hash, range]) => [
  { AttributeName: hash, KeyType: "HASH" }, ...(range ? [{ AttributeName: range, KeyType: "RANGE" }] : []),
];

/** Makes a table of keys like `["owner:S", "at:N"]`, with global indexes like `{ "by-color": ["color:S", "at:N"] }`. */
export async function createTable(client, TableName, keys, indexes = {}) {
  const types = Object.fromEntries([keys, ...Object.values(indexes)].flat().map((key) => key.split(":")));
  const names = (list) => list.map((key) => key.split(":")[0]);
  const GlobalSecondaryIndexes = Object.entries(indexes).map(([IndexName, list]) => ({
    IndexName, KeySchema: schema(names(list)), Projection: { ProjectionType: "ALL" },
  }));
  const { TableDescription } = await client.send(new CreateTableCommand({
    TableName,
    KeySchema: schema(names(keys)),
    AttributeDefinitions: Object.entries(types).map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
    ...(GlobalSecondaryIndexes.length ? { GlobalSecondaryIndexes } : {}),
    BillingMode: "PAY_PER_REQUEST",
  }));
  await waitUntilTableExists({ client, minDelay: 1, maxDelay: 1, maxWaitTime: 30 }, { TableName });
  return TableDescription.TableArn;
}

/** Makes a user who may do this and nothing else; its ARN and key. */
export async function user(server, name, Action, Resource) {
  const made = await server.query("iam", "CreateUser", { UserName: name });
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource }] });
  await server.query("iam", "PutUserPolicy", { UserName: name, PolicyName: "inline", PolicyDocument });
  const key = await server.query("iam", "CreateAccessKey", { UserName: name });
  const told = (text, tag) => text.match(new RegExp(`<${tag}>(.*?)<`))[1];
  return {
    arn: told(made, "Arn"),
    keys: { accessKeyId: told(key, "AccessKeyId"), secretAccessKey: told(key, "SecretAccessKey") },
  };
}

/** What a user is told who may not do this; `name` of an operation, `where` an ARN. */
export const denied = (who, name, where) => [
  "AccessDeniedException",
  `User: ${who.arn} is not authorized to perform: dynamodb:${name} on resource: ${where}`
    + ` because no identity-based policy allows the dynamodb:${name} action`,
];

/** That a call is refused by this name and these words; the error. */
export async function refused(call, [name, message]) {
  let error;
  await assert.rejects(call, (thrown) => {
    error = thrown;
    assert.deepEqual([thrown.name, thrown.message], [name, message]);
    return true;
  });
  return error;
}

/** That a transaction is given up for reasons of these codes; the reasons. */
export async function cancelled(call, ...codes) {
  const words = "Transaction cancelled, please refer cancellation reasons for specific reasons";
  const error = await refused(call, ["TransactionCanceledException", `${words} [${codes.join(", ")}]`]);
  assert.deepEqual(error.CancellationReasons.map((reason) => reason.Code), codes);
  return error.CancellationReasons;
}
