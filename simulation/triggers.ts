/** Pipelines that events and time start, with triggers of many kinds. What is deployed of them changes (`trigger-client.ts`). */
import {
  compilePartitions,
  noRetry,
  parsePartitions,
  parseTrigger,
  type Json,
  type PipelineDefinition,
  type TriggerDefinition,
} from "@millrace/core";
import type { SeededRandom } from "@millrace/testkit";
import { makeProbeCondition } from "./outside.ts";
import type { Parts } from "./parts.ts";

type Make = (random: SeededRandom) => Json;

const order = (type: string, name?: string): Json => ({ kind: "event", type, ...(name && { name }) });
const customer: Json = { kind: "path", path: ["data", "customer"] };
const span = (random: SeededRandom): number => random.pick([800, 5_000, 20_000]);

const seconds = (n: number): Json => ({
  kind: "time",
  every: { kind: "every", every: { n, unit: "seconds" } },
  start: "1970-01-01",
});
/** Windows of an asset that is written, and those that its readers ask for. */
export const slices = compilePartitions(parsePartitions(seconds(5)));
const written: Json = [{ asset: "slices", partitions: seconds(5) }];
const late = (random: SeededRandom): object =>
  random.chance(0.7)
    ? { late: { debounceMs: span(random), revisionsMax: random.pick([1, 3]), closeAfterMs: 60_000 } }
    : {};

/** Of the part `probes`. */
export const listening = "t-probe";

/** By pipeline: the conditions that its trigger may have. */
const kinds: { readonly [pipeline: string]: Make } = {
  "t-each": (random) => ({
    kind: "event",
    type: "order.placed",
    where: { op: random.pick(["gt", "lt"]), path: ["data", "n"], value: random.pick([3, 5]) },
  }),
  "t-all": (random) => ({
    kind: "all",
    of: [order("order.placed", "placed"), order("order.paid", "paid")],
    withinMs: span(random) * 10,
    by: customer,
  }),
  "t-count": (random) => ({
    kind: "count",
    of: order("order.placed"),
    n: random.pick([2, 3, 7]),
    ...(random.chance(0.5) ? { by: customer } : {}),
    ...(random.chance(0.5) ? { withinMs: span(random) * 4 } : {}),
  }),
  "t-session": (random) => ({
    kind: "session",
    of: order("order.*"),
    gapMs: span(random),
    ...(random.chance(0.3) ? { maxMs: 60_000 } : {}),
    by: customer,
  }),
  "t-debounce": (random) => ({
    kind: "debounce",
    of: order("order.paid"),
    quietMs: span(random),
    ...(random.chance(0.5) ? { by: customer } : {}),
  }),
  "t-absent": (random) => ({
    kind: "absent",
    of: order("order.paid", "paid"),
    after: order("order.placed", "placed"),
    withinMs: span(random),
    by: customer,
  }),
  "t-silence": (random) => ({ kind: "absent", of: order("order.placed"), withinMs: span(random) * 2 }),
  "t-schedule": (random) => ({
    kind: "schedule",
    schedule: {
      kind: "every",
      every: { n: random.pick([20, 60]), unit: "seconds" },
      tz: "UTC",
      ...(random.chance(0.3) ? { jitterMs: 8_000 } : {}),
    },
  }),
  "t-updated": (random) => ({
    kind: "updated",
    assets: written,
    ...(random.chance(0.3) ? { only: { kind: "latest", n: 2 } } : {}),
    ...(random.chance(0.3) ? { target: seconds(15) } : {}),
  }),
  "t-complete": (random) => ({
    kind: "updated",
    assets: written,
    target: seconds(random.pick([10, 15])),
    when: "complete",
    ...late(random),
  }),
  "t-reached": (random) => ({
    kind: "reached",
    assets: written,
    target: seconds(random.pick([10, 15])),
    delayMs: random.pick([0, 2_000]),
    ...late(random),
    ...(random.chance(0.5) ? { orAfterMs: 10_000 } : {}),
  }),
  "t-paired": () => ({
    kind: "sequence",
    of: [order("order.placed", "placed"), order("order.paid", "paid")],
    by: { kind: "operands", of: { placed: customer, paid: { kind: "path", path: ["subject"] } } },
  }),
  // Each starts the other one.
  "t-ping": () => ({ kind: "any", of: [order("loop.begun", "begun"), order("test.emitted.t-pong", "back")] }),
  "t-pong": () => order("test.emitted.t-ping"),
  [listening]: (random) => makeProbeCondition(random).condition,
};

/** Pipelines whose runs start each other for ever, if nobody stops them. */
export const loopNames: readonly string[] = ["t-ping", "t-pong"];
/** How often one of them may stand in its own causes. */
export const loopLimit = 3;

/** Pipelines that have few slots. */
const limits: { readonly [pipeline: string]: number } = {
  "t-each": 1,
  "t-count": 2,
  "t-session": 1,
  "t-schedule": 1,
  "t-silence": 1,
  "t-pong": 1,
};

export function triggeredNames(parts: Parts): readonly string[] {
  return Object.keys(kinds).filter((name) => name !== listening || parts.has("probes"));
}

export function makeTrigger(random: SeededRandom, pipeline: string): TriggerDefinition {
  return parseTrigger({
    condition: kinds[pipeline]!(random),
    onResume: random.pick<Json>(["all", "all", "latest", "none", { limit: 2 }]),
    catchUp: random.pick<Json>(["all", "latest", "none", { limit: 3 }]),
    ...(loopNames.includes(pipeline) ? { loopLimit } : {}),
    policy: pipeline in limits ? random.pick(["each", "coalesce", "coalesce", "latest"]) : "each",
  });
}

/** Those that are started by a trigger only take their firing. */
export function makeTriggeredPipelines(parts: Parts): PipelineDefinition[] {
  return triggeredNames(parts).map((name) => ({
    name,
    tags: [],
    paused: false,
    nodes: [
      {
        id: "take",
        kind: "task",
        name: "take",
        input: { kind: "firing", path: [] },
        after: [],
        rule: "all_success",
        options: { retry: noRetry, priority: 0, queue: "default", env: [], connections: [] },
      },
    ],
    regions: [],
    ...(name in limits ? { maxActiveRuns: limits[name]! } : {}),
  }));
}
