/** A database with a long history and a server on it: made now, or found where it was made before. */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { benchBundle } from "../parts/bundle.ts";
import { cpuMs, isMeasurable } from "../parts/processes.ts";
import type { BenchOptions } from "../parts/result.ts";
import { Stack, type ServerChild } from "../parts/stack.ts";
import { round } from "../parts/statistics.ts";
import { makeDeployments, makeLive } from "./live.ts";
import { historyDefinition, type HistorySizes } from "./project.ts";
import { seedHistory } from "./seed.ts";
import { historySizes } from "./sizes.ts";

/** Ends server and database when it is disposed of. */
export interface History extends AsyncDisposable {
  readonly stack: Stack;
  readonly server: ServerChild;
  readonly sizes: HistorySizes;
  readonly made: Made;
}

export interface Made {
  readonly sizes: HistorySizes;
  readonly seconds: number;
  readonly megabytes: number;
}

/** What it was seeded with is not to go while it is used again on a later day. */
const retentionDays = 400;
const restMsMax = 60_000;
const page = fileURLToPath(new URL("../../packages/ui/dist", import.meta.url));

export async function openHistory({ short, folder }: BenchOptions, port = 0): Promise<History> {
  const kept = folder === undefined ? undefined : resolve(folder);
  const stack = await Stack.start(kept);
  const start = (): Promise<ServerChild> =>
    stack.startServer({ options: { port, pageFolder: page, retentionDays } });
  try {
    const note = join(stack.folder, "history.json");
    if (existsSync(note)) {
      const made = JSON.parse(await readFile(note, "utf8")) as Made;
      const server = await start();
      await atRest(server);
      return historyOf(stack, server, made);
    }
    const sizes = historySizes[short ? "short" : "full"];
    const { upload, definition } = await benchBundle();
    const { hash } = upload.manifest;
    const begun = performance.now();
    await seedHistory(stack.postgres.connection, { sizes, bundle: hash }, (text) => {
      if (process.stderr.isTTY || process.env["BENCH_TELL"] !== undefined) console.error(`  ${text}`);
    });
    const server = await start();
    await server.api.send("PUT", `/bundles/${hash}`, upload);
    await server.api.send("POST", "/deployments", {
      bundle: hash,
      definition: historyDefinition(sizes, definition),
    });
    await makeDeployments(stack, sizes);
    await makeLive(stack, server, sizes);
    const made = {
      sizes,
      seconds: round((performance.now() - begun) / 1_000),
      megabytes: await megabytesOf(stack),
    };
    await writeFile(note, JSON.stringify(made));
    return historyOf(stack, server, made);
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}

/** It takes up what was under way when it was stopped: what is measured begins after that. */
async function atRest({ pid }: ServerChild): Promise<void> {
  if (!isMeasurable) return;
  const until = performance.now() + restMsMax;
  for (let calm = 0; calm < 3 && performance.now() < until;) {
    const before = cpuMs(pid);
    await new Promise((resolve) => setTimeout(resolve, 500));
    calm = cpuMs(pid) - before < 100 ? calm + 1 : 0;
  }
}

function historyOf(stack: Stack, server: ServerChild, made: Made): History {
  return {
    stack,
    server,
    sizes: made.sizes,
    made,
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

async function megabytesOf(stack: Stack): Promise<number> {
  const [row] = await stack.query<{ megabytes: number }>(
    "select (pg_database_size(current_database()) / 1048576)::integer as megabytes",
  );
  return row!.megabytes;
}
