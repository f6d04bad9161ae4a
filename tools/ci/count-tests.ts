interface TestFile {
  readonly status?: string;
  readonly assertionResults?: readonly { readonly status: string }[];
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
