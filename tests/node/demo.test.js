// The demo goes on where it was, also where its usual port is somebody else's.
import assert from "node:assert/strict";
import net from "node:net";
import { readdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { Demo } from "./demo.js";

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
