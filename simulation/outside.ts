/**
 * What probes look at, outside of Millrace: things that come, change and go, and things that are there one day and stay as they are.
 * Nothing else can say when that was.
 */
import {
  parseProbe,
  probeAtom,
  type Json,
  type NodeDefinition,
  type PipelineDefinition,
  type ProbeRef,
} from "@millrace/core";
import type { DeployedProbe } from "@millrace/store";
import { seededRandom, type SeededRandom } from "@millrace/testkit";
import { hashOf } from "./hash.ts";

/** What a look finds. */
export interface Found {
  readonly value: { readonly version: number } | null;
  readonly fingerprint: string | undefined;
}

interface Thing {
  readonly random: SeededRandom;
  version: number;
  isThere: boolean;
  changesAt: number;
}

const lively = "file";
const steady = "flag";

const settings = {
  jitterMs: 100,
  backoff: { factor: 2, maxMs: 20_000 },
  timeoutMs: 4_000,
  env: [],
  connections: [],
};

const definitions = [
  parseProbe({ ...settings, name: lively, everyMs: 2_000, queue: "default" }),
  parseProbe({ ...settings, name: steady, everyMs: 5_000, queue: "heavy" }),
];

/** By the first bundle for ever. */
export const deployedProbes: readonly DeployedProbe[] = definitions.map((definition) => ({
  project: "main",
  definition,
  bundle: "b1",
}));

export function everyMsOf(probe: string): number {
  return definitions.find(({ name }) => name === probe)!.everyMs;
}

/** All that is looked at. */
export const things: readonly ProbeRef[] = [
  { name: lively, args: null },
  { name: lively, args: { at: 1 } },
  { name: lively, args: { at: 2 } },
  { name: steady, args: null },
  { name: steady, args: { at: 1 } },
];

export class Outside {
  readonly #now: () => number;
  readonly #seed: number;
  readonly #things = new Map<string, Thing>();

  constructor(seed: number, now: () => number) {
    this.#seed = seed;
    this.#now = now;
  }

  look({ name, args }: ProbeRef): Found {
    const id = `${name} ${JSON.stringify(args)}`;
    const thing = this.#things.get(id) ?? this.#make(id, name);
    this.#things.set(id, thing);
    while (thing.changesAt <= this.#now()) change(thing, name);
    const { isThere, version } = thing;
    // Two versions in a row look the same to whoever compares fingerprints.
    return isThere
      ? { value: { version }, fingerprint: `f${Math.floor(version / 2)}` }
      : { value: null, fingerprint: undefined };
  }

  #make(id: string, name: string): Thing {
    const random = seededRandom(hashOf(`${this.#seed} ${id}`));
    const changesAt = name === steady ? random.pick([0, 20_000, 120_000]) : random.next() * 10_000;
    return { random, version: 0, isThere: false, changesAt };
  }
}

function change(thing: Thing, name: string): void {
  const { random } = thing;
  thing.version += 1;
  thing.isThere = name === steady || random.chance(0.75);
  thing.changesAt =
    name === steady
      ? Number.POSITIVE_INFINITY
      : thing.changesAt + random.next() * random.pick([1_000, 10_000, 40_000]);
}

/** What waits and triggers listen to. A plain one comes in the end, as lively things go on and steady ones are told of. */
export function makeProbeCondition(random: SeededRandom): {
  readonly condition: Json;
  readonly comes: boolean;
} {
  const atom = probeAtom(random.pick(things)) as unknown as Json;
  const other: Json = { kind: "event", type: "order.paid" };
  return random.pick([
    { condition: atom, comes: true },
    { condition: atom, comes: true },
    { condition: { kind: "any", of: [atom, other] }, comes: true },
    { condition: { kind: "all", of: [atom, other] }, comes: false },
    { condition: { kind: "count", of: atom, n: 2 }, comes: false },
  ]);
}

/** Some nodes that wait listen to probes instead; equal for equal nodes. */
export function withProbes(pipeline: PipelineDefinition): PipelineDefinition {
  return { ...pipeline, nodes: pipeline.nodes.map((node) => withProbe(node, pipeline.name)) };
}

function withProbe(node: NodeDefinition, pipeline: string): NodeDefinition {
  if (node.kind !== "wait" || !node.wait || node.wait.approval || node.description === listens) return node;
  const random = seededRandom(hashOf(`${pipeline}/${node.id}/${JSON.stringify(node.input)}/probe`));
  if (!random.chance(0.4)) return node;
  const { condition, comes } = makeProbeCondition(random);
  const { timeoutMs: _timeoutMs, ...wait } = node.wait;
  const asked = { ...node, description: listens, input: { kind: "value" as const, value: condition } };
  return comes && random.chance(0.5) ? { ...asked, wait } : asked;
}

const listens = "listens to a probe";
