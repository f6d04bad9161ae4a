import { csvOf } from "../assets/csv.ts";
import type { Plan } from "./plan.ts";

/** Each tick that the calendar shows by itself, in their order. */
export function scheduleCsv({ entries }: Plan): string {
  const ticks = [...entries.values()].flat().toSorted((a, b) => a.at - b.at);
  return csvOf(
    ["tick", "pipeline", "schedule", "zone", "became", "run", "state", "late_ms", "overlaps"],
    ticks.map(({ at, schedule, became, overlap }) => [
      new Date(at).toISOString(),
      schedule.pipeline,
      schedule.schedule,
      schedule.tz,
      became.kind,
      became.kind === "ran" ? became.run : undefined,
      became.kind === "ran" ? became.state : undefined,
      became.kind === "ran" ? became.late?.ms : undefined,
      overlap,
    ]),
  );
}
