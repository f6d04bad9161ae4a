/** The pipelines of `policies` on a real server: more events at once than there are slots, and a loop. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { SharedServer } from "./shared-server.ts";

let server: SharedServer;

beforeAll(async () => {
  server = await SharedServer.start("policies");
}, 120_000);

afterAll(async () => server.stop());

async function emit(type: string, data: readonly object[]): Promise<void> {
  const events = data.map((one) => ({
    specversion: "1.0",
    source: "/test",
    id: crypto.randomUUID(),
    type,
    data: one,
  }));
  const response = await fetch(`${server.url}/api/v1/events`, {
    method: "POST",
    headers: { "content-type": "application/cloudevents-batch+json" },
    body: JSON.stringify(events),
  });
  expect(response.ok, await response.text()).toBe(true);
}

interface Run {
  readonly id: string;
  readonly state: string;
  readonly createdAt: string;
  readonly output?: unknown;
  readonly reason?: { readonly code: string; readonly fields?: { readonly [name: string]: unknown } };
}

/** Its runs, the oldest first, once all that are there have ended and they are `count`. */
async function runsOf(pipeline: string, count: number): Promise<Run[]> {
  for (;;) {
    const { items } = await get<{ items: readonly Run[] }>(`/runs?pipeline=${pipeline}&limit=100`);
    const isDone = items.every(({ state }) => state === "succeeded" || state === "superseded");
    if (items.length < count || !isDone) continue;
    const details = items.map(({ id }) => get<{ run: Run }>(`/runs/${id}`));
    return (await Promise.all(details))
      .map(({ run }) => run)
      .toSorted((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt));
  }
}

async function get<Answer>(path: string): Promise<Answer> {
  const response = await fetch(`${server.url}/api/v1${path}`);
  const answer = (await response.json()) as Answer;
  expect(response.ok, JSON.stringify(answer)).toBe(true);
  return answer;
}

const timeout = 60_000;

test(
  "coalesce: what comes while a run is under way is one further run, with all of it",
  { timeout },
  async () => {
    await emit(
      "order.paid",
      Array.from({ length: 200 }, (_, at) => ({ amount: at })),
    );
    const runs = await runsOf("invoices", 2);
    expect(runs.map(({ output }) => output)).toEqual([
      { orders: 1, amount: 0 },
      { orders: 199, amount: (199 * 200) / 2 },
    ]);
    const { stdout } = await server.millrace("policies", [
      "trigger",
      "firings",
      "invoices",
      "--limit",
      "200",
    ]);
    expect(stdout.split("\n").filter((line) => line.includes(`merged into run ${runs[1]!.id}`))).toHaveLength(
      198,
    );
  },
);

test(
  "latest: of each key the newest that waits has a run, and the others say by which",
  { timeout },
  async () => {
    await emit("price.changed", [
      { product: "tea", price: 1 },
      { product: "jam", price: 2 },
      { product: "tea", price: 3 },
      { product: "jam", price: 4 },
      { product: "tea", price: 5 },
    ]);
    const runs = await runsOf("prices", 5);
    expect(runs.filter(({ state }) => state === "succeeded").map(({ output }) => output)).toEqual(
      expect.arrayContaining([1, 4, 5]),
    );
    const superseded = runs.filter(({ state }) => state === "superseded");
    expect(superseded).toHaveLength(2);
    const names = runs.map(({ id }) => id);
    for (const { reason } of superseded) expect(names).toContain(reason?.fields?.["run"]);
  },
);

test(
  "a loop of triggers is stopped where it is known for one, and its path is told",
  { timeout },
  async () => {
    await emit("ball.left", [{}]);
    expect(await runsOf("ping", 2)).toHaveLength(2);
    expect(await runsOf("pong", 2)).toHaveLength(2);
    for (;;) {
      const { stdout } = await server.millrace("policies", ["trigger", "explain", "ping"]);
      if (!stdout.includes("no run began")) continue;
      expect(stdout).toContain(
        "It is the 3rd firing of a loop of triggers, and starts no run: ping → pong → ping.",
      );
      break;
    }
    const { stdout } = await server.millrace("policies", [
      "events",
      "--type",
      "millrace.trigger.looped",
      "--json",
    ]);
    expect(stdout).toContain('"path":["ping","pong","ping"]');
  },
);
