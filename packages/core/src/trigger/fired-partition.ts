/** What a run's firing, as its tasks see it (`firingValue`), says of its partition. */
import type { Json } from "../json.ts";

export interface FiredPartition {
  readonly partition?: string;
  /** Above 1: the partition is made again, for late data. */
  readonly revision?: number;
}

export function firedPartition(firing: Json | undefined): FiredPartition {
  const { partition = null, revision = null } = membersOf(firing);
  const { key = null } = membersOf(partition ?? undefined);
  if (typeof key !== "string") return {};
  return { partition: key, ...(typeof revision === "number" && revision > 1 ? { revision } : {}) };
}

function membersOf(value: Json | undefined): { readonly [name: string]: Json } {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as { readonly [name: string]: Json }) : {};
}
