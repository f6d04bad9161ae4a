/**
 * What some simulated tasks do: steps and waits, the same ones in every dispatch and attempt of a generation, as a function does
 * that runs again from the top.
 */
import type { Dispatch, StepName, StepRecord, WaitRequest } from "@millrace/protocol";
import { seededRandom } from "@millrace/testkit";
import { makeCondition } from "./pipelines.ts";

export type ProgramPart =
  | { readonly kind: "step"; readonly name: string }
  /** Goes on when one of them (`race`), or each, has ended. */
  | { readonly kind: "waits"; readonly race: boolean; readonly waits: readonly WaitRequest[] };

const callee = "p0";

export type Program = readonly ProgramPart[];

/** One task run in five has a program; equal for equal task runs. */
export function programOf({ token, pipeline }: Pick<Dispatch, "token" | "pipeline">): Program | undefined {
  const { runId, node, item, generation } = token;
  const random = seededRandom(hashOf(`${runId}/${node}/${item}/${generation}`));
  if (!random.chance(0.2)) return undefined;
  return Array.from({ length: 1 + random.below(4) }, (_, at): ProgramPart => {
    if (random.chance(0.5)) return { kind: "step", name: `step ${at}` };
    const waits = Array.from({ length: 1 + random.below(2) }, (_wait, index): WaitRequest => {
      const name = `wait ${at}.${index}`;
      if (random.chance(0.4))
        return { name, occurrence: 1, op: { kind: "sleep", ms: random.pick([10, 1_000, 15_000]) } };
      // The first pipeline calls nobody, so it can be called by all others.
      if (random.chance(0.2) && pipeline !== callee && node !== "take")
        return { name, occurrence: 1, op: { kind: "call", pipeline: callee, params: { value: {} } } };
      const timeoutMs = random.pick([500, 8_000, 30_000]);
      return { name, occurrence: 1, op: { kind: "event", condition: makeCondition(random), timeoutMs } };
    });
    return { kind: "waits", race: random.chance(0.5), waits };
  });
}

export type Next =
  | { readonly kind: "step"; readonly step: StepName }
  | { readonly kind: "suspend"; readonly waits: readonly WaitRequest[] }
  | { readonly kind: "end" };

/** What a program does next that has these records. */
export function nextOf(program: Program, records: readonly Pick<StepRecord, "kind" | "name">[]): Next {
  const known = new Set(records.map(({ kind, name }) => `${kind} ${name}`));
  for (const part of program) {
    if (part.kind === "step") {
      if (!known.has(`step ${part.name}`)) return { kind: "step", step: { name: part.name, occurrence: 1 } };
      continue;
    }
    const open = part.waits.filter(({ name }) => !known.has(`wait ${name}`));
    const isOver = part.race ? open.length < part.waits.length : open.length === 0;
    if (!isOver) return { kind: "suspend", waits: open };
  }
  return { kind: "end" };
}

function hashOf(text: string): number {
  let hash = 7;
  for (const character of text) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) >>> 0;
  return hash;
}
