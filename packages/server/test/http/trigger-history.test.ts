/** What a trigger went through, told again from the log, on a real server and database. */
import type { Condition } from "@millrace/core";
import type { TriggerHistoryView } from "@millrace/protocol";
import { expect, test } from "vitest";
import { paid, stageWith, triggered, type Stage } from "./trigger-stage.ts";

const join: Condition = {
  kind: "all",
  of: [
    { kind: "event", type: "a", name: "first" },
    { kind: "event", type: "b", name: "second" },
  ],
  by: { kind: "path", path: ["data", "k"] },
};

async function historyOf(stage: Stage, path: string): Promise<TriggerHistoryView> {
  const answer = await stage.fixture.call("GET", `/triggers/${path}`);
  expect(answer.body).toMatchObject({ pipeline: expect.any(String) });
  return answer.body as TriggerHistoryView;
}

function statesOf({ state }: TriggerHistoryView["moments"][number]): string[] {
  return [state.state, ...(state.of ?? []).map((of) => of.state)];
}

test("each entry that changed a key is a moment, with the tree as it stood and the run that began", async () => {
  const stage = await stageWith(triggered("join", join));
  const first = await stage.emit("a", { k: "x" });
  await stage.emit("a", { k: "y" });
  const second = await stage.emit("b", { k: "x" });
  await stage.given(1);
  const again = await stage.emit("b", { k: "x" });
  const history = await historyOf(stage, "join/history?key=x");
  expect(history).toMatchObject({
    key: "x",
    operands: ["first", "second"],
    types: ["a", "b"],
    isWhole: true,
    earlier: 0,
    before: { kind: "all", of: [{ state: "waiting" }, { state: "waiting" }] },
  });
  expect(history.moments.map(({ position }) => position)).toEqual([first, second, again]);
  expect(history.moments.map(({ operands }) => operands)).toEqual([["first"], ["second"], ["second"]]);
  expect(history.moments.map(statesOf)).toEqual([
    ["gathering", "held", "waiting"],
    ["waiting", "waiting", "waiting"],
    ["gathering", "waiting", "held"],
  ]);
  expect(history.moments[0]!.state.of?.[0]?.members).toMatchObject([
    { position: first, event: { type: "a", source: "/test" }, recordedAt: expect.any(String) },
  ]);
  const { items } = (await stage.fixture.call("GET", "/triggers/join/firings")).body;
  expect(history.moments[1]!.firings).toEqual([
    {
      memberCount: 2,
      members: [
        { operand: "first", position: first, event: expect.anything(), recordedAt: expect.any(String) },
        { operand: "second", position: second, event: expect.anything(), recordedAt: expect.any(String) },
      ],
      revision: items[0].revision,
      real: items[0],
    },
  ]);
  // Up to an entry: nothing of what came later is known.
  const past = await historyOf(stage, `join/history?key=x&until=${second - 1}`);
  expect(past.moments.map(({ position }) => position)).toEqual([first]);
  const newest = await historyOf(stage, "join/history?key=x&limit=1");
  expect(newest).toMatchObject({ earlier: 2, moments: [{ position: again }] });
});

test("a deadline is a moment of its own", async () => {
  const stage = await stageWith(
    triggered("quiet", { kind: "debounce", quietMs: 40, of: { kind: "event", type: "a", name: "steps" } }),
  );
  const position = await stage.emit("a", {});
  await stage.given(1);
  const { moments } = await historyOf(stage, "quiet/history");
  expect(moments).toMatchObject([
    { position, operands: ["steps"], firings: [], state: { state: "gathering", due: expect.any(String) } },
    { operands: [], firings: [{ memberCount: 1, real: { state: "started" } }], state: { state: "waiting" } },
  ]);
  expect(Date.parse(moments[1]!.at) - Date.parse(moments[0]!.at)).toBe(40);
  const then = await historyOf(stage, `quiet/history?until=${encodeURIComponent(moments[0]!.at)}`);
  expect(then.moments).toHaveLength(1);
});

test("a tick is a moment of its schedule", async () => {
  const stage = await stageWith(
    triggered("often", {
      kind: "schedule",
      name: "clock",
      schedule: { kind: "every", every: { n: 1, unit: "seconds" }, tz: "UTC" },
    }),
  );
  await stage.given(1);
  const { moments } = await historyOf(stage, "often/history");
  expect(moments[0]).toMatchObject({ operands: ["clock"], firings: [{ real: { state: "started" } }] });
});

test("of a schedule that has ticked for long the last ticks are told again, and it says so", async () => {
  const stage = await stageWith(
    triggered("often", {
      kind: "schedule",
      name: "clock",
      schedule: { kind: "every", every: { n: 1, unit: "seconds" }, tz: "UTC" },
    }),
  );
  await stage.given(1);
  await stage.rows("update trigger set activated_at = activated_at - interval '1 year'");
  const history = await historyOf(stage, "often/history");
  expect(history.isWhole).toBe(false);
  expect(history.moments).toHaveLength(200);
  expect(history.earlier).toBeLessThan(2_000);
  expect(history.moments.at(-1)).toMatchObject({ firings: [{ real: { state: "started" } }] });
});

test("an earlier version is told by the condition that it had", async () => {
  const stage = await stageWith(triggered("report", paid));
  const position = await stage.emit("order.paid", { amount: 11 });
  await stage.given(1);
  await stage.deploy([triggered("report", { kind: "event", type: "order.sent", name: "sent" })]);
  await stage.emit("order.sent", {});
  await stage.given(2);
  expect((await historyOf(stage, "report/history")).moments).toMatchObject([{ operands: ["sent"] }]);
  const then = await historyOf(stage, `report/history?until=${position}`);
  expect(then.condition).toContain("order.paid");
  expect(then.moments).toMatchObject([{ position, operands: ["orders"], firings: [{ memberCount: 1 }] }]);
});

test("while a trigger is paused nothing changes, and the pause is told", async () => {
  const stage = await stageWith(triggered("join", join));
  await stage.emit("a", { k: "x" });
  await stage.fixture.call("POST", "/pipelines/join/pause");
  const missed = await stage.emit("b", { k: "x" });
  const paused = await historyOf(stage, "join/history?key=x");
  expect(paused.moments).toHaveLength(1);
  expect(paused.pauses).toEqual([{ from: { position: expect.any(Number), at: expect.any(String) } }]);
  await stage.fixture.call("POST", "/pipelines/join/resume", { onResume: "none" });
  const next = await stage.emit("b", { k: "x" });
  await stage.given(1);
  const resumed = await historyOf(stage, "join/history?key=x");
  expect(resumed.pauses).toMatchObject([{ to: { position: expect.any(Number) } }]);
  expect(resumed.moments.map(({ position }) => position)).not.toContain(missed);
  expect(resumed.moments.at(-1)).toMatchObject({ position: next, firings: [{ real: { state: "started" } }] });
});

test.each([
  ["join/history", "has a state for each key: name one"],
  ["report/history?key=x", "has no keys"],
  ["report/history?until=soon", '"until" must be a position'],
  ["report/history?until=1000000", "no entry at position 1000000"],
  ["report/history?limit=501", '"limit" must be a whole number from 1 to 500'],
  ["reports/history", 'Did you mean "report"?'],
])("%s is refused with what to do", async (path, text) => {
  const stage = await stageWith(triggered("join", join), triggered("report", paid));
  const answer = await stage.fixture.call("GET", `/triggers/${path}`);
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.body.detail).toContain(text);
});
