import type { OpenWaitView, RunSummary, TaskRunView } from "@millrace/protocol";
import { createColors } from "picocolors";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { plainView } from "../../src/run-view/plain-view.ts";
import { RunPicture } from "@millrace/protocol/run-picture";
import type { Terminal } from "../../src/terminal/terminal.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const run: RunSummary = {
  id: "r0000000000000001",
  pipeline: "flow",
  project: "shop",
  state: "running",
  generation: 1,
  bundle: "b",
  labels: {},
  createdAt: "2026-01-01T00:00:00.000Z",
  startedAt: "2026-01-01T00:00:00.000Z",
};

function waitsFor(...texts: string[]): TaskRunView {
  const waits = texts.map((text): OpenWaitView => ({ kind: "event", text }));
  return { id: "handle", item: "", state: "waiting", generation: 1, attempts: [], waits };
}

test("a task that waits for one thing after the other says so each time, and once", () => {
  const lines: string[] = [];
  const paint = createColors(false);
  const terminal: Terminal = {
    paint,
    paintNote: paint,
    isLive: false,
    print: (text) => void lines.push(text.replace(/^\S+ /, "")),
    note: () => undefined,
    write: () => undefined,
    columns: () => 80,
    lineWidth: () => 79,
    rows: () => 24,
  };
  const picture = new RunPicture(run, undefined);
  const view = plainView(terminal, false);
  view.start(picture);
  for (const node of [waitsFor("an event a"), waitsFor("an event a"), waitsFor("an event b", "an event c")]) {
    picture.apply({ kind: "node", node });
    vi.advanceTimersByTime(300);
  }
  view.end(picture, undefined);
  expect(lines).toEqual([
    "◐ running  flow r0000000000000001",
    "◷ waiting  handle  for an event a",
    "◷ waiting  handle  for an event b, and for 1 more",
  ]);
});
