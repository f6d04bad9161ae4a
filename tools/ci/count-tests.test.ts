import { expect, test } from "vitest";
import { countTests, failedTests } from "./count-tests.ts";

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

test("what failed is named, with the first line of what it said", () => {
  const assertionResults = [
    { status: "passed", fullName: "adds" },
    { status: "failed", fullName: "subtracts", failureMessages: ["Error: 2 is not 1\n    at line 3"] },
  ];
  const results = {
    testResults: [
      { name: "a.test.ts", status: "failed", assertionResults },
      { name: "b.test.ts", status: "failed", message: "SyntaxError: no\nmore" },
      { name: "c.test.ts", status: "passed", assertionResults: [] },
    ],
  };
  expect(failedTests(results)).toEqual([
    { file: "a.test.ts", test: "subtracts", message: "Error: 2 is not 1" },
    { file: "b.test.ts", test: "", message: "SyntaxError: no" },
  ]);
});
