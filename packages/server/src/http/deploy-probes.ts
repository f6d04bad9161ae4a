/** What a deploy must say rightly of probes: each can be read, and its name is one project's. */
import { MillraceError, parseProbe, type Json, type ProjectDefinition } from "@millrace/core";
import type { DeploymentState } from "@millrace/store";

/** What can be judged from the definition alone. */
export function checkProbes({ probes = [] }: ProjectDefinition): void {
  const seen = new Set<string>();
  for (const given of probes) {
    const probe = parseProbe(given as unknown as Json);
    if (seen.has(probe.name)) {
      throw new MillraceError("MILLRACE_PROBE_INVALID", {
        message: `The project has two probes with the name "${probe.name}".`,
        ...(probe.source ? { source: probe.source } : {}),
      });
    }
    seen.add(probe.name);
  }
}

/** What depends on other projects. */
export function checkProbeNames({ project, probes = [] }: ProjectDefinition, state: DeploymentState): void {
  const names = new Set(probes.map(({ name }) => name));
  const foreign = state.probes.find((row) => row.project !== project && names.has(row.definition.name));
  if (!foreign) return;
  const { name } = foreign.definition;
  throw new MillraceError("MILLRACE_PROJECT_CONFLICT", {
    message: `The probe "${name}" belongs to the project "${foreign.project}", not to "${project}".`,
    fields: { probe: name, owner: foreign.project, project },
  });
}
