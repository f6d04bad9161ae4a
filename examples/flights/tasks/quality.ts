/** May this be published? The thresholds are parameters of the run. */
import { branch, task } from "millrace";
import type { Airport } from "./airports.ts";
import type { CleanMonth } from "./clean.ts";

export interface Quality {
  readonly kept: number;
  readonly dropped: number;
  readonly droppedShare: number;
  /** Sentences; empty when all is well. */
  readonly problems: readonly string[];
}

interface Checked {
  readonly months: readonly CleanMonth[];
  readonly airports: readonly Airport[];
  readonly droppedMax: number;
  readonly monthsMin: number;
}

export const checkQuality = task("check-quality", (input: Checked, ctx): Quality => {
  const { months, airports, droppedMax, monthsMin } = input;
  const kept = months.reduce((sum, month) => sum + month.kept, 0);
  const dropped = months.reduce(
    (sum, { dropped }) => sum + dropped.early + dropped.late + dropped.duplicate,
    0,
  );
  const droppedShare = dropped / Math.max(1, kept + dropped);
  const problems: string[] = [];
  if (droppedShare > droppedMax)
    problems.push(`${dropped} rows were dropped: a share of ${droppedShare.toFixed(5)}, above ${droppedMax}`);
  if (months.length < monthsMin)
    problems.push(`only ${months.length} of at least ${monthsMin} months are there`);
  const unnamed = airports.filter((airport) => airport.name === null).map((airport) => airport.code);
  if (unnamed.length > 0) problems.push(`no name is known for ${unnamed.join(", ")}`);
  for (const problem of problems) ctx.log.warn(problem);
  return { kept, dropped, droppedShare, problems };
});

export const verdict = branch(
  "verdict",
  { choices: ["publish", "quarantine"] },
  (quality: { problems: readonly string[] }) => (quality.problems.length === 0 ? "publish" : "quarantine"),
);
