/** What runs wait for, and what their functions recorded, as the API tells it. */
import type { Json, NodeDefinition } from "@millrace/core";
import type {
  EndedWaitView,
  OpenWaitView,
  RunDetail,
  StepView,
  TaskRunView,
  WaitView,
} from "@millrace/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { node, pipeline, startFixture, succeeded, type ServerFixture } from "./server-fixture.ts";

let fixture: ServerFixture;

beforeEach(async () => {
  fixture = await startFixture();
}, 60_000);

afterEach(async () => fixture[Symbol.asyncDispose]());

function waits(id: string, condition: Json, timeoutMs?: number): NodeDefinition {
  return node(id, {
    kind: "wait",
    wait: { onTimeout: "fail", ...(timeoutMs === undefined ? {} : { timeoutMs }) },
    input: { kind: "value", value: condition },
  });
}

const event = (type: string, value?: string): Json =>
  value === undefined
    ? { kind: "event", type }
    : { kind: "event", type, where: { op: "eq", path: ["data", "id"], value } };

async function emit(type: string, data: Json): Promise<number> {
  const body = { specversion: "1.0", source: "/test", id: crypto.randomUUID(), type, data };
  const answer = await fixture.call("POST", "/events", body, {
    "content-type": "application/cloudevents+json",
  });
  return answer.body.position as number;
}

async function turn(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** The node as soon as it is as wanted. */
async function nodeOnce(run: string, id: string, is: (node: TaskRunView) => boolean): Promise<TaskRunView> {
  for (;;) {
    const { nodes } = (await fixture.call("GET", `/runs/${run}`)).body as RunDetail;
    const found = nodes.find((one) => one.id === id);
    if (found && is(found)) return found;
    await turn();
  }
}

async function pages(query: string): Promise<{ readonly items: WaitView[]; readonly pages: number }> {
  const items: WaitView[] = [];
  let cursor = "";
  for (let count = 1; ; count += 1) {
    const { body } = await fixture.call("GET", `/waits?${query}${cursor}`);
    items.push(...(body.items as WaitView[]));
    if (body.nextCursor === undefined) return { items, pages: count };
    cursor = `&cursor=${body.nextCursor}`;
  }
}

/** All open waits once there are `count`. */
async function open(count: number): Promise<readonly WaitView[]> {
  for (;;) {
    const { items } = await pages("");
    if (items.length === count) return items;
    await turn();
  }
}

test("a waiting node says for what, since when and until when", async () => {
  await fixture.deploy([pipeline("p", [waits("paid", event("order.paid", "7"), 3_600_000)])]);
  const { id: run } = await fixture.start("p");
  const { waits: shown, reason } = await nodeOnce(run, "paid", (one) => one.waits !== undefined);
  const [wait] = shown!;
  const text = 'an event order.paid where data.id == "7"';
  expect(shown).toEqual([{ kind: "event", text, since: wait!.since, timeoutAt: wait!.timeoutAt }]);
  expect(Date.parse(wait!.timeoutAt!) - Date.parse(wait!.since!)).toBeCloseTo(3_600_000, -1);
  expect(reason).toMatchObject({
    code: "waits",
    message: `It waits for ${text}, until ${wait!.timeoutAt}.`,
    fields: { since: wait!.since, timeoutAt: wait!.timeoutAt },
  });
  await emit("order.paid", { id: "7" });
  const { nodes } = await fixture.ended(run);
  expect(nodes[0]).not.toHaveProperty("waits");
});

test("a wait for instants that have passed says that it waits in vain", async () => {
  const gone = { kind: "schedule", schedule: { kind: "at", instants: [1_000] } };
  const daily = { kind: "schedule", schedule: { kind: "every", every: "1d" } };
  await fixture.deploy([
    pipeline("p", [
      waits("gone", gone),
      waits("both", { kind: "all", of: [daily, { kind: "count", of: gone, n: 1 }] }),
      waits("either", { kind: "any", of: [daily, gone] }),
    ]),
  ]);
  await fixture.start("p");
  const trouble = { code: "no_ticks", message: "There are no further ticks: it waits in vain." };
  const shown = new Map((await open(3)).map((wait) => [wait.node, wait.trouble]));
  expect(shown).toEqual(
    new Map([
      ["gone", trouble],
      ["both", trouble],
      ["either", undefined],
    ]),
  );
});

test("a condition that has gathered something says what, and what is missing", async () => {
  const all = { kind: "all", of: [event("a"), event("b")] };
  await fixture.deploy([pipeline("p", [waits("both", all)])]);
  const { id: run } = await fixture.start("p");
  await open(1);
  const position = await emit("a", null);
  const { waits: shown } = await nodeOnce(run, "both", (one) => one.waits?.[0]?.state !== undefined);
  expect(shown![0]!.state).toMatchObject({
    kind: "all",
    of: [
      { name: "a", state: "held", members: [{ position }] },
      { name: "b", state: "waiting" },
    ],
  });
});

async function endedBy(position: number): Promise<readonly EndedWaitView[]> {
  return (await fixture.call("GET", `/events/${position}/waits`)).body.items;
}

test("an event tells which waits it ended, all those that were needed for one", async () => {
  const all = { kind: "all", of: [event("a"), event("b")] };
  await fixture.deploy([
    pipeline("p", [waits("both", all), waits("late", event("never"), 1)]),
    pipeline("q", [waits("first", event("a"))]),
  ]);
  const [p, q] = [await fixture.start("p"), await fixture.start("q")];
  await nodeOnce(p.id, "both", ({ state }) => state === "waiting");
  const [a, b] = [await emit("a", null), await emit("b", null)];
  await fixture.ended(p.id);
  await fixture.ended(q.id);
  const both = { run: p.id, pipeline: "p", node: "both", item: "", generation: 1, at: expect.any(String) };
  expect(await endedBy(b)).toEqual([both]);
  const ended = await endedBy(a);
  expect(ended).toHaveLength(2);
  expect(ended).toEqual(expect.arrayContaining([both, { ...both, run: q.id, pipeline: "q", node: "first" }]));
  // The wait whose time was over is no event's.
  const others = (await fixture.call("GET", "/events")).body.items as { readonly position: number }[];
  const told = await Promise.all(others.map(async ({ position }) => endedBy(position)));
  expect(told.flat().filter(({ node: id }) => id === "late")).toEqual([]);
});

test("who follows a run is told what its nodes wait for", async () => {
  await fixture.deploy([
    pipeline("p", [node("t"), { ...waits("paid", event("x")), after: [{ node: "t" }] }]),
  ]);
  const worker = await fixture.worker();
  const { id: run } = await fixture.start("p");
  const told: TaskRunView[] = [];
  for await (const one of fixture.events(run)) {
    if (one.kind === "snapshot") worker.finish(await worker.dispatch("t"), succeeded(null));
    if (one.kind !== "node" || one.node.id !== "paid") continue;
    told.push(one.node as TaskRunView);
    if ((one.node as TaskRunView).waits) await emit("x", null);
  }
  expect(told.find((one) => one.waits)?.waits).toMatchObject([{ kind: "event", text: "an event x" }]);
  expect(told.at(-1)!.state).toBe("succeeded");
});

test("waits are looked through in pages, by pipeline, kind and event type", async () => {
  const asks = node("ask", {
    kind: "wait",
    wait: { onTimeout: "fail", approval: { onReject: "skip" } },
  });
  await fixture.deploy([
    pipeline("p", [waits("x", event("x")), waits("y", { kind: "any", of: [event("x"), event("y")] })]),
    pipeline("q", [waits("z", event("z")), asks]),
  ]);
  const p = await fixture.start("p");
  const q = await fixture.start("q");
  await open(4);
  const names = ({ items }: { readonly items: readonly WaitView[] }): string[] =>
    items.map(({ run, node: id }) => `${run === p.id ? "p" : run === q.id ? "q" : "?"}.${id}`).toSorted();
  const one = await pages("limit=1");
  expect(names(one)).toEqual(["p.x", "p.y", "q.ask", "q.z"]);
  expect(one.pages).toBeGreaterThanOrEqual(4);
  expect(names(await pages("pipeline=q&limit=1"))).toEqual(["q.ask", "q.z"]);
  expect(names(await pages("kind=approval"))).toEqual(["q.ask"]);
  expect(names(await pages("type=x"))).toEqual(["p.x", "p.y"]);
  expect(names(await pages("type=x&pipeline=q"))).toEqual([]);
  expect((await fixture.call("GET", "/waits?kind=other")).status).toBe(400);
});

test("task code's waits and steps are told by their names", async () => {
  await fixture.deploy([pipeline("p", [node("t")]), pipeline("child", [node("c")])]);
  const worker = await fixture.worker();
  const { id: run } = await fixture.start("p");
  const first = await worker.dispatch("t");
  worker.send({
    kind: "steps",
    token: first.token,
    steps: [{ name: "order", occurrence: 1, outcome: { kind: "value", value: { value: { total: 7 } } } }],
  });
  await worker.find((message) => message.kind === "recorded");
  const wait = (name: string, op: object): object => ({ name, occurrence: 1, op });
  worker.finish(first, {
    kind: "suspended",
    waits: [
      wait("paid", { kind: "event", condition: event("order.paid", "7") }),
      wait("nap", { kind: "sleep", ms: 3_600_000 }),
      wait("ask", { kind: "approval", title: "Go on?", by: ["ann"] }),
      wait("sub", { kind: "call", pipeline: "child", params: { value: {} } }),
    ],
  } as never);
  const shown = await nodeOnce(
    run,
    "t",
    ({ waits: all = [] }) => all.length === 4 && all.every((one) => one.kind !== "call" || one.childRunId),
  );
  const byName = new Map<string | undefined, OpenWaitView>(shown.waits!.map((one) => [one.name, one]));
  expect(byName.get("paid")).toMatchObject({ kind: "event", occurrence: 1 });
  expect(byName.get("nap")).toMatchObject({ kind: "time", text: "its time" });
  expect(byName.get("ask")).toMatchObject({
    text: 'an answer of ann to "Go on?"',
    approval: `${run}/t:1:1:ask`,
  });
  expect(byName.get("sub")).toMatchObject({ kind: "call", text: "a run of child" });
  expect(shown.attempts.map(({ state }) => state)).toEqual(["suspended"]);

  const answered = await fixture.call("POST", `/approvals/${encodeURIComponent(`${run}/t:1:1:ask`)}`, {
    approved: true,
    by: "ann",
    note: "yes",
  });
  expect(answered.status).toBe(200);
  const steps = await recorded(run, 2);
  // Both are of the flush in which the wait ended.
  const { items } = (await fixture.call("GET", "/events?type=millrace.approval.answered")).body;
  expect(await endedBy(items[0].position)).toMatchObject([
    { run, pipeline: "p", node: "t", name: "ask", occurrence: 1 },
  ]);
  expect(steps).toMatchObject([
    { node: "t", kind: "step", name: "order", outcome: "value", value: { total: 7 }, attempt: 1 },
    {
      node: "t",
      kind: "wait",
      name: "ask",
      outcome: "value",
      value: { approved: true, by: "ann", note: "yes" },
    },
  ]);
  const paged = (await fixture.call("GET", `/runs/${run}/steps?limit=1`)).body;
  const rest = (await fixture.call("GET", `/runs/${run}/steps?limit=1&cursor=${paged.nextCursor}`)).body;
  expect([...paged.items, ...rest.items]).toEqual(steps);
  expect(rest).not.toHaveProperty("nextCursor");
  expect((await fixture.call("GET", "/runs/nonsense/steps")).status).toBe(404);
});

async function recorded(run: string, count: number): Promise<readonly StepView[]> {
  for (;;) {
    const { items } = (await fixture.call("GET", `/runs/${run}/steps`)).body as { items: StepView[] };
    if (items.length === count) return items;
    await turn();
  }
}

test("a wait of task code for a name that nobody has is kept, and says which was probably meant", async () => {
  const deployed = await fixture.deploy([pipeline("p", [node("t")]), pipeline("child", [node("c")])], {
    assets: [{ name: "lake/orders" }],
  });
  expect(deployed.status).toBe(200);
  const worker = await fixture.worker();
  const { id: run } = await fixture.start("p");
  const finished = (name: string): Json => ({
    kind: "event",
    type: "millrace.run.succeeded",
    where: { op: "eq", path: ["subject"], value: name },
  });
  const conditions = {
    asset: { kind: "updated", assets: [{ asset: "lake/ordrs" }] },
    known: { kind: "updated", assets: [{ asset: "lake/orders" }] },
    pipeline: finished("chld"),
    child: finished("child"),
  };
  const waits = Object.entries(conditions).map(([name, condition]) => ({
    name,
    occurrence: 1,
    op: { kind: "event", condition },
  }));
  worker.finish(await worker.dispatch("t"), { kind: "suspended", waits } as never);
  const troubles = (all: readonly OpenWaitView[]): object =>
    Object.fromEntries(all.map(({ name, trouble }) => [name, trouble?.message]));
  const told = {
    asset: 'No project has the asset "lake/ordrs". Did you mean "lake/orders"?',
    known: undefined,
    pipeline: 'No project has the pipeline "chld". Did you mean "child"?',
    child: undefined,
  };
  expect(troubles(await open(4))).toEqual(told);
  const shown = await nodeOnce(run, "t", ({ waits: all = [] }) => all.length === 4);
  expect(troubles(shown.waits!)).toEqual(told);
  expect(shown.reason?.message).toContain("Did you mean");
});
