/** The limits that runs and dispatches of a testbed hold, and in whose names. */
import { holderOf, type Run, type TaskRun } from "@millrace/core";
import type { BedPipeline } from "./definitions.ts";
import type { LimitName } from "./limit-book.ts";

export interface HeldLimit extends LimitName {
  readonly slots: number;
  readonly limitSlots: number;
}

/** In whose name the limits of one dispatch are held (R2 of the run desk). */
export function limitHolder(run: Run, taskRun: TaskRun, dispatch: number): string {
  return `${holderOf(run.id, taskRun)}/${dispatch}`;
}

export function activeRuns({ definition }: BedPipeline): LimitName {
  return { kind: "pipeline", name: definition.name };
}
