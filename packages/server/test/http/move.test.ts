/** Runs that wait go on with another bundle (M1, M2). */
import type { NodeDefinition } from "@millrace/core";
import type { Dispatch } from "@millrace/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { failed, node, pipeline, startFixture, succeeded, type ServerFixture } from "./server-fixture.ts";

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

test("a function that has recorded steps or waits keeps its bundle", async () => {
  await deploy(node("a"));
  const worker = await fixture.worker();
  const { id: run } = await fixture.start("p");
  const op = { kind: "sleep", ms: 3_600_000 } as const;
  worker.finish(await worker.dispatch("a"), {
    kind: "suspended",
    waits: [{ name: "nap", occurrence: 1, op }],
  });
  await state(run, "waiting");
  await deploy(node("a", { description: "other" }));
  expect(await fixture.call("POST", `/runs/${run}/move`, {})).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining('"a" has recorded steps or waits') as string },
  });
});

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
