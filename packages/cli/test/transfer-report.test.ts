import { expect, test } from "vitest";
import { TransferReport } from "../src/stack/transfer-report.ts";

test("a transfer that fails is told once, then each minute; another one at once", () => {
  const report = new TransferReport();
  const failed = (what: string) => ({ kind: "transfer_failed", what, message: "HTTP 500: full" }) as const;
  const first = report.lineFor(failed("/blobs/a"), 0);
  expect(first).toBe("The worker could not transfer /blobs/a, and tries again: HTTP 500: full");
  expect(report.lineFor(failed("/blobs/a"), 59_999)).toBeUndefined();
  expect(report.lineFor(failed("/blobs/b"), 59_999)).toContain("/blobs/b");
  expect(report.lineFor(failed("/blobs/a"), 60_000)).toBe(first);
});
