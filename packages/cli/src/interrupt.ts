/** Ctrl-C and its like: the first asks, the second insists. */
import { exitCodes } from "./exit-code.ts";

export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

export interface Interrupts {
  /** Stops listening; signals then do what they do by themselves. */
  release(): void;
}

const signals: readonly StopSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
/** One Ctrl-C may arrive several times: from the terminal, and passed on by npm or by the command's wrapper. */
const sameMs = 400;

export function onInterrupt(first: (signal: StopSignal) => void, again: () => void): Interrupts {
  let firstAt: number | undefined;
  const listeners = signals.map((signal) => {
    const listener = (): void => {
      const now = Date.now();
      if (firstAt === undefined) {
        firstAt = now;
        first(signal);
      } else if (now - firstAt > sameMs) again();
    };
    process.on(signal, listener);
    return { signal, listener };
  });
  return {
    release: () => {
      for (const { signal, listener } of listeners) process.off(signal, listener);
    },
  };
}

export function exitCodeOfSignal(signal: StopSignal): number {
  return signal === "SIGINT" ? exitCodes.interrupted : exitCodes.terminated;
}
