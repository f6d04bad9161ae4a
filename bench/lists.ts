import type { Page, RunSummary } from "@millrace/protocol";
import { benchBundle } from "./parts/bundle.ts";
import { historyPipelines, seedHistory, type HistorySizes } from "./parts/history.ts";
import { resultOf, type Bench } from "./parts/result.ts";
import { Stack, type ServerChild } from "./parts/stack.ts";
import { round, summarize } from "./parts/statistics.ts";

const sizes: { readonly [form: string]: HistorySizes } = {
  short: { runs: 20_000, nodes: 5, pipelines: 20, days: 10 },
  full: { runs: 1_000_000, nodes: 20, pipelines: 50, days: 30 },
};

/** The bar: each list answers within 50 ms (99 of 100 times). */
export const lists: Bench = {
  name: "lists",
  measures:
    "lists of the API over a long history (full: 1,000,000 runs of 20 nodes each, over 30 days): from the request to the whole answer, one after the other",
  doesNotMeasure: ["a browser", "lists while runs go on", "what PostgreSQL has not in its memory"],
  run: async ({ short }) => {
    const size = sizes[short ? "short" : "full"]!;
    const turns = short ? 20 : 100;
    await using stack = await Stack.start();
    const server = await stack.startServer();
    const { upload, definition } = await benchBundle();
    const { hash } = upload.manifest;
    await server.api.send("PUT", `/bundles/${hash}`, upload);
    await server.api.send("POST", "/deployments", {
      bundle: hash,
      definition: { ...definition, pipelines: [...definition.pipelines, ...historyPipelines(size)] },
    });
    const begun = performance.now();
    await seedHistory(stack, size, hash, (text) => {
      if (process.stderr.isTTY) console.error(`  ${text}`);
    });
    const seededMs = performance.now() - begun;
    const byPath: { [path: string]: { readonly median: number; readonly p99: number } } = {};
    const all: number[] = [];
    for (const path of await paths(server)) {
      await server.api.send("GET", path);
      const durations: number[] = [];
      for (let turn = 0; turn < turns; turn += 1) {
        const from = performance.now();
        await server.api.send("GET", path);
        durations.push(performance.now() - from);
      }
      const { median, p99 } = summarize(durations);
      byPath[path.replaceAll(/r[0-9a-z]{16}/g, ":id")] = { median, p99 };
      all.push(...durations);
    }
    const slowest = Object.entries(byPath).toSorted(([, a], [, b]) => b.p99 - a.p99)[0]!;
    const numbers = {
      ...summarize(all),
      runs: size.runs,
      taskRuns: size.runs * size.nodes,
      seededSeconds: round(seededMs / 1_000),
      slowest: { path: slowest[0], ...slowest[1] },
      byPath,
    };
    return await resultOf(stack, "lists", numbers, "none: no task runs");
  },
};

/** What pages ask for, with filters that match much, little and nothing; the last one begins deep in the history. */
async function paths(server: ServerChild): Promise<readonly string[]> {
  const newest = await server.api.send<Page<RunSummary>>("GET", "/runs?limit=1000");
  const { id } = newest.items[500]!;
  return [
    "/runs",
    "/runs?limit=1000",
    "/runs?state=failed",
    "/runs?state=cancelled",
    "/runs?state=succeeded",
    "/runs?state=running",
    "/runs?pipeline=load-7",
    "/runs?pipeline=load-7&state=failed",
    "/runs?pipeline=none",
    "/runs?label=team:team-3",
    "/runs?label=team:none",
    `/runs?cursor=${encodeURIComponent(newest.nextCursor ?? "")}`,
    `/runs/${id}`,
    `/runs/${id}/nodes`,
    `/runs/${id}/logs`,
    `/runs/${id}/firing`,
    `/runs/${id}/assets`,
    "/pipelines",
    "/pipelines/load-7",
    "/events",
    "/triggers",
    "/waits",
    "/approvals",
    "/assets",
    "/workers",
    "/pools",
  ];
}
