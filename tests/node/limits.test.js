// What a client may take of a listener, tried with bytes that no SDK sends. Each refusal stands beside the most that
// is still answered.
import assert from "node:assert/strict";
import http2 from "node:http2";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import { Homeport, errorCode, pause, query, raw, sign } from "./homeport.js";

let server;

before(async () => {
  server = await Homeport.start({
    HOMEPORT_LIMITS_HEAD_SECONDS: "2", HOMEPORT_LIMITS_IDLE_SECONDS: "2", HOMEPORT_LIMITS_BODY_IDLE_SECONDS: "1",
  });
  await server.call({ service: "s3", method: "PUT", path: "/kept" });
});

after(() => server?.stop());

/** A connection as bytes: what came so far, and how long after its start it was closed. */
class Wire {
  constructor(port = server.port) {
    this.came = "";
    this.began = Date.now();
    this.socket = net.connect(port, "127.0.0.1").setEncoding("latin1").on("data", (text) => { this.came += text; });
    this.socket.on("error", () => {});
    this.closed = new Promise((resolve) => this.socket.once("close", () => resolve(Date.now() - this.began)));
  }

  send(text) {
    if (this.socket.writable) this.socket.write(text);
  }

  /** Waits for this in what came. */
  async until(pattern, milliseconds = 5_000) {
    for (const deadline = Date.now() + milliseconds; !pattern.test(this.came); await pause(10)) {
      if (Date.now() > deadline) throw new Error(`${pattern} did not come: ${this.came}`);
    }
    return this.came;
  }

  end() {
    this.socket.destroy();
  }
}

const head = ({ method, target, headers }) =>
  `${method} ${target} HTTP/1.1\r\n${Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;

const ready = (headers = {}, target = "/_homeport/ready") => raw(server.port, { target, headers: { host: server.host, ...headers } });

describe("heads", () => {
  test("a head of 64 KiB is the largest, and 100 headers are the most", async () => {
    assert.equal((await ready({ "x-padding": "x".repeat(60 * 1024) })).status, 200);
    assert.equal((await ready({ "x-padding": "x".repeat(65 * 1024) })).status, 431);
    // Node adds `connection` to those that are given.
    const many = (count) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`x-${n}`, "y"]));
    assert.equal((await ready(many(98))).status, 200);
    assert.equal((await ready(many(99))).status, 431);
  });

  test("a target of 32 KiB is the longest", async () => {
    const target = (length) => `/_homeport/ready?${"x".repeat(length - "/_homeport/ready?".length)}`;
    assert.equal((await ready({}, target(32 * 1024))).status, 200);
    assert.equal((await ready({}, target(32 * 1024 + 1))).status, 414);
  });

  test("HTTP/2 has the same bounds", async () => {
    const session = http2.connect(server.url, { maxSendHeaderBlockLength: 1 << 20 });
    const ask = (headers) => new Promise((resolve) => {
      const stream = session.request({ ":path": "/_homeport/ready", ...headers });
      stream.on("response", (answer) => resolve(answer[":status"])).on("error", (error) => resolve(error.code)).resume();
      stream.on("close", () => resolve(`closed ${stream.rstCode}`));
    });
    try {
      const padding = (bytes) => Object.fromEntries(Array.from({ length: bytes / 1024 }, (_, n) => [`x-${n}`, "x".repeat(1_024)]));
      assert.equal(await ask(padding(50 * 1024)), 200);
      assert.equal(await ask(padding(80 * 1024)), 431);
      const many = (count) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`y-${n}`, "y"]));
      assert.equal(await ask(many(99)), 200);
      assert.equal(await ask(many(101)), 431);
      assert.equal(await ask({}), 200);
    } finally {
      session.destroy();
    }
  });

  test("a head that never ends is cut", async () => {
    const slow = new Wire();
    slow.send(`GET /_homeport/ready HTTP/1.1\r\nhost: ${server.host}\r\n`);
    const drip = setInterval(() => slow.send("x-drip: y\r\n"), 100);
    const took = await slow.closed;
    clearInterval(drip);
    assert.ok(took >= 2_000 && took < 8_000, `${took} ms`);
    assert.doesNotMatch(slow.came, /HTTP\/1.1 200/);

    const patient = new Wire();
    patient.send(`GET /_homeport/ready HTTP/1.1\r\nhost: ${server.host}\r\n`);
    await pause(500);
    patient.send("\r\n");
    assert.match(await patient.until(/yes/), /^HTTP\/1.1 200/);
    patient.end();
  });

  test("a connection that rests is closed, and one that doesn't is kept", async () => {
    const wire = new Wire();
    for (let turn = 1; turn <= 3; turn++) {
      wire.send(`GET /_homeport/ready HTTP/1.1\r\nhost: ${server.host}\r\n\r\n`);
      await wire.until(new RegExp(`(yes[^]*){${turn}}`));
      await pause(900);
    }
    const took = await wire.closed;
    assert.ok(took >= 3_700 && took < 8_000, `${took} ms`);
  });

  test("a connection of HTTP/2 that rests is closed, however it answers pings", async () => {
    const session = http2.connect(server.url);
    const closed = new Promise((resolve) => session.once("close", () => resolve("closed")));
    const ask = () => new Promise((resolve, reject) => {
      const stream = session.request({ ":path": "/_homeport/ready" });
      stream.on("response", (answer) => resolve(answer[":status"])).on("error", reject).resume();
    });
    try {
      for (let turn = 0; turn < 3; turn++) {
        assert.equal(await ask(), 200);
        await pause(900);
      }
      assert.equal(await Promise.race([closed, pause(8_000)]), "closed");
    } finally {
      session.destroy();
    }
  });

  test("two hosts, two lengths and a bare line feed are refused, and the connection ends", async () => {
    const own = `host: ${server.host}\r\n`;
    for (const text of [
      `GET /_homeport/ready HTTP/1.1\r\n${own}${own}\r\n`,
      `POST / HTTP/1.1\r\n${own}content-length: 1\r\ncontent-length: 2\r\n\r\nx`,
      `POST / HTTP/1.1\r\n${own}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      `GET /_homeport/ready HTTP/1.1\r\n${own}x-folded: a\r\n b\r\n\r\n`,
      `GET /_homeport/ready HTTP/1.1\n${own}\r\n`,
      `GET /_homeport/ready HTTP/1.1\r\nhost : ${server.host}\r\n\r\n`,
    ]) {
      const wire = new Wire();
      wire.send(`${text}GET /_homeport/ready HTTP/1.1\r\n${own}\r\n`);
      await wire.closed;
      assert.match(wire.came, /^HTTP\/1.1 400 /, text);
      assert.doesNotMatch(wire.came, /yes/, text);
    }
  });
});

describe("bodies", () => {
  const listTables = { "x-amz-target": "DynamoDB_20120810.ListTables", "content-type": "application/x-amz-json-1.0" };

  /** Sends a signed head that announces this many bytes, and none of them. */
  async function announce(length, call) {
    const signed = sign({ keys: server.keys, host: server.host, method: "POST", ...call });
    const wire = new Wire();
    wire.send(head({ ...signed, headers: { ...signed.headers, "content-length": length } }));
    const answer = await wire.until(/^HTTP\/1.1 (\d+) [^]*\r\n\r\n[^]/);
    wire.end();
    return { status: Number(answer.match(/\d{3}/)[0]), text: answer.slice(answer.indexOf("\r\n\r\n")) };
  }

  test("one that announces more than its service takes is refused unread", async () => {
    for (const [service, headers, length] of [
      ["dynamodb", listTables, 64 << 20],
      ["iam", query("ListUsers").headers, 64 << 20],
      ["cognito-idp", { ...listTables, "x-amz-target": "AWSCognitoIdentityProviderService.ListUserPools" }, 64 << 20],
    ]) {
      const answer = await announce(length, { service, headers });
      assert.deepEqual([answer.status, errorCode(answer)], [413, "RequestEntityTooLargeException"], service);
    }
    assert.equal((await server.call({ service: "dynamodb", method: "POST", headers: listTables, body: "{}" })).status, 200);
  });

  test("one that says nothing of its length is cut where the service's limit is", async () => {
    const signed = sign({ keys: server.keys, host: server.host, service: "dynamodb", method: "POST", headers: listTables, body: "{}" });
    const { "content-length": _, ...headers } = signed.headers;
    const wire = new Wire();
    wire.send(head({ ...signed, headers: { ...headers, "transfer-encoding": "chunked" } }));
    const chunk = `100000\r\n${" ".repeat(1 << 20)}\r\n`;
    for (let sent = 0; sent < 64 && !wire.came; sent++) {
      wire.send(chunk);
      await pause(5);
    }
    assert.match(await wire.until(/Exception/), /^HTTP\/1.1 413 [^]*RequestEntityTooLargeException/);
    wire.end();
  });

  test("an object over S3's 5 GiB is refused before it is sent", async () => {
    const answer = await announce(5 * 2 ** 30 + 1, { service: "s3", method: "PUT", path: "/kept/huge" });
    assert.deepEqual([answer.status, errorCode(answer)], [400, "EntityTooLarge"]);
  });

  /** Sends an object in two halves with a pause between them. */
  async function halves(key, milliseconds) {
    const signed = sign({ keys: server.keys, host: server.host, service: "s3", method: "PUT", path: `/kept/${key}`, body: "0123456789" });
    const wire = new Wire();
    wire.send(`${head(signed)}01234`);
    await pause(milliseconds);
    wire.send("56789");
    const answer = await wire.until(/^HTTP\/1.1 \d+ [^]*\r\n\r\n/);
    wire.end();
    return answer;
  }
  const read = (key) => server.call({ service: "s3", path: `/kept/${key}` });

  test("one that pauses too long is given up, and nothing of it is kept", async () => {
    assert.match(await halves("whole", 400), /^HTTP\/1.1 200/);
    assert.equal((await read("whole")).text, "0123456789");
    assert.match(await halves("half", 1_800), /^HTTP\/1.1 400 [^]*RequestTimeout/);
    assert.equal(errorCode(await read("half")), "NoSuchKey");
  });
});

describe("Expect: 100-continue", () => {
  async function expecting(call, unsigned = false) {
    const signed = sign({ keys: server.keys, host: server.host, service: "s3", method: "PUT", path: "/kept/expected", body: "awaited", ...call });
    const { authorization, ...headers } = signed.headers;
    const wire = new Wire();
    wire.send(head({ ...signed, headers: { ...headers, ...(unsigned ? {} : { authorization }), expect: "100-continue" } }));
    await wire.until(/^HTTP\/1.1 \d+/);
    return wire;
  }

  test("who may put an object is asked for it", async () => {
    const wire = await expecting({});
    assert.match(wire.came, /^HTTP\/1.1 100 Continue\r\n\r\n$/);
    wire.send("awaited");
    await wire.until(/HTTP\/1.1 200/);
    wire.end();
    assert.equal((await server.call({ service: "s3", path: "/kept/expected" })).text, "awaited");
  });

  test("who may not is refused before a byte of it is sent", async () => {
    await server.query("iam", "CreateUser", { UserName: "nobody" });
    const made = await server.query("iam", "CreateAccessKey", { UserName: "nobody" });
    const nobody = {
      accessKeyId: made.match(/<AccessKeyId>(.*?)</)[1], secretAccessKey: made.match(/<SecretAccessKey>(.*?)</)[1],
    };
    const path = "/kept/refused";
    for (const [what, call, unsigned] of [
      ["unsigned", { path }, true],
      ["wrongly signed", { path, keys: { ...server.keys, secretAccessKey: "wrong" } }],
      ["without the permission", { path, keys: nobody }],
    ]) {
      const wire = await expecting(call, unsigned);
      await wire.until(/<\/Error>/);
      assert.match(wire.came, /^HTTP\/1.1 403 /, what);
      assert.doesNotMatch(wire.came, /100 Continue/, what);
      wire.end();
    }
    assert.equal(errorCode(await server.call({ service: "s3", path })), "NoSuchKey");
  });
});

test("a server that is asked to end answers what runs and takes nothing new", async () => {
  const ending = await Homeport.start();
  await ending.call({ service: "s3", method: "PUT", path: "/kept" });
  const signed = sign({ keys: ending.keys, host: ending.host, service: "s3", method: "PUT", path: "/kept/last", body: "0123456789" });
  const wire = new Wire(ending.port);
  wire.send(`${head(signed)}01234`);
  await pause(200);
  ending.process.kill("SIGTERM");
  const ready = () => raw(ending.port, { target: "/_homeport/ready", headers: { host: ending.host } }).then(() => true, (error) => error.code);
  for (const deadline = Date.now() + 5_000; (await ready()) !== "ECONNREFUSED"; await pause(20)) {
    assert.ok(Date.now() < deadline, "it still listens");
  }
  wire.send("56789");
  await wire.until(/^HTTP\/1.1 200/);
  await wire.closed;
  assert.equal(await ending.ended, 0);
  await ending.stop();
});
