/** What tests say that probes see: in a testbed nothing looks by itself. */
import {
  decideLook,
  findJsonFault,
  formatPath,
  MillraceError,
  presentProbeEvent,
  probeEvent,
  probeId,
  unseenProbe,
  type AtomProbe,
  type EventDraft,
  type Json,
  type LookOutcome,
  type ProbeDefinition,
  type ProbeRef,
  type SeenProbe,
} from "@millrace/core";
import type { Probe } from "@millrace/sdk";
import { definitionBrand } from "@millrace/sdk/internal";
import type { Definitions } from "./definitions.ts";
import { ownEvent } from "./own-event.ts";

/** What a test says of a thing: a probe with arguments. */
export interface ProbeControl<Value = unknown> {
  /** It is looked at, and this is there; `null`: nothing. Resolves when what follows has happened. */
  sees(value: Value | null): Promise<void>;
  /** It is looked at, and the function throws this. */
  fails(message: string): Promise<void>;
}

export class ProbeDesk {
  readonly #definitions: Definitions;
  /** Where an event stands in the log. */
  readonly #positionOf: (event: Pick<EventDraft, "source" | "id">) => number | undefined;
  readonly #seen = new Map<string, SeenProbe>();

  constructor(
    definitions: Definitions,
    positionOf: (event: Pick<EventDraft, "source" | "id">) => number | undefined,
  ) {
    this.#definitions = definitions;
    this.#positionOf = positionOf;
  }

  /** `tell` puts into the log what a look at an instant tells. Throws MILLRACE_PROBE_UNKNOWN. */
  control(
    probe: Probe,
    args: unknown,
    tell: (eventsAt: (now: number) => readonly EventDraft[]) => Promise<void>,
  ): ProbeControl {
    const definition = this.#find(probe);
    const ref: ProbeRef = { name: definition.name, args: JSON.parse(JSON.stringify(args ?? null)) as Json };
    const look = (outcome: LookOutcome): Promise<void> =>
      tell((now) => this.#look(definition, ref, { outcome, now }));
    return {
      sees: async (value) => look(foundBy(probe, value)),
      fails: (message) => look({ kind: "failed", error: { code: "MILLRACE_PROBE_FAILED", message } }),
    };
  }

  #find(probe: Probe): ProbeDefinition {
    const { probes = [] } = this.#definitions.project.definition;
    const found = probes.find(({ name }) => name === probe.name);
    if (found) return found;
    throw new MillraceError("MILLRACE_PROBE_UNKNOWN", {
      message: `The testbed has no probe "${probe.name}".`,
      advice: "Give it beside the pipelines; `import * as orders` does that by itself.",
      fields: { probe: probe.name },
    });
  }

  #look(
    definition: ProbeDefinition,
    ref: ProbeRef,
    { outcome, now }: { readonly outcome: LookOutcome; readonly now: number },
  ): EventDraft[] {
    const before = this.#seen.get(probeId(ref)) ?? { ...unseenProbe, ...ref, nextAt: undefined };
    const { memory, nextAt, tells } = decideLook(before, outcome, { definition, now, random: 0 });
    const seen = { ...before, ...memory, nextAt };
    this.#seen.set(probeId(ref), seen);
    return tells.map((kind) => ownEvent(probeEvent(seen, kind)));
  }

  /** What a wait is told that begins when something is there, and looks back to a position behind the change. */
  present({ token, ...ref }: AtomProbe, after: number): EventDraft[] {
    const seen = this.#seen.get(probeId(ref));
    if (token === undefined || !seen || seen.fingerprint === undefined) return [];
    const position = this.#positionOf(probeEvent(seen, "changed")) ?? 0;
    return position <= after ? [ownEvent(presentProbeEvent(seen, token))] : [];
  }
}

/** As the probe's own function would have returned it. */
function foundBy(probe: Probe, value: unknown): LookOutcome {
  const handle = (probe as { readonly [definitionBrand]?: { foundOf(value: unknown): object } })[
    definitionBrand
  ];
  const given = handle?.foundOf(value) ?? { value: null };
  const fault = findJsonFault(given);
  if (fault) {
    const path = formatPath(fault.path.slice(1));
    throw new MillraceError("MILLRACE_VALUE_NOT_JSON", {
      message: `What the probe "${probe.name}" is to see can't be carried by JSON: ${path} is ${fault.found}.`,
      fields: { path, found: fault.found },
    });
  }
  const found = JSON.parse(JSON.stringify(given)) as {
    readonly value: Json;
    readonly fingerprint?: string;
  };
  return { kind: "seen", ...found };
}
