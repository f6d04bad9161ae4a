/** Who may import whom (the design, §11). A machine owns the direction of imports; the reason stands beside each rule. */
export interface ImportRule {
  /** Folder of the package. */
  readonly folder: string;
  readonly name: string;
  /** Folders of our packages that its sources may import; `"*"` is all. */
  readonly may: readonly string[] | "*";
  readonly why: string;
}

export const importTable: readonly ImportRule[] = [
  {
    folder: "packages/core",
    name: "@millrace/core",
    may: [],
    why: "core is pure and stands below everything",
  },
  {
    folder: "packages/protocol",
    name: "@millrace/protocol",
    may: ["packages/core"],
    why: "messages and API schemas are shared by all sides, so they know none of them",
  },
  {
    folder: "packages/sdk",
    name: "@millrace/sdk",
    may: ["packages/core", "packages/protocol"],
    why: "authors' code is loaded in children and browsers of graphs: no server, no database",
  },
  {
    folder: "packages/store",
    name: "@millrace/store",
    may: ["packages/core"],
    why: "the database layer speaks the core's words and nothing else",
  },
  {
    folder: "packages/connectors",
    name: "@millrace/connectors",
    may: ["packages/sdk", "packages/core"],
    why: "a connector is a value that servers and workers are given",
  },
  {
    folder: "packages/worker",
    name: "@millrace/worker",
    may: ["packages/core", "packages/protocol", "packages/sdk"],
    why: "a worker knows no database and no server, only the protocol",
  },
  {
    folder: "packages/server",
    name: "@millrace/server",
    may: ["packages/core", "packages/protocol", "packages/store"],
    why: "user code never runs in the server, so it does not see the SDK",
  },
  {
    folder: "packages/cli",
    name: "@millrace/cli",
    may: [
      "packages/core",
      "packages/protocol",
      "packages/sdk",
      "packages/store",
      "packages/connectors",
      "packages/worker",
      "packages/server",
      "packages/testkit",
    ],
    why: "the command line puts the parts together; only the page is built apart",
  },
  {
    folder: "packages/ui",
    name: "@millrace/ui",
    may: ["packages/protocol", "packages/core"],
    why: "the page sees what the API says",
  },
  {
    folder: "packages/testkit",
    name: "@millrace/testkit",
    may: [
      "packages/core",
      "packages/protocol",
      "packages/sdk",
      "packages/store",
      "packages/connectors",
      "packages/worker",
      "packages/server",
    ],
    why: "tests of every part use it; it does not test through the command line or the page",
  },
  {
    folder: "packages/testing",
    name: "@millrace/testing",
    may: ["packages/core", "packages/protocol", "packages/sdk", "packages/worker"],
    why: "users test without server and database: the core decides, and a task's function gets the worker's own context",
  },
  {
    folder: "packages/millrace",
    name: "millrace",
    may: ["packages/sdk", "packages/cli", "packages/worker", "packages/connectors", "packages/testing"],
    why: "the published package only names what others made",
  },
  { folder: "simulation", name: "@millrace/simulation", may: "*", why: "it runs the whole system" },
  { folder: "bench", name: "@millrace/bench", may: "*", why: "it measures the whole system" },
  { folder: "e2e", name: "@millrace/e2e", may: "*", why: "it drives the whole system from outside" },
  { folder: "tools", name: "@millrace/tools", may: "*", why: "it checks and generates from every part" },
  {
    folder: "examples",
    name: "@millrace/examples",
    may: ["packages/millrace"],
    why: "an example imports what a user imports",
  },
];

/** Nothing imports these: they stand above everything. */
export const topFolders: readonly string[] = ["simulation", "bench", "e2e", "tools", "examples"];

/** Tests of any package may use these in addition. */
export const testsMayImport: readonly string[] = ["packages/testkit"];
