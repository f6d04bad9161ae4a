import type { StoredValue } from "@millrace/core";
import type { RunSummary } from "@millrace/protocol";
import type { LiveRun } from "@millrace/store";

/** A run's row as people see it. */
export function summaryOf(run: LiveRun & { readonly endedAt?: number }): RunSummary {
  return {
    id: run.id,
    pipeline: run.pipeline,
    project: run.project,
    state: run.state,
    ...(run.reason === undefined ? {} : { reason: run.reason }),
    generation: run.generation,
    bundle: run.bundle,
    labels: run.labels,
    createdAt: isoTime(run.createdAt),
    ...(run.startedAt === undefined ? {} : { startedAt: isoTime(run.startedAt) }),
    ...(run.endedAt === undefined ? {} : { endedAt: isoTime(run.endedAt) }),
    ...(run.parent === undefined
      ? {}
      : { parent: { runId: run.parent.runId, node: run.parent.node, item: run.parent.item } }),
  };
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** A value in an answer: itself while it is at hand, else its blob. */
export function outputMembers(stored: StoredValue | undefined): {
  output?: NonNullable<StoredValue["value"]> | null;
  outputBlob?: { readonly hash: string; readonly bytes: number };
} {
  if (stored === undefined) return {};
  return stored.blob === undefined
    ? { output: stored.value }
    : { outputBlob: { hash: stored.blob, bytes: stored.bytes } };
}
