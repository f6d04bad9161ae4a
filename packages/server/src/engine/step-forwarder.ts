/**
 * Steps of attempts whose runs other nodes own: the owner records them, and says so to the worker's node. What is left in its inbox
 * counts for nothing yet (W6). It is told again until it does, for as long as the attempt is under way here: its word may be
 * lost with a connection.
 */
import type { Json } from "@millrace/core";
import { tokenKey, type StepName, type Steps } from "@millrace/protocol";
import { stepMessages } from "./attempt-outcome.ts";
import type { Clock } from "./clock.ts";
import type { ConnectedWorker } from "./dispatcher.ts";
import type { EngineParts } from "./engine-parts.ts";
import type { RecordedInboxMessage } from "./inbox-message.ts";
import { workspaceId } from "./workspace.ts";

export interface StepForwarderOptions {
  readonly parts: EngineParts;
  readonly clock: Clock;
  /** Does it again until the store takes it; false when this engine ends before that. */
  readonly insist: (what: string, work: () => Promise<unknown>) => Promise<boolean>;
  readonly isClosed: () => boolean;
}

/** A step is told again after this long: two flushes and two readings of inboxes. */
const againMs = 3_000;

export class StepForwarder {
  readonly #options: StepForwarderOptions;
  /** Steps that are not known to be recorded, by their attempts. */
  readonly #open = new Map<string, Set<string>>();

  constructor(options: StepForwarderOptions) {
    this.#options = options;
  }

  async forward(worker: ConnectedWorker, { token, steps }: Steps): Promise<void> {
    const { clock, isClosed } = this.#options;
    const key = tokenKey(token);
    const waiting = this.#open.get(key) ?? new Set();
    this.#open.set(key, waiting);
    for (const step of steps) waiting.add(stepKey(step));
    for (;;) {
      const open = steps.filter((step) => waiting.has(stepKey(step)));
      if (open.length === 0 || isClosed() || !worker.busy.has(key)) break;
      if (!(await this.#send(worker, { kind: "steps", token, steps: open }))) return;
      await new Promise<void>((resolve) => {
        clock.after(againMs, resolve);
      });
    }
    if (waiting.size === 0 || !worker.busy.has(key)) this.#open.delete(key);
  }

  async #send(worker: ConnectedWorker, steps: Steps): Promise<boolean> {
    const { parts, insist } = this.#options;
    const { runId } = steps.token;
    for (const message of stepMessages(steps)) {
      const content = { kind: "run", runId, message, worker: worker.info.id } as unknown as Json;
      const isLeft = await insist("a step could not be forwarded", () =>
        parts.store.sendToRun({ workspace: workspaceId, id: runId }, content),
      );
      if (!isLeft) return false;
    }
    return true;
  }

  /** The owner of its run has recorded a step. */
  recorded({ workerId, token, step }: RecordedInboxMessage): void {
    this.#open.get(tokenKey(token))?.delete(stepKey(step));
    const { dispatcher } = this.#options.parts;
    const worker = dispatcher.workers.get(workerId);
    if (worker) dispatcher.noteRecorded(worker, token, [step]);
  }
}

function stepKey({ name, occurrence }: StepName): string {
  return `${occurrence} ${name}`;
}
