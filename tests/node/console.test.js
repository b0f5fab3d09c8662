// The console's pages and Homeport's own are the administrator's. Nothing that others bring reaches them: not a page in
// a bucket, not one that a function answers, not another site's, not a name that was pointed here, not a function.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { Homeport, noBrowser, openBrowser, query, raw, sign, site } from "./homeport.js";

const SECRET = "keeper@example.com";
let server, pool, client;

/** A call of a user pool, by the administrator. */
async function cognito(operation, input) {
  const answer = await server.call({
    service: "cognito-idp", method: "POST", body: JSON.stringify(input),
    headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": `AWSCognitoIdentityProviderService.${operation}` },
  });
  assert.equal(answer.status, 200, answer.text);
  return JSON.parse(answer.text);
}

/** That the server's token is known: an HMAC of who speaks, the nonce "n" and the body, each behind its length. */
function proof(token, side, body) {
  const behindLength = (part) => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(Buffer.byteLength(part)));
    return Buffer.concat([length, Buffer.from(part)]);
  };
  return createHmac("sha256", token).update(Buffer.concat([side, "n", body].map(behindLength))).digest("hex");
}

const page = (script) => `<!doctype html><title>unrun</title><body><script type="module">${script}</script>`;

const link = () => server.command("outbox", "--link").trim();
const atConsole = (request) => raw(server.consolePort, { ...request, headers: { host: server.consoleHost, ...request.headers } });
const own = () => ({ origin: `http://${server.consoleHost}` });
const exchange = (url, headers = own()) =>
  atConsole({ method: "POST", target: "/session", headers, body: JSON.stringify({ link: url.split("#")[1] }) });

/** Opens a session by a new link: its cookie and its token. */
async function session() {
  const opened = await exchange(link());
  assert.equal(opened.status, 200);
  return { cookie: opened.headers["set-cookie"][0].split(";")[0], token: JSON.parse(opened.text).token };
}

before(async () => {
  server = await Homeport.start();
  pool = (await cognito("CreateUserPool", {
    PoolName: "people", AutoVerifiedAttributes: ["email"], UsernameAttributes: ["email"],
    VerificationMessageTemplate: { EmailMessage: "<img src=x onerror=\"document.title='driven'\"> {####}", EmailSubject: "<b>Code</b>" },
  })).UserPool.Id;
  client = (await cognito("CreateUserPoolClient", { UserPoolId: pool, ClientName: "app" })).UserPoolClient.ClientId;
  await cognito("SignUp", { ClientId: client, Username: SECRET, Password: "A-long-password-1" });
});

after(() => server?.stop());

describe("the console's listener", () => {
  test("every answer keeps other origins out", async () => {
    for (const target of ["/", "/outbox", "/page.js", "/page.css", "/api/outbox", "/nothing", "/_homeport/command"]) {
      const { headers } = await atConsole({ target });
      const policy = headers["content-security-policy"];
      for (const rule of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'none'", "base-uri 'none'"]) {
        assert.ok(policy.includes(rule), `${target}: ${rule}`);
      }
      assert.doesNotMatch(policy, /unsafe/);
      assert.equal(headers["x-frame-options"], "DENY");
      assert.equal(headers["x-content-type-options"], "nosniff");
      assert.equal(headers["referrer-policy"], "no-referrer");
      assert.equal(headers["cache-control"], "no-store");
      assert.equal(headers["cross-origin-opener-policy"], "same-origin");
      assert.equal(headers["cross-origin-resource-policy"], "same-origin");
      assert.equal(headers["access-control-allow-origin"], undefined);
    }
  });

  test("no page of it may be asked for from another origin", async () => {
    const asked = { origin: "https://evil.example", "access-control-request-method": "GET", "access-control-request-headers": "x-homeport-token" };
    const { status, headers } = await atConsole({ method: "OPTIONS", target: "/api/outbox", headers: asked });
    assert.equal(status, 404);
    assert.equal(headers["access-control-allow-origin"], undefined);
  });

  test("it answers to its own address and to no other name", async () => {
    for (const host of [server.consoleHost, `localhost:${server.consolePort}`]) {
      assert.equal((await atConsole({ headers: { host } })).status, 200, host);
    }
    for (const host of [`evil.test:${server.consolePort}`, "127.0.0.1", server.host, `[::1]:${server.consolePort}`,
      `localhost.evil.test:${server.consolePort}`, `192.0.2.7:${server.consolePort}`, `outbox.localhost:${server.consolePort}`]) {
      for (const target of ["/", "/page.js", "/api/outbox"]) {
        const answer = await atConsole({ target, headers: { host } });
        assert.deepEqual([answer.status, answer.text], [421, ""], `${host}${target}`);
      }
    }
  });

  test("a link opens once, from the console's own page", async () => {
    const url = link();
    assert.ok(url.startsWith(`http://${server.consoleHost}/outbox#`));
    for (const origin of [undefined, "null", "https://evil.example", server.url, `http://pages.localhost:${server.port}`]) {
      assert.equal((await exchange(url, origin ? { origin } : {})).status, 403, origin);
    }
    // None of them has used it up.
    const opened = await exchange(url);
    assert.equal(opened.status, 200);
    const [cookie, ...more] = opened.headers["set-cookie"];
    assert.match(cookie, new RegExp(`^homeport-${server.consolePort}=[0-9a-f]{64}; HttpOnly; SameSite=Strict; Path=/api/$`));
    assert.deepEqual(more, []);
    assert.equal((await exchange(url)).status, 403);
    assert.equal((await exchange("#")).status, 403);
    assert.equal((await exchange(`#${"0".repeat(64)}`)).status, 403);
  });

  test("a session is a cookie and a token, and neither is one alone", async () => {
    const [one, other] = [await session(), await session()];
    const outbox = (cookie, token) =>
      atConsole({ target: "/api/outbox", headers: { ...(cookie && { cookie }), ...(token && { "x-homeport-token": token }) } });
    const opened = await outbox(one.cookie, one.token);
    assert.equal(opened.status, 200);
    assert.ok(opened.text.includes(SECRET));
    for (const [cookie, token] of [[one.cookie], [undefined, one.token], [one.cookie, other.token], [other.cookie, one.token], []]) {
      const refused = await outbox(cookie, token);
      assert.deepEqual([refused.status, refused.text], [403, '{"error":"no session"}']);
    }
    for (const origin of ["null", "https://evil.example", server.url]) {
      const from = { cookie: one.cookie, "x-homeport-token": one.token, origin };
      assert.equal((await atConsole({ target: "/api/outbox", headers: from })).status, 403, origin);
    }
    const planted = `homeport-${server.consolePort}=planted; ${one.cookie}`;
    assert.equal((await outbox(planted, one.token)).status, 200);
    const asParameter = await atConsole({ target: `/api/outbox?x-homeport-token=${one.token}`, headers: { cookie: one.cookie } });
    assert.equal(asParameter.status, 403);
  });

  test("it is no AWS endpoint, with the development keys as little as with real ones", async () => {
    const development = await Homeport.start("--dev");
    try {
      const keys = [development.keys, { accessKeyId: "test", secretAccessKey: "test" }];
      for (const own of keys) {
        const ask = (host, port) => raw(port, sign({ ...query("GetCallerIdentity"), service: "sts", keys: own, host }));
        assert.equal((await ask(development.host, development.port)).status, 200);
        const refused = await ask(development.consoleHost, development.consolePort);
        assert.deepEqual([refused.status, refused.text], [404, ""]);
        const buckets = sign({ service: "s3", keys: own, host: development.consoleHost, path: "/bucket/key" });
        assert.equal((await raw(development.consolePort, buckets)).status, 404);
      }
    } finally {
      await development.stop();
    }
  });

  test("commands ask it with the token of this start, and pages never", async () => {
    const { token, commands } = server.serverFile;
    assert.equal(commands, server.consoleHost);
    const question = JSON.stringify({ credentials: { rotate: false } });
    const asked = (headers, more = {}) => atConsole({
      method: "POST", target: "/_homeport/command", body: question, ...more,
      headers: { "x-homeport-nonce": "n", "x-homeport-proof": proof(token, "homeport-asks", more.body ?? question), ...headers },
    });
    const answer = await asked({});
    assert.equal(JSON.parse(answer.text).answer.accessKeyId, server.keys.accessKeyId);
    assert.equal(answer.headers["x-homeport-proof"], proof(token, "homeport-answers", answer.text));
    const others = { "x-homeport-proof": proof(token, "homeport-asks", '{"credentials":{"rotate":true}}') };
    const guessed = { "x-homeport-proof": proof("guess", "homeport-asks", question) };
    const said = { "x-homeport-proof": "", authorization: `Bearer ${token}` };
    for (const headers of [others, guessed, said, { "x-homeport-nonce": "m" }, own(), { origin: "https://evil.example" }]) {
      const refused = await asked(headers);
      assert.equal(refused.status, 403, JSON.stringify(headers));
      assert.ok(!refused.text.includes(server.keys.accessKeyId));
    }
    assert.equal((await asked({ host: `evil.test:${server.consolePort}` })).status, 421);
    assert.equal((await asked({}, { method: "GET", body: "" })).status, 405);
    const atEndpoint = await raw(server.port, {
      method: "POST", target: "/_homeport/command", body: '"pins"',
      headers: { host: server.host, "x-homeport-nonce": "n", "x-homeport-proof": proof(token, "homeport-asks", '"pins"') },
    });
    assert.equal(atEndpoint.status, 405);
    assert.equal(atEndpoint.text, "");
  });
});

describe("health, ready and metrics", () => {
  const FORWARDED = [["x-forwarded-for", "127.0.0.1"], ["x-forwarded-host", "localhost"], ["forwarded", "for=127.0.0.1"],
    ["via", "1.1 proxy"], ["x-real-ip", "127.0.0.1"]];
  const get = (target, headers = {}, method = "GET") => raw(server.port, { method, target, headers: { host: server.host, ...headers } });

  test("health and ready say yes, and nothing more to anybody", async () => {
    for (const target of ["/_homeport/health", "/_homeport/ready"]) {
      for (const headers of [{}, { via: "1.1 proxy" }, { origin: "https://evil.example" }]) {
        const answer = await get(target, headers);
        assert.deepEqual([answer.status, answer.text], [200, "yes\n"]);
        assert.equal(answer.headers["access-control-allow-origin"], undefined);
      }
      assert.equal((await get(target, {}, "POST")).status, 405);
      assert.equal((await get(target, { host: `evil.test:${server.port}` })).status, 421);
    }
    assert.equal((await get("/_homeport/nothing")).status, 404);
  });

  test("metrics answer this machine, and nobody who was forwarded", async () => {
    const local = await get("/_homeport/metrics");
    assert.equal(local.status, 200);
    assert.match(local.text, /^homeport_requests_total\{listener="public",status="2xx"\} \d+$/m);
    for (const [name, value] of FORWARDED) {
      const refused = await get("/_homeport/metrics", { [name]: value });
      assert.deepEqual([refused.status, refused.text], [403, ""], name);
    }
    assert.equal((await get("/_homeport/metrics", { host: `evil.test:${server.port}` })).status, 421);
  });

  test("from elsewhere they answer a signed administrator and whom IAM allows it", async () => {
    const forwarded = { "x-forwarded-for": "198.51.100.9" };
    const signed = async (call) => (await server.call({ service: "homeport", path: "/_homeport/metrics", ...call }, forwarded)).status;
    assert.equal(await signed({}), 200);
    assert.equal(await signed({ presigned: true }), 200);
    assert.equal(await signed({ service: "s3" }), 403);
    assert.equal(await signed({ keys: { ...server.keys, secretAccessKey: "wrong" } }), 403);

    await server.query("iam", "CreateUser", { UserName: "watcher" });
    const made = await server.query("iam", "CreateAccessKey", { UserName: "watcher" });
    const keys = {
      accessKeyId: made.match(/<AccessKeyId>(.*?)</)[1], secretAccessKey: made.match(/<SecretAccessKey>(.*?)</)[1],
    };
    assert.equal(await signed({ keys }), 403);
    const statement = [{ Effect: "Allow", Action: "homeport:GetMetrics", Resource: "*" }];
    await server.query("iam", "PutUserPolicy", {
      UserName: "watcher", PolicyName: "watches", PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: statement }),
    });
    assert.equal(await signed({ keys }), 200);
  });
});

describe("a function", () => {
  const TRIES = `
import json, os, urllib.error, urllib.request

def get(url, proxies, headers):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))
    try:
        with opener.open(urllib.request.Request(url, headers=headers), timeout=5) as answer:
            return [answer.status, answer.read(200).decode("latin1")]
    except urllib.error.HTTPError as error:
        return [error.code, error.read(200).decode("latin1")]
    except Exception as error:
        return [0, str(error)]

def handler(event, context):
    ways = {"straight": {}, "by proxy": {"http": os.environ.get("HTTP_PROXY", "")}}
    own = os.environ["AWS_ENDPOINT_URL"]
    urls = [own + path for path in event["paths"]] + event["urls"]
    asked = [[way, url, *get(url, proxies, event["headers"])] for way, proxies in ways.items() for url in urls]
    return {"own": own, "asked": asked, "outside": get(event["outside"], ways["by proxy"], {})}
`;

  test("reaches neither the console nor Homeport's own pages", { timeout: 120_000 }, async () => {
    await server.function("prober", TRIES);
    const { token } = server.serverFile;
    const paths = ["/_homeport/metrics", "/_homeport/ready", "/_homeport/command", "/outbox"];
    const hosts = [server.host, server.consoleHost, `localhost:${server.consolePort}`, `localhost:${server.port}`];
    const told = await server.invoke("prober", {
      paths, urls: hosts.flatMap((host) => paths.map((path) => `http://${host}${path}`)), outside: server.url,
      headers: { authorization: `Bearer ${token}` },
    });
    assert.equal(told.asked.length, 2 * paths.length * (1 + hosts.length));
    for (const [way, url, status, text] of told.asked) {
      assert.ok(status === 0 || status >= 400, `${url} ${way}: ${status} ${text}`);
      assert.doesNotMatch(text, /homeport_|yes\n|Outbox|answer/, url);
    }
    // The listener that is there for it answered, if only to refuse: the others weren't merely out of reach of the test.
    const refused = told.asked.find(([way, url]) => way === "straight" && url === `${told.own}/_homeport/metrics`);
    assert.ok([400, 403, 404].includes(refused[2]), `${refused}`);
    for (const target of ["/_homeport/metrics", "/_homeport/ready"]) {
      assert.equal((await raw(server.port, { target, headers: { host: server.host } })).status, 200);
    }
    assert.equal((await atConsole({ target: "/outbox" })).status, 200);
  });
});

describe("what people upload, opened in a browser", { skip: noBrowser }, () => {
  // What a hostile page tries. It leaves what it learned in the title, as JSON.
  const attack = () => page(`
    const consoleOrigin = "http://${server.consoleHost}", learned = {};
    const attempt = async (name, deed) => {
      try { learned[name] = await deed(); } catch (error) { learned[name] = "refused"; }
    };
    const text = async (answer) => answer.type === "opaque" ? "opaque" : answer.status + " " + await answer.text();
    for (const host of [consoleOrigin, "http://localhost:${server.consolePort}"]) {
      await attempt("page " + host, async () => text(await fetch(host + "/outbox")));
      await attempt("outbox " + host, async () => text(await fetch(host + "/api/outbox", { credentials: "include" })));
      await attempt("outbox with a token " + host, async () =>
        text(await fetch(host + "/api/outbox", { credentials: "include", headers: { "x-homeport-token": "0" } })));
      await attempt("opaque " + host, async () => text(await fetch(host + "/api/outbox", { credentials: "include", mode: "no-cors" })));
      await attempt("session " + host, async () => text(await fetch(host + "/session", { method: "POST", body: '{"link":"0"}' })));
    }
    // What is open to every origin answers the same page in the same ways.
    await attempt("endpoint", async () => (await fetch("${server.url}/${pool}/.well-known/jwks.json")).status);
    await attempt("opaque endpoint", async () => (await fetch("${server.url}/", { credentials: "include", mode: "no-cors" })).type);
    await attempt("script", () => new Promise((resolve) => {
      document.body.append(Object.assign(document.createElement("script"),
        { src: consoleOrigin + "/page.js", onload: () => resolve("ran"), onerror: () => resolve("refused") }));
    }));
    await attempt("frame", () => new Promise((resolve) => {
      const frame = Object.assign(document.createElement("iframe"), { src: consoleOrigin + "/outbox" });
      frame.onload = () => {
        try { resolve(frame.contentDocument ? "read: " + frame.contentDocument.body.innerText : "not readable"); }
        catch { resolve("not readable"); }
      };
      document.body.append(frame);
    }));
    await attempt("worker", async () => {
      await navigator.serviceWorker.register(consoleOrigin + "/page.js");
      return "registered";
    });
    await attempt("cookie", () => {
      for (const domain of ["", "; domain=localhost", "; domain=127.0.0.1"]) {
        for (const path of ["/", "/api/", "/api/outbox"]) document.cookie = "homeport-${server.consolePort}=planted; path=" + path + domain;
      }
      return document.cookie;
    });
    await attempt("window", async () => {
      const opened = open(consoleOrigin + "/outbox", "victim");
      await new Promise((resolve) => setTimeout(resolve, 800));
      if (!opened || opened.closed) return "severed";
      opened.postMessage("drive", "*");
      return opened.document.body.innerText;
    });
    await attempt("metrics", async () => text(await fetch("/_homeport/metrics")));
    document.title = JSON.stringify(learned);
  `);

  const FUNCTION = `
def handler(event, context):
    headers = {"content-type": "text/html", "set-cookie": "homeport-CONSOLE=planted; Path=/api/outbox"}
    sent = [value for name, value in event["headers"].items() if name.lower() == "cookie"]
    return {"statusCode": 200, "headers": {**headers, "x-sent-cookies": " ".join(sent)}, "body": PAGE}
`;
  let browser, evil, api;

  before(async () => {
    if (noBrowser) return;
    await server.call({ service: "s3", method: "PUT", path: "/pages" });
    await server.put("pages", "page.html", attack(), "text/html");
    const code = `${FUNCTION.replace("CONSOLE", server.consolePort)}PAGE = ${JSON.stringify(attack())}\n`;
    api = await server.functionApi("answers-html", await server.function("answers-html", code));
    evil = await site({ "/": attack() });
    browser = await openBrowser({ "evil.test": "127.0.0.1" });
  });

  after(async () => {
    await browser?.close();
    await evil?.close();
  });

  /** A browser in which the administrator has the outbox open. */
  async function administrators() {
    const context = await browser.newContext();
    const outbox = await context.newPage();
    await outbox.goto(link());
    await outbox.waitForFunction((secret) => document.body.innerText.includes(secret), SECRET);
    return { context, outbox };
  }

  async function stillOpen(outbox) {
    await outbox.click("#refresh");
    await outbox.waitForFunction(() => document.querySelector("#state").textContent === "");
    assert.ok((await outbox.textContent("#messages")).includes(SECRET));
    assert.equal(await outbox.title(), "Homeport: outbox");
  }

  const presigned = (host, path) => `http://${host}${sign({ presigned: true, service: "s3", keys: server.keys, host, path }).target}`;

  test("the link is gone from the address, and what messages say is text", async () => {
    const { context, outbox } = await administrators();
    assert.equal(outbox.url(), `http://${server.consoleHost}/outbox`);
    assert.match(await outbox.textContent("#messages"), /<img src=x onerror=/);
    assert.equal(await outbox.locator("#messages img, #messages b").count(), 0);
    await stillOpen(outbox);
    assert.equal(await outbox.evaluate(() => document.cookie), "");
    await outbox.reload();
    await stillOpen(outbox);
    // Another tab of the same browser has the cookie and not the token.
    const tab = await context.newPage();
    await tab.goto(`http://${server.consoleHost}/outbox`);
    await tab.waitForFunction(() => document.querySelector("#state").textContent.includes("one-time link"));
    assert.equal(await tab.locator("#messages article").count(), 0);
    await context.close();
  });

  test("on the endpoint's own host its script doesn't run, and it is sent no cookie and plants none", async () => {
    const { context, outbox } = await administrators();
    for (const url of [presigned(server.host, "/pages/page.html"), `${server.url}${api.path}`]) {
      const opened = await context.newPage();
      const answer = await opened.goto(url);
      assert.equal(answer.status(), 200);
      const headers = await answer.allHeaders();
      assert.match(headers["content-type"], /^text\/html/);
      assert.deepEqual([headers["content-security-policy"], headers["x-content-type-options"], headers["set-cookie"]],
        ["sandbox", "nosniff", undefined]);
      assert.equal(headers["x-sent-cookies"] ?? "", "");
      await opened.waitForTimeout(500);
      assert.equal(await opened.title(), "unrun");
      assert.equal(await opened.evaluate(() => self.origin), "null");
    }
    await stillOpen(outbox);
    await context.close();
  });

  test("on a host of its own its script runs, and learns nothing of the console", async () => {
    const places = {
      "another site's page": `http://evil.test:${evil.port}/`,
      "a page of another port": `http://127.0.0.1:${evil.port}/`,
      "a bucket's page": presigned(`pages.localhost:${server.port}`, "/page.html"),
      "a function's page": `http://${api.id}.execute-api.localhost:${server.port}/v1/`,
    };
    for (const [what, url] of Object.entries(places)) {
      const { context, outbox } = await administrators();
      const opened = await context.newPage();
      assert.equal((await opened.goto(url)).status(), 200, what);
      await opened.waitForFunction(() => document.title !== "unrun", undefined, { timeout: 20_000 });
      const learned = JSON.parse(await opened.title());
      for (const host of [`http://${server.consoleHost}`, `http://localhost:${server.consolePort}`]) {
        for (const deed of ["page", "outbox", "outbox with a token", "opaque", "session"]) {
          assert.equal(learned[`${deed} ${host}`], "refused", `${what}: ${deed}`);
        }
      }
      assert.match(learned.metrics, /^40[34] $/, what);
      assert.equal(learned.script, "refused", what);
      assert.equal(learned.frame, "not readable", what);
      assert.equal(learned.worker, "refused", what);
      assert.deepEqual([learned.endpoint, learned["opaque endpoint"]], [200, "opaque"], what);
      assert.doesNotMatch(learned.cookie, /[0-9a-f]{64}/, what);
      const framed = opened.frames().filter((frame) => frame !== opened.mainFrame());
      assert.deepEqual(framed.map((frame) => frame.url()), ["chrome-error://chromewebdata/"], what);
      // The window did open, and whoever opened it lost it.
      assert.equal(context.pages().length, 3, what);
      assert.equal(learned.window, "severed", what);
      await stillOpen(outbox);
      await context.close();
    }
  });

  test("a name that was rebound to the console shows nothing", async () => {
    const { context } = await administrators();
    for (const [host, status] of [[server.consoleHost, 200], [`evil.test:${server.consolePort}`, 421]]) {
      const opened = await context.newPage();
      const answered = opened.waitForEvent("response");
      // Chromium shows a page of its own in place of an answer without a body.
      await opened.goto(`http://${host}/outbox`).catch(() => {});
      assert.equal((await answered).status(), status);
    }
    await context.close();
  });
});
