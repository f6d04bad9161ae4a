import type { FiringView, TriggerExplanation } from "@millrace/protocol";
import { createColors } from "picocolors";
import { expect, test } from "vitest";
import { describeDeployment } from "../src/command/deploy.ts";
import { refusedLines, rowOf } from "../src/command/trigger.ts";
import { formatTime } from "../src/terminal/format.ts";
import { explanationLines } from "../src/trigger-view/explanation.ts";
import { firingOutcome, simulatedLines } from "../src/trigger-view/firing.ts";

const paint = createColors(false);
const now = new Date("2026-03-01T12:00:00Z");
const at = "2026-03-01T11:59:00.000Z";
const page = { paint, now };

const trigger: TriggerExplanation["trigger"] = {
  pipeline: "report",
  version: 1,
  condition: "order.paid",
  operands: ["order.paid"],
  keyed: false,
  activated: { position: 1, at },
  keys: 0,
};

test("an event that a trigger has not been told yet is no refusal", () => {
  const lines = (verdict: "unread" | "gathered" | "filtered"): readonly string[] =>
    explanationLines(
      { trigger, event: { position: 9, type: "order.paid", verdict, text: "so it is" } },
      page,
    );
  expect(lines("unread")[3]).toBe("… event 9 order.paid: unread");
  expect(lines("gathered")[3]).toBe("… event 9 order.paid: gathered");
  expect(lines("filtered")[3]).toBe("× event 9 order.paid: filtered");
});

function firing(parts: Partial<FiringView>): FiringView {
  return {
    id: "1.7.1",
    pipeline: "report",
    version: 1,
    occurrence: 7,
    revision: 1,
    at,
    position: 7,
    state: "started",
    memberCount: 1,
    ...parts,
  };
}

test("an explanation shows what is under way and what waits for it", () => {
  const waiting = [{ id: "1.8.1.tea", key: "tea", runId: "r2", since: at, memberCount: 37 }];
  const lines = explanationLines(
    {
      trigger,
      gate: {
        policy: "coalesce",
        maxActiveRuns: 1,
        active: ["r1"],
        activeCount: 1,
        waiting,
        waitingAreMore: true,
      },
    },
    page,
  );
  expect(lines.slice(2)).toEqual([
    "  policy coalesce; 1 run of at most 1 under way: r1",
    expect.stringMatching(/^ {4}waits 1\.8\.1\.tea {2}key tea {2}37 members {2}since .* {2}as run r2$/),
    "    … and others",
  ]);
});

test("an explanation tells why the newest firing started nothing", () => {
  const reason = { code: "trigger_loop", message: "It is the 26th firing of a loop of triggers: a → b → a." };
  const lines = explanationLines({ trigger, lastFiring: firing({ state: "refused", reason }) }, page);
  expect(lines[1]).toMatch(/^ {2}× fired .*, and no run began: It is the 26th firing .*a → b → a\.$/);
});

test("an explanation says when it fired last, with which run, or that it has not", () => {
  const told = (lastFiring?: FiringView): string | undefined =>
    explanationLines({ trigger, ...(lastFiring ? { lastFiring } : {}) }, page)[1];
  expect(told(firing({ runId: "r7" }))).toMatch(/^ {2}last fired 1 min ago, at \d\d:59:00: run r7$/);
  expect(told(firing({ state: "waiting", runId: "r8" }))).toMatch(/: waits for a slot, as run r8$/);
  expect(told()).toBe("  has not fired");
  const ofKey = (lastFiring?: FiringView): string | undefined =>
    explanationLines({ trigger, key: "7", ...(lastFiring ? { lastFiring } : {}) }, page)[1];
  expect(ofKey(firing({ runId: "r7" }))).toMatch(/^ {2}last fired for this key 1 min ago, at .*: run r7$/);
  expect(ofKey()).toBe("  has not fired for this key");
});

test("a list tells which trigger was stopped for a loop, with its path, at any width", () => {
  const reason = {
    code: "trigger_loop",
    message: "It is the 26th firing of a loop of triggers, and starts no run: a → b → a.",
  };
  const stopped = { ...trigger, lastFiring: { at, reason } };
  expect(rowOf(stopped, paint, now)[0]).toBe("× loop stopped");
  expect(rowOf({ ...trigger, lastFiring: { at, runId: "r1" } }, paint, now)[0]).toBe("● active");
  expect(refusedLines([trigger, stopped], paint)).toEqual([`× report: ${reason.message}`]);
});

test("a list says of a schedule whose times are all over that there are no further ticks", () => {
  expect(rowOf({ ...trigger, isOver: true }, paint, now)[4]).toBe("no further ticks");
  expect(rowOf({ ...trigger, nextDue: "2026-03-01T12:30:00Z" }, paint, now)[4]).toMatch(/^due /);
  expect(rowOf(trigger, paint, now)[4]).toBe("");
});

test("an event of a firing that was superseded is no success", () => {
  const reason = { code: "superseded", message: "The later firing took its place.", fields: { run: "r9" } };
  const superseded = firing({ state: "superseded", runId: "r7", reason });
  const event = { position: 7, type: "a", text: "it fired, and no run began" } as const;
  const mark = (verdict: "member" | "superseded" | "refused") =>
    explanationLines({ trigger, event: { ...event, verdict, firings: [superseded] } }, page)[3];
  expect(mark("superseded")).toBe("× event 7 a: superseded");
  expect(mark("refused")).toBe("× event 7 a: refused");
  expect(mark("member")).toBe("✓ event 7 a: member");
});

test("each firing says what became of it", () => {
  const of = (parts: Partial<FiringView>): string => firingOutcome(firing(parts), paint);
  const reason = { code: "superseded", message: "…", fields: { run: "r9" } };
  expect([
    of({ runId: "r1" }),
    of({ state: "waiting", runId: "r2" }),
    of({ state: "merged", mergedInto: "r2" }),
    of({ state: "superseded", runId: "r3", reason }),
    of({ state: "refused", reason: { code: "x", message: "it is gone" } }),
  ]).toEqual([
    "run r1",
    "waits for a slot, as run r2",
    "merged into run r2",
    "superseded by run r9",
    "no run: it is gone",
  ]);
});

test("a preview says what its gate would make of each firing", () => {
  const made = { occurrence: 1, revision: 1, at, memberCount: 1, members: [], outcome: "merged" } as const;
  expect(simulatedLines(made, paint, now)[0]).toMatch(/1 member {2}is merged into one that waits$/);
});

test("a firing's interval is told in the times of its other times", () => {
  const interval = { from: "2026-03-01T10:00:00.000Z", to: "2026-03-01T11:00:00.000Z" };
  const made = { occurrence: 1, revision: 1, at: interval.to, interval, memberCount: 1, members: [] };
  const [from, to] = [interval.from, interval.to].map((time) => formatTime(new Date(time), now));
  expect(simulatedLines(made, paint, now)[0]).toBe(`  ${to}  for ${from} to ${to}  1 member`);
});

test("a deploy names the pipelines whose new triggers it paused, and schedules that are over", () => {
  const response = {
    project: "shop",
    deployment: 1,
    dryRun: false,
    added: ["report"],
    changed: [],
    unchanged: [],
    retired: [],
    pausedTriggers: ["report"],
    spentSchedules: [{ pipeline: "report", last: at }],
  };
  const lines = describeDeployment(response, { paint } as never);
  expect(lines).toContain("  ‖ report (its new trigger is paused: millrace pipelines resume report)");
  expect(lines).toContain(
    `  ! report: its trigger has a schedule whose instants are all over; the last was ${at}`,
  );
});
