// The whole way of an app, by Amplify v6 and the SDK for JavaScript, against the notes sample: sign up, code, sign in by
// SRP, the API with the token, identity-pool credentials, one's own item and object; and nobody else's.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Amplify } from "aws-amplify";
import { get, post } from "aws-amplify/api";
import { confirmSignUp, fetchAuthSession, signIn, signOut, signUp } from "aws-amplify/auth";
import { Demo } from "./demo.js";
import { REGION as region } from "./homeport.js";

const password = "a-long-password-1";
let demo, endpoint, backend;

before(async () => {
  demo = await Demo.start();
  ({ endpoint, backend } = demo);
  Amplify.configure({
    Auth: {
      Cognito: {
        userPoolId: backend.user_pool_id, userPoolClientId: backend.client_id, userPoolEndpoint: `${endpoint}/`,
        identityPoolId: backend.identity_pool_id, identityPoolEndpoint: `${endpoint}/`, allowGuestAccess: true,
      },
    },
    API: { REST: { notes: { endpoint: `${endpoint}${backend.api_path}`, region } } },
  });
});

after(() => demo?.stop());

/** Signs somebody up and in, and takes what an app then has. */
async function join(email) {
  await signUp({ username: email, password, options: { userAttributes: { email } } });
  await confirmSignUp({ username: email, confirmationCode: demo.code(email) });
  const signedIn = await signIn({ username: email, password });
  assert.equal(signedIn.isSignedIn, true);
  const { tokens, credentials, identityId } = await fetchAuthSession();
  return { token: tokens.idToken.toString(), credentials, identityId };
}

const api = (token) => ({ apiName: "notes", options: { headers: { Authorization: token } } });
const clients = (credentials) => ({
  rows: new DynamoDBClient({ endpoint, region, credentials, maxAttempts: 1 }),
  files: new S3Client({ endpoint, region, credentials, maxAttempts: 1 }),
});
const row = (owner) => ({ owner: { S: owner }, id: { S: "draft" } });
const file = (owner) => ({ Bucket: backend.bucket, Key: `${owner}/draft.txt` });
const refused = (name) => (error) => error.name === name;

test("an app walks the whole way and reaches only its user's own", { timeout: 120_000 }, async () => {
  const ada = await join("ada@example.com");
  const options = { ...api(ada.token).options, body: { text: "Buy rope." } };
  const written = await post({ apiName: "notes", path: "/notes", options }).response;
  assert.equal(written.statusCode, 201);
  const read = await (await get({ ...api(ada.token), path: "/notes" }).response).body.json();
  assert.deepEqual(read.map((note) => note.text), ["Buy rope."]);

  const own = clients(ada.credentials);
  await own.rows.send(new PutItemCommand({ TableName: backend.table, Item: { ...row(ada.identityId), text: { S: "mine" } } }));
  const item = await own.rows.send(new GetItemCommand({ TableName: backend.table, Key: row(ada.identityId) }));
  assert.equal(item.Item.text.S, "mine");
  await own.files.send(new PutObjectCommand({ ...file(ada.identityId), Body: "a file" }));
  const object = await own.files.send(new GetObjectCommand(file(ada.identityId)));
  assert.equal(await object.Body.transformToString(), "a file");

  await signOut();
  const bob = await join("bob@example.com");
  assert.notEqual(bob.identityId, ada.identityId);
  assert.deepEqual(await (await get({ ...api(bob.token), path: "/notes" }).response).body.json(), []);
  const others = clients(bob.credentials);
  const adasRow = new GetItemCommand({ TableName: backend.table, Key: row(ada.identityId) });
  await assert.rejects(others.rows.send(adasRow), refused("AccessDeniedException"));
  await assert.rejects(others.files.send(new GetObjectCommand(file(ada.identityId))), refused("AccessDenied"));

  await signOut();
  const guest = await fetchAuthSession();
  const guests = clients(guest.credentials);
  const welcome = { owner: { S: "public" }, id: { S: "welcome" } };
  const note = await guests.rows.send(new GetItemCommand({ TableName: backend.table, Key: welcome }));
  assert.match(note.Item.text.S, /Everybody/);
  await assert.rejects(guests.rows.send(adasRow), refused("AccessDeniedException"));
  await assert.rejects(guests.files.send(new GetObjectCommand(file(ada.identityId))), refused("AccessDenied"));
});

test("the API refuses no token, an access token, and a token of alg none", { timeout: 60_000 }, async () => {
  await signIn({ username: "ada@example.com", password });
  const { tokens } = await fetchAuthSession();
  const url = `${endpoint}${backend.api_path}/notes`;
  const status = async (headers) => (await fetch(url, { headers })).status;
  const [, claims] = tokens.idToken.toString().split(".");
  const none = Buffer.from(JSON.stringify({ alg: "none", typ: "JWT" })).toString("base64url");
  assert.equal(await status({ authorization: tokens.idToken.toString() }), 200);
  assert.equal(await status({ authorization: `Bearer ${tokens.idToken}` }), 200);
  assert.equal(await status({}), 401);
  assert.equal(await status({ authorization: tokens.accessToken.toString() }), 401);
  assert.equal(await status({ authorization: `${none}.${claims}.` }), 401);
});
