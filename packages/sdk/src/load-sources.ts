/** Collects the sources that a project's modules export. */
import type { MillraceError, SourceDefinition } from "@millrace/core";
import { handleOfKind, type DescribeOptions } from "./definition.ts";
import type { SourceHandle } from "./files.ts";
import { loadDefinitions } from "./load-definitions.ts";

export function loadSources(
  exported: readonly unknown[],
  options: DescribeOptions,
  errors: MillraceError[],
): SourceDefinition[] {
  const handles = exported.map((value) => handleOfKind<SourceHandle>(value, "source"));
  const words = { code: "MILLRACE_SOURCE_INVALID", one: "source", many: "sources" } as const;
  return loadDefinitions<SourceDefinition, SourceHandle>(handles, words, options, errors).map(
    ({ definition }) => definition,
  );
}
