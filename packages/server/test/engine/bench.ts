/** What tests of the engine's modules share: a memory database, a clock that is moved by hand, small definitions. */
import {
  compileGraph,
  createRun,
  noRetry,
  type NodeDefinition,
  type PipelineDefinition,
} from "@millrace/core";
import {
  liveRun,
  manualClock,
  memoryArchive,
  MemoryEngineDatabase,
  type MemoryLink,
  type ManualClock,
} from "@millrace/testkit";
import type { Clock } from "../../src/engine/clock.ts";
import type { RunEntry } from "../../src/engine/run-entry.ts";

export function engineClock(manual: ManualClock): Clock {
  return {
    monotonic: () => manual.now(),
    after: (delayMs, callback) => ({
      cancel: manual.schedule(manual.now() + Math.max(0, delayMs), callback),
    }),
  };
}

export function memory(link: MemoryLink = {}) {
  const manual = manualClock(1_800_000_000_000);
  const database = new MemoryEngineDatabase({ now: () => manual.now() });
  const archive = memoryArchive(database.tables);
  return { manual, clock: engineClock(manual), database, archive, store: database.connect(link) };
}

/** Lets everything that follows from promises happen. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export function task(id: string, parts: Partial<NodeDefinition> = {}): NodeDefinition {
  return {
    id,
    kind: "task",
    name: id,
    input: { kind: "value", value: null },
    after: [],
    rule: "all_success",
    options: { retry: noRetry, priority: 0, queue: "default", env: [], connections: [] },
    ...parts,
  };
}

export function pipelineOf(
  nodes: readonly NodeDefinition[],
  parts: Partial<PipelineDefinition> = {},
): PipelineDefinition {
  return { name: "p", tags: [], paused: false, nodes, regions: [], ...parts };
}

export function entryOf(id: string): RunEntry {
  const identity = liveRun(id, { state: "queued" });
  const { generation, depth, params, createdAt } = identity;
  const run = createRun(compileGraph(pipelineOf([task("a")])), { id, generation, depth, params, createdAt });
  return {
    identity,
    run,
    row: "none",
    storedRows: undefined,
    eviction: undefined,
    waits: undefined,
    ready: new Map(),
  };
}
