/** How a node or a folded group looks: of a run with its state and the states of what it stands for. */
import type { NodeDefinition } from "@millrace/core";
import type { AnyState } from "../state.tsx";

/** How many of a node's items, or of a group's nodes, are in which state. */
export interface Tally {
  readonly total: number;
  readonly counts: ReadonlyMap<AnyState, number>;
}

export interface VertexLook {
  readonly state: AnyState | undefined;
  /** What stands at the right of its name. */
  readonly told: string | undefined;
  /** Drawn as a stack: it stands for several. */
  readonly isMany: boolean;
  readonly tally: Tally | undefined;
}

/** What a run adds to the picture of its pipeline. */
export interface RunLook {
  readonly stateOf: (node: string) => AnyState | undefined;
  /** Of a node with items. */
  readonly tallyOf: (node: string) => Tally | undefined;
  /** Nodes of the way that took longest, in its order. */
  readonly critical: readonly string[];
}

/** The way that took longest, as it is drawn. */
export interface DrawnWay {
  readonly nodes: ReadonlySet<string>;
  readonly edges: ReadonlySet<string>;
}

const kindMarks: { readonly [kind: string]: string } = {
  wait: "waits",
  call: "calls",
  branch: "branch",
  short_circuit: "gate",
};

interface Drawn {
  /** Of a folded group. */
  readonly members: readonly string[] | undefined;
  readonly byId: ReadonlyMap<string, NodeDefinition>;
  readonly regions: ReadonlySet<string>;
  readonly run: RunLook | undefined;
}

export function lookOf(id: string, { members, byId, regions, run }: Drawn): VertexLook {
  if (members) {
    const tally = run && groupTally(members, run.stateOf);
    const total = members.length;
    return {
      state: tally && groupState(tally),
      told: regions.has(id) ? `${total} nodes, per item` : `${total} nodes`,
      isMany: true,
      tally,
    };
  }
  const node = byId.get(id);
  const isMapped = node?.region !== undefined;
  const tally = run?.tallyOf(id);
  return {
    state: run?.stateOf(id),
    told: tally ? countText(tally) : (kindMarks[node?.kind ?? "task"] ?? (isMapped ? "mapped" : undefined)),
    isMany: isMapped,
    tally,
  };
}

export function boxTitle(id: string, regions: ReadonlySet<string>): string {
  return regions.has(id) ? `${id} · once per item` : id;
}

const ended: readonly AnyState[] = ["succeeded", "failed", "upstream_failed", "skipped", "cancelled"];

function countText({ total, counts }: Tally): string {
  const done = ended.reduce((sum, state) => sum + (counts.get(state) ?? 0), 0);
  return done === total ? `${total}` : `${done}/${total}`;
}

function groupTally(members: readonly string[], stateOf: RunLook["stateOf"]): Tally {
  const counts = new Map<AnyState, number>();
  for (const member of members) {
    const state = stateOf(member) ?? "pending";
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return { total: members.length, counts };
}

/** As of a node with items: what goes on, else what came of it. */
export function groupState({ total, counts }: Tally): AnyState {
  const has = (state: AnyState): boolean => (counts.get(state) ?? 0) > 0;
  const done = ended.reduce((sum, state) => sum + (counts.get(state) ?? 0), 0);
  if (done === total)
    return (["failed", "cancelled", "upstream_failed", "succeeded"] as const).find(has) ?? "skipped";
  const now = (["running", "retrying", "waiting", "queued"] as const).find(has);
  return now ?? (done > 0 ? "running" : "pending");
}
