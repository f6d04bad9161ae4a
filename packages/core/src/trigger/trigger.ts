/** A trigger: a condition that starts runs of its pipeline. */
import { canonicalJson } from "../canonical-json.ts";
import { parseCondition } from "../condition/parse.ts";
import type { Condition } from "../condition/condition.ts";
import { MillraceError } from "../error/millrace-error.ts";
import { formatPath, type Json, type Path } from "../json.ts";
import { loopLimitMax } from "../limits.ts";
import type { CatchUp } from "../schedule/ticks.ts";
import { parsePolicy, type FiringPolicy } from "./policy.ts";

export interface TriggerDefinition {
  readonly condition: Condition;
  /** Firings that would have come while it was paused. */
  readonly onResume: CatchUp;
  /** Ticks of schedules that passed while no server was up. */
  readonly catchUp: CatchUp;
  /** What becomes of firings while the pipeline has as many runs as it may. Absent: `each`. */
  readonly policy?: Exclude<FiringPolicy, "each">;
  /** How often it may stand in the causes of one of its runs. Absent: `loopLimitDefault`. */
  readonly loopLimit?: number;
}

/** What its version stands for: equal text is an equal trigger (C3). */
export function canonicalTrigger(trigger: TriggerDefinition): string {
  return canonicalJson(trigger as unknown as Json);
}

/** Throws MILLRACE_CONDITION_INVALID with the path of what is wrong. */
export function parseTrigger(json: Json, path: Path = []): TriggerDefinition {
  const { condition, onResume, catchUp, policy, loopLimit } = (json ?? {}) as {
    readonly [name: string]: Json | undefined;
  };
  const how = parsePolicy(policy ?? "each", [...path, "policy"]);
  return {
    condition: parseCondition(condition ?? null, [...path, "condition"]),
    onResume: parseCatchUp(onResume ?? "all", [...path, "onResume"]),
    catchUp: parseCatchUp(catchUp ?? "latest", [...path, "catchUp"]),
    ...(how === "each" ? {} : { policy: how }),
    ...(loopLimit === undefined || loopLimit === null
      ? {}
      : { loopLimit: parseLoopLimit(loopLimit, [...path, "loopLimit"]) }),
  };
}

function parseLoopLimit(json: Json, path: Path): number {
  if (typeof json === "number" && Number.isInteger(json) && json >= 1 && json <= loopLimitMax) return json;
  throw new MillraceError("MILLRACE_CONDITION_INVALID", {
    message: `The trigger is wrong at ${formatPath(path)}: expected a whole number from 1 to ${loopLimitMax}; found ${JSON.stringify(json)}.`,
    fields: { path: formatPath(path) },
  });
}

export function parseCatchUp(json: Json, path: Path = []): CatchUp {
  if (json === "all" || json === "latest" || json === "none") return json;
  const limit =
    typeof json === "object" && json !== null ? (json as { readonly limit?: Json }).limit : undefined;
  if (typeof limit === "number" && Number.isInteger(limit) && limit >= 1) return { limit };
  throw new MillraceError("MILLRACE_CONDITION_INVALID", {
    message: `The trigger is wrong at ${formatPath(path)}: expected all, latest, none or { limit: n }; found ${JSON.stringify(json)}.`,
    fields: { path: formatPath(path) },
  });
}

/** Those that count, in their order. */
export function chooseFirings<Item>(items: readonly Item[], how: CatchUp): readonly Item[] {
  if (how === "all") return items;
  if (how === "none") return [];
  return items.slice(-(how === "latest" ? 1 : how.limit));
}
