// Names the files of tests, for `node --test`; on several nodes those that make sense there.
import { readdirSync } from "node:fs";

// What is not tried behind the balancer, and why.
const ONE_NODE = {
  "console.test.js": "the console is one process's own",
  "demo.test.js": "it is about the processes of `homeport demo`",
  "devkeys.test.js": "--dev is for one process on one machine",
  "limits.test.js": "it is about the bytes on one listener's connections",
};

for (const name of readdirSync(import.meta.dirname).filter((name) => name.endsWith(".test.js")).sort()) {
  if (process.env.HOMEPORT_TEST_NODES && name in ONE_NODE) console.error(`SKIPPED ${name} on several nodes: ${ONE_NODE[name]}`);
  else console.log(name);
}
