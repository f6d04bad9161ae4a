/** Rows of the engine's store with all that a test does not care about. */
import { strict as assert } from "node:assert";
import {
  emptyBatch,
  type AttemptRow,
  type EngineStore,
  type EventRow,
  type FlushBatch,
  type GrantRow,
  type LiveRun,
  type LogChange,
  type RequestRow,
  type RunChange,
  type TaskRunRow,
} from "@millrace/store";

/** A whole millisecond, as all stores keep it. */
export const rowTime = 1_800_000_000_000;

export function liveRun(id: string, parts: Partial<LiveRun> = {}): LiveRun {
  return {
    workspace: 1,
    id,
    lane: "live",
    shard: 1,
    pipeline: "p",
    project: "main",
    bundle: "b1",
    generation: 1,
    state: "running",
    reason: undefined,
    depth: 0,
    parent: undefined,
    labels: {},
    params: { value: {} },
    cancel: undefined,
    createdAt: rowTime,
    startedAt: parts.state === "queued" ? undefined : rowTime + 1,
    wakeAt: undefined,
    ...parts,
  };
}

export function runChange(id: string, parts: Partial<RunChange> = {}): RunChange {
  return {
    workspace: 1,
    id,
    state: "running",
    reason: undefined,
    cancel: undefined,
    startedAt: rowTime,
    wakeAt: undefined,
    ...parts,
  };
}

export function taskRunRow(runId: string, node: string, parts: Partial<TaskRunRow> = {}): TaskRunRow {
  return {
    workspace: 1,
    runId,
    node,
    item: "",
    generation: 1,
    state: "running",
    attempt: 1,
    dispatch: 1,
    losses: 0,
    worker: "w1",
    startedAt: rowTime + 2,
    endedAt: undefined,
    resumeAt: undefined,
    output: undefined,
    reason: undefined,
    error: undefined,
    childRunId: undefined,
    revoked: false,
    carried: false,
    ...parts,
  };
}

export function attemptRow(runId: string, node: string, parts: Partial<AttemptRow> = {}): AttemptRow {
  return {
    workspace: 1,
    runId,
    node,
    item: "",
    generation: 1,
    attempt: 1,
    dispatch: 1,
    state: "failed",
    worker: "w1",
    error: { name: "Error", message: "it broke" },
    startedAt: rowTime + 2,
    endedAt: rowTime + 3,
    ...parts,
  };
}

/** A node that has flushed nothing, and a way to flush in order. */
export async function flusher(
  store: EngineStore,
): Promise<{ nodeId: number; flush: (parts: Partial<FlushBatch>) => Promise<void> }> {
  const { nodeId } = await store.registerNode({
    name: "a",
    url: undefined,
    version: "test",
    leaseMs: 10_000,
  });
  let number = 0;
  return {
    nodeId,
    flush: async (parts) => {
      number += 1;
      assert.equal(await store.flush(nodeId, number, { ...emptyBatch(), ...parts }), "committed");
    },
  };
}

export const key = (id: string): { workspace: number; id: string } => ({ workspace: 1, id });
export const why = { code: "test", message: "because", fields: { a: 1 } };

export const grant = (parts: Partial<GrantRow> = {}): GrantRow => ({
  workspace: 1,
  kind: "pool",
  name: "warehouse",
  holder: "r1/a//1",
  shard: 1,
  runId: "r1",
  slots: 2,
  ...parts,
});

export const request = (parts: Partial<RequestRow> = {}): RequestRow => ({
  ...grant(),
  replyShard: 1,
  limitSlots: 3,
  rank: rowTime,
  ...parts,
});

export function eventRow(id: string, parts: Partial<EventRow> = {}): EventRow {
  return {
    workspace: 1,
    lane: "live",
    source: "/shop",
    id,
    type: "order.placed",
    subject: undefined,
    time: undefined,
    data: { value: null },
    isBinary: false,
    contentType: undefined,
    dataSchema: undefined,
    extensions: {},
    invalid: undefined,
    dataText: undefined,
    ...parts,
  };
}

/** A node that appends to the log of workspace 1; `flush` gives what became of it. */
export async function logFlusher(store: EngineStore): Promise<{
  nodeId: number;
  append: (events: readonly EventRow[], at?: number, parts?: Partial<FlushBatch>) => Promise<LogChange>;
}> {
  const { nodeId } = await flusher(store);
  let number = 0;
  return {
    nodeId,
    append: async (events, at = rowTime, parts = {}) => {
      number += 1;
      const log = { events: [...events], clocks: [{ workspace: events[0]?.workspace ?? 1, at }] };
      const change = await store.flush(nodeId, number, { ...emptyBatch(), ...log, ...parts });
      assert.equal(typeof change, "object");
      return change as LogChange;
    },
  };
}
