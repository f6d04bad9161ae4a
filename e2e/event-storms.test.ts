/**
 * Very many events for one trigger: a storm, and keys of which there is no end.
 *
 * `MILLRACE_TEST_LONG` sends a hundred thousand ticks, and half a million keys.
 */
import { readFileSync } from "node:fs";
import type { TriggerExplanation } from "@millrace/protocol";
import { expect, test } from "vitest";
import { Api } from "./harness/api.ts";
import { Kept } from "./harness/kept.ts";
import { freePort, isLong, Stack } from "./harness/stack.ts";
import { until } from "./harness/until.ts";

const ticks = isLong ? 100_000 : 12_000;
const keys = isLong ? 500_000 : 15_000;
const perBatch = 500;
const clients = 3;
const stallMs = isLong ? 900_000 : 120_000;
/** Beyond what the server has before them. What it keeps of the log, of keys and of commits under way has bounds of its own. */
const memoryMaxMb = 450;

/** Sends events, and each batch until it is acknowledged; `sent` is told of each. */
async function send(
  api: Api,
  count: number,
  eventAt: (at: number) => object,
  sent = (_count: number): void => undefined,
): Promise<void> {
  let next = 0;
  let acknowledged = 0;
  const client = async (): Promise<void> => {
    while (next < count) {
      const from = next;
      next += perBatch;
      const batch = Array.from({ length: Math.min(perBatch, count - from) }, (_, at) => eventAt(from + at));
      await until(`${from} events are acknowledged`, stallMs, async () => {
        const type = "application/cloudevents-batch+json";
        return (await api.send<{ rejected: number }>("POST", "/events", batch, type)).rejected === 0;
      });
      acknowledged += batch.length;
      sent(acknowledged);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
}

function memoryMb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;
}

test(
  `a storm of ${ticks} events is a few runs of one coalescing trigger, which have each event once, over a kill of the server`,
  { timeout: isLong ? 1_200_000 : 240_000 },
  async () => {
    await using stack = await Stack.make();
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const api = new Api(url, { timeoutMs: 20_000 });
    const server = new Kept(() => stack.serverCommand({ port }));
    stack.onEnding(async () => server.release());
    await server.command.event("ready");
    await stack.worker({ url });
    await stack.deploy(api);
    let killing: Promise<void> | undefined;
    await send(
      api,
      ticks,
      (at) => ({ specversion: "1.0", source: "/storm", id: `${at}`, type: "storm.tick", data: {} }),
      (sent) => {
        if (sent >= ticks / 2) killing ??= server.kill();
      },
    );
    await killing;
    const outputs = await until("runs that have all of them", stallMs, async () => {
      const rows = await stack.query<{ state: string; output: { count: number } }>(
        `select run.state, run.output from run_history run where pipeline = 'gathering'`,
      );
      expect(rows.filter(({ state }) => state !== "succeeded")).toEqual([]);
      const sum = rows.reduce((all, { output }) => all + output.count, 0);
      return sum >= ticks && rows.map(({ output }) => output.count);
    });
    expect(outputs.reduce((all, one) => all + one, 0)).toBe(ticks);
    expect(outputs.length).toBeLessThan(ticks / 100);
    // Each firing is there, and says which run it was merged into.
    const [firings] = await stack.query<{ all: number; kept: number }>(
      `select count(*)::integer as all, count(*) filter (where run_id is not null or into_run is not null)::integer as kept
        from firing where pipeline = 'gathering'`,
    );
    expect(firings).toEqual({ all: ticks, kept: ticks });
  },
);

test(
  `${keys} keys of one trigger are rows, and no memory of the server`,
  { timeout: isLong ? 1_200_000 : 240_000 },
  async () => {
    await using stack = await Stack.make();
    const { command, api } = await stack.server();
    await stack.worker({ url: api.url });
    await stack.deploy(api);
    const before = memoryMb(command.pid);
    let most = before;
    const eventOf = (id: string, key: number): object => ({
      specversion: "1.0",
      source: "/keys",
      id,
      type: "key.tick",
      data: { key: `k${key}` },
    });
    await send(
      api,
      keys,
      (at) => eventOf(`${at}`, at),
      () => (most = Math.max(most, memoryMb(command.pid))),
    );
    await until("a row for each key", stallMs, async () => {
      most = Math.max(most, memoryMb(command.pid));
      const [row] = await stack.query<{ keys: number }>(
        "select count(*)::integer as keys from trigger_key where pipeline = 'counting'",
      );
      return row!.keys >= keys;
    });
    expect(most - before).toBeLessThan(memoryMaxMb);
    // One of them is told and forgotten as if it were alone.
    const told = await api.send<TriggerExplanation>("GET", "/triggers/counting/explain?key=k7");
    expect(told).toMatchObject({ key: "k7", state: { state: "gathering" } });
    expect(Date.parse(told.forgottenAt ?? "")).toBeGreaterThan(Date.now());
    await api.emit(eventOf("again", 7));
    const run = await until(
      "the run of that key",
      stallMs,
      async () => (await api.runs("pipeline=counting"))[0],
    );
    expect(run.state).toMatch(/queued|running|succeeded/);
    expect((await api.ended(run.id, stallMs)).run.state).toBe("succeeded");
  },
);
