import { startChild } from "./parts/child.ts";
import { cpuClock } from "./parts/cpu-clock.ts";
import { cpuMs, descendantsCpuMs } from "./parts/processes.ts";
import { resultOf, type Bench } from "./parts/result.ts";
import { Stack, type ServerChild } from "./parts/stack.ts";
import { round, summarize } from "./parts/statistics.ts";

/** Enough that a flush is always waiting for the one before. */
const clients = 16;

interface Emitted {
  readonly durations: readonly number[];
  readonly events: number;
  readonly refused: number;
  readonly ms: number;
}

/** What `emit-process.ts` sends. */
const orderPlaced = {
  type: "order.placed",
  schema: {
    type: "object",
    properties: {
      order: { type: "integer" },
      total: { type: "number", minimum: 0 },
      currency: { type: "string", pattern: "^[A-Z]{3}$" },
      items: {
        type: "array",
        items: {
          type: "object",
          properties: { sku: { type: "string" }, count: { type: "integer" } },
          required: ["sku", "count"],
        },
      },
    },
    required: ["order", "total", "items"],
    additionalProperties: false,
  },
};

export const intake: Bench = {
  name: "intake",
  measures:
    "events of which none matches anything, in batches of 100 over HTTP from 16 clients: recorded per second, and the same of a type that is declared with a schema; then events of which one in ten is what a run waits for: recorded per second, and until all these runs have ended; the durations are those of the first batches",
  doesNotMeasure: [
    "large data: an event has 260 bytes",
    "a machine for each part: clients, server and database share the same cores",
  ],
  run: async ({ short }) => {
    const ms = short ? 3_000 : 20_000;
    await using stack = await Stack.start();
    const server = await stack.startServer();
    const client = startChild(new URL("./parts/emit-process.ts", import.meta.url));
    const emit = (duration: number): Promise<Emitted> =>
      client.ask({ url: server.url, clients, ms: duration, events: null });
    await emit(ms / 4);
    const cpu = cpuClock({
      clients: () => cpuMs(client.pid),
      server: () => cpuMs(server.pid),
      postgres: () => descendantsCpuMs(stack.postgres.pid()),
    });
    const { durations, events, refused, ms: took } = await emit(ms);
    const cpuMicrosecondsPerEvent = cpu(events);
    await stack.deploy(server, [orderPlaced]);
    await emit(ms / 4);
    const declared = await emit(ms / 2);
    const waiting = short ? 2_000 : 20_000;
    await submitWaiting(stack, server, waiting);
    const begun = performance.now();
    const matching: Emitted = await client.ask({ url: server.url, clients, ms: 0, events: waiting * 10 });
    await ended(stack, waiting);
    const wokenMs = performance.now() - begun;
    await client.stop();
    const numbers = {
      ...summarize(durations),
      rate: round((events / took) * 1_000),
      matchingRate: round((matching.events / matching.ms) * 1_000),
      matchingRateUntilWoken: round((matching.events / wokenMs) * 1_000),
      declaredRate: round((declared.events / declared.ms) * 1_000),
      cpuMicrosecondsPerEvent,
      refused: refused + declared.refused + matching.refused,
    };
    const [row] = await stack.query<{ count: number; last: number }>(
      "select (select count(*) from event_log)::integer as count, (select position from log_head)::integer as last",
    );
    if (row!.count !== row!.last) throw new Error(`${row!.count} entries, but the last is ${row!.last}`);
    return await resultOf(stack, "intake", numbers, "none: no task runs");
  },
};

/** Runs that wait for `bench.woken` of a number each, from 0 on. */
async function submitWaiting(stack: Stack, server: ServerChild, count: number): Promise<void> {
  const submitter = startChild(new URL("./parts/submit-process.ts", import.meta.url));
  await submitter.ask({ url: server.url, pipeline: "waiting", clients: 64, from: 0, count });
  await submitter.stop();
  await until(stack, "select (select count(*) from wait)::integer as count", count);
}

const ended = (stack: Stack, count: number): Promise<void> =>
  until(stack, "select count(*)::integer as count from run_history where pipeline = 'waiting'", count);

async function until(stack: Stack, query: string, count: number): Promise<void> {
  for (;;) {
    const [row] = await stack.query<{ count: number }>(query);
    if (row!.count >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
