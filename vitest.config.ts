import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{packages,simulation,bench,e2e,examples,tools}/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**", "bench/peers/**"],
    globalSetup: ["packages/testkit/src/vitest-global-setup.ts"],
    pool: "forks",
    // More than two cores: much of a test is waiting for what runs beside it.
    maxWorkers: 3,
    // The long form does much more of the same.
    testTimeout: process.env["MILLRACE_TEST_LONG"] === undefined ? 30_000 : 300_000,
    hookTimeout: 60_000,
    // A busy machine is no failure: what is awaited has as long as a test has.
    expect: { poll: { timeout: 20_000 } },
    teardownTimeout: 20_000,
    typecheck: { enabled: false },
  },
});
