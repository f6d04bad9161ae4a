/**
 * A server's stream over connections as many as it takes: one that restarts, or whose shards another takes over, is away for a
 * while.
 */
import { errorCodeOf } from "@millrace/core";
import { pause } from "../pause.ts";

/** For people. */
export const awayNote = "The server does not answer: trying again for a minute.";

/** What a server that stops or is gone comes to. */
const passing: ReadonlySet<string> = new Set(["MILLRACE_SERVER_UNREACHABLE", "MILLRACE_LEASE_LOST"]);
const againMs = 500;
/** More than a take-over needs. */
const awayMsMax = 60_000;

export interface Reconnecting<Event> {
  /** Opens the stream where the last one broke off; `onOpen` is called when the server answers, maybe long before it tells anything. */
  readonly open: (onOpen: () => void) => AsyncIterable<Event>;
  /** Whether nothing follows this event. */
  readonly isLast?: (event: Event) => boolean;
  readonly signal: AbortSignal;
  /** Called once for each time that the server is away. */
  readonly onAway?: () => void;
}

/** Ends with the last event or the signal. Throws what it met last when no server has answered for a minute. */
export async function* reconnecting<Event>(options: Reconnecting<Event>): AsyncGenerator<Event> {
  const { open, isLast, signal, onAway } = options;
  for (let awaySince: number | undefined; !signal.aborted;) {
    try {
      const onOpen = (): void => {
        awaySince = undefined;
      };
      for await (const event of open(onOpen)) {
        yield event;
        if (isLast?.(event)) return;
      }
    } catch (error) {
      if (!passing.has(errorCodeOf(error) ?? "")) throw error;
      if (awaySince !== undefined && performance.now() - awaySince > awayMsMax) throw error;
    }
    if (signal.aborted) return;
    if (awaySince === undefined) onAway?.();
    awaySince ??= performance.now();
    await pause(againMs, signal);
  }
}
