/** Much at once: it works, in order, and leaves nothing behind. */
import { join } from "node:path";
import type { Page, PoolView, TaskRunView } from "@millrace/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Api } from "./harness/api.ts";
import { isLong, Stack } from "./harness/stack.ts";
import { until } from "./harness/until.ts";

const queuedRuns = isLong ? 100_000 : 2_000;
const clients = 64;
const active = 20;
const long = { timeout: isLong ? 900_000 : 180_000 };
const endMs = isLong ? 600_000 : 120_000;

let stack: Stack;
let api: Api;

beforeAll(async () => {
  stack = await Stack.make();
  ({ api } = await stack.server());
  await stack.deploy(api, { folder: join(import.meta.dirname, "bulk-project") });
});

afterAll(() => stack[Symbol.asyncDispose]());

async function countRuns(where: string): Promise<number> {
  const [row] = await stack.query<{ count: number }>(
    `select count(*)::integer as count from run where ${where}`,
  );
  return row?.count ?? 0;
}

describe("much at once", () => {
  test(`${queuedRuns} runs queue behind ${active} active ones, and all of them run`, long, async () => {
    let started = 0;
    const client = async (): Promise<void> => {
      while (started < queuedRuns) {
        started += 1;
        await api.start("queued");
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
    // No worker yet: they wait, visibly, and no more than the limit allows have begun.
    expect(await countRuns("true")).toBe(queuedRuns);
    expect(await countRuns("state <> 'queued'")).toBeLessThanOrEqual(active);
    const asked = performance.now();
    await api.info();
    expect(performance.now() - asked).toBeLessThan(5_000);

    await stack.worker({ url: api.url, slots: 2 });
    let most = 0;
    await until("all runs have ended", endMs, async () => {
      most = Math.max(most, await countRuns("state <> 'queued'"));
      return (await countRuns("true")) === 0;
    });
    expect(most).toBeLessThanOrEqual(active);
    const states = await stack.query(
      "select state, count(*)::integer as count from run_history group by state",
    );
    expect(states).toEqual([{ state: "succeeded", count: queuedRuns }]);
    await expectNoSlotHeld();
  });

  const nodes = isLong ? 5_000 : 500;
  test(`a pipeline with ${nodes} nodes`, long, async () => {
    const id = await api.start(`nodes-${nodes}`);
    expect((await api.ended(id, endMs)).run.state).toBe("succeeded");
    expect(await outputsOf(id, "last")).toEqual([10]);
    const [row] = await stack.query<{ count: number }>(
      `select count(*)::integer as count from task_run_history where run_id = '${id}' and state = 'succeeded'`,
    );
    expect(row?.count).toBe(nodes + 1);
  });

  const items = isLong ? 10_000 : 1_000;
  test(`${items} mapped items in a wide pool`, long, async () => {
    const id = await api.start(`items-${items}`);
    expect((await api.ended(id, endMs)).run.state).toBe("succeeded");
    expect(await outputsOf(id, "add")).toEqual([items]);
    await expectNoSlotHeld();
  });
});

async function outputsOf(id: string, node: string): Promise<unknown[]> {
  const page: Page<TaskRunView> = await api.send("GET", `/runs/${id}/nodes?node=${node}`);
  return page.items.map(({ output }) => output);
}

async function expectNoSlotHeld(): Promise<void> {
  await until("no slot is held", 15_000, async () => {
    const held = await stack.query(
      "select holder from limit_grant union all select holder from limit_request",
    );
    return held.length === 0;
  });
  const pools: Page<PoolView> = await api.send("GET", "/pools");
  expect(pools.items.map(({ used, waiting }) => used + waiting)).toEqual(pools.items.map(() => 0));
}
