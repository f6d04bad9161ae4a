import { expect, test } from "vitest";
import { createColors } from "picocolors";
import { formatError } from "../../src/terminal/print-error.ts";

test("an error that nobody expected has its stack, and blames no server", () => {
  const text = formatError(new TypeError("x is not a function"), createColors(false));
  expect(text).toContain("MILLRACE_INTERNAL TypeError: x is not a function\n    at ");
  expect(text).toContain("Millrace failed in a way that it did not expect.");
  expect(text).not.toContain("server");
});
