/**
 * What some simulated tasks do: steps and waits, the same ones in every dispatch and attempt of a generation, as a function does
 * that runs again from the top. Whether a fickle step fails is drawn anew each time it runs.
 */
import type { AttemptError } from "@millrace/core";
import {
  tokenKey,
  type Dispatch,
  type StepName,
  type StepRecord,
  type WaitRequest,
} from "@millrace/protocol";
import { seededRandom, type SeededRandom } from "@millrace/testkit";
import { makeApproval } from "./approvals.ts";
import { hashOf } from "./hash.ts";
import { makeProbeCondition } from "./outside.ts";
import { makeCondition } from "./pipelines.ts";
import type { Parts } from "./parts.ts";

export interface ProgramStep {
  readonly kind: "step";
  readonly name: string;
  /** It fails now and then. */
  readonly isFickle: boolean;
  /** The function goes on without what a failed step would have given. */
  readonly isCaught: boolean;
}

export type ProgramPart =
  | ProgramStep
  /** Goes on when one of them (`race`), or each, has ended. */
  | { readonly kind: "waits"; readonly race: boolean; readonly waits: readonly ProgramWait[] };

/** `inMs`: a sleep until an instant so much later than when it is asked for, which differs over dispatches. */
export interface ProgramWait extends WaitRequest {
  readonly inMs?: number;
}

const callee = "p0";

export type Program = readonly ProgramPart[];

/** One task run in five has a program; equal for equal task runs. */
export function programOf(
  { token, pipeline }: Pick<Dispatch, "token" | "pipeline">,
  parts: Parts,
): Program | undefined {
  const { runId, node, item, generation } = token;
  const name = `${runId}/${node}/${item}/${generation}`;
  const random = seededRandom(hashOf(name));
  if (!random.chance(0.2)) return undefined;
  const program = Array.from({ length: 1 + random.below(4) }, (_, at): ProgramPart => {
    if (random.chance(0.5)) return { kind: "step", name: `step ${at}`, isFickle: false, isCaught: false };
    const waits = Array.from({ length: 1 + random.below(2) }, (_wait, index) =>
      makeWait(random, `wait ${at}.${index}`, pipeline !== callee && node !== "take"),
    );
    return { kind: "waits", race: random.chance(0.5), waits };
  });
  const own = seededRandom(hashOf(`${name}/parts`));
  return program.map((part) => withParts(part, own, parts));
}

function makeWait(random: SeededRandom, name: string, mayCall: boolean): ProgramWait {
  if (random.chance(0.4))
    return { name, occurrence: 1, op: { kind: "sleep", ms: random.pick([10, 1_000, 15_000]) } };
  // The first pipeline calls nobody, so it can be called by all others.
  if (random.chance(0.2) && mayCall)
    return { name, occurrence: 1, op: { kind: "call", pipeline: callee, params: { value: {} } } };
  const timeoutMs = random.pick([500, 8_000, 30_000]);
  return { name, occurrence: 1, op: { kind: "event", condition: makeCondition(random), timeoutMs } };
}

function withParts(part: ProgramPart, random: SeededRandom, parts: Parts): ProgramPart {
  if (part.kind === "step")
    return parts.has("steps") && random.chance(0.5)
      ? { ...part, isFickle: true, isCaught: random.chance(0.5) }
      : part;
  return { ...part, waits: part.waits.map((wait) => withPartsOfWait(wait, random, parts)) };
}

function withPartsOfWait(wait: ProgramWait, random: SeededRandom, parts: Parts): ProgramWait {
  if (parts.has("steps") && wait.op.kind === "sleep" && random.chance(0.4))
    return { ...wait, inMs: random.pick([-5_000, 0, 1_000, 15_000]) };
  if (parts.has("approvals") && wait.op.kind === "event" && random.chance(0.3))
    return { ...wait, op: makeApproval(random) };
  if (parts.has("probes") && wait.op.kind === "event" && random.chance(0.4)) {
    const { condition, comes } = makeProbeCondition(random);
    const { timeoutMs: _timeoutMs, ...endless } = wait.op;
    return {
      ...wait,
      op: comes && random.chance(0.5) ? { ...endless, condition } : { ...wait.op, condition },
    };
  }
  return wait;
}

export type Next =
  | { readonly kind: "step"; readonly step: ProgramStep }
  | { readonly kind: "suspend"; readonly waits: readonly ProgramWait[] }
  | { readonly kind: "throw"; readonly error: AttemptError }
  | { readonly kind: "end" };

export type KnownRecord = Pick<StepRecord, "kind" | "name" | "outcome">;

/** What a program does next that has these records. */
export function nextOf(program: Program, records: readonly KnownRecord[]): Next {
  const known = new Map(records.map((record) => [`${record.kind} ${record.name}`, record.outcome]));
  for (const part of program) {
    if (part.kind === "step") {
      const outcome = known.get(`step ${part.name}`);
      if (!outcome) return { kind: "step", step: part };
      if (outcome.kind === "error" && !part.isCaught) return { kind: "throw", error: outcome.error };
      continue;
    }
    const open = part.waits.filter(({ name }) => !known.has(`wait ${name}`));
    const isOver = part.race ? open.length < part.waits.length : open.length === 0;
    if (!isOver) return { kind: "suspend", waits: open };
  }
  return { kind: "end" };
}

/** What a step comes to in this dispatch. */
export function runStep({ name, isFickle }: ProgramStep, token: Dispatch["token"]): SteppedOutcome {
  const random = seededRandom(hashOf(`${tokenKey(token)}/${name}`));
  if (!isFickle || random.chance(0.5))
    return { kind: "value", value: { value: { ran: token.dispatch, text: name } } };
  const error = { name: "StepFailed", message: `${name} broke in dispatch ${token.dispatch}` };
  return { kind: "error", error: random.chance(0.1) ? { ...error, next: "fatal" } : error };
}

type SteppedOutcome = Exclude<StepRecord["outcome"], { readonly kind: "timeout" }>;

export function stepName({ name }: ProgramStep): StepName {
  return { name, occurrence: 1 };
}
