/** `GET /pipelines/:name/next`: the next instants of the schedules in its trigger. */
import { nextTick, operandsOf, type Condition, type Schedule } from "@millrace/core";
import type { NextTickView } from "@millrace/protocol";
import { nextTicksShown } from "./limits.ts";
import { isoTime } from "./run-summary.ts";

export function nextTicks(condition: Condition | undefined, now: number): NextTickView[] {
  const atoms = condition ? schedulesIn(condition) : [];
  const ticks = atoms.flatMap((atom) => ticksOf(atom, now));
  return ticks
    .sort((a, b) => a.at - b.at)
    .slice(0, nextTicksShown)
    .map(({ at, name }) => ({ at: isoTime(at), ...(name === undefined ? {} : { operand: name }) }));
}

interface Found {
  readonly schedule: Schedule;
  readonly name?: string;
}

function schedulesIn(condition: Condition): Found[] {
  return condition.kind === "schedule" ? [condition] : operandsOf(condition).flatMap(schedulesIn);
}

function ticksOf({ schedule, name }: Found, now: number): { at: number; name: string | undefined }[] {
  const ticks: { at: number; name: string | undefined }[] = [];
  let at = nextTick(schedule, now);
  while (at !== undefined && ticks.length < nextTicksShown) {
    ticks.push({ at, name });
    at = nextTick(schedule, at);
  }
  return ticks;
}
