/** What the end of a pause would let begin, as a test looks at it. */
import {
  foreseeGate,
  gateKeyOf,
  parseCatchUp,
  type CatchUp,
  type DecidedFiring,
  type GatedFiring,
} from "@millrace/core";
import { policyOf, type FiringDesk } from "./firing-desk.ts";
import { firingOf, type TestFiring } from "./test-firing.ts";
import type { ResumeOptions } from "./testbed-options.ts";
import type { BedTrigger } from "./trigger-watch.ts";

/** A firing that a resume would make. `outcome`: what its trigger's gate would make of it. */
export interface ForeseenFiring extends Omit<TestFiring, "state" | "run" | "reason"> {
  readonly outcome: "starts" | "waits" | "merged" | "superseded";
}

export function foreseenFirings(
  desk: FiringDesk,
  trigger: BedTrigger,
  decided: readonly DecidedFiring<BedTrigger>[],
): ForeseenFiring[] {
  const gate = desk.copyOfGate(trigger);
  const gated = decided.map(({ firing }, at): GatedFiring => {
    const key = gateKeyOf(firing.key, firing.partition?.key);
    return { runId: `foreseen ${at}`, version: firing.version, key, members: firing.members.length };
  });
  const outcomes = gate && foreseeGate(gate, policyOf(trigger), gated);
  return decided.map((one, at) => {
    const outcome = outcomes?.get(gated[at]!) ?? "starts";
    const record = { ...one, members: [...one.firing.members] };
    const {
      state: _state,
      run: _run,
      reason: _reason,
      ...seen
    } = firingOf(
      desk,
      { ...record, state: "waiting", runId: undefined, run: undefined, reason: undefined },
      () => undefined,
    );
    return { ...seen, outcome };
  });
}

/** Throws MILLRACE_CONDITION_INVALID. */
export function catchUpOf({ onResume }: ResumeOptions): CatchUp | undefined {
  return onResume === undefined ? undefined : parseCatchUp(onResume, ["onResume"]);
}
