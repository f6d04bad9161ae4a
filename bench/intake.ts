import { startChild } from "./parts/child.ts";
import { cpuClock } from "./parts/cpu-clock.ts";
import { cpuMs, descendantsCpuMs } from "./parts/processes.ts";
import { resultOf, type Bench } from "./parts/result.ts";
import { Stack } from "./parts/stack.ts";
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
    "events that none of them matches anything, in batches of 100 over HTTP from 16 clients: recorded per second, and the same of a type that is declared with a schema; the durations are those of the batches",
  doesNotMeasure: [
    "conditions: nothing waits for these events",
    "large data: an event has 260 bytes",
    "a machine for each part: clients, server and database share the same cores",
  ],
  run: async ({ short }) => {
    const ms = short ? 3_000 : 20_000;
    await using stack = await Stack.start();
    const server = await stack.startServer();
    const client = startChild(new URL("./parts/emit-process.ts", import.meta.url));
    const emit = (duration: number): Promise<Emitted> =>
      client.ask({ url: server.url, clients, ms: duration });
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
    await client.stop();
    const numbers = {
      ...summarize(durations),
      rate: round((events / took) * 1_000),
      declaredRate: round((declared.events / declared.ms) * 1_000),
      cpuMicrosecondsPerEvent,
      refused: refused + declared.refused,
    };
    const [row] = await stack.query<{ count: number; last: number }>(
      "select (select count(*) from event_log)::integer as count, (select position from log_head)::integer as last",
    );
    if (row!.count !== row!.last) throw new Error(`${row!.count} entries, but the last is ${row!.last}`);
    return await resultOf(stack, "intake", numbers, "none: no task runs");
  },
};
