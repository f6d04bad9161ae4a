/**
 * What becomes of firings while their pipeline has as many runs as it may (`maxActiveRuns`): the gate of a trigger, which is
 * decided here alone, from what fired and which runs ended, in the order of the log.
 *
 * K1: no firing is dropped: it starts its run, waits, is merged into one that waits, or is superseded by a later one (C4).
 * K2: the firing that waits longest starts first, and none overtakes one that waits.
 * K3: only what waits takes members or is superseded: a run that has started keeps what it began with.
 * K4: but for `each`, whose runs queue, at most `limit` runs are under way.
 * K5: with `coalesce` one waiting firing of a key takes members, those of its version and up to a bound; with `latest` one
 *     firing of a key waits.
 */
import { MillraceError } from "../error/millrace-error.ts";
import { formatPath, type Json, type Path } from "../json.ts";
import { mergedMembersMax } from "../limits.ts";

/** `each`: every firing has a run, which queues. */
export type FiringPolicy = "each" | "coalesce" | "latest";

/** Throws MILLRACE_CONDITION_INVALID. */
export function parsePolicy(json: Json, path: Path = []): FiringPolicy {
  if (json === "each" || json === "coalesce" || json === "latest") return json;
  throw new MillraceError("MILLRACE_CONDITION_INVALID", {
    message: `The trigger is wrong at ${formatPath(path)}: expected each, coalesce or latest; found ${JSON.stringify(json)}.`,
    fields: { path: formatPath(path) },
  });
}

/** A firing at the gate. It is named by the run that it has or will have. */
export interface GatedFiring {
  readonly runId: string;
  readonly version: number;
  /** Of its trigger's key and its partition (`gateKeyOf`). */
  readonly key: string;
  /** Those of the firings that were merged into it included. */
  members: number;
}

export type GateStep<Firing extends GatedFiring> =
  | { readonly kind: "start"; readonly firing: Firing }
  | { readonly kind: "wait"; readonly firing: Firing }
  | { readonly kind: "merge"; readonly firing: Firing; readonly into: Firing }
  /** `firing` waited, and `by` waits in its place. */
  | { readonly kind: "supersede"; readonly firing: Firing; readonly by: Firing };

export interface Gate<Firing extends GatedFiring> {
  /** Infinite where nothing limits the pipeline. */
  readonly limit: number;
  /** Runs that were started and have not ended. */
  readonly active: Set<string>;
  /** Those that wait, the longest first. Where more of them wait than are at hand, `hasMore`. */
  readonly waiting: Firing[];
  readonly hasMore: boolean;
}

/** A firing comes. The gate changes with what is answered. */
export function admitFiring<Firing extends GatedFiring>(
  gate: Gate<Firing>,
  policy: FiringPolicy,
  firing: Firing,
): GateStep<Firing>[] {
  const steps = openGate(gate, policy);
  const isFirst = gate.waiting.length === 0 && !gate.hasMore;
  if (policy === "each" || (isFirst && gate.active.size < gate.limit)) {
    gate.active.add(firing.runId);
    return [...steps, { kind: "start", firing }];
  }
  const at = gate.waiting.findLastIndex(({ key }) => key === firing.key);
  const known = gate.waiting[at];
  if (policy === "coalesce" && known && takes(known, firing)) {
    known.members += firing.members;
    return [...steps, { kind: "merge", firing, into: known }];
  }
  if (policy === "latest" && known) {
    gate.waiting.splice(at, 1);
    steps.push({ kind: "supersede", firing: known, by: firing });
  }
  gate.waiting.push(firing);
  return [...steps, { kind: "wait", firing }];
}

function takes(waiting: GatedFiring, { version, members }: GatedFiring): boolean {
  return waiting.version === version && waiting.members + members <= mergedMembersMax;
}

/** A run has ended, or nobody knows it: what waits may start. */
export function endGatedRun<Firing extends GatedFiring>(
  gate: Gate<Firing>,
  policy: FiringPolicy,
  runId: string,
): GateStep<Firing>[] {
  gate.active.delete(runId);
  return openGate(gate, policy);
}

/** What waits and may start by now: the limit may be another one than it was, or the policy. */
export function openGate<Firing extends GatedFiring>(
  gate: Gate<Firing>,
  policy: FiringPolicy,
): GateStep<Firing>[] {
  const free = policy === "each" ? Number.POSITIVE_INFINITY : gate.limit - gate.active.size;
  if (free <= 0 || gate.waiting.length === 0) return [];
  const started = gate.waiting.splice(0, free);
  for (const { runId } of started) gate.active.add(runId);
  return started.map((firing) => ({ kind: "start", firing }));
}

export type GateOutcome = "starts" | "waits" | "merged" | "superseded";

const outcomes = { start: "starts", wait: "waits", merge: "merged", supersede: "superseded" } as const;

/** What would become of firings that come one after the other. The gate changes with it: give one that nobody else has. */
export function foreseeGate<Firing extends GatedFiring>(
  gate: Gate<GatedFiring>,
  policy: FiringPolicy,
  firings: readonly Firing[],
): ReadonlyMap<Firing, GateOutcome> {
  const foreseen = new Map<GatedFiring, GateOutcome>();
  for (const firing of firings)
    for (const step of admitFiring(gate, policy, firing)) foreseen.set(step.firing, outcomes[step.kind]);
  return new Map(firings.map((firing) => [firing, foreseen.get(firing)!]));
}
