/** What a deploy must say rightly of sources: each can be read, and its name is one project's. */
import {
  MillraceError,
  parseSource,
  type Json,
  type ProjectDefinition,
  type SourceDefinition,
} from "@millrace/core";
import { isStorable } from "@millrace/protocol";
import type { DeploymentState } from "@millrace/store";

/** What can be judged from the definition alone. */
export function checkSources({ sources = [] }: ProjectDefinition): void {
  const seen = new Set<string>();
  for (const given of sources) {
    const source = parseSource(given as unknown as Json);
    const isTwice = seen.has(source.name);
    if (isTwice || !textsOf(source).every(isStorable)) {
      throw new MillraceError("MILLRACE_SOURCE_INVALID", {
        message: isTwice
          ? `The project has two sources with the name "${source.name}".`
          : `The source "${source.name}" has a text with U+0000 or half of a surrogate pair, which can't be stored.`,
        ...(source.source ? { source: source.source } : {}),
      });
    }
    seen.add(source.name);
  }
}

function textsOf({
  folder,
  glob,
  ignore,
  marker = "",
  type,
  goneType = "",
}: SourceDefinition): readonly string[] {
  return [folder, glob, ...ignore, marker, type, goneType];
}

/** What depends on other projects. */
export function checkSourceNames({ project, sources = [] }: ProjectDefinition, state: DeploymentState): void {
  const names = new Set(sources.map(({ name }) => name));
  const foreign = state.sources.find((row) => row.project !== project && names.has(row.definition.name));
  if (!foreign) return;
  const { name } = foreign.definition;
  throw new MillraceError("MILLRACE_PROJECT_CONFLICT", {
    message: `The source "${name}" belongs to the project "${foreign.project}", not to "${project}".`,
    fields: { source: name, owner: foreign.project, project },
  });
}
