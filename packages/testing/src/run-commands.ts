/** What people do to runs of a testbed: start, cancel, rerun, mark. What can't have an effect is refused, as by a server. */
import {
  isRunEnded,
  MillraceError,
  needsPartition,
  partitionForTrigger,
  type Json,
  type Reason,
  type Run,
} from "@millrace/core";
import type { BedPipeline, Definitions } from "./definitions.ts";
import { markOf, requireLive, requireOpen, rerunOf, type RerunOptions } from "./next-generation.ts";
import type { RunDesk, RunEntry } from "./run-desk.ts";
import { requireMembers } from "./member-names.ts";
import { requireStartOptions, type StartOptions } from "./testbed-options.ts";

/** A node of a run, or one item of a fan-out's. */
export interface NodeOptions {
  readonly node?: string;
  readonly item?: string | number;
}

/** A person's verdict on a node. */
export interface MarkOptions {
  readonly item?: string | number;
  readonly state: "succeeded" | "failed" | "skipped";
  /** Of one that is marked as succeeded. */
  readonly output?: unknown;
}

export class RunCommands {
  readonly #definitions: Definitions;
  readonly #runs: RunDesk;

  constructor(definitions: Definitions, runs: RunDesk) {
    this.#definitions = definitions;
    this.#runs = runs;
  }

  start(given: unknown, params: unknown, options: StartOptions): RunEntry {
    requireStartOptions(options);
    const pipeline = this.#definitions.pipeline(given);
    const { name } = pipeline.definition;
    if (pipeline.isPaused)
      throw new MillraceError("MILLRACE_PIPELINE_PAUSED", {
        message: `The pipeline "${name}" is paused.`,
        fields: { pipeline: name },
      });
    const checked = pipeline.checkParams(jsonOf(params));
    return this.#runs.start(pipeline, { params: checked, partition: partitionOf(pipeline, options) });
  }

  cancel(id: string, options: NodeOptions): void {
    const { node, item } = requireMembers(options, ["node", "item"], told("What is to be cancelled"));
    const entry = this.#find(id);
    const { run } = entry;
    if (item !== undefined && node === undefined)
      throw new MillraceError("MILLRACE_REQUEST_INVALID", { message: '"item" needs "node".' });
    requireLive(run);
    const reason: Reason = { code: "cancelled", message: "Cancelled by a person." };
    if (node === undefined) return this.#runs.tell(entry, { kind: "cancel", by: "user", reason });
    const one = item === undefined ? undefined : String(item);
    requireOpen(run, node, one);
    this.#runs.tell(entry, {
      kind: "cancel_node",
      node,
      ...(one === undefined ? {} : { item: one }),
      reason,
    });
  }

  rerun(id: string, options: RerunOptions): void {
    requireMembers(options, ["nodes", "all"], told("What is to be rerun"));
    this.#next(id, (run) => rerunOf(run, options));
  }

  mark(id: string, node: string, options: MarkOptions): void {
    const {
      item = "",
      state,
      output,
    } = requireMembers(options, ["item", "state", "output"], told("How a node is marked"));
    if (!markStates.includes(state))
      throw new MillraceError("MILLRACE_REQUEST_INVALID", {
        message: `A node is marked ${markStates.join(", ")}; found ${JSON.stringify(state)}.`,
        fields: { state },
      });
    if (output !== undefined && state !== "succeeded")
      throw new MillraceError("MILLRACE_REQUEST_INVALID", {
        message: `"output" goes with the state "succeeded", not "${state}".`,
      });
    const entry = this.#find(id);
    const reason: Reason = { code: "marked", message: `Marked ${state} by a person.` };
    const value = { value: jsonOf(output ?? null) };
    const mark = { node, item: String(item), state, reason };
    if (isRunEnded(entry.run.state))
      return this.#next(id, (run) =>
        markOf(run, { ...mark, output: state === "succeeded" ? value : undefined }),
      );
    requireOpen(entry.run, node, mark.item);
    this.#runs.tell(entry, { kind: "mark", ...mark, output: value });
  }

  #next(id: string, nextOf: (run: Run) => Run): void {
    const entry = this.#find(id);
    this.#runs.beginNext(entry, nextOf(entry.run));
  }

  #find(id: string | undefined): RunEntry {
    const entry = id === undefined ? undefined : this.#runs.byId.get(id);
    if (entry) return entry;
    throw new MillraceError("MILLRACE_RUN_UNKNOWN", {
      message:
        id === undefined ? "What was given is no run." : `The testbed has no run ${JSON.stringify(id)}.`,
      advice: "Give what `start` gave, or one of `t.runs`.",
      fields: { run: String(id) },
    });
  }
}

const markStates: readonly MarkOptions["state"][] = ["succeeded", "failed", "skipped"];

function told(what: string): { readonly what: string; readonly code: "MILLRACE_REQUEST_INVALID" } {
  return { what, code: "MILLRACE_REQUEST_INVALID" };
}

function jsonOf(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}

/** A run by hand is for one partition, as a fired one is. */
function partitionOf({ definition }: BedPipeline, { partition }: StartOptions): string | undefined {
  if (partition !== undefined)
    return partitionForTrigger(definition.trigger?.condition, partition, definition.name).key;
  if (!needsPartition(definition)) return undefined;
  throw new MillraceError("MILLRACE_PARTITION_REQUIRED", {
    message: `A run of the pipeline "${definition.name}" is for one partition, which its tasks read; none was named.`,
    advice: 'Name it: `t.start(pipeline, undefined, { partition: "2026-01-31" })`.',
    fields: { pipeline: definition.name },
  });
}
