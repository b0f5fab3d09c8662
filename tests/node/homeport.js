// A Homeport of one's own for a test, calls to it as bytes that no SDK would send, and a browser.
import { execFileSync, spawn } from "node:child_process";
import { createHash, createHmac, randomInt } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const program =
  process.env.HOMEPORT ?? fileURLToPath(new URL("../../target/release/homeport", import.meta.url));
export const REGION = "us-east-1";
export const DEVELOPMENT = { accessKeyId: "test", secretAccessKey: "test" };

const CHROMIUM = "/usr/bin/chromium";
/** Why a test with a browser can't be run here, or false. */
export const noBrowser = existsSync(CHROMIUM) ? false : "SKIPPED: Debian's chromium is not installed";

/**
 * Chromium, in which these names lead elsewhere: `{ "evil.test": "127.0.0.1" }`. It lets any page call this machine:
 * what is refused, Homeport refuses, and not a browser that happens to be strict.
 */
export function openBrowser(names = {}) {
  const rules = Object.entries(names).map(([name, address]) => `MAP ${name} ${address}`);
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync",
      "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests,PrivateNetworkAccessRespectPreflightResults",
      ...(rules.length ? [`--host-resolver-rules=${rules.join(",")}`] : [])],
  });
}

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * A port for a server that wants a number. The kernel hands out those from 32768 on to whoever asks for any, as source
 * of a connection too; a lower one is still free when the server starts.
 */
export function freePort() {
  return new Promise((resolve) => {
    const probe = net.createServer().once("error", () => resolve(freePort()));
    const port = randomInt(12000, 32000);
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(port)));
  });
}

/** A running server on free loopback ports, with its data in a temporary folder. */
export class Homeport {
  static async start(...flags) {
    const settings = typeof flags.at(-1) === "object" ? flags.pop() : {};
    const server = new Homeport();
    server.folder = mkdtempSync(path.join(tmpdir(), "homeport-node-"));
    server.data = path.join(server.folder, "data");
    [server.port, server.consolePort] = [await freePort(), await freePort()];
    server.url = `http://127.0.0.1:${server.port}`;
    server.host = `127.0.0.1:${server.port}`;
    server.consoleHost = `127.0.0.1:${server.consolePort}`;
    server.log = "";
    server.process = spawn(program, ["serve", "--data", server.data, "--listen", server.host,
      "--console", server.consoleHost, ...flags], {
      cwd: server.folder, env: { ...process.env, ...settings }, stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [server.process.stdout, server.process.stderr]) {
      stream.on("data", (chunk) => { server.log += chunk; });
    }
    server.ended = new Promise((resolve) => server.process.once("exit", resolve));
    for (const deadline = Date.now() + 20_000; ; await pause(20)) {
      if (server.process.exitCode !== null) throw new Error(`homeport ended at once:\n${server.log}`);
      if (Date.now() > deadline) throw new Error(`homeport was not ready in time:\n${server.log}`);
      const ready = await raw(server.port, { headers: { host: server.host }, target: "/_homeport/ready" }).catch(() => null);
      if (ready?.status === 200) break;
    }
    server.keys = JSON.parse(server.command("credentials", "--format", "json"));
    return server;
  }

  async stop() {
    if (this.process.exitCode === null) this.process.kill("SIGTERM");
    await this.ended;
    rmSync(this.folder, { recursive: true, force: true });
  }

  command(...words) {
    return execFileSync(program, [...words, "--data", this.data], { encoding: "utf8" });
  }

  /** What commands on the data folder read. */
  get serverFile() {
    return JSON.parse(readFileSync(path.join(this.data, "server.json")));
  }

  /** A signed call; with `extra` headers that were not signed. */
  call(request, extra = {}) {
    const signed = sign({ host: this.host, keys: this.keys, ...request });
    return raw(this.port, { ...signed, headers: { ...signed.headers, ...extra } });
  }

  /** A call of a Query service, which must succeed; the answer's text. */
  async query(service, action, members = {}, keys = this.keys) {
    return told(await this.call({ ...query(action, members), service, keys }));
  }

  /** A call of a JSON or REST service, which must succeed; the answer. */
  async json(service, method, target, input) {
    const body = input === undefined ? "" : JSON.stringify(input);
    const text = told(await this.call({ service, method, path: target, body, headers: { "content-type": "application/json" } }));
    return text ? JSON.parse(text) : {};
  }

  async put(bucket, key, body, type) {
    told(await this.call({ service: "s3", method: "PUT", path: `/${bucket}/${key}`, body, headers: { "content-type": type } }));
  }

  /** The names of the users there are: what a stolen call would have changed. */
  async users() {
    return [...(await this.query("iam", "ListUsers")).matchAll(/<UserName>(.*?)</g)].map((found) => found[1]);
  }

  /** A role that services may assume, with these actions allowed. */
  async role(name, service, ...actions) {
    const statement = (more) => JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...more }] });
    const trust = statement({ Principal: { Service: service }, Action: "sts:AssumeRole" });
    const made = await this.query("iam", "CreateRole", { RoleName: name, AssumeRolePolicyDocument: trust });
    if (actions.length) {
      const allowed = statement({ Action: actions, Resource: "*" });
      await this.query("iam", "PutRolePolicy", { RoleName: name, PolicyName: "allowed", PolicyDocument: allowed });
    }
    return made.match(/<Arn>(.*?)</)[1];
  }

  /** A Python function of this code, ready to be invoked; its ARN. */
  async function(name, code) {
    const Role = await this.role(`${name}-role`, "lambda.amazonaws.com");
    const made = await this.json("lambda", "POST", "/2015-03-31/functions", {
      FunctionName: name, Runtime: "python3.12", Role, Handler: "index.handler", Timeout: 60,
      Code: { ZipFile: zip("index.py", code).toString("base64") },
    });
    for (let state = made.State; state !== "Active"; await pause(50)) {
      state = (await this.json("lambda", "GET", `/2015-03-31/functions/${name}`)).Configuration.State;
    }
    return made.FunctionArn;
  }

  invoke(name, event = {}) {
    return this.json("lambda", "POST", `/2015-03-31/functions/${name}/invocations`, event);
  }

  /** Deploys an API whose root answers GET by this integration; its path. */
  async api(integration) {
    const { id } = await this.json("apigateway", "POST", "/restapis", { name: "tried" });
    const root = (await this.json("apigateway", "GET", `/restapis/${id}/resources`)).item[0].id;
    const method = `/restapis/${id}/resources/${root}/methods/GET`;
    await this.json("apigateway", "PUT", method, { authorizationType: "NONE" });
    await this.json("apigateway", "PUT", `${method}/integration`, integration);
    await this.json("apigateway", "POST", `/restapis/${id}/deployments`, { stageName: "v1" });
    return { id, path: `/_aws/execute-api/${id}/v1/` };
  }

  /** Deploys an API whose root is answered by this function; its path. */
  async functionApi(name, arn) {
    const uri = `arn:aws:apigateway:${REGION}:lambda:path/2015-03-31/functions/${arn}/invocations`;
    const made = await this.api({ type: "AWS_PROXY", httpMethod: "POST", uri });
    await this.json("lambda", "POST", `/2015-03-31/functions/${name}/policy`, {
      StatementId: "api", Action: "lambda:InvokeFunction", Principal: "apigateway.amazonaws.com",
    });
    return made;
  }
}

function told(answer) {
  if (answer.status >= 300) throw new Error(`HTTP ${answer.status}: ${answer.text}`);
  return answer.text;
}

/** The call of a Query operation, in the body. */
export function query(action, members = {}) {
  const version = { GetCallerIdentity: "2011-06-15" }[action] ?? "2010-05-08";
  const body = new URLSearchParams({ Action: action, Version: version, ...members }).toString();
  return { method: "POST", body, headers: { "content-type": "application/x-www-form-urlencoded" } };
}

/** One request on a connection of its own, with the headers as they are given. */
export function raw(port, { method = "GET", target = "/", headers = {}, body = "", address = "127.0.0.1" }) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: address, port, method, path: target, headers, setHost: false, agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk) => { text += chunk; });
      answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const hmac = (key, text) => createHmac("sha256", key).update(text).digest();
const escaped = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
const byName = ([a], [b]) => (a < b ? -1 : 1);

/** Signs by SigV4, in a header or, `presigned`, in the query. Paths are of unreserved characters. */
export function sign({
  host, service, keys, method = "GET", path: where = "/", parameters = {}, headers = {}, body = "", presigned = false,
}) {
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const scope = `${date.slice(0, 8)}/${REGION}/${service}/aws4_request`;
  const hash = presigned && service === "s3" ? "UNSIGNED-PAYLOAD" : sha256(body);
  const bound = presigned ? { host } : { ...headers, host, "x-amz-date": date, "x-amz-content-sha256": hash };
  const names = Object.keys(bound).sort();
  const asked = !presigned ? parameters : {
    ...parameters, "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": `${keys.accessKeyId}/${scope}`,
    "X-Amz-Date": date, "X-Amz-Expires": "300", "X-Amz-SignedHeaders": "host",
  };
  const text = Object.entries(asked).map(([name, value]) => [escaped(name), escaped(value)]).sort(byName)
    .map((pair) => pair.join("=")).join("&");
  const lines = names.map((name) => `${name}:${bound[name]}\n`).join("");
  const canonical = [method, where, text, lines, names.join(";"), hash].join("\n");
  const key = [date.slice(0, 8), REGION, service, "aws4_request"].reduce(hmac, `AWS4${keys.secretAccessKey}`);
  const signature = hmac(key, ["AWS4-HMAC-SHA256", date, scope, sha256(canonical)].join("\n")).toString("hex");
  const target = text ? `${where}?${text}` : where;
  if (presigned) return { method, target: `${target}&X-Amz-Signature=${signature}`, headers: { ...headers, host }, body };
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  const length = method === "GET" ? {} : { "content-length": Buffer.byteLength(body) };
  return { method, target, headers: { ...bound, authorization, ...length }, body };
}

/** The code in AWS's error of any protocol. */
export function errorCode({ text }) {
  const found = text.match(/<Code>(.*?)</) ?? text.match(/"__type":"(?:.*#)?(.*?)"/) ?? text.match(/"code":"(.*?)"/i);
  return found?.[1];
}

/** A zip of one stored file. */
export function zip(name, text) {
  const [file, bytes] = [Buffer.from(name), Buffer.from(text)];
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  const about = Buffer.alloc(26);
  about.writeUInt16LE(20, 0);
  about.writeUInt32LE(~crc >>> 0, 10);
  about.writeUInt32LE(bytes.length, 14);
  about.writeUInt32LE(bytes.length, 18);
  about.writeUInt16LE(file.length, 22);
  const local = Buffer.concat([Buffer.from("PK\x03\x04"), about, file, bytes]);
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(0o100644 << 16 >>> 0, 6);
  const central = Buffer.concat([Buffer.from("PK\x01\x02"), Buffer.from([20, 3]), about, rest, file]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(local.length, 12);
  return Buffer.concat([local, central, Buffer.from("PK\x05\x06"), end]);
}

/** Serves pages, by path, on a port of its own: what somebody else's site, or somebody's backend, is. */
export async function site(pages) {
  const asked = [];
  const server = http.createServer((request, response) => {
    asked.push(request.url);
    const page = pages[new URL(request.url, "http://site").pathname];
    response.writeHead(page === undefined ? 404 : 200, { "content-type": "text/html; charset=utf-8" });
    response.end(page);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  return { port, asked, pages, close: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }) };
}
