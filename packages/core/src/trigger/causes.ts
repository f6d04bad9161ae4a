/**
 * Which triggers led to a run: the chain of causes, which goes with the run and with each event that it emits, so that a loop
 * of triggers is seen and stopped.
 *
 * L1: a run's causes count each trigger that fired on the way to it, its own included.
 * L2: a firing whose causes would hold its own trigger more than `loopLimit` times starts no run.
 * L3: causes have a bound: what is forgotten first is what stands in them once, and longest. How much that was is known, so
 *     that a loop of very many triggers is seen by its depth.
 */
import { causesDepthMax, eventTextMax } from "../limits.ts";

/** In the order in which they first fired. */
export type Causes = readonly Cause[];

export interface Cause {
  readonly pipeline: string;
  readonly times: number;
}

/** The extension attribute of an event that holds the causes of the run which emitted it. */
export const causesAttribute = "millracecauses";

/** A trigger stands so often in the causes of one of its runs at most, unless it says otherwise. */
export const loopLimitDefault = 25;

export const noCauses: Causes = [];

/** Stands for those that were forgotten: no pipeline has this name. */
const forgotten = "+";

/** As an attribute holds it: `orders*2,report*1`. The names of pipelines have neither of the signs. */
export function formatCauses(causes: Causes): string {
  return causes.map(({ pipeline, times }) => `${pipeline}*${times}`).join(",");
}

/** What is no cause is left out: anybody may send an event with this attribute. */
export function parseCauses(text: unknown): Causes {
  if (typeof text !== "string" || text === "") return noCauses;
  return text
    .slice(0, eventTextMax)
    .split(",")
    .flatMap((part) => {
      const found = /^([^*,]{1,100})\*(\d{1,6})$/.exec(part);
      return found ? { pipeline: found[1]!, times: Number(found[2]) } : [];
    });
}

/** The causes of a firing: those of its members that have led to this trigger most often, and the trigger itself (L1). */
export function causesOfFiring(pipeline: string, ofMembers: Iterable<Causes>): Causes {
  let worst = noCauses;
  for (const causes of ofMembers) worst = heavierCauses(pipeline, worst, causes);
  const known = worst.findIndex((cause) => cause.pipeline === pipeline);
  return known < 0
    ? bounded([...worst, { pipeline, times: 1 }])
    : worst.with(known, { pipeline, times: worst[known]!.times + 1 });
}

/** Those of two that have led to this trigger more often. */
export function heavierCauses(pipeline: string, a: Causes, b: Causes): Causes {
  return weight(b, pipeline) > weight(a, pipeline) ? b : a;
}

/** First by how often this trigger stands in it, then by all. */
function weight(causes: Causes, pipeline: string): number {
  let own = 0;
  let all = 0;
  for (const cause of causes) {
    all += cause.times;
    if (cause.pipeline === pipeline) own = cause.times;
  }
  return own * 1_000_000_000 + all;
}

function bounded(causes: readonly Cause[]): Causes {
  if (formatCauses(causes).length <= eventTextMax) return causes;
  const kept = causes.filter(({ pipeline }) => pipeline !== forgotten);
  let times = causes.find(({ pipeline }) => pipeline === forgotten)?.times ?? 0;
  const all = (): Cause[] => [{ pipeline: forgotten, times }, ...kept];
  while (formatCauses(all()).length > eventTextMax) {
    const once = kept.findIndex((cause) => cause.times === 1);
    const [gone] = kept.splice(Math.max(once, 0), 1);
    times += gone?.times ?? 0;
  }
  return all();
}

/** The loop that a firing would go on with: the trigger, those between, and the trigger again. */
export function loopOf(causes: Causes, pipeline: string, loopLimit: number): readonly string[] | undefined {
  const at = causes.findIndex((cause) => cause.pipeline === pipeline);
  const times = causes[at]?.times ?? 0;
  const depth = causes.reduce((sum, cause) => sum + cause.times, 0);
  if (times <= loopLimit && depth <= Math.max(causesDepthMax, loopLimit)) return undefined;
  // What stands in them as often goes round with it.
  const round = causes.filter((cause, place) => place === at || cause.times >= times - 1);
  const first = round.findIndex((cause) => cause.pipeline === pipeline);
  const names = [...round.slice(first), ...round.slice(0, first)].map((cause) =>
    cause.pipeline === forgotten ? "…" : cause.pipeline,
  );
  return [...names, pipeline];
}
