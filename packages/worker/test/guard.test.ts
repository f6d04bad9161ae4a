import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bundleCode, dispatchOf, ProtocolServer } from "./protocol-server.ts";

test.skipIf(process.platform === "win32")(
  "kill -9 of the worker ends its children, blocked ones too",
  async () => {
    const server = await ProtocolServer.start();
    const cacheFolder = await mkdtemp(join(tmpdir(), "millrace-worker-"));
    const source = `
    import { startWorker } from ${JSON.stringify(join(import.meta.dirname, "../src/index.ts"))};
    await startWorker({ url: ${JSON.stringify(server.url)}, cacheFolder: ${JSON.stringify(cacheFolder)}, slots: 1, version: "0" });
  `;
    const worker = spawn(process.execPath, ["--input-type=module", "-e", source], { stdio: "ignore" });
    await server.until("hello");
    const bundle = server.addBundle(
      bundleCode(`{ spin: (_, ctx) => { ctx.log.info(String(process.pid)); for (;;); } }`),
    );
    const dispatch = dispatchOf(bundle, "spin");
    server.send({ kind: "dispatches", dispatches: [dispatch] });
    await server.until("logs");
    const pid = Number(server.log(dispatch.token)[0]?.text);
    worker.kill("SIGKILL");
    await once(worker, "exit");
    const state = (): Promise<string> => readFile(`/proc/${pid}/stat`, "latin1").catch(() => ") gone ");
    await expect.poll(state, { interval: 10, timeout: 5_000 }).toMatch(/\) (?:Z|gone) /);
    await server.stop();
    await rm(cacheFolder, { recursive: true, force: true });
  },
);
