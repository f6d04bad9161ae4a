import { startChild } from "./parts/child.ts";
import { cpuClock } from "./parts/cpu-clock.ts";
import { cpuMs, descendantsCpuMs, rssBytes } from "./parts/processes.ts";
import { resultOf, type Bench } from "./parts/result.ts";
import { Stack, type ServerChild } from "./parts/stack.ts";
import { median, round, summarize } from "./parts/statistics.ts";

const clients = 64;
const wakings = 3;
const megabyte = 1_048_576;

interface Sizes {
  readonly waits: number;
  readonly bytes: number;
}

export const waits: Bench = {
  name: "waits",
  measures:
    "runs that wait for an event each, in a `wait` node: begun per second, memory of the server, bytes of their waits; then, the durations, many are woken at once, until the nodes' success is committed",
  doesNotMeasure: [
    "what follows the waits: they are the last nodes of their runs",
    "rows of runs and task runs: `bytesPerWait` counts waits and what finds them, with indexes",
    "a machine for each part: clients, server and database share the same cores",
  ],
  run: async ({ short }) => {
    const count = short ? 20_000 : 1_000_000;
    const woken = short ? 2_000 : 10_000;
    // Twice the time after which a calm process collects its garbage: `process-memory.ts`.
    const restMs = short ? 0 : 21_000;
    await using stack = await Stack.start();
    const server = await stack.startServer();
    await stack.deploy(server);
    const submitter = startChild(new URL("./parts/submit-process.ts", import.meta.url));
    const submit = (from: number, wanted: number): Promise<{ ms: number; refused: number }> =>
      submitter.ask({ url: server.url, pipeline: "waiting", clients, from, count: wanted });
    await submit(-2_000, 2_000);
    await settled(stack, 2_000);
    const before = await memoryAtRest(server, restMs);
    const cpu = cpuClock({
      clients: () => cpuMs(submitter.pid),
      server: () => cpuMs(server.pid),
      postgres: () => descendantsCpuMs(stack.postgres.pid()),
    });
    const begun = performance.now();
    const { refused } = await submit(0, count);
    await settled(stack, count + 2_000);
    const took = performance.now() - begun;
    const cpuMicrosecondsPerRun = cpu(count);
    const atOnce = Math.round(rssBytes(server.pid) / megabyte);
    const after = await memoryAtRest(server, restMs);
    const { bytes, waits: rows } = await sizes(stack);
    const durations: number[] = [];
    const wakeCpu = cpuClock({
      server: () => cpuMs(server.pid),
      postgres: () => descendantsCpuMs(stack.postgres.pid()),
    });
    for (let turn = 0; turn < wakings; turn += 1)
      durations.push(await wake(stack, server, turn * woken, woken));
    const cpuMicrosecondsPerWake = wakeCpu(wakings * woken);
    await submitter.stop();
    const numbers = {
      ...summarize(durations),
      waits: rows,
      woken,
      wakeMedian: round(median(durations)),
      rate: round((count / took) * 1_000),
      refused,
      cpuMicrosecondsPerRun,
      cpuMicrosecondsPerWake,
      bytesPerWait: round(bytes / rows),
      serverMemoryMb: { before, atOnce, after },
    };
    return await resultOf(stack, "waits", numbers, "none: no task runs");
  },
};

interface Memory {
  /** Of the process, in MB, a while after its burst. */
  readonly process: number;
  /** Objects and buffers that are held after a collection, in MB. */
  readonly held: number;
}

async function memoryAtRest(server: ServerChild, restMs: number): Promise<Memory> {
  await new Promise((resolve) => setTimeout(resolve, restMs));
  const process = Math.round(rssBytes(server.pid) / megabyte);
  const held = await server.ask<number>({ kind: "collect" });
  return { process, held: round(held / megabyte) };
}

/** Until this many waits have rows, and their runs wait outside of memory. */
async function settled(stack: Stack, count: number): Promise<void> {
  for (;;) {
    const [row] = await stack.query<{ open: number }>("select (select count(*) from wait)::integer as open");
    if (row!.open >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function sizes(stack: Stack): Promise<Sizes> {
  const [row] = await stack.query<Sizes>(
    `select (select count(*) from wait)::integer as waits,
      (pg_total_relation_size('wait') + pg_total_relation_size('wait_match'))::float8 as bytes`,
  );
  return row!;
}

/** From the first event's sending until all these runs have ended. */
async function wake(stack: Stack, server: ServerChild, from: number, count: number): Promise<number> {
  const ended = async (): Promise<number> => {
    const [row] = await stack.query<{ count: number }>(
      "select count(*)::integer as count from run_history where workspace = 1 and pipeline = 'waiting'",
    );
    return row!.count;
  };
  const before = await ended();
  const [head] = await stack.query<{ position: number }>(
    "select position::float8 as position from log_head where workspace = 1",
  );
  const begun = performance.now();
  const batch = 1_000;
  for (let at = from; at < from + count; at += batch) {
    const events = Array.from({ length: Math.min(batch, from + count - at) }, (_, index) => ({
      specversion: "1.0",
      id: `woken-${at + index}`,
      source: "/bench",
      type: "bench.woken",
      data: { n: at + index },
    }));
    await server.api.send("POST", "/events", events, "application/cloudevents-batch+json");
  }
  // Counting all that ever ended takes the time of a hundred of them, on the same two cores: what these events ended is counted first.
  const told = async (): Promise<number> => {
    const [row] = await stack.query<{ count: number }>(
      `select count(*)::integer as count from wait_member where workspace = 1 and position > ${head!.position}`,
    );
    return row!.count;
  };
  while ((await told()) < count || (await ended()) < before + count)
    await new Promise((resolve) => setTimeout(resolve, 50));
  return performance.now() - begun;
}
