// S3 by the SDK for JavaScript against a server of its own: strings, streams and presigned URLs.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { after, before, test } from "node:test";
import {
  CreateBucketCommand, DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command,
  PutBucketCorsCommand, PutObjectCommand, S3Client,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { freePort } from "./homeport.js";

const program = process.env.HOMEPORT ?? path.resolve(import.meta.dirname, "../../target/release/homeport");
const folder = mkdtempSync(path.join(tmpdir(), "homeport-s3-"));
const data = path.join(folder, "data");
const Bucket = "photos";
let server;
let client;
let endpoint;

before(async () => {
  endpoint = `http://127.0.0.1:${await freePort()}`;
  const flags = ["serve", "--data", data, "--listen", endpoint.slice("http://".length), "--console", "off"];
  server = spawn(program, flags, { stdio: "ignore" });
  for (let tries = 0; ; tries += 1) {
    const answer = await fetch(`${endpoint}/_homeport/ready`).catch(() => undefined);
    if (answer?.ok) break;
    assert.ok(tries < 400, "the server was not ready in time");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { accessKeyId, secretAccessKey } = JSON.parse(
    execFileSync(program, ["credentials", "--data", data, "--format", "json"]),
  );
  client = new S3Client({ endpoint, region: "us-east-1", credentials: { accessKeyId, secretAccessKey } });
  await client.send(new CreateBucketCommand({ Bucket }));
});

after(async () => {
  client?.destroy();
  if (server) {
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGTERM");
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

const text = async (Key) => (await client.send(new GetObjectCommand({ Bucket, Key }))).Body.transformToString();

test("an object comes back with what was said of it", async () => {
  const Key = "a b/é(1)*'!.txt";
  await client.send(new PutObjectCommand({
    Bucket, Key, Body: "hello", ContentType: "text/plain", Metadata: { who: "ada" },
  }));
  const got = await client.send(new GetObjectCommand({ Bucket, Key }));
  assert.equal(await got.Body.transformToString(), "hello");
  assert.deepEqual([got.ContentType, got.Metadata], ["text/plain", { who: "ada" }]);
  const listed = await client.send(new ListObjectsV2Command({ Bucket, Prefix: "a b/" }));
  assert.deepEqual(listed.Contents.map((object) => object.Key), [Key]);
});

test("a stream goes in chunks with a trailing checksum", async () => {
  const content = Buffer.alloc(3_000_000, 7);
  const Body = Readable.from([content.subarray(0, 1_000_000), content.subarray(1_000_000)]);
  const put = await client.send(new PutObjectCommand({ Bucket, Key: "stream", Body, ContentLength: content.length }));
  const head = await client.send(new HeadObjectCommand({ Bucket, Key: "stream", ChecksumMode: "ENABLED" }));
  assert.equal(head.ChecksumCRC32, put.ChecksumCRC32);
  assert.deepEqual([head.ContentLength, head.ContentEncoding], [content.length, undefined]);
});

test("presigned URLs put and get, and nothing else", async () => {
  const put = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: "signed", Metadata: { who: "bob" } }));
  assert.equal((await fetch(put, { method: "PUT", body: "presigned" })).status, 200);
  const get = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: "signed" }));
  const answer = await fetch(get);
  assert.deepEqual([await answer.text(), answer.headers.get("x-amz-meta-who")], ["presigned", "bob"]);
  assert.equal((await fetch(get.replace("/signed", "/stream"))).status, 403);
  assert.equal((await fetch(get, { method: "DELETE" })).status, 403);
  assert.equal(await text("signed"), "presigned");
});

test("a page reads a bucket only where its rules say so", async () => {
  const asked = {
    method: "OPTIONS",
    headers: { origin: "https://app.example", "access-control-request-method": "PUT" },
  };
  assert.equal((await fetch(`${endpoint}/${Bucket}/a`, asked)).status, 403);
  await client.send(new PutBucketCorsCommand({
    Bucket,
    CORSConfiguration: { CORSRules: [{ AllowedMethods: ["PUT"], AllowedOrigins: ["https://app.example"] }] },
  }));
  const answer = await fetch(`${endpoint}/${Bucket}/a`, asked);
  assert.deepEqual([answer.status, answer.headers.get("access-control-allow-origin")], [200, "https://app.example"]);
});

test("what is not there is said as the SDK knows it", async () => {
  await assert.rejects(client.send(new GetObjectCommand({ Bucket, Key: "none" })), { name: "NoSuchKey" });
  await assert.rejects(client.send(new HeadObjectCommand({ Bucket, Key: "none" })), { name: "NotFound" });
  const Objects = [{ Key: "stream" }, { Key: "signed" }];
  const done = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  assert.equal(done.Deleted.length, 2);
});
