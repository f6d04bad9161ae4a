import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FileSource } from "@millrace/core";
import type { Page, SourceView } from "@millrace/protocol";
import { benchBundle } from "./parts/bundle.ts";
import { cpuMs, rssBytes } from "./parts/processes.ts";
import { resultOf, type Bench } from "./parts/result.ts";
import { Stack, type ServerChild } from "./parts/stack.ts";
import { round, summarize } from "./parts/statistics.ts";

const deadlineMs = 300_000;

export const files: Bench = {
  name: "files",
  measures:
    "a file source on one folder that is full of files: the durations are those from a file's rename until its event can be read; `firstSeconds` until all files that were there are told, `scanSeconds` to look through them at a restart, when all are known; `megabytes` is what the server has then, less an empty one",
  doesNotMeasure: [
    "a cold cache of the file system, or one behind a network",
    "what becomes of the events: no condition waits for them",
    "files that settle: they have their names when they are complete",
  ],
  run: async ({ short }) => {
    const count = short ? 2_000 : 100_000;
    await using stack = await Stack.start();
    const folder = join(stack.folder, "landing");
    mkdirSync(folder);
    for (let at = 0; at < count; at += 1) writeFileSync(join(folder, `${at}.csv`), "");
    const first = await stack.startServer({ sourceRoot: stack.folder });
    await first.ask({ kind: "collect" });
    const rssEmpty = rssBytes(first.pid);
    const [cpuBefore, begunAt] = [cpuMs(first.pid), performance.now()];
    await deploySource(first);
    await until(first, ({ events }) => events === count);
    const firstSeconds = seconds(performance.now() - begunAt);
    await until(first, ({ lastScan }) => lastScan !== undefined);
    const cpuMicrosecondsPerFile = round(((cpuMs(first.pid) - cpuBefore) * 1_000) / count);
    await first.stop();

    const second = await stack.startServer({ sourceRoot: stack.folder });
    const view = await until(second, ({ lastScan, state }) => state === "running" && lastScan !== undefined);
    if (view.events !== count) throw new Error(`${view.events} events of ${count} files`);
    await second.ask({ kind: "collect" });
    const megabytes = round((rssBytes(second.pid) - rssEmpty) / 1e6);
    const durations: number[] = [];
    for (let at = 0; at < (short ? 5 : 100); at += 1) durations.push(await tellOne(second, folder, at));
    const numbers = {
      ...summarize(durations),
      files: count,
      firstSeconds,
      scanSeconds: seconds(view.lastScan?.tookMs ?? Number.NaN),
      cpuMicrosecondsPerFile,
      megabytes,
    };
    return await resultOf(stack, "files", numbers, "none: no task runs");
  },
};

async function deploySource(server: ServerChild): Promise<void> {
  const { upload, definition } = await benchBundle();
  const landing: FileSource = {
    kind: "files",
    name: "landing",
    folder: "landing",
    glob: "*.csv",
    ignore: [],
    protocol: "rename",
    type: "file.arrived",
    rescanMs: 3_600_000,
  };
  const { hash } = upload.manifest;
  await server.api.send("PUT", `/bundles/${hash}`, upload);
  await server.api.send("POST", "/deployments", {
    bundle: hash,
    definition: { ...definition, sources: [landing] },
  });
}

/** From a file's rename until its event can be read, in ms. */
async function tellOne(server: ServerChild, folder: string, at: number): Promise<number> {
  const name = `new-${at}.csv`;
  writeFileSync(join(folder, `${name}.part`), "");
  const begunAt = performance.now();
  renameSync(join(folder, `${name}.part`), join(folder, name));
  for (;;) {
    const { items } = await server.api.send<Page<unknown>>("GET", `/events?subject=${name}&limit=1`);
    if (items.length > 0) return performance.now() - begunAt;
    if (performance.now() - begunAt > deadlineMs) throw new Error(`${name} is not told`);
  }
}

async function until(server: ServerChild, isReached: (view: SourceView) => boolean): Promise<SourceView> {
  const begunAt = performance.now();
  for (;;) {
    const { items } = await server.api.send<Page<SourceView>>("GET", "/sources");
    const [view] = items;
    if (view && isReached(view)) return view;
    if (performance.now() - begunAt > deadlineMs) throw new Error(`it stays at ${JSON.stringify(view)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function seconds(ms: number): number {
  return round(ms / 1_000);
}
