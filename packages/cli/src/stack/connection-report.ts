/** What people are told of a worker's connection: each retry is an event, and the same news each time. */
import type { WorkerEvent } from "@millrace/worker";

type ConnectionEvent = Extract<WorkerEvent, { kind: "connected" | "disconnected" }>;

/** Between two lines about one loss. */
const repeatMs = 60_000;

export class ConnectionReport {
  readonly #url: string;
  #lostAt: number | undefined;
  #toldAt = 0;

  constructor(url: string) {
    this.#url = url;
  }

  /** The line for an event; `undefined` when it is no news. */
  lineFor(event: ConnectionEvent, now: number): string | undefined {
    if (event.kind === "connected") {
      const again = this.#lostAt === undefined ? "" : " again";
      this.#lostAt = undefined;
      return `Connected to ${event.url}${again}.`;
    }
    const isNew = this.#lostAt === undefined;
    this.#lostAt ??= now;
    if (!isNew && now - this.#toldAt < repeatMs) return undefined;
    this.#toldAt = now;
    const since = isNew ? "" : ` for ${Math.round((now - this.#lostAt) / 60_000)} min`;
    return `Not connected to ${this.#url}${since}: ${event.reason}. Trying again until it answers.`;
  }
}
