/** Probes as the API tells of them: who looks, why nobody does, and what looks have logged. */
import { probeAtom, thingOfLook, type Json, type NodeDefinition, type ProbeRef } from "@millrace/core";
import type {
  Dispatch,
  OpenWaitView,
  ProbeLogEntry,
  ProbeView,
  RunDetail,
  WaitView,
} from "@millrace/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { node, pipeline, startFixture, succeeded, HandWorker, type ServerFixture } from "./server-fixture.ts";

let fixture: ServerFixture;

beforeEach(async () => {
  fixture = await startFixture();
}, 60_000);

afterEach(async () => fixture[Symbol.asyncDispose]());

const report = { name: "report", args: { day: "mon" } };

function probeOf(parts: object = {}): object {
  return {
    name: "report",
    everyMs: 1_000,
    jitterMs: 0,
    backoff: { factor: 2, maxMs: 8_000 },
    timeoutMs: 5_000,
    queue: "default",
    env: [],
    connections: [],
    ...parts,
  };
}

function waitFor(id: string, thing: ProbeRef): NodeDefinition {
  return node(id, {
    kind: "wait",
    wait: { onTimeout: "fail" },
    input: { kind: "value", value: probeAtom(thing) as unknown as Json },
  });
}

/** A run that waits for the thing. */
async function waiting(probe = probeOf()): Promise<string> {
  const answer = await fixture.deploy([pipeline("p", [waitFor("there", report)])], { probes: [probe] });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return (await fixture.start("p")).id;
}

async function turn(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

async function thingOnce(is: (probe: ProbeView) => boolean): Promise<ProbeView> {
  for (;;) {
    const items = (await fixture.call("GET", "/probes")).body.items as ProbeView[];
    const found = items.find(is);
    if (found) return found;
    await turn();
  }
}

async function waitOf(run: string): Promise<{ readonly wait: OpenWaitView; readonly message: string }> {
  const { nodes } = (await fixture.call("GET", `/runs/${run}`)).body as RunDetail;
  return { wait: nodes[0]!.waits![0]!, message: nodes[0]!.reason!.message };
}

async function logs(query: string): Promise<{ readonly status: number; readonly lines: readonly string[] }> {
  const { status, body } = await fixture.call("GET", `/probes/report/logs?${query}`);
  const items = (body.items ?? []) as ProbeLogEntry[];
  return { status, lines: items.map(({ look, text }) => `${look} ${text}`) };
}

/** Logs a line, and answers. */
function answer(worker: HandWorker, { token }: Dispatch, value: number): void {
  const line = { at: Date.now(), stream: "log", level: "info", text: `found ${value}` } as const;
  worker.send({ kind: "logs", token, attempt: 1, from: 0, lines: [line] });
  const outcome = succeeded({ value });
  worker.send({ kind: "results", results: [{ token, outcome, times: { startedAt: 1, endedAt: 2 } }] });
}

test("where no worker can look, the thing and the node that waits say so, until one comes", async () => {
  const run = await waiting(probeOf({ queue: "far" }));
  const thing = await thingOnce(({ state }) => state === "waiting");
  expect(thing).toMatchObject({ probe: "report", looks: 0, reason: { code: "no_worker" } });
  expect(thing.reason!.message).toContain('"far"');
  const { wait, message } = await waitOf(run);
  expect(wait.trouble).toEqual(thing.reason);
  expect(message).toContain(thing.reason!.message);
  const all = (await fixture.call("GET", "/waits")).body.items as WaitView[];
  expect(all.map((one) => one.trouble?.code)).toEqual(["no_worker"]);
  await fixture.worker({ hello: { queues: ["default"] } });
  expect((await thingOnce(() => true)).state).toBe("waiting");
  const worker = await fixture.worker({ hello: { workerId: "w2", queues: ["far"] } });
  answer(worker, await worker.dispatch("report"), 7);
  expect((await fixture.ended(run)).run.state).toBe("succeeded");
  expect(await thingOnce(({ looks }) => looks > 0)).toMatchObject({ value: 7 });
});

test("that all workers are busy is told as soon as a look waits for a slot, and not while one is under way", async () => {
  const answered = await fixture.deploy(
    [pipeline("p", [waitFor("there", report)]), pipeline("busy", [node("t")])],
    { probes: [probeOf()] },
  );
  expect(answered.status).toBe(200);
  const worker = await fixture.worker({ hello: { slots: 1 } });
  await fixture.start("busy");
  const task = await worker.dispatch("t");
  await fixture.start("p");
  const thing = await thingOnce(({ reason }) => reason !== undefined);
  expect(thing).toMatchObject({ state: "waiting", looks: 0, reason: { code: "workers_busy" } });
  worker.finish(task, succeeded(null));
  await worker.dispatch("report");
  expect((await thingOnce(() => true)).reason).toBeUndefined();
});

test("looks that fail are told by the thing and by the node that waits", async () => {
  const run = await waiting();
  const worker = await fixture.worker();
  worker.finish(await worker.dispatch("report"), {
    kind: "failed",
    error: { name: "Error", message: "no such host" },
  });
  const thing = await thingOnce(({ state }) => state === "failing");
  expect(thing.reason).toMatchObject({ code: "probe_failing", fields: { failures: 1 } });
  const { wait, message } = await waitOf(run);
  expect(wait.trouble!.code).toBe("probe_failing");
  expect(message).toContain("no such host");
});

test("a worker of another server looks, and its logs can be read at both", async () => {
  await using other = await fixture.anotherServer();
  const run = await waiting();
  const worker = await HandWorker.connect(other.server.url, {});
  try {
    const look = await worker.dispatch("report");
    expect(thingOfLook(look.token.runId)).toMatch(/^report\//);
    answer(worker, look, 1);
    expect((await fixture.ended(run)).run.state).toBe("succeeded");
    let found = await logs(`args=${encodeURIComponent('{"day":"mon"}')}`);
    while (found.lines.length === 0) {
      await turn();
      found = await logs(`args=${encodeURIComponent('{"day":"mon"}')}`);
    }
    expect(found.lines).toEqual(["1 found 1"]);
  } finally {
    worker.socket.terminate();
  }
});

test("logs are asked for by a name that is known, with arguments that are JSON", async () => {
  await waiting();
  expect(await logs("")).toEqual({ status: 200, lines: [] });
  expect((await logs("args={day")).status).toBe(400);
  expect((await logs("since=yesterday")).status).toBe(400);
  const unknown = await fixture.call("GET", "/probes/reports/logs");
  expect(unknown.status).toBe(404);
  expect(unknown.body).toMatchObject({ code: "MILLRACE_PROBE_UNKNOWN", advice: "Did you mean `report`?" });
});

test("L3: looks take half of a worker's slots before tasks that wait, and the others after them", async () => {
  const days = ["mon", "tue", "wed"];
  const waits = days.map((day) => waitFor(day, { name: "report", args: { day } }));
  const tasks = ["a", "b", "c", "d"].map((id) => node(id));
  await fixture.deploy([pipeline("waits", waits), pipeline("tasks", tasks)], { probes: [probeOf()] });
  await fixture.start("waits");
  await fixture.start("tasks");
  await thingOnce(({ args }) => (args as { day: string }).day === "wed");
  const { nodes } = (await fixture.call("GET", `/runs/${(await fixture.start("tasks")).id}`))
    .body as RunDetail;
  expect(nodes.every(({ state }) => state === "queued" || state === "pending")).toBe(true);
  const worker = await fixture.worker({ hello: { slots: 4 } });
  const given = (isLook: boolean): readonly Dispatch[] =>
    worker.received
      .flatMap((message) => (message.kind === "dispatches" ? message.dispatches : []))
      .filter(({ token }) => (thingOfLook(token.runId) !== undefined) === isLook);
  const count = async (looks: number, tasksRunning: number): Promise<void> => {
    while (given(true).length < looks || given(false).length < tasksRunning) await turn();
    // What else would have come with them has come by the answer to another request.
    await fixture.call("GET", "/probes");
    expect([given(true).length, given(false).length]).toEqual([looks, tasksRunning]);
  };
  await count(2, 2);
  worker.finish(given(false)[0]!);
  await count(2, 3);
  worker.finish(given(true)[0]!, succeeded({ value: null }));
  await count(3, 3);
});
