// `homeport demo` in a folder of its own: the notes sample, deployed and running, and what its tour says.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { program } from "./homeport.js";

const READY_WITHIN = 60_000;

export class Demo {
  /** In a new folder, or again in one that was kept. */
  static async start(folder = mkdtempSync(path.join(tmpdir(), "homeport-demo-"))) {
    const demo = new Demo();
    demo.folder = folder;
    demo.process = spawn(program, ["demo"], { cwd: demo.folder, stdio: ["ignore", "pipe", "ignore"] });
    demo.ended = new Promise((resolve) => demo.process.once("exit", resolve));
    const tour = await new Promise((resolve, reject) => {
      let said = "";
      demo.process.stdout.on("data", (chunk) => {
        said += chunk;
        if (said.includes("Ctrl-C")) resolve(said);
      });
      demo.process.on("exit", () => reject(new Error(`the demo ended: ${said}`)));
      setTimeout(() => reject(new Error(`the demo was not ready in time: ${said}`)), READY_WITHIN).unref();
    });
    demo.page = tour.match(/The page:\s+(\S+)/)[1];
    demo.outbox = tour.match(/The outbox \(codes\):\s+(\S+)/)[1];
    demo.endpoint = tour.match(/The AWS endpoint:\s+(\S+)/)[1];
    const kept = path.join(demo.folder, ".demo", readdirSync(path.join(demo.folder, ".demo"))[0]);
    demo.data = path.join(kept, "data");
    demo.backend = JSON.parse(readFileSync(path.join(kept, "demo.json"))).deployed;
    return demo;
  }

  /** The newest code that was sent to an address. */
  code(email) {
    const words = ["outbox", "--to", email, "--last", "--code", "--data", this.data];
    return execFileSync(program, words, { encoding: "utf8" }).trim();
  }

  async stop({ keep = false } = {}) {
    if (this.process.exitCode === null) this.process.kill("SIGTERM");
    await this.ended;
    if (!keep) rmSync(this.folder, { recursive: true, force: true });
  }
}
