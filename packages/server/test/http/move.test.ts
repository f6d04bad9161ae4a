/** Runs that wait go on with another bundle (M1, M2). */
import type { NodeDefinition } from "@millrace/core";
import type { Dispatch, Rehearse, ServerMessage } from "@millrace/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  failed,
  HandWorker,
  node,
  pipeline,
  startFixture,
  succeeded,
  type ServerFixture,
} from "./server-fixture.ts";

let fixture: ServerFixture;

beforeEach(async () => {
  fixture = await startFixture();
}, 60_000);

afterEach(async () => fixture[Symbol.asyncDispose]());

const waits: NodeDefinition = node("w", {
  kind: "wait",
  wait: { onTimeout: "fail" },
  input: { kind: "value", value: { kind: "event", type: "go" } },
  after: [{ node: "a" }],
});
const after = (id: string, parent: string): NodeDefinition => node(id, { after: [{ node: parent }] });

async function deploy(...nodes: readonly NodeDefinition[]): Promise<string> {
  const answer = await fixture.deploy([pipeline("p", nodes)]);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  const { items } = (await fixture.call("GET", "/deployments?project=test")).body;
  return items.find((one: { active: boolean }) => one.active).bundle as string;
}

async function state(run: string, wanted: string): Promise<void> {
  for (;;) {
    if ((await fixture.call("GET", `/runs/${run}`)).body.run.state === wanted) return;
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

function emit(type: string): Promise<unknown> {
  const body = { specversion: "1.0", source: "/test", id: crypto.randomUUID(), type };
  return fixture.call("POST", "/events", body, { "content-type": "application/cloudevents+json" });
}

test("a run that waits goes on with the newest bundle, and what it does next is that one's", async () => {
  const first = await deploy(node("a"), waits, after("z", "w"));
  const dispatched: Dispatch[] = [];
  await fixture.worker({
    answer: (dispatch) => {
      dispatched.push(dispatch);
      return succeeded(null);
    },
  });
  const { id: run } = await fixture.start("p");
  await state(run, "waiting");
  const second = await deploy(node("a"), node("beside"), waits, after("other", "w"));
  const moved = await fixture.call("POST", `/runs/${run}/move`, {});
  expect(moved).toMatchObject({ status: 200, body: { run: { id: run, bundle: second } } });
  expect(await fixture.call("POST", `/runs/${run}/move`, { bundle: second })).toMatchObject({ status: 200 });
  await emit("go");
  const { run: ended, nodes } = await fixture.ended(run);
  expect(ended).toMatchObject({ state: "succeeded", bundle: second });
  expect(nodes.map((one) => [one.id, one.state])).toEqual([
    ["a", "succeeded"],
    ["beside", "succeeded"],
    ["w", "succeeded"],
    ["other", "succeeded"],
  ]);
  expect(dispatched.map(({ token, bundle }) => [token.node, bundle])).toEqual([
    ["a", first],
    ["beside", second],
    ["other", second],
  ]);
});

test("a retry that is due later is the other bundle's", async () => {
  const retry = {
    retries: 1,
    backoff: "fixed",
    delayMs: 2_000,
    factor: 1,
    maxDelayMs: 2_000,
    jitter: "none",
  } as const;
  const options = { retry, priority: 0, queue: "default", env: [], connections: [] };
  await deploy(node("a", { options }));
  const worker = await fixture.worker();
  const { id: run } = await fixture.start("p");
  worker.finish(await worker.dispatch("a"), failed);
  for (;;) {
    const { nodes } = (await fixture.call("GET", `/runs/${run}`)).body;
    if (nodes[0].state === "retrying") break;
  }
  const second = await deploy(node("a", { options, description: "mended" }));
  expect((await fixture.call("POST", `/runs/${run}/move`, {})).body.run.bundle).toBe(second);
  const again = await worker.find(
    (message) => message.kind === "dispatches" && message.dispatches.some(({ bundle }) => bundle === second),
  );
  if (again.kind === "dispatches") worker.finish(again.dispatches[0]!, succeeded(1));
  expect((await fixture.ended(run)).run.state).toBe("succeeded");
});

test("what is in the way is told, and the run stays as it is", async () => {
  const first = await deploy(node("a"), waits);
  const worker = await fixture.worker();
  const { id: run } = await fixture.start("p");
  const dispatch = await worker.dispatch("a");
  const second = await deploy(node("b"), { ...waits, id: "v", after: [{ node: "b" }] });
  const path = `/runs/${run}/move`;
  expect(await fixture.call("POST", path, {})).toMatchObject({
    status: 409,
    body: {
      code: "MILLRACE_MOVE_REFUSED",
      detail: expect.stringContaining('"a" runs with the bundle that it has') as string,
    },
  });
  worker.finish(dispatch);
  await state(run, "waiting");
  expect(await fixture.call("POST", path, { bundle: second })).toMatchObject({
    status: 409,
    body: {
      detail: expect.stringMatching(
        /"a" is succeeded, and is not there; "w" is waiting, and is not there/,
      ) as string,
      fields: { faults: [{ node: "a" }, { node: "w" }] },
    },
  });
  expect(await fixture.call("POST", path, { bundle: "none" })).toMatchObject({
    status: 404,
    body: { code: "MILLRACE_BUNDLE_UNKNOWN" },
  });
  expect((await fixture.call("GET", `/runs/${run}`)).body.run.bundle).toBe(first);
  await emit("go");
  await fixture.ended(run);
  expect(await fixture.call("POST", path, { bundle: second })).toMatchObject({
    status: 409,
    body: { code: "MILLRACE_RUN_STATE_CONFLICT" },
  });
});

test("a function that has recorded something is moved if it comes to the same with the other code", async () => {
  const { run, worker, second } = await suspended();
  const before = worker.received.length;
  const moving = fixture.call("POST", `/runs/${run}/move`, {});
  const asked = await rehearsal(worker, before);
  expect(asked.dispatch).toMatchObject({ bundle: second, records: [{ kind: "step", name: "order" }] });
  worker.send({
    kind: "rehearsed",
    number: asked.number,
    asked: [
      { kind: "step", name: "order", occurrence: 1 },
      { kind: "wait", name: "nap", occurrence: 1 },
      { kind: "wait", name: "new", occurrence: 1 },
    ],
  });
  expect(await moving).toMatchObject({ status: 200, body: { run: { bundle: second } } });
  expect((await fixture.call("GET", `/runs/${run}`)).body.run.state).toBe("waiting");
});

test("a function that diverges keeps its bundle, and what differs is told with its line", async () => {
  const { run, worker } = await suspended();
  const before = worker.received.length;
  const moving = fixture.call("POST", `/runs/${run}/move`, {});
  const { number } = await rehearsal(worker, before);
  worker.send({
    kind: "rehearsed",
    number,
    asked: [{ kind: "wait", name: "order", occurrence: 1, place: "pipelines/p.ts:7" }],
  });
  expect(await moving).toMatchObject({
    status: 409,
    body: {
      code: "MILLRACE_MOVE_REFUSED",
      detail: expect.stringMatching(
        /"a" diverges: wait "order" \(pipelines\/p.ts:7\) was a step "order" before\./,
      ) as string,
    },
  });
  worker.socket.terminate();
  for (;;) {
    const { body } = await fixture.call("POST", `/runs/${run}/move`, {});
    if (/no worker that serves the queue "default"/.test(body.detail as string)) break;
  }
});

test("what a function asks for in the place of what it lacks is told with its line", async () => {
  const { run, worker } = await suspended();
  const before = worker.received.length;
  const moving = fixture.call("POST", `/runs/${run}/move`, {});
  const { number } = await rehearsal(worker, before);
  worker.send({
    kind: "rehearsed",
    number,
    asked: [{ kind: "step", name: "buy", occurrence: 1, place: "pipelines/p.ts:7" }],
  });
  expect(await moving).toMatchObject({
    status: 409,
    body: {
      code: "MILLRACE_MOVE_REFUSED",
      detail: expect.stringMatching(
        /"a" diverges: step "order" is not asked for any more; .*"a" diverges: step "buy" \(pipelines\/p.ts:7\) was not asked for before\./,
      ) as string,
    },
  });
});

/** A run whose only function has recorded a step and waits, and a second bundle. */
async function suspended(): Promise<{ run: string; worker: HandWorker; second: string }> {
  await deploy(node("a"));
  const worker = await fixture.worker();
  const { id: run } = await fixture.start("p");
  const dispatch = await worker.dispatch("a");
  const outcome = { kind: "value", value: { value: 7 } } as const;
  worker.send({ kind: "steps", token: dispatch.token, steps: [{ name: "order", occurrence: 1, outcome }] });
  await worker.find((message) => message.kind === "recorded");
  const op = { kind: "sleep", ms: 3_600_000 } as const;
  worker.finish(dispatch, { kind: "suspended", waits: [{ name: "nap", occurrence: 1, op }] });
  await state(run, "waiting");
  return { run, worker, second: await deploy(node("a", { description: "other" })) };
}

async function rehearsal(worker: HandWorker, after: number): Promise<Rehearse> {
  const isOne = (message: ServerMessage): boolean =>
    message.kind === "rehearse" && worker.received.indexOf(message) >= after;
  return (await worker.find(isOne)) as Rehearse;
}

test("another server moves a run, too, and an event meanwhile is not lost", async () => {
  await using other = await fixture.anotherServer();
  await deploy(node("a"), waits, after("z", "w"));
  await fixture.worker({ answer: () => succeeded(null) });
  const runs = await Promise.all(Array.from({ length: 5 }, () => fixture.start("p")));
  for (const { id } of runs) await state(id, "waiting");
  const second = await deploy(node("a"), waits, after("z", "w"), after("y", "w"));
  const moved = runs.map(({ id }) => other.call("POST", `/runs/${id}/move`, { bundle: second }));
  await emit("go");
  for (const answer of await Promise.all(moved)) expect([200, 409]).toContain(answer.status);
  for (const { id } of runs) {
    const { run, nodes } = await fixture.ended(id);
    expect(run.state).toBe("succeeded");
    expect(nodes.map((one) => one.id)).toEqual(
      run.bundle === second ? ["a", "w", "z", "y"] : ["a", "w", "z"],
    );
  }
});
