/** People answer what runs ask (P1, P2), at a real server. */
import type { NodeDefinition, WaitOptions } from "@millrace/core";
import type { ApprovalView, RunDetail } from "@millrace/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { node, pipeline, startFixture, type Answer, type ServerFixture } from "./server-fixture.ts";

let fixture: ServerFixture;

beforeEach(async () => {
  fixture = await startFixture();
}, 60_000);

afterEach(async () => fixture[Symbol.asyncDispose]());

const form = {
  type: "object",
  properties: { copies: { type: "integer", minimum: 1 }, colour: { type: "boolean", default: false } },
  required: ["copies"],
};

function ask(
  id: string,
  approval: Partial<WaitOptions["approval"]> = {},
  wait: Partial<WaitOptions> = {},
): NodeDefinition {
  const asked = { onReject: "skip" as const, ...approval };
  return node(id, {
    kind: "wait",
    wait: { onTimeout: "fail", ...wait, approval: asked },
    input: { kind: "value", value: { rows: 7 } },
  });
}

/** What is open, once there are `count`. */
async function open(count: number): Promise<readonly ApprovalView[]> {
  for (;;) {
    const { items } = (await fixture.call("GET", "/approvals")).body as { items: readonly ApprovalView[] };
    if (items.length === count) return items;
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

function answer(id: string, body: object): Promise<Answer> {
  return fixture.call("POST", `/approvals/${encodeURIComponent(id)}`, body);
}

async function started(nodes: readonly NodeDefinition[]): Promise<string> {
  const deployed = await fixture.deploy([pipeline("asks", nodes)]);
  expect(deployed.status, JSON.stringify(deployed.body)).toBe(200);
  return (await fixture.start("asks")).id;
}

function nodeOf({ nodes }: RunDetail, id: string): RunDetail["nodes"][number] {
  return nodes.find((one) => one.id === id)!;
}

test("what is open is told with what people need to answer it", async () => {
  const run = await started([
    ask("release", { title: "Publish?", by: ["ann", "bob"], form }, { timeoutMs: 3_600_000 }),
  ]);
  const [asked] = await open(1);
  expect(asked).toMatchObject({
    id: `${run}/release:1`,
    run,
    pipeline: "asks",
    node: "release",
    item: "",
    title: "Publish?",
    by: ["ann", "bob"],
    form,
    details: { rows: 7 },
    state: "open",
  });
  expect(Date.parse(asked!.timeoutAt!) - Date.parse(asked!.since)).toBeCloseTo(3_600_000, -1);
  const one = await fixture.call("GET", `/approvals/${encodeURIComponent(asked!.id)}`);
  expect(one.body).toEqual(asked);
  expect((await fixture.call("GET", "/approvals?pipeline=other")).body).toEqual({ items: [] });
});

test("the answer is checked, is what the run sees, and is kept", async () => {
  const run = await started([ask("release", { by: ["ann"], form })]);
  const id = `${run}/release:1`;
  await open(1);
  expect(await answer(id, { approved: true, by: "eve", form: { copies: 1 } })).toMatchObject({
    status: 403,
    body: { code: "MILLRACE_APPROVAL_FORBIDDEN", detail: expect.stringContaining("eve may not") as string },
  });
  expect(await answer(id, { approved: true, by: "ann", form: { copies: 0 } })).toMatchObject({
    status: 422,
    body: {
      code: "MILLRACE_FORM_INVALID",
      detail: "`copies` must be >= 1, found 0.",
      fields: { issues: [{ path: "$.copies" }] },
    },
  });
  expect(await answer(id, { approved: true, by: "ann" })).toMatchObject({ status: 422 });
  const given = await answer(id, { approved: true, by: "ann", note: "fine", form: { copies: 2 } });
  expect(given).toMatchObject({
    status: 200,
    body: {
      state: "answered",
      answer: { approved: true, by: "ann", note: "fine", form: { copies: 2, colour: false } },
    },
  });
  const ended = await fixture.ended(run);
  expect(nodeOf(ended, "release")).toMatchObject({
    state: "succeeded",
    output: { approved: true, by: "ann", note: "fine", form: { copies: 2, colour: false }, timedOut: false },
  });
  const kept = await fixture.call("GET", `/approvals/${encodeURIComponent(id)}`);
  expect(kept.body).toMatchObject({ state: "answered", answer: (given.body as ApprovalView).answer });
  expect((await fixture.call("GET", "/approvals")).body).toEqual({ items: [] });
});

test("the first answer counts, and the next person is told who gave it (P1)", async () => {
  const run = await started([ask("release")]);
  const id = `${run}/release:1`;
  await open(1);
  const both = await Promise.all([
    answer(id, { approved: true, by: "ann" }),
    answer(id, { approved: false, by: "bob" }),
  ]);
  const [first] = both.filter(({ status }) => status === 200);
  const [second] = both.filter(({ status }) => status === 409);
  const winner = (first!.body as ApprovalView).answer!;
  expect(second!.body).toMatchObject({
    code: "MILLRACE_APPROVAL_ANSWERED",
    fields: { by: winner.by, approved: winner.approved, at: winner.at },
  });
  const ended = await fixture.ended(run);
  expect(nodeOf(ended, "release").state).toBe(winner.approved ? "succeeded" : "skipped");
  expect(await answer(id, { approved: winner.approved, by: winner.by })).toMatchObject({
    status: 409,
    body: { code: "MILLRACE_APPROVAL_ANSWERED" },
  });
});

test("nobody is asked any more after the timeout, or when the run was cancelled (P2)", async () => {
  const run = await started([ask("quick", {}, { timeoutMs: 1, onTimeout: "skip" })]);
  await fixture.ended(run);
  expect(await answer(`${run}/quick:1`, { approved: true })).toMatchObject({
    status: 409,
    body: {
      code: "MILLRACE_APPROVAL_CLOSED",
      detail: expect.stringContaining("its time was over") as string,
    },
  });
  expect(
    (await fixture.call("GET", `/approvals/${encodeURIComponent(`${run}/quick:1`)}`)).body,
  ).toMatchObject({
    state: "closed",
  });
  const other = await started([ask("slow")]);
  await open(1);
  await fixture.call("POST", `/runs/${other}/cancel`, {});
  await fixture.ended(other);
  expect(await answer(`${other}/slow:1`, { approved: true })).toMatchObject({
    status: 409,
    body: { code: "MILLRACE_APPROVAL_CLOSED" },
  });
});

test("a rerun asks again, under another id", async () => {
  const run = await started([ask("release", { onReject: "fail" })]);
  await open(1);
  await answer(`${run}/release:1`, { approved: false, by: "ann" });
  await fixture.ended(run);
  await fixture.call("POST", `/runs/${run}/rerun`, { scope: "failed" });
  expect((await open(1))[0]!.id).toBe(`${run}/release:2`);
  expect(await answer(`${run}/release:1`, { approved: true })).toMatchObject({ status: 409 });
  await answer(`${run}/release:2`, { approved: true, by: "bob" });
  expect(nodeOf(await fixture.ended(run), "release").output).toMatchObject({ by: "bob" });
});

test("another server takes answers, too", async () => {
  await using other = await fixture.anotherServer();
  const run = await started([ask("release")]);
  await open(1);
  const path = `/approvals/${encodeURIComponent(`${run}/release:1`)}`;
  const [ann, ben] = await Promise.all([
    other.call("POST", path, { approved: true, by: "ann" }),
    fixture.call("POST", path, { approved: true, by: "ben" }),
  ]);
  expect([ann.status, ben.status].toSorted((a, b) => a - b)).toEqual([200, 409]);
  const by = ann.status === 200 ? "ann" : "ben";
  expect(nodeOf(await fixture.ended(run), "release").output).toMatchObject({ approved: true, by });
});

test("items of a fan-out are asked for one by one, in pages", async () => {
  const items = { kind: "value", value: [1, 2, 3] } as const;
  const asking = { ...ask("each"), region: "each" };
  const asks = pipeline("asks", [asking], {
    regions: [{ id: "each", over: [items], combine: "zip", settled: false }],
  });
  expect((await fixture.deploy([asks])).status).toBe(200);
  const { id: run } = await fixture.start("asks");
  const ids = (await open(3)).map(({ id }) => id);
  expect(ids).toEqual([0, 1, 2].map((item) => `${run}/each[${item}]:1`));
  const first = (await fixture.call("GET", "/approvals?limit=2")).body;
  const second = (await fixture.call("GET", `/approvals?limit=2&cursor=${first.nextCursor}`)).body;
  expect([...first.items, ...second.items].map(({ id }: ApprovalView) => id)).toEqual(ids);
  for (const id of ids) expect((await answer(id, { approved: true })).status).toBe(200);
  expect((await fixture.ended(run)).run.state).toBe("succeeded");
});

test("what can't be an answer is refused, and says why", async () => {
  const run = await started([ask("release")]);
  const id = `${run}/release:1`;
  await open(1);
  expect(await answer(`${run}/relase:1`, { approved: true })).toMatchObject({
    status: 404,
    body: { code: "MILLRACE_APPROVAL_UNKNOWN" },
  });
  expect(await answer("nonsense", { approved: true })).toMatchObject({ status: 404 });
  expect(await answer(id, { approved: true, form: { copies: 1 } })).toMatchObject({
    body: { code: "MILLRACE_FORM_INVALID" },
  });
  for (const body of [
    {},
    { approved: "yes" },
    { approved: true, by: " " },
    { approved: true, note: "x".repeat(20_000) },
  ])
    expect(await answer(id, body)).toMatchObject({ status: 400, body: { code: "MILLRACE_REQUEST_INVALID" } });
  await open(1);
});

test("details that are too large for people fail the node; a form that is no schema is not deployed", async () => {
  const large = { ...ask("release"), input: { kind: "value", value: "x".repeat(20_000) } as const };
  const run = await started([large]);
  expect(nodeOf(await fixture.ended(run), "release")).toMatchObject({
    state: "failed",
    reason: { code: "MILLRACE_EVENT_TOO_LARGE" },
  });
  const faulty = await fixture.deploy([pipeline("asks", [ask("release", { form: { type: "nothing" } })])]);
  expect(faulty.body).toMatchObject({ code: "MILLRACE_OPTION_INVALID" });
});
