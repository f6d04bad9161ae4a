/** The probes of all active deployments, and the things that triggers ask for. */
import { parseCondition, probeId, probesWithin, type ProbeRef } from "@millrace/core";
import type { DeployedProbe, DeployedProbes } from "@millrace/store";

export class ProbeBook {
  readonly #deployed = new Map<string, DeployedProbe>();
  /** By their ids. */
  readonly #asked = new Map<string, ProbeRef>();

  replace({ probes, conditions }: DeployedProbes): void {
    this.#deployed.clear();
    this.#asked.clear();
    for (const probe of probes) this.#deployed.set(probe.definition.name, probe);
    for (const condition of conditions)
      for (const { name, args } of probesWithin(parseCondition(condition)))
        this.#asked.set(probeId({ name, args }), { name, args });
  }

  find(name: string): DeployedProbe | undefined {
    return this.#deployed.get(name);
  }

  /** Whether a trigger listens to the thing. */
  isAsked(id: string): boolean {
    return this.#asked.has(id);
  }

  asked(): Iterable<[string, ProbeRef]> {
    return this.#asked;
  }
}
