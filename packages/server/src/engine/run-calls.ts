/**
 * Runs that other runs call: a `call` node makes one and waits; its end is told to the caller.
 *
 * T4: the called run and the caller's knowledge of it are one flush, and so are its end and the message about it.
 */
import {
  callError,
  MillraceError,
  operationKey,
  requireCallDepth,
  type DispatchName,
  type Json,
  type OpenWait,
  type Reason,
  type RunMessage,
  type TaskRun,
} from "@millrace/core";
import type { RunParent } from "@millrace/store";
import type { ActivePipeline } from "./definitions.ts";
import type { EngineParts } from "./engine-parts.ts";
import type { InboxContent, RunInboxMessage } from "./inbox-message.ts";
import type { RunEntrance } from "./run-entrance.ts";
import { causesTextOf } from "./run-causes.ts";
import type { RunEntry } from "./run-entry.ts";
import { tokenOf } from "./task-input.ts";

export interface RunCallsOptions {
  readonly parts: EngineParts;
  readonly entrance: () => RunEntrance;
  readonly send: (shard: number, message: InboxContent) => void;
  readonly tellRun: (
    run: { readonly runId: string; readonly generation: number },
    message: RunInboxMessage["message"],
  ) => Promise<boolean>;
  /** A called pipeline's parameters with its defaults. Throws MILLRACE_PARAMS_INVALID. */
  readonly checkParams: (pipeline: ActivePipeline, params: Json) => Json;
}

/** A call that the store or the bounds of the engine held up is tried again after this long. */
const callDelayMs = 500;

export class RunCalls {
  readonly #options: RunCallsOptions;

  constructor(options: RunCallsOptions) {
    this.#options = options;
  }

  get #parts(): EngineParts {
    return this.#options.parts;
  }

  startChild(entry: RunEntry, taskRun: TaskRun): void {
    const token = tokenOf(entry.identity.id, taskRun);
    void this.#createChild(entry, taskRun).catch((error: unknown) => {
      const { alarms, clock, log, runs } = this.#parts;
      if (error instanceof MillraceError && error.code !== "MILLRACE_OVERLOADED") {
        runs.step(entry, { kind: "call_failed", token, error: callError(error) });
        return;
      }
      log.warn({ run: token.runId, err: error }, "a call could not begin; trying again");
      alarms.set(clock.now() + callDelayMs, () => {
        if (isCallOpen(taskRun, token)) this.startChild(entry, taskRun);
      });
    });
  }

  /** A call in a task's code. */
  startInCode(entry: RunEntry, taskRun: TaskRun, wait: OpenWait): void {
    void this.#createInCode(entry, taskRun, wait).catch((error: unknown) => {
      const { alarms, clock, log, runs } = this.#parts;
      if (error instanceof MillraceError && error.code !== "MILLRACE_OVERLOADED") {
        const { node, item, generation } = tokenOf(entry.identity.id, taskRun);
        const { name, occurrence } = wait;
        const outcome = { kind: "error" as const, error: callError(error) };
        const ended = { kind: "wait_ended" as const, node, item, generation, name, occurrence };
        runs.step(entry, { ...ended, outcome, position: undefined });
        return;
      }
      log.warn({ run: entry.identity.id, err: error }, "a call could not begin; trying again");
      alarms.set(clock.now() + callDelayMs, () => {
        if (isWanted(taskRun, wait)) this.startInCode(entry, taskRun, wait);
      });
    });
  }

  async #createInCode(entry: RunEntry, taskRun: TaskRun, wait: OpenWait): Promise<void> {
    const { runs, values } = this.#parts;
    if (wait.op.kind !== "call") return;
    const { value = {} } = await values.loaded(wait.op.params);
    const { depth, pipeline } = await this.#calleeOf(entry, wait.op.pipeline);
    const params = await values.store(this.#options.checkParams(pipeline, structuredClone(value ?? {})));
    if (!isWanted(taskRun, wait) || runs.get(entry.identity.id) !== entry) return;
    const { runId: _, ...token } = tokenOf(entry.identity.id, taskRun);
    const name = { name: wait.name, occurrence: wait.occurrence };
    const { id: runId, shard, labels } = entry.identity;
    const parent = { runId, shard, ...token, wait: name, ...causesPart(entry) };
    this.#options.entrance().enterChild(pipeline, { params, labels, depth, parent }, (childRunId) => {
      runs.step(entry, { kind: "call_started", token, childRunId, wait: name });
    });
  }

  async #calleeOf(
    entry: RunEntry,
    name: string,
  ): Promise<{ readonly depth: number; readonly pipeline: ActivePipeline }> {
    const depth = entry.identity.depth + 1;
    requireCallDepth(name, depth);
    const pipeline = await this.#options.entrance().activePipeline(name);
    if (!pipeline) {
      const message = `The pipeline "${name}" that is called does not exist.`;
      throw new MillraceError("MILLRACE_PIPELINE_UNKNOWN", { message });
    }
    return { depth, pipeline };
  }

  async #createChild(entry: RunEntry, taskRun: TaskRun): Promise<void> {
    const { runs, values, readiness } = this.#parts;
    const token = tokenOf(entry.identity.id, taskRun);
    const { calls, input } = taskRun.node.definition;
    const { depth, pipeline } = await this.#calleeOf(entry, calls ?? "");
    const given = await readiness.resolve(entry, taskRun, input);
    const params = await values.store(this.#options.checkParams(pipeline, structuredClone(given ?? {})));
    if (!isCallOpen(taskRun, token) || runs.get(entry.identity.id) !== entry) return;
    if (taskRun.revoked) {
      runs.step(entry, { kind: "result", token, outcome: { kind: "cancelled" }, random: 0 });
      return;
    }
    const { node, item, generation, dispatch } = token;
    const parent = {
      ...causesPart(entry),
      runId: entry.identity.id,
      shard: entry.identity.shard,
      node,
      item,
      generation,
      dispatch,
    };
    const { labels } = entry.identity;
    this.#options.entrance().enterChild(pipeline, { params, labels, depth, parent }, (childRunId) => {
      runs.step(entry, { kind: "call_started", token, childRunId });
    });
  }

  /**
   * Said again until it is heard; the next owner of the caller's shard says it, too. Only the first generation was called:
   * what a person reruns is no caller's.
   */
  cancelChild(childRunId: string, reason: Reason, force: boolean): void {
    const { alarms, clock, log } = this.#parts;
    const message = { kind: "cancel", by: "parent", reason, force } as const;
    void this.#options.tellRun({ runId: childRunId, generation: 1 }, message).catch((error: unknown) => {
      log.warn({ run: childRunId, err: error }, "a called run was not cancelled; trying again");
      alarms.set(clock.now() + callDelayMs, () => this.cancelChild(childRunId, reason, force));
    });
  }

  /**
   * Told in the flush that ends the child: in memory when the parent is here, and what it is told at hand; else through the
   * inbox, where it waits until it is taken.
   */
  tellParent(parent: RunParent, message: RunMessage): void {
    const entry = this.#parts.runs.get(parent.runId);
    if (entry && isAtHand(message)) this.#parts.runs.step(entry, message);
    else this.#options.send(parent.shard, { kind: "run", runId: parent.runId, message } as InboxContent);
  }
}

function isAtHand(message: RunMessage): boolean {
  if (message.kind !== "child_ended") return true;
  const { blob, value } = message.output;
  return blob === undefined || value !== undefined;
}

function isWanted(taskRun: TaskRun, wait: OpenWait): boolean {
  return taskRun.code?.open.get(operationKey(wait)) === wait && wait.childRunId === undefined;
}

function isCallOpen(taskRun: TaskRun, token: DispatchName): boolean {
  return (
    taskRun.state === "waiting" && taskRun.dispatch === token.dispatch && taskRun.childRunId === undefined
  );
}

/** What led to a run leads to those that it calls. */
function causesPart({ identity }: RunEntry): Pick<RunParent, "causes"> {
  const causes = causesTextOf(identity);
  return causes === undefined ? {} : { causes };
}
