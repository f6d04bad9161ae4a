/**
 * Adapters: the places that may read the clock, draw at random, start timers, read the environment or print. Everything
 * else is given those as arguments, so that it can run under a test's or the simulator's clock. An entry that nothing
 * needs any more is a finding, too.
 */
export type BannedUse = "clock" | "random" | "timer" | "environment" | "console" | "node" | "sql";

export interface Allowance {
  /** A file, or a folder that ends with `/`. */
  readonly path: string;
  readonly uses: readonly BannedUse[];
  readonly why: string;
}

export const allowances: readonly Allowance[] = [
  {
    path: "packages/cli/src/pause.ts",
    uses: ["timer"],
    why: "waits in real time for terminals and processes, for the whole command line",
  },
  {
    path: "packages/cli/src/project/loader/bounded-child.ts",
    uses: ["timer"],
    why: "bounds a real process in real time",
  },
  {
    path: "packages/cli/src/project/loader/child.ts",
    uses: ["timer"],
    why: "waits for what a file opened to be closed",
  },
  {
    path: "packages/cli/src/project/watch.ts",
    uses: ["timer"],
    why: "gathers changes of the file system",
  },
  {
    path: "packages/cli/src/command/assets.ts",
    uses: ["random"],
    why: "names a report that nobody named",
  },
  {
    path: "packages/cli/src/command/emit.ts",
    uses: ["random"],
    why: "names an event that nobody named",
  },
  {
    path: "packages/store/src/embedded/",
    uses: ["clock", "timer", "random"],
    why: "starts, watches and stops a real PostgreSQL, in folders with names of their own",
  },
  {
    path: "packages/store/src/blob/folder-blob-store.ts",
    uses: ["clock", "random"],
    why: "compares the ages of files, and names temporary ones",
  },
  { path: "simulation/main.ts", uses: ["console"], why: "is a command: it prints what a simulation covered" },
  {
    path: "simulation/scheduler.ts",
    uses: ["timer"],
    why: "lets microtasks drain between two events of virtual time",
  },
  { path: "packages/store/src/listener.ts", uses: ["timer"], why: "waits before it connects again" },
  {
    path: "packages/server/src/server.ts",
    uses: ["clock", "random"],
    why: "gives the engine its randomness, and a time before the database's is known",
  },
  {
    path: "packages/server/src/engine/clock.ts",
    uses: ["clock", "timer"],
    why: "is the clock that the engine is given",
  },
  {
    path: "packages/worker/src/",
    uses: ["clock", "timer", "random"],
    why: "a worker runs real processes over a real network; the simulator has its own that speaks the same protocol",
  },
  {
    path: "packages/worker/src/options.ts",
    uses: ["environment"],
    why: "is the worker's edge: option, then environment, then refusal",
  },
  {
    path: "packages/worker/src/child/process-state.ts",
    uses: ["environment"],
    why: "gives an attempt the environment that its task lists, and takes it away again",
  },
  {
    path: "packages/testing/src/task-desk.ts",
    uses: ["timer"],
    why: "tells a test, in real time, that a task's function does not return",
  },
  {
    path: "packages/ui/src/",
    uses: ["clock", "timer", "random"],
    why: "the page runs in browsers, in real time",
  },
  { path: "packages/testkit/src/", uses: ["sql"], why: "makes and drops a database per test" },
];
