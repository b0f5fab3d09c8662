// The demo goes on where it was, also where its usual port is somebody else's.
import assert from "node:assert/strict";
import net from "node:net";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { Demo } from "./demo.js";
import { program } from "./homeport.js";

test("a demo whose usual port is taken finds its data again", { timeout: 120_000 }, async () => {
  const other = net.createServer().listen(4566, "127.0.0.1");
  // It may be taken already: that is as good.
  await new Promise((resolve) => other.once("listening", resolve).once("error", resolve));
  const first = await Demo.start();
  await first.stop({ keep: true });
  const second = await Demo.start(first.folder);
  try {
    assert.ok(!first.endpoint.endsWith(":4566"), first.endpoint);
    assert.equal(second.endpoint, first.endpoint);
    assert.equal(second.page, first.page);
    assert.deepEqual(second.backend, first.backend);
    assert.equal(readdirSync(path.join(first.folder, ".demo")).length, 1);
  } finally {
    await second.stop();
    other.close();
  }
});

test("a demo that is ended at any moment leaves no server behind", { timeout: 120_000 }, async () => {
  for (const file of ["server.json", "../demo.json"]) {
    const folder = mkdtempSync(path.join(tmpdir(), "homeport-demo-"));
    const demo = spawn(program, ["demo"], { cwd: folder, stdio: "ignore" });
    const ended = new Promise((resolve) => demo.once("exit", resolve));
    const data = () => {
      const [port] = existsSync(path.join(folder, ".demo")) ? readdirSync(path.join(folder, ".demo")) : [];
      return port && path.join(folder, ".demo", port, "data");
    };
    const is = (name) => data() && existsSync(path.join(data(), name));
    while (!is(file)) await new Promise((resolve) => setTimeout(resolve, 1));
    const { pid } = JSON.parse(readFileSync(path.join(data(), "server.json")));
    demo.kill("SIGTERM");
    await ended;
    const deadline = Date.now() + 10_000;
    while (existsSync(`/proc/${pid}`)) {
      assert.ok(Date.now() < deadline, `the server ${pid} is still there, though the demo ended when ${file} was written`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    rmSync(folder, { recursive: true, force: true });
  }
});
