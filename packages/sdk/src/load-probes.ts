/** Collects the probes that a project's modules export, and holds its conditions against them. */
import { errorCodeOf, MillraceError, probesWithin, type ProbeDefinition } from "@millrace/core";
import type { TaskFunction } from "./build.ts";
import type { DescribedCondition } from "./condition/described.ts";
import { definitionBrand, type DescribeOptions } from "./definition.ts";
import { didYouMean } from "./nearest.ts";
import type { ProbeHandle } from "./probe.ts";
import { formatSource, locate } from "./source.ts";

export interface LoadedProbes {
  readonly definitions: readonly ProbeDefinition[];
  readonly functions: ReadonlyMap<string, TaskFunction>;
}

/** By identity, because files may export each other's probes again. What is wrong with one goes into `errors`. */
export function loadProbes(
  exported: readonly unknown[],
  options: DescribeOptions,
  errors: MillraceError[],
): LoadedProbes {
  const found = new Map<string, ProbeHandle>();
  const definitions: ProbeDefinition[] = [];
  const functions = new Map<string, TaskFunction>();
  for (const value of exported) {
    const handle = handleOf(value);
    const other = handle && found.get(handle.name);
    if (!handle || other === handle) continue;
    if (other) {
      errors.push(duplicateName(other, handle, options.root));
      continue;
    }
    found.set(handle.name, handle);
    try {
      definitions.push(handle.describe(options));
      functions.set(handle.name, handle.run);
    } catch (error) {
      if (errorCodeOf(error) === undefined) throw error;
      errors.push(error as MillraceError);
    }
  }
  return { definitions, functions };
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

function handleOf(exported: unknown): ProbeHandle | undefined {
  if (exported === null || typeof exported !== "object") return undefined;
  try {
    const handle = (exported as { readonly [definitionBrand]?: ProbeHandle })[definitionBrand];
    return handle?.kind === "probe" ? handle : undefined;
  } catch {
    // A proxy that throws on unknown properties is no definition.
    return undefined;
  }
}

function duplicateName(first: ProbeHandle, second: ProbeHandle, root: string | undefined): MillraceError {
  const source = locate(second.mark, root);
  const places = `${formatSource(locate(first.mark, root))} and ${formatSource(source)}`;
  return new MillraceError("MILLRACE_PROBE_INVALID", {
    message: `Two probes have the name "${second.name}": ${places}.`,
    advice: "Rename one of them.",
    fields: { probe: second.name },
    ...(source ? { source } : {}),
  });
}
