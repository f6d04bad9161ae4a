/** Who answers for a file: the longest prefix decides. A file without an entry is a finding. */
export const owners: readonly { readonly prefix: string; readonly owner: string }[] = [
  { prefix: "packages/core/", owner: "core: pure rules and state machines" },
  { prefix: "packages/protocol/", owner: "protocol: messages and API shapes" },
  { prefix: "packages/sdk/", owner: "authoring: what pipelines are written with" },
  { prefix: "packages/store/", owner: "state: PostgreSQL and blobs" },
  { prefix: "packages/server/", owner: "engine: server, shards, API" },
  { prefix: "packages/worker/", owner: "workers: link, processes, attempts" },
  { prefix: "packages/connectors/", owner: "connectors: other systems" },
  { prefix: "packages/cli/", owner: "command line" },
  { prefix: "packages/cli/src/project/", owner: "bundles: configuration, bundler, loader" },
  { prefix: "packages/cli/test/project/", owner: "bundles: configuration, bundler, loader" },
  { prefix: "packages/ui/", owner: "page" },
  { prefix: "packages/millrace/", owner: "published package" },
  { prefix: "packages/testing/", owner: "testing: pipelines on virtual time" },
  { prefix: "packages/testkit/", owner: "testkit: clocks, seeds, databases, conformance" },
  { prefix: "simulation/", owner: "simulator" },
  { prefix: "bench/", owner: "benchmarks" },
  { prefix: "e2e/", owner: "end to end" },
  { prefix: "examples/", owner: "examples" },
  { prefix: "docs/", owner: "documentation" },
  { prefix: "tools/", owner: "repository: checks, generators, set-up" },
  { prefix: ".ci/", owner: "repository: checks, generators, set-up" },
];

/** Files at the root, each by its name: the root is no place to leave things. */
export const rootFiles: readonly string[] = [
  ".gitignore",
  ".npmrc",
  ".oxfmtrc.json",
  ".oxlintrc.json",
  "CONTRIBUTING.md",
  "LICENSE",
  "README.md",
  "package-lock.json",
  "package.json",
  "tsconfig.json",
  "vitest.config.ts",
];
