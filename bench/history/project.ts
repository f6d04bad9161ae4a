/** What a history is of: pipelines as a team has them after a year, made with the SDK. */
import { fileURLToPath } from "node:url";
import type { ProjectDefinition } from "@millrace/core";
import { loadProject } from "@millrace/sdk/internal";
import {
  approve,
  asset,
  daily,
  dynamicPartitions,
  hourly,
  on,
  pipeline,
  task,
  wait,
  type Ref,
} from "millrace";

export interface HistorySizes {
  /** Ended ones; those of `lattice` come on top. */
  readonly runs: number;
  /** Of each run, but for `lattice`. */
  readonly nodes: number;
  readonly pipelines: number;
  /** Days that they ended on, the last one today. */
  readonly days: number;
  /** The runs of one pipeline that has many nodes. */
  readonly lattice: { readonly runs: number; readonly nodes: number };
  /** Entries of the log. */
  readonly events: number;
  /** Partitions of each of some assets, and of one whose keys have no order in time. */
  readonly partitions: number;
  /** What is under way: runs that wait, and as many as a fourth of them for each of the other reasons. */
  readonly live: number;
  readonly deployments: number;
}

/** Three of ten runs are of this one; events start them. */
export const busy = "load-0";
/** It ran on the first of the days only. */
export const seldom = "seldom";
export const lattice = "lattice";

export const assetCount = 100;

type Asset = ReturnType<typeof asset>;

export function nodeName(at: number): string {
  return `step-${String(at).padStart(3, "0")}`;
}

/** With what the benchmarks' own project has. */
export function historyDefinition(sizes: HistorySizes, own: ProjectDefinition): ProjectDefinition {
  const tables = assets();
  const parts = { ...tables, ...loads(sizes, Object.values(tables)), ...others(sizes) };
  const root = fileURLToPath(new URL("..", import.meta.url));
  const loaded = loadProject({ "history/project.ts": parts }, { project: own.project, root });
  if (loaded.errors[0]) throw loaded.errors[0];
  const { definition } = loaded;
  return {
    ...definition,
    pipelines: [...own.pipelines, ...definition.pipelines],
    queues: [...new Set([...own.queues, ...definition.queues])],
  };
}

/** The first by the day, then by the hour, then one of keys that become known, the rest in one piece. */
function assets(): { [name: string]: Asset } {
  const partitionsOf = (at: number) =>
    at < 50
      ? daily("2025-01-01")
      : at < 60
        ? hourly("2024-01-01")
        : at === 60
          ? dynamicPartitions()
          : undefined;
  return Object.fromEntries(
    Array.from({ length: assetCount }, (_, at) => {
      const partitions = partitionsOf(at);
      const options = { owner: `team-${at % 7}`, ...(partitions ? { partitions } : {}) };
      return [`asset${at}`, asset(`lake/table_${at}`, options as object) as unknown as Asset];
    }),
  );
}

function loads({ pipelines, nodes }: HistorySizes, tables: readonly Asset[]): { [name: string]: object } {
  return Object.fromEntries(
    Array.from({ length: pipelines }, (_, at) => {
      const step = task("step", { writes: tables[at % assetCount]! }, async (input: unknown) => input);
      const plain = task("step", async (input: unknown) => input);
      const options = {
        description: `Loads what source ${at} has`,
        owner: `team-${at % 7}`,
        tags: [`layer-${at % 4}`, "seeded"],
        ...(at === 0 ? { on: on.event("order.paid").as("orders").by("data.region") } : {}),
      };
      return [`load${at}`, pipeline(`load-${at}`, options as object, () => layers(plain, step, nodes))];
    }),
  );
}

type Step = (input: unknown, options?: object) => Ref<unknown>;

/** Each node reads the one before it and the one three before it; the last one is `last`. */
function layers(step: unknown, last: unknown, count: number): void {
  const made: Ref<unknown>[] = [];
  for (let at = 0; at < count; at += 1) {
    const make = (at === count - 1 ? last : step) as Step;
    const parents = [made[at - 1], made[at - 3]].filter((ref) => ref !== undefined);
    made.push(make(parents, { id: nodeName(at) }));
  }
}

function others({ lattice: { nodes } }: HistorySizes): { [name: string]: object } {
  const step = task("step", async (input: unknown) => input);
  return {
    lattice: pipeline(lattice, { owner: "team-1" }, () => layers(step, step, nodes)),
    seldom: pipeline(seldom, () => layers(step, step, 3)),
    approving: pipeline("approving", () => {
      approve({ id: "release", title: "Publish the report?", by: ["ann", "bob"] });
    }),
    queueing: pipeline("queueing", { maxActiveRuns: 1 }, () => {
      wait(on.event("bench.never"));
    }),
    paired: pipeline(
      "paired",
      { on: on.all([on.event("pair.left"), on.event("pair.right")]).by("data.key") },
      () => {
        step(1);
      },
    ),
  };
}
