import { rssBytes } from "./parts/processes.ts";
import { resultOf, type Bench } from "./parts/result.ts";
import { realIsolation, Stack, type WorkerKind } from "./parts/stack.ts";
import { median, round, summarize } from "./parts/statistics.ts";

const items = 10_000;
const megabyte = 1_048_576;

interface Measured {
  readonly durations: readonly number[];
  /** RSS of the server's process in MiB: before the first run, at most, and after a collection at the end. */
  readonly memory: { readonly before: number; readonly peak: number; readonly after: number };
}

export const wide: Bench = {
  name: "wide",
  measures: "one run of 10,000 mapped items, from POST /runs to the `end` event: items per second",
  doesNotMeasure: [
    "work: the tasks do nothing",
    "items with large inputs or outputs",
    "several such runs at once",
  ],
  run: async ({ short }) => {
    await using stack = await Stack.start();
    const real = await measure(stack, "real", short ? 2 : 6);
    const stub = await measure(stack, "stub", short ? 2 : 6);
    const numbers = {
      ...summarize(real.durations),
      rate: round((items / median(real.durations)) * 1_000),
      engineRate: round((items / median(stub.durations)) * 1_000),
      serverMemoryMb: real.memory,
    };
    return await resultOf(stack, "wide", numbers, realIsolation);
  },
};

async function measure(stack: Stack, kind: WorkerKind, runs: number): Promise<Measured> {
  const { server, worker } = await stack.startAll(kind);
  const once = async (): Promise<number> => {
    const begun = performance.now();
    const run = await server.api.finished(await server.api.startRun("wide"));
    if (run.state !== "succeeded") throw new Error(`the run ${run.id} ended ${run.state}`);
    return performance.now() - begun;
  };
  const warm = await server.api.finished(await server.api.startRun("fanout"));
  if (warm.state !== "succeeded") throw new Error(`the run ${warm.id} ended ${warm.state}`);
  await server.ask({ kind: "collect" });
  const before = rssBytes(server.pid);
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, rssBytes(server.pid));
  }, 50);
  const durations: number[] = [];
  for (let run = 0; run < runs; run += 1) durations.push(await once());
  clearInterval(watch);
  await server.ask({ kind: "collect" });
  const after = rssBytes(server.pid);
  for (const child of [worker, server]) await child.stop();
  const inMb = (bytes: number): number => Math.round(bytes / megabyte);
  return { durations, memory: { before: inMb(before), peak: inMb(peak), after: inMb(after) } };
}
