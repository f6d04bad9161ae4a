/**
 * The assets of the simulation. What a node writes and reads follows from its id alone, so that nothing is drawn for it: the
 * seeds that were kept stay as they were.
 */
import {
  assetReportId,
  assetReportName,
  assetUnchangedType,
  assetUpdatedType,
  taskSource,
  type AssetDefinition,
  type CloudEvent,
  type NodeDefinition,
} from "@millrace/core";
import type { DispatchToken } from "@millrace/protocol";

/** `stray` is declared by nobody, and nobody names a partition of `parted`. */
export const simulatedAssets: readonly AssetDefinition[] = [
  { name: "plain", tags: [] },
  { name: "told", tags: [] },
  { name: "parted", tags: [], partitions: { kind: "static", keys: ["x", "y"] } },
];

const writesOfThree: readonly (readonly string[])[] = [
  ["plain"],
  ["told", "plain"],
  ["stray", "parted", "told"],
];

function numberOf(node: string): number | undefined {
  const found = /^n(\d+)$/.exec(node);
  return found ? Number(found[1]) : undefined;
}

/** What a node of this id declares to write, if it is one that writes. */
export function writesOf(node: string): readonly string[] {
  const at = numberOf(node);
  return at === undefined || at % 2 === 1 ? [] : writesOfThree[(at / 2) % 3]!;
}

export function withAssets(node: NodeDefinition): NodeDefinition {
  if (node.kind === "call" || node.kind === "wait") return node;
  const writes = writesOf(node.id);
  const reads = numberOf(node.id) === undefined ? [] : ["plain", "parted"];
  return {
    ...node,
    ...(writes.length === 0 ? {} : { writes }),
    ...(reads.length === 0 ? {} : { reads }),
  };
}

/**
 * What a task function tells by itself, equal over attempts and dispatches: of `told` two partitions that it does not have and
 * one update that counts; every fifth generation leaves it unchanged.
 */
export function reportsOf(pipeline: string, token: DispatchToken): CloudEvent[] {
  if (!writesOf(token.node).includes("told")) return [];
  const event = (type: string, partition?: string): CloudEvent => ({
    specversion: "1.0",
    id: assetReportId(token, assetReportName({ type, asset: "told", partition })),
    source: taskSource(pipeline, token.node),
    type,
    subject: "told",
    data: partition === undefined ? {} : { partition },
  });
  if (isUnchanged(token)) return [event(assetUnchangedType)];
  return [event(assetUpdatedType), event(assetUpdatedType, "none of its own")];
}

export function isUnchanged({ runId, item }: Pick<DispatchToken, "runId" | "item">): boolean {
  return (runId.length + item.length + runId.charCodeAt(runId.length - 1)) % 5 === 0;
}
