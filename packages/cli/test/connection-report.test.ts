import { expect, test } from "vitest";
import { ConnectionReport } from "../src/stack/connection-report.ts";

test("a lost connection is told once, again each minute, and when it is back", () => {
  const report = new ConnectionReport("http://127.0.0.1:4600");
  const lost = { kind: "disconnected", reason: "connect ECONNREFUSED", retryInMs: 50 } as const;
  const connected = { kind: "connected", url: "http://127.0.0.1:4600" } as const;
  expect(report.lineFor(connected, 0)).toBe("Connected to http://127.0.0.1:4600.");
  const told = [0, 50, 59_999, 60_000, 60_100, 119_999, 120_000].map((now) => report.lineFor(lost, now));
  expect(told).toEqual([
    "Not connected to http://127.0.0.1:4600: connect ECONNREFUSED. Trying again until it answers.",
    undefined,
    undefined,
    "Not connected to http://127.0.0.1:4600 for 1 min: connect ECONNREFUSED. Trying again until it answers.",
    undefined,
    undefined,
    "Not connected to http://127.0.0.1:4600 for 2 min: connect ECONNREFUSED. Trying again until it answers.",
  ]);
  expect(report.lineFor(connected, 120_001)).toBe("Connected to http://127.0.0.1:4600 again.");
  expect(report.lineFor(lost, 120_002)).toContain("Not connected");
});
