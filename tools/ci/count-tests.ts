interface TestFile {
  readonly name?: string;
  readonly status?: string;
  readonly message?: string;
  readonly assertionResults?: readonly {
    readonly status: string;
    readonly fullName?: string;
    readonly failureMessages?: readonly string[];
  }[];
}

export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
}

/** Counts tests in the results of vitest's JSON reporter. An empty result is a failure: nothing was shown. */
export function countTests(results: unknown): TestCounts {
  const files = (results as { readonly testResults?: readonly TestFile[] }).testResults ?? [];
  let passed = 0;
  let failed = 0;
  for (const { status, assertionResults = [] } of files) {
    const failedHere = assertionResults.filter((result) => result.status === "failed").length;
    passed += assertionResults.filter((result) => result.status === "passed").length;
    failed += failedHere === 0 && status === "failed" ? 1 : failedHere;
  }
  return passed + failed === 0 ? { passed: 0, failed: 1 } : { passed, failed };
}

export interface FailedTest {
  readonly file: string;
  readonly test: string;
  /** The first line of what it said. */
  readonly message: string;
}

/** What failed, by name: a test, or a whole file that could not be collected. */
export function failedTests(results: unknown): FailedTest[] {
  const files = (results as { readonly testResults?: readonly TestFile[] }).testResults ?? [];
  return files.flatMap(({ name: file = "", status, message = "", assertionResults = [] }) => {
    const failed = assertionResults.filter((result) => result.status === "failed");
    if (failed.length === 0)
      return status === "failed" ? [{ file, test: "", message: firstLine(message) }] : [];
    return failed.map(({ fullName = "", failureMessages = [] }) => ({
      file,
      test: fullName,
      message: firstLine(failureMessages[0] ?? ""),
    }));
  });
}

function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0]!.slice(0, 300);
}
