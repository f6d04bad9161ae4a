import { createColors } from "picocolors";
import { expect, test } from "vitest";
import type { TaskRunView } from "@millrace/protocol";
import { waitLines } from "../src/wait-view/list.ts";
import { endedText, endedWaitLines, openWaitLines, stepLines, waitsText } from "../src/wait-view/wait.ts";

const paint = createColors(false);
const at = (time: string): string => new Date(2026, 0, 31, 12, ...time.split(":").map(Number)).toISOString();
const now = new Date(2026, 0, 31, 13);

test("a wait says for what and until when, and how many more there are", () => {
  const event = { kind: "event", text: "an event a", since: at("0:0") } as const;
  expect(waitsText([event], now)).toBe("for an event a");
  expect(waitsText([{ ...event, timeoutAt: at("30:1") }, event], now)).toBe(
    "for an event a, until 12:30:01, and for 1 more",
  );
  expect(waitsText([{ kind: "time", text: "its time", timeoutAt: at("5:0") }], now)).toBe("for 12:05:00");
  expect(waitsText([{ kind: "call", text: "a run of child", childRunId: "r1" }], now)).toBe(
    "for a run of child r1",
  );
});

test("waits in full have their names, what they gathered, and how people answer", () => {
  const taskRun = { id: "t", item: "2", state: "waiting", generation: 1, attempts: [] } satisfies TaskRunView;
  const lines = openWaitLines(
    [
      {
        ...taskRun,
        waits: [
          {
            name: "go",
            occurrence: 2,
            kind: "approval",
            text: "a person's answer",
            approval: "r1/t[2]:1:2:go on",
          },
          {
            kind: "event",
            text: "all of (an event a, an event b)",
            state: { kind: "all", state: "gathering", text: "it has 1 of 2" },
          },
        ],
      },
    ],
    paint,
    now,
  );
  expect(lines).toEqual([
    "",
    "t[2] waits",
    "  go #2  a person's answer",
    "      millrace approve 'r1/t[2]:1:2:go on'",
    "  all of (an event a, an event b)",
    "      ◐ all it has 1 of 2",
  ]);
});

test("what ended a wait is told by its newest event", () => {
  const member = (position: number, type: string): object => ({ position, type });
  expect(endedText({ timedOut: true, members: {} })).toBe("nothing came in time");
  expect(endedText({ members: { a: [member(3, "a")], b: [member(5, "b")] } } as never)).toBe(
    "by event 5 b and 1 before",
  );
  expect(endedText({ members: { schedule: [{ from: "x", at: "y" }] } })).toBeUndefined();
  expect(endedText("text")).toBeUndefined();
});

test("records are told below their task runs, with what each gave", () => {
  const step = {
    node: "t",
    item: "",
    generation: 1,
    kind: "step",
    name: "charge",
    occurrence: 1,
    attempt: 1,
    at: at("1:2"),
    outcome: "value",
    value: { paid: true },
  } as const;
  const { value: _, ...bare } = step;
  expect(
    stepLines(
      [
        step,
        { ...bare, occurrence: 2, outcome: "error", error: { name: "Error", message: "no funds\nat x" } },
        { ...bare, kind: "wait", name: "paid", outcome: "timeout" },
        { ...step, node: "u", item: "0", generation: 2, value: null },
      ],
      paint,
      now,
    ),
  ).toEqual([
    "",
    "t has recorded",
    '  ● charge  12:01:02  {"paid":true}',
    "  ✕ charge #2  12:01:02  Error: no funds",
    "  ◌ paid  12:01:02  its time was over",
    "",
    "u[0] has recorded, generation 2",
    "  ● charge  12:01:02",
  ]);
});

test("what an event ended is told with the run, the node and the wait of task code", () => {
  const wait = {
    run: "r1",
    pipeline: "orders",
    node: "ship",
    item: "",
    generation: 1,
    at: "2026-03-01T12:00:00Z",
  };
  const lines = endedWaitLines(
    [
      wait,
      { ...wait, node: "pay", item: "3", name: "paid", occurrence: 2 },
      ...Array.from({ length: 21 }, () => wait),
    ],
    paint,
  );
  expect(lines.slice(0, 2)).toEqual([
    "  ended a wait of orders  run r1, node ship",
    "  ended a wait of orders  run r1, node pay[3], wait paid #2",
  ]);
  expect(lines.at(-1)).toBe("  … and 3 more waits");
});

test("a list of waits says what is waited for on every width", () => {
  const wait = {
    run: "r01qyy8746j7crf6a",
    pipeline: "order-fulfilment",
    node: "wait-for-payment",
    item: "",
    name: "paid",
    kind: "event",
    text: "an event order.paid where data.orderId is 17",
    since: at("0:0"),
  } as const;
  expect(waitLines([wait], { paint, now, width: 119 })).toEqual([
    "r01qyy8746j7crf6a  order-fulfilment wait-for-payment  paid  an event order.paid where data.orderId is 17  1 h ago",
  ]);
  expect(waitLines([wait], { paint, now, width: 79 })).toEqual([
    "r01qyy8746j7crf6a  order-fulfilment wait-for-payment  paid  an event order.pai…",
  ]);
  expect(waitLines([wait], { paint, now, width: 39 })).toEqual([
    "r01qyy8746j7crf6a  order-fulfilment wa…",
    "  an event order.paid where data.order…",
  ]);
});
