import { expect, test } from "vitest";
import { countTests } from "./count-tests.ts";

const file = (status: string, ...tests: readonly string[]) => ({
  status,
  assertionResults: tests.map((state) => ({ status: state })),
});

test("passed and failed tests are counted, skipped ones are not", () => {
  const results = {
    testResults: [file("passed", "passed", "passed", "skipped"), file("failed", "failed", "passed")],
  };
  expect(countTests(results)).toEqual({ passed: 3, failed: 1 });
});

test("a file that could not be collected, or whose hooks failed, is a failure", () => {
  expect(countTests({ testResults: [file("failed"), file("passed", "passed")] })).toEqual({
    passed: 1,
    failed: 1,
  });
  expect(countTests({ testResults: [file("failed", "passed", "skipped")] })).toEqual({
    passed: 1,
    failed: 1,
  });
});

test("no result at all is a failure", () => {
  expect(countTests({})).toEqual({ passed: 0, failed: 1 });
});
