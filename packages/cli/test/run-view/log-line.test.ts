import type { LogEntry } from "@millrace/protocol";
import { expect, test } from "vitest";
import { logLine } from "../../src/run-view/live-view.ts";
import { openTerminal } from "../../src/terminal/terminal.ts";

const terminal = openTerminal({});
const entry: LogEntry = {
  node: "load",
  item: "",
  generation: 1,
  attempt: 1,
  position: 0,
  at: 0,
  stream: "log",
  level: "info",
  text: "loading",
};

test("a log line without colours says its level, its item and a later attempt", () => {
  const line = (parts: Partial<LogEntry>): string => logLine({ ...entry, ...parts }, terminal);
  expect(line({ fields: { rows: 5 } })).toBe('load │ loading {"rows":5}');
  expect(line({ level: "warn", item: "3" })).toBe("load[3] │ warn loading");
  expect(line({ stream: "stderr", level: "error" })).toBe("load │ loading");
  expect(line({ level: "error", attempt: 2 })).toBe("load attempt 2 │ error loading");
});
