/** Why a firing that came to its trigger's gate has no run of its own that begins (K1 of `policy.ts`). */
import type { Reason } from "../run/state.ts";

/** A firing by its name below its pipeline, and its run by the name that this has or will have. */
export interface NamedFiring {
  readonly id: string;
  readonly runId: string;
}

/** Another firing has its members, or its place: nothing is in the way. */
export function isOfGate({ code }: Reason): boolean {
  return code === "merged" || code === "superseded";
}

export function mergedReason({ id, runId }: NamedFiring): Reason {
  return {
    code: "merged",
    message: `It was merged into the firing ${id} that waited, which starts the run ${runId}.`,
    fields: { firing: id, run: runId },
  };
}

/** `by`: the later one. */
export function supersededReason({ id, runId }: NamedFiring): Reason {
  return {
    code: "superseded",
    message: `The later firing ${id} took its place while it waited, with the run ${runId}.`,
    fields: { firing: id, run: runId },
  };
}
