/** What people are told of transfers that fail: each try is an event, and the same news each time. */
import type { WorkerEvent } from "@millrace/worker";

type TransferEvent = Extract<WorkerEvent, { kind: "transfer_failed" }>;

/** Between two lines about one failure. */
const repeatMs = 60_000;
/** Failures that are remembered: more at one time are told again. */
const failuresMax = 100;

export class TransferReport {
  readonly #toldAt = new Map<string, number>();

  /** The line for an event; `undefined` when it is no news. */
  lineFor({ what, message }: TransferEvent, now: number): string | undefined {
    const toldAt = this.#toldAt.get(what);
    if (toldAt !== undefined && now - toldAt < repeatMs) return undefined;
    if (this.#toldAt.size >= failuresMax) this.#toldAt.clear();
    this.#toldAt.set(what, now);
    return `The worker could not transfer ${what}, and tries again: ${message}`;
  }
}
