/** What becomes of firings while their pipeline has no slot, and of loops of triggers, on a real server and database. */
import type { Condition, Json, TriggerDefinition } from "@millrace/core";
import type { Dispatch } from "@millrace/protocol";
import { expect, onTestFinished, test, vi } from "vitest";
import {
  bundleOf,
  node,
  pipeline,
  startFixture,
  succeeded,
  type HandWorker,
  type ServerFixture,
} from "./server-fixture.ts";

const orders: Condition = { kind: "event", name: "orders", type: "order.paid" };
const polling = { timeout: 20_000, interval: 20 };

interface Scene {
  readonly fixture: ServerFixture;
  readonly worker: HandWorker;
  readonly emit: (type: string, data: Json, extensions?: object) => Promise<number>;
  /** Its dispatches so far, in their order. */
  readonly dispatches: () => Dispatch[];
  readonly get: (path: string) => Promise<any>; // oxlint-disable-line typescript/no-explicit-any -- answers of all kinds
}

async function scene(policy: "coalesce" | "latest" | undefined, condition = orders): Promise<Scene> {
  const fixture = await startFixture();
  onTestFinished(() => fixture[Symbol.asyncDispose]());
  const worker = await fixture.worker();
  const trigger: TriggerDefinition = {
    condition,
    onResume: "all",
    catchUp: "latest",
    ...(policy ? { policy } : {}),
  };
  const see = node("see", { input: { kind: "firing", path: ["members"] } });
  const answer = await fixture.deploy([pipeline("report", [see], { trigger, maxActiveRuns: 1 })]);
  expect(answer.status).toBe(200);
  return {
    fixture,
    worker,
    emit: async (type, data, extensions = {}) => {
      const event = {
        specversion: "1.0",
        id: crypto.randomUUID(),
        source: "/test",
        type,
        data,
        ...extensions,
      };
      const taken = await fixture.call("POST", "/events", event, {
        "content-type": "application/cloudevents+json",
      });
      expect(taken.status).toBe(200);
      return taken.body.position as number;
    },
    dispatches: () =>
      worker.received.flatMap((message) => (message.kind === "dispatches" ? [...message.dispatches] : [])),
    get: async (path) => (await fixture.call("GET", path)).body,
  };
}

const positionsIn = ({ input }: Dispatch): number[] =>
  (input as unknown as { value: { orders: { position: number }[] } }).value.orders.map(
    ({ position }) => position,
  );

test("with coalesce what would queue is one run with the members of all, and each firing tells where it went", async () => {
  const { worker, emit, dispatches, get, fixture } = await scene("coalesce");
  const positions: number[] = [];
  for (const n of [1, 2, 3, 4]) positions.push(await emit("order.paid", { n }));
  await vi.waitFor(() => expect(dispatches()).toHaveLength(1), polling);
  const explained = await get("/triggers/report/explain");
  expect(explained.gate).toMatchObject({
    policy: "coalesce",
    maxActiveRuns: 1,
    activeCount: 1,
    waiting: [{ memberCount: 3 }],
  });
  const { runId } = explained.gate.waiting[0];
  const { items } = await get("/triggers/report/firings");
  expect(items.map((one: { state: string }) => one.state)).toEqual([
    "merged",
    "merged",
    "waiting",
    "started",
  ]);
  // Its newest firing started no run of its own, and nothing is in the way.
  expect((await get("/triggers/report")).lastFiring).toEqual({ at: items[0].at });
  expect(items[0]).toMatchObject({ mergedInto: runId, memberCount: 1, reason: { code: "merged" } });
  const detail = await get(`/triggers/report/firings/${items[0].id}`);
  expect(detail.members).toMatchObject([{ operand: "orders", position: positions[3] }]);
  const event = await get(`/triggers/report/explain?event=${positions[3]}`);
  expect(event.event).toMatchObject({
    verdict: "member",
    text: `its firing was merged into the one that starts run ${runId}`,
  });
  const caused = await get(`/events/${positions[1]}/firings`);
  expect(caused.items).toMatchObject([{ state: "waiting", runId }]);
  expect(await get(`/runs/${runId}`)).toMatchObject({
    code: "MILLRACE_RUN_UNKNOWN",
    detail: expect.stringContaining("has not begun: its firing waits for a slot") as string,
  });
  worker.finish(dispatches()[0]!);
  await vi.waitFor(() => expect(dispatches()).toHaveLength(2), polling);
  const second = dispatches()[1]!;
  expect(second.token.runId).toBe(runId);
  expect(positionsIn(second)).toEqual(positions.slice(1));
  worker.finish(second, succeeded(null));
  await fixture.ended(runId);
  const members = await get(`/runs/${runId}/firing/members`);
  expect(members.items.map((one: { value: { position: number } }) => one.value.position)).toEqual(
    positions.slice(1),
  );
  expect(members.items[0]).toMatchObject({
    operand: "orders",
    value: { type: "order.paid", data: { n: 2 } },
  });
});

test("with latest a later firing takes the place of one that waits, and that one's run says by which", async () => {
  const { worker, emit, dispatches, get } = await scene("latest");
  const positions: number[] = [];
  for (const n of [1, 2, 3]) positions.push(await emit("order.paid", { n }));
  await vi.waitFor(() => expect(dispatches()).toHaveLength(1), polling);
  await get("/triggers/report/explain");
  const { items } = await get("/triggers/report/firings");
  expect(items.map((one: { state: string }) => one.state)).toEqual(["waiting", "superseded", "started"]);
  const run = await get(`/runs/${items[1].runId}`);
  expect(run.run).toMatchObject({
    state: "superseded",
    reason: { code: "superseded", fields: { run: items[0].runId } },
  });
  worker.finish(dispatches()[0]!);
  await vi.waitFor(() => expect(dispatches()).toHaveLength(2), polling);
  expect(positionsIn(dispatches()[1]!)).toEqual([positions[2]]);
});

test("the preview of a resume says what the gate will make of its firings", async () => {
  const { fixture, emit, dispatches, get } = await scene("coalesce");
  await fixture.call("POST", "/pipelines/report/pause");
  for (const n of [1, 2, 3]) await emit("order.paid", { n });
  const preview = await fixture.call("POST", "/pipelines/report/resume", { preview: true });
  expect(preview.body.firings.map((one: { outcome: string }) => one.outcome)).toEqual([
    "starts",
    "waits",
    "merged",
  ]);
  await fixture.call("POST", "/pipelines/report/resume");
  await vi.waitFor(() => expect(dispatches()).toHaveLength(1), polling);
  await get("/triggers/report/explain");
  const { items } = await get("/triggers/report/firings");
  expect(items.map((one: { state: string }) => one.state)).toEqual(["merged", "waiting", "started"]);
});

test("a loop of triggers is stopped, with its path in the log and in the explanation", async () => {
  const { worker, emit, dispatches, get } = await scene(undefined);
  const causes = { millracecauses: "report*25,other*25" };
  await emit("order.paid", { n: 1 }, { millracecauses: "report*24,other*24" });
  await emit("order.paid", { n: 2 }, causes);
  await vi.waitFor(() => expect(dispatches()).toHaveLength(1), polling);
  expect(dispatches()[0]).toMatchObject({ causes: "report*25,other*24" });
  const explained = await get("/triggers/report/explain");
  expect(explained.lastFiring).toMatchObject({
    state: "refused",
    reason: { code: "trigger_loop", fields: { path: ["report", "other", "report"], times: 26 } },
  });
  expect(explained.lastFiring.reason.message).toContain("report → other → report");
  const { items: listed } = await get("/triggers");
  expect(listed).toMatchObject([{ pipeline: "report", lastFiring: { reason: explained.lastFiring.reason } }]);
  const looped = await get("/events?type=millrace.trigger.looped");
  expect(looped.items).toMatchObject([{ event: { subject: "report", data: { times: 26 } } }]);
  // What its run emits goes on with the chain.
  const emitted = { specversion: "1.0", id: "e1", source: "/pipelines/report/see", type: "t" } as const;
  const dispatch = dispatches()[0]!;
  worker.finish(dispatch, { kind: "succeeded", output: { value: null }, events: [emitted] });
  await vi.waitFor(async () => {
    const { items } = await get("/events?type=t");
    expect(items).toMatchObject([{ event: { millracecauses: "report*25,other*24" } }]);
  }, polling);
});

test("a new trigger may begin paused, keeps its events, and starts when it is resumed", async () => {
  const fixture = await startFixture();
  onTestFinished(() => fixture[Symbol.asyncDispose]());
  const worker = await fixture.worker();
  const made = (name: string) =>
    pipeline(name, [node("see", { input: { kind: "firing", path: ["members"] } })], {
      trigger: { condition: orders, onResume: "all", catchUp: "latest" },
    });
  await fixture.deploy([made("old"), pipeline("plain", [node("a")])]);
  const pipelines = [made("old"), made("new"), { ...made("plain") }];
  const bundle = bundleOf("test", `// ${JSON.stringify(pipelines)}`);
  await fixture.call("PUT", `/bundles/${bundle.manifest.hash}`, bundle);
  const definition = { project: "test", pipelines, pools: {}, queues: [] };
  const request = { bundle: bundle.manifest.hash, definition, newTriggers: "paused" };
  const deployed = await fixture.call("POST", "/deployments", request);
  expect(deployed.body.pausedTriggers).toEqual(["new", "plain"]);
  const emitted = { specversion: "1.0", id: "1", source: "/test", type: "order.paid", data: {} };
  await fixture.call("POST", "/events", emitted, { "content-type": "application/cloudevents+json" });
  const of = (name: string): number =>
    worker.received.filter(
      (message) => message.kind === "dispatches" && message.dispatches.some((one) => one.pipeline === name),
    ).length;
  await vi.waitFor(() => expect(of("old")).toBe(1), polling);
  // A further deploy of the same changes nothing.
  await fixture.deploy(pipelines);
  expect((await fixture.call("GET", "/triggers/new")).body.paused).toBeDefined();
  expect([of("new"), of("plain")]).toEqual([0, 0]);
  await fixture.call("POST", "/pipelines/new/resume");
  await vi.waitFor(() => expect(of("new")).toBe(1), polling);
});

test("a policy without a limit has no effect, and is refused", async () => {
  const fixture = await startFixture();
  onTestFinished(() => fixture[Symbol.asyncDispose]());
  const trigger: TriggerDefinition = {
    condition: orders,
    onResume: "all",
    catchUp: "latest",
    policy: "latest",
  };
  const answer = await fixture.deploy([pipeline("p", [node("a")], { trigger })]);
  expect(answer.body).toMatchObject({ code: "MILLRACE_OPTION_INVALID" });
  expect(answer.body.detail).toContain('no "maxActiveRuns"');
});
