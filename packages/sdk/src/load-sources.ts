/** Collects the sources that a project's modules export. */
import { errorCodeOf, MillraceError, type SourceDefinition } from "@millrace/core";
import { definitionBrand, type DescribeOptions } from "./definition.ts";
import type { SourceHandle } from "./files.ts";
import { formatSource, locate } from "./source.ts";

/** By identity, because files may export each other's sources again. What is wrong with one goes into `errors`. */
export function loadSources(
  exported: readonly unknown[],
  options: DescribeOptions,
  errors: MillraceError[],
): SourceDefinition[] {
  const found = new Map<string, SourceHandle>();
  const definitions: SourceDefinition[] = [];
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
    } catch (error) {
      if (errorCodeOf(error) === undefined) throw error;
      errors.push(error as MillraceError);
    }
  }
  return definitions;
}

function handleOf(exported: unknown): SourceHandle | undefined {
  if (exported === null || typeof exported !== "object") return undefined;
  try {
    const handle = (exported as { readonly [definitionBrand]?: SourceHandle })[definitionBrand];
    return handle?.kind === "source" ? handle : undefined;
  } catch {
    // A proxy that throws on unknown properties is no definition.
    return undefined;
  }
}

function duplicateName(first: SourceHandle, second: SourceHandle, root: string | undefined): MillraceError {
  const source = locate(second.mark, root);
  const places = `${formatSource(locate(first.mark, root))} and ${formatSource(source)}`;
  return new MillraceError("MILLRACE_SOURCE_INVALID", {
    message: `Two sources have the name "${second.name}": ${places}.`,
    advice: "Rename one of them.",
    fields: { source: second.name },
    ...(source ? { source } : {}),
  });
}
