// The development keys of `serve --dev` are known to everybody. They count for programs of this machine that call
// straight, and for nobody else: no web page, function, proxy or rebound name. Each refusal stands beside the same
// call that is answered, and after all of them there is no user more than before.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { networkInterfaces, tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { DEVELOPMENT, Homeport, REGION, errorCode, noBrowser, openBrowser, program, query, raw, sign, site } from "./homeport.js";

const ALLOWED = "http://localhost:3000";
const PIXEL = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
let server;

before(async () => {
  server = await Homeport.start("--dev", { HOMEPORT_LISTEN_ORIGINS: ALLOWED });
  await server.call({ service: "s3", method: "PUT", path: "/pictures" });
  await server.put("pictures", "pixel.png", PIXEL, "image/png");
});

after(() => server?.stop());

/** A call that would leave a user behind. */
const createUser = (UserName, keys, host = server.host) =>
  sign({ ...query("CreateUser", { UserName }), service: "iam", keys, host });

describe("from a program", () => {
  test("the SDKs of this machine use them", async () => {
    const options = { endpoint: server.url, region: REGION, credentials: DEVELOPMENT, forcePathStyle: true };
    const read = await new S3Client(options).send(new GetObjectCommand({ Bucket: "pictures", Key: "pixel.png" }));
    assert.deepEqual(Buffer.from(await read.Body.transformToByteArray()), PIXEL);
    await new DynamoDBClient(options).send(new ListTablesCommand({}));
    const who = await server.query("sts", "GetCallerIdentity", {}, DEVELOPMENT);
    assert.match(who, /<Arn>arn:aws:iam::000000000000:user\/administrator</);
  });

  test("so do an allowed origin, and what a browser sends of itself", async () => {
    for (const headers of [{ origin: ALLOWED }, { "sec-fetch-site": "none" }, { "sec-fetch-site": "same-origin" }]) {
      const answer = await server.call({ ...query("GetCallerIdentity"), service: "sts", keys: DEVELOPMENT }, headers);
      assert.equal(answer.status, 200, JSON.stringify(headers));
    }
  });

  test("a wrong secret is no development key", async () => {
    const wrong = { accessKeyId: "test", secretAccessKey: "guess" };
    const answer = await server.call({ ...query("GetCallerIdentity"), service: "sts", keys: wrong });
    assert.deepEqual([answer.status, errorCode(answer)], [403, "SignatureDoesNotMatch"]);
  });

  // What is added or put in place of the Host; whether the administrator's own keys are still good with it.
  const HINDRANCES = [
    ["a page of another origin", { origin: "https://evil.example" }, 403],
    ["a page of an opaque origin", { origin: "null" }, 403],
    ["an allowed origin that another site's page took on", { origin: ALLOWED, "sec-fetch-site": "cross-site" }, 200],
    ["a tag on another site's page", { "sec-fetch-site": "cross-site" }, 200],
    ["a tag on a page of another port", { "sec-fetch-site": "same-site" }, 200],
    ["a proxy's X-Forwarded-For", { "x-forwarded-for": "127.0.0.1" }, 200],
    ["a proxy's X-Forwarded-Host", { "x-forwarded-host": "127.0.0.1" }, 200],
    ["a proxy's X-Forwarded-Proto", { "x-forwarded-proto": "http" }, 200],
    ["a proxy's Forwarded", { forwarded: "for=127.0.0.1" }, 200],
    ["a proxy's Via", { via: "1.1 proxy" }, 200],
    ["a proxy's X-Real-IP", { "x-real-ip": "127.0.0.1" }, 200],
  ];
  for (const [what, headers, administrators] of HINDRANCES) {
    test(`${what} ends them`, async () => {
      const send = async (keys, name) => {
        const signed = createUser(name, keys);
        return raw(server.port, { ...signed, headers: { ...signed.headers, ...headers } });
      };
      const refused = await send(DEVELOPMENT, "stolen");
      assert.deepEqual([refused.status, errorCode(refused)], [403, "InvalidClientTokenId"]);
      // The administrator's random keys differ from these in nothing else.
      const name = `kept-${HINDRANCES.findIndex(([other]) => other === what)}`;
      assert.equal((await send(server.keys, name)).status, administrators);
      assert.ok(!(await server.users()).includes("stolen"));
    });
  }

  test("each protocol says it in AWS's words", async () => {
    for (const [service, headers, code] of [
      ["s3", {}, "InvalidAccessKeyId"],
      ["dynamodb", { "x-amz-target": "DynamoDB_20120810.ListTables", "content-type": "application/x-amz-json-1.0" },
        "UnrecognizedClientException"],
    ]) {
      const call = service === "s3" ? { path: "/pictures/pixel.png" } : { method: "POST", body: "{}", headers };
      const ours = await server.call({ ...call, service, keys: DEVELOPMENT });
      assert.equal(ours.status, 200);
      const theirs = await server.call({ ...call, service, keys: DEVELOPMENT }, { via: "1.1 proxy" });
      assert.equal(errorCode(theirs), code);
    }
  });

  test("a host that isn't this machine's ends them, and a name of somebody's isn't answered at all", async () => {
    const at = async (host, keys) => raw(server.port, createUser("stolen-by-name", keys, host));
    for (const host of [`192.0.2.7:${server.port}`, "iam.amazonaws.com"]) {
      assert.equal(errorCode(await at(host, DEVELOPMENT)), "InvalidClientTokenId", host);
    }
    for (const host of [`evil.test:${server.port}`, `127.0.0.1.evil.test:${server.port}`, `localhost.evil.test:${server.port}`]) {
      assert.equal((await at(host, DEVELOPMENT)).status, 421, host);
      assert.equal((await at(host, server.keys)).status, 421, host);
    }
    assert.ok(!(await server.users()).includes("stolen-by-name"));
    for (const host of [`localhost:${server.port}`, `127.0.0.1:${server.port}`, `[::1]:${server.port}`]) {
      const who = sign({ ...query("GetCallerIdentity"), service: "sts", keys: DEVELOPMENT, host });
      assert.equal((await raw(server.port, who)).status, 200, host);
    }
  });

  test("a signature in the query is taken for S3 alone", async () => {
    const link = (service, path, parameters, keys) =>
      raw(server.port, sign({ presigned: true, service, path, parameters, keys, host: server.host }));
    assert.equal((await link("s3", "/pictures/pixel.png", {}, DEVELOPMENT)).status, 200);
    const create = { Action: "CreateUser", Version: "2010-05-08" };
    const refused = await link("iam", "/", { ...create, UserName: "stolen-by-link" }, DEVELOPMENT);
    assert.deepEqual([refused.status, errorCode(refused)], [403, "InvalidClientTokenId"]);
    assert.equal((await link("iam", "/", { ...create, UserName: "kept-by-link" }, server.keys)).status, 200);
    assert.ok(!(await server.users()).includes("stolen-by-link"));
  });
});

describe("by the way a server is started", () => {
  test("without --dev they are nobody's", async () => {
    const strict = await Homeport.start();
    try {
      const ask = (keys) => strict.call({ ...query("GetCallerIdentity"), service: "sts", keys });
      const refused = await ask(DEVELOPMENT);
      assert.deepEqual([refused.status, errorCode(refused)], [403, "InvalidClientTokenId"]);
      assert.equal((await ask(strict.keys)).status, 200);
    } finally {
      await strict.stop();
    }
  });

  test("--dev listens on loopback only, and trusts no proxy", async () => {
    const refused = (address, settings) => {
      const data = path.join(tmpdir(), `homeport-never-made-${process.pid}`);
      const ended = spawnSync(program, ["serve", "--dev", "--data", data, "--listen", address, "--console", "off"],
        { encoding: "utf8", timeout: 20_000, env: { ...process.env, ...settings } });
      assert.ok(ended.status > 0, ended.stderr);
      return ended.stderr;
    };
    assert.match(refused("0.0.0.0:0", {}), /loopback only, not on 0\.0\.0\.0/);
    assert.match(refused("127.0.0.1:0", { HOMEPORT_LISTEN_TRUSTED_PROXIES: "127.0.0.1" }), /trusts no proxy/);
  });

  const far = Object.values(networkInterfaces()).flat().find((own) => own.family === "IPv4" && !own.internal)?.address;
  test("from another address there is nothing to call", { skip: far ? false : "SKIPPED: loopback is all there is" }, async () => {
    const who = { ...query("GetCallerIdentity"), service: "sts", keys: DEVELOPMENT, host: server.host };
    assert.equal((await raw(server.port, sign(who))).status, 200);
    await assert.rejects(raw(server.port, { ...sign(who), address: far }), { code: "ECONNREFUSED" });
  });
});

describe("from a function and through a proxy", () => {
  const TRIES = `
import os
import boto3
from botocore.config import Config

def who(endpoint, **keys):
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=3, read_timeout=10)
    client = boto3.client("sts", endpoint_url=endpoint, region_name="us-east-1", config=config, **keys)
    try:
        return client.get_caller_identity()["Arn"]
    except Exception as error:
        answer = getattr(error, "response", None)
        return answer["Error"]["Code"] if answer else type(error).__name__

def tried(endpoints, **keys):
    return {endpoint: who(endpoint, **keys) for endpoint in endpoints}

def handler(event, context):
    endpoints = [os.environ["AWS_ENDPOINT_URL"], *event["endpoints"]]
    stolen = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "aws_session_token": ""}
    own, straight = tried(endpoints), tried(endpoints, **stolen)
    # Without exceptions all of it goes by the proxy.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = ""
    return {"own": own, "straight": straight, "by_proxy": tried(endpoints, **stolen)}
`;

  test("a function is its role and never the administrator", { timeout: 120_000 }, async () => {
    await server.function("thief", TRIES);
    const names = Object.values(networkInterfaces()).flat().filter((own) => own.family === "IPv4").map((own) => own.address);
    const endpoints = [...names, "localhost", "[::1]"].map((name) => `http://${name}:${server.port}`);
    const told = await server.invoke("thief", { endpoints });
    const [listener] = Object.keys(told.own);
    for (const endpoint of [listener, server.url]) {
      assert.match(told.own[endpoint], /assumed-role\/thief-role\//, JSON.stringify(told));
      assert.equal(told.straight[endpoint], "InvalidClientTokenId");
    }
    for (const [endpoint, outcome] of [...Object.entries(told.straight), ...Object.entries(told.by_proxy)]) {
      assert.doesNotMatch(outcome, /^arn:/, endpoint);
    }
  });

  test("an API's integration doesn't come back as a local program", { timeout: 60_000 }, async () => {
    const backend = await site({ "/": "the backend" });
    try {
      const through = async (uri, headers = {}) => {
        const { path } = await server.api({ type: "HTTP_PROXY", httpMethod: "GET", uri });
        return raw(server.port, { target: path, headers: { host: server.host, ...headers } });
      };
      assert.equal((await through(`http://127.0.0.1:${backend.port}/`)).text, "the backend");
      const link = sign({ presigned: true, service: "s3", path: "/pictures/pixel.png", keys: DEVELOPMENT, host: server.host });
      for (const host of [server.host, `localhost:${server.port}`, server.consoleHost]) {
        const answer = await through(`http://${host}${link.target}`);
        assert.deepEqual([answer.status, answer.text], [504, '{"message":"Internal server error"}'], host);
      }
    } finally {
      await backend.close();
    }
  });
});

describe("from a browser", { skip: noBrowser }, () => {
  let browser, evil;

  before(async () => {
    if (noBrowser) return;
    evil = await site({ "/": "<!doctype html><title>evil</title><body>" });
    browser = await openBrowser({ "evil.test": "127.0.0.1" });
  });

  after(async () => {
    await browser?.close();
    await evil?.close();
  });

  /** A page at this address, which answers with nothing but its own text where Homeport itself would answer. */
  async function pageAt(url) {
    const page = await (await browser.newContext()).newPage();
    if (!url.includes(`:${evil.port}`)) {
      await page.route(url, (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><title>page</title><body>" }));
    }
    await page.goto(url);
    return page;
  }

  const show = (page, src) => page.evaluate((src) => new Promise((resolve) => {
    const image = Object.assign(new Image(), { onload: () => resolve("shown"), onerror: () => resolve("refused"), src });
    document.body.append(image);
  }), src);

  /** A signed call by fetch: its status and text, or that the browser didn't let the page have them. */
  const fetched = (page, url, { method, headers, body }, mode = "cors") => page.evaluate(async ({ url, options }) => {
    try {
      const answer = await fetch(url, options);
      return { status: answer.status, text: await answer.text() };
    } catch {
      return { status: 0, text: "" };
    }
  }, { url, options: { method, mode, headers: forBrowsers(headers), ...(method === "GET" ? {} : { body }) } });

  const forBrowsers = ({ host, "content-length": length, ...headers }) => headers;

  const picture = (keys, host = server.host) =>
    `http://${host}${sign({ presigned: true, service: "s3", path: "/pictures/pixel.png", keys, host }).target}`;

  for (const where of ["evil.test", "127.0.0.1", "localhost"]) {
    test(`a page of ${where} at another port gets nothing by them`, async () => {
      const page = await pageAt(`http://${where}:${evil.port}/`);
      // A presigned link of real keys is made for such tags; one of everybody's keys is worth nothing there.
      assert.equal(await show(page, picture(server.keys)), "shown");
      assert.equal(await show(page, picture(DEVELOPMENT)), "refused");

      const steal = createUser(`stolen-from-${where}`, DEVELOPMENT);
      const answer = await fetched(page, `${server.url}/`, steal);
      assert.deepEqual([answer.status, errorCode(answer)], [403, "InvalidClientTokenId"]);
      assert.equal((await fetched(page, `${server.url}/`, createUser("x", server.keys))).status, 403);

      const asked = await page.evaluate(({ url, headers, body }) => new Promise((resolve) => {
        const asking = new XMLHttpRequest();
        asking.open("POST", url);
        for (const [name, value] of Object.entries(headers)) asking.setRequestHeader(name, value);
        asking.onloadend = () => resolve(asking.status);
        asking.send(body);
      }), { url: `${server.url}/`, headers: forBrowsers(steal.headers), body: steal.body });
      assert.equal(asked, 403);
      assert.ok(!(await server.users()).some((name) => name.startsWith("stolen")));
    });
  }

  test("a form, a link and a frame carry them nowhere", async () => {
    const page = await pageAt(`http://evil.test:${evil.port}/`);
    const signedForm = sign({
      presigned: true, service: "iam", keys: DEVELOPMENT, host: server.host, method: "POST",
      body: "Action=CreateUser&Version=2010-05-08&UserName=stolen-by-form",
    });
    const said = page.waitForEvent("response", (response) => response.request().method() === "POST");
    await page.evaluate((action) => {
      document.body.innerHTML = `<form method="post"><input name="Action" value="CreateUser"><input name="Version" value="2010-05-08">
        <input name="UserName" value="stolen-by-form"></form>`;
      Object.assign(document.forms[0], { action }).submit();
    }, `${server.url}${signedForm.target}`);
    assert.equal((await said).status(), 403);
    assert.ok(!(await server.users()).includes("stolen-by-form"));

    const followed = await pageAt(`http://evil.test:${evil.port}/`);
    const [answer] = await Promise.all([
      followed.waitForEvent("response", (response) => response.url().includes("pixel.png")),
      followed.evaluate((href) => Object.assign(document.body.appendChild(document.createElement("a")), { href }).click(),
        picture(DEVELOPMENT)),
    ]);
    assert.equal(answer.status(), 403);
    const typed = await (await browser.newContext()).newPage();
    assert.equal((await typed.goto(picture(DEVELOPMENT))).status(), 200);
  });

  test("a name that was rebound to this machine is not answered", async () => {
    const host = `evil.test:${server.port}`;
    const page = await pageAt(`http://${host}/page`);
    const create = createUser("stolen-by-rebinding", DEVELOPMENT, host);
    assert.equal((await fetched(page, `http://${host}/`, create, "same-origin")).status, 421);
    const who = sign({ parameters: { Action: "GetCallerIdentity", Version: "2011-06-15" }, service: "sts", keys: DEVELOPMENT, host });
    assert.equal((await fetched(page, `http://${host}${who.target}`, who, "same-origin")).status, 421);
    assert.equal(await show(page, picture(DEVELOPMENT, host)), "refused");

    // The same page at a name of this machine, where nobody but Homeport itself could put it, is answered.
    const own = await pageAt(`${server.url}/page`);
    const local = sign({ parameters: { Action: "GetCallerIdentity", Version: "2011-06-15" }, service: "sts", keys: DEVELOPMENT, host: server.host });
    assert.equal((await fetched(own, `${server.url}${local.target}`, local, "same-origin")).status, 200);
  });

  /** Puts a page into the bucket `pages` whose script makes this call; the title tells whether it was answered. */
  async function putPage(host, call) {
    const options = { headers: forBrowsers(call.headers), mode: "same-origin" };
    const script = `fetch(${JSON.stringify(`http://${host}${call.target}`)}, ${JSON.stringify(options)})
      .then((answer) => { document.title = "answered " + answer.status; }, () => { document.title = "failed"; });`;
    await server.call({ service: "s3", method: "PUT", path: "/pages" });
    await server.put("pages", "page.html", `<!doctype html><title>unrun</title><script>${script}</script>`, "text/html");
  }

  async function openPage(host, path) {
    const page = await (await browser.newContext()).newPage();
    const link = sign({ presigned: true, service: "s3", path, keys: server.keys, host });
    assert.equal((await page.goto(`http://${host}${link.target}`)).status(), 200);
    return page;
  }

  /** A call by which a page would leave a user behind, without a body, so that no Origin tells it. */
  const createUserByGet = (UserName, host) =>
    sign({ parameters: { Action: "CreateUser", Version: "2010-05-08", UserName }, service: "iam", keys: DEVELOPMENT, host });

  test("a page in a bucket is no page of the endpoint's: its script doesn't run", async () => {
    for (const host of [server.host, `localhost:${server.port}`]) {
      const create = createUserByGet("stolen-by-bucket", host);
      await putPage(host, create);
      const page = await openPage(host, "/pages/page.html");
      await page.waitForTimeout(500);
      assert.equal(await page.title(), "unrun");
      assert.ok(!(await server.users()).includes("stolen-by-bucket"));
      // The call itself was good: a program makes it.
      assert.equal((await raw(server.port, createUserByGet(`kept-by-${host.split(":")[0]}`, host))).status, 200);
    }
  });

  test("a page in a bucket with a host of its own gets nothing by them", async () => {
    const host = `pages.localhost:${server.port}`;
    await putPage(host, createUserByGet("stolen-by-own-host", host));
    const page = await openPage(host, "/page.html");
    await page.waitForFunction(() => document.title !== "unrun");
    assert.equal(await page.title(), "answered 403");
    assert.ok(!(await server.users()).includes("stolen-by-own-host"));
  });
});
