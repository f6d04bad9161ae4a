/** Collects the probes that a project's modules export, and holds its conditions against them. */
import { MillraceError, probesWithin, type ProbeDefinition } from "@millrace/core";
import type { TaskFunction } from "./build.ts";
import type { DescribedCondition } from "./condition/described.ts";
import { handleOfKind, type DescribeOptions } from "./definition.ts";
import { loadDefinitions } from "./load-definitions.ts";
import { didYouMean } from "./nearest.ts";
import type { ProbeHandle } from "./probe.ts";
import { formatSource, locate } from "./source.ts";

export interface LoadedProbes {
  readonly definitions: readonly ProbeDefinition[];
  readonly functions: ReadonlyMap<string, TaskFunction>;
}

export function loadProbes(
  exported: readonly unknown[],
  options: DescribeOptions,
  errors: MillraceError[],
): LoadedProbes {
  const handles = exported.map((value) => handleOfKind<ProbeHandle>(value, "probe"));
  const words = { code: "MILLRACE_PROBE_INVALID", one: "probe", many: "probes" } as const;
  const loaded = loadDefinitions<ProbeDefinition, ProbeHandle>(handles, words, options, errors);
  return {
    definitions: loaded.map(({ definition }) => definition),
    functions: new Map(loaded.map(({ handle }) => [handle.name, handle.run])),
  };
}

/** Throws MILLRACE_PROBE_UNKNOWN where a condition listens to a probe that no included file exports. */
export function checkProbes(
  conditions: readonly DescribedCondition[],
  probes: readonly ProbeDefinition[],
  root: string | undefined,
): void {
  const known = probes.map(({ name }) => name);
  for (const { condition, what, mark } of conditions) {
    const unknown = probesWithin(condition).find(({ name }) => !known.includes(name));
    if (!unknown) continue;
    const source = locate(mark, root);
    throw new MillraceError("MILLRACE_PROBE_UNKNOWN", {
      message: `${what} (${formatSource(source)}) listens to the probe "${unknown.name}", which no included file exports.${didYouMean(unknown.name, known)}`,
      fields: { probe: unknown.name },
      ...(source ? { source } : {}),
    });
  }
}
