/**
 * Asks the workers that are connected to this node to look.
 *
 * L1: a look is answered once, or given up after its time; what comes later is nobody's.
 */
import {
  probePipeline,
  type AttemptError,
  type Json,
  type LookOutcome,
  type ProbeDefinition,
} from "@millrace/core";
import type { CarriedValue, Dispatch, Looked } from "@millrace/protocol";
import type { ConnectedWorker } from "../dispatcher.ts";
import type { EngineParts } from "../engine-parts.ts";
import { lookMarginMs } from "../limits.ts";

export interface LookRequest {
  readonly definition: ProbeDefinition;
  readonly bundle: string;
  readonly args: Json;
  /** Of the thing, and how often it was looked at. */
  readonly id: string;
  readonly looks: number;
}

export class ProbeLooks {
  readonly #parts: Pick<EngineParts, "alarms" | "clock" | "dispatcher">;
  readonly #waiting = new Map<number, (answer: Looked) => void>();
  #last = 0;

  constructor(parts: Pick<EngineParts, "alarms" | "clock" | "dispatcher">) {
    this.#parts = parts;
  }

  answered(answer: Looked): void {
    this.#waiting.get(answer.number)?.(answer);
  }

  /** `undefined`: no connected worker serves the queue. */
  async look(request: LookRequest): Promise<LookOutcome | undefined> {
    const { alarms, clock, dispatcher } = this.#parts;
    const { definition } = request;
    const link = linkOf(dispatcher.workers.values(), definition.queue);
    if (!link) return undefined;
    this.#last += 1;
    const number = this.#last;
    return new Promise((resolve) => {
      const alarm = alarms.set(clock.now() + definition.timeoutMs + lookMarginMs, () =>
        settle({ kind: "failed", error: lost(definition) }),
      );
      const settle = (outcome: LookOutcome): void => {
        alarm.cancel();
        this.#waiting.delete(number);
        resolve(outcome);
      };
      this.#waiting.set(number, (answer) => settle(outcomeOf(answer)));
      link.send({ kind: "look", number, dispatch: dispatchOf(request) });
    });
  }
}

function dispatchOf({ definition, bundle, args, id, looks }: LookRequest): Dispatch {
  const { name, timeoutMs, env, connections } = definition;
  return {
    token: { runId: id, node: name, item: "", generation: 1, dispatch: looks + 1 },
    pipeline: probePipeline,
    bundle,
    attempt: 1,
    input: { value: args },
    timeoutMs,
    env,
    connections,
    idempotencyKey: `${id}/${looks + 1}`,
  };
}

function outcomeOf({ found, error }: Looked): LookOutcome {
  if (error) return { kind: "failed", error: faultOf(error) };
  const { value, fingerprint } = foundIn(found);
  if (value === undefined) {
    const message = "The worker's answer holds nothing that was found.";
    return { kind: "failed", error: { code: "MILLRACE_PROBE_FAILED", message } };
  }
  return { kind: "seen", value, ...(typeof fingerprint === "string" ? { fingerprint } : {}) };
}

function foundIn(found: CarriedValue | undefined): { readonly value?: Json; readonly fingerprint?: Json } {
  const json = found && "value" in found ? found.value : null;
  return (json ?? {}) as { readonly value?: Json; readonly fingerprint?: Json };
}

function faultOf({ code, name, message }: AttemptError): { readonly code: string; readonly message: string } {
  return {
    code: code ?? "MILLRACE_PROBE_FAILED",
    message: `${name}: ${message}`.slice(0, faultCharactersMax),
  };
}

const faultCharactersMax = 2_000;

function lost({ timeoutMs }: ProbeDefinition): { readonly code: string; readonly message: string } {
  return {
    code: "MILLRACE_PROBE_FAILED",
    message: `No worker has answered within ${timeoutMs} ms and ${lookMarginMs} ms more.`,
  };
}

/** Of the worker with the most free slots. */
function linkOf(workers: Iterable<ConnectedWorker>, queue: string): ConnectedWorker["link"] {
  let best: ConnectedWorker | undefined;
  for (const worker of workers) {
    if (!worker.link || worker.draining || !worker.info.queues.includes(queue)) continue;
    if (!best || worker.info.slots - worker.busy.size > best.info.slots - best.busy.size) best = worker;
  }
  return best?.link;
}
